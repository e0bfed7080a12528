"""Check the ledger: its newest records, its checkpoints, and what keeps it append-only.

Law: read as the service that owns it, and changed by nothing; the whole of it is looked
through by `bioskills ledger verify` and before each checkpoint is signed.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import inspect

from bioskills.base.places import database_url
from bioskills.base.store import Store, sqlite_path
from bioskills.base.tables import LedgerRow, now
from bioskills.base.text import _
from bioskills.competence.checkpoints import BadCheckpointError
from bioskills.hub.doctor import Check, Examination, Patient, fault, ok, warning
from bioskills.hub.ledger_check import examine
from bioskills.hub.ledger_signing import Kept, as_campus, kept_file, read_kept

NEWEST = 200
OLDEST = timedelta(hours=36)


def check_ledger(patient: Patient) -> Check:
    """Look at the chain of the newest records, and at the age of the newest checkpoint."""
    url = database_url(patient.settings)
    file = sqlite_path(url)
    if file is not None and not file.exists():
        return ok("ledger", _("No ledger yet; the first start makes it."))
    kept = read_kept(kept_file(patient.places))
    try:
        newest = kept.newest()
    except BadCheckpointError as error:
        text = _("The file of checkpoints is not sound: {error}").format(error=error)
        return fault(
            "ledger", text, _("Bring back a copy of it, then run: bioskills ledger verify")
        )
    found = as_campus(patient.settings, partial(look, url, kept.model_dump()))
    if found is None:
        text = _("The database has no ledger yet.")
        return warning("ledger", text, _("Run: bioskills upgrade"))
    if found["findings"]:
        first = found["findings"][0]
        of_one = _("Record {seq} of the ledger: {what}.")
        text = (of_one if first["seq"] else _("The ledger: {what}.")).format(**first)
        return fault("ledger", text, _("Run: bioskills ledger verify"))
    return _age(found, newest.at if newest else None, now())


def look(url: str, kept: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is found at the ledger's end, with the time of the record not yet signed."""
    store = Store(url)
    try:
        with store.reading() as session:
            if not inspect(session.connection()).has_table("ledger"):
                return None
            newest = Kept(**kept).newest()
            found = examine(session, [newest] if newest else [], NEWEST).as_dict()
            waits = session.get(LedgerRow, (newest.seq if newest else 0) + 1)
            return {**found, "waits_since": waits and waits.at.astimezone(UTC).isoformat()}
    finally:
        store.close()


def _age(found: dict[str, Any], signed: datetime | None, at: datetime) -> Check:
    waits = found["waits_since"]
    since = max(filter(None, (signed, waits and datetime.fromisoformat(waits))), default=None)
    if waits and since and at - since > OLDEST:
        text = _("Records since {when} UTC are in no checkpoint: nothing would show their loss.")
        step = _("Run: bioskills ledger checkpoint; if it is refused, it says why.")
        return warning("ledger", text.format(when=f"{since.astimezone(UTC):%Y-%m-%d %H:%M}"), step)
    text = _("{count} records; the newest {looked} follow one another and the newest checkpoint.")
    return ok("ledger", text.format(count=found["count"], looked=found["looked"]))


ALL: tuple[Examination, ...] = (check_ledger,)
