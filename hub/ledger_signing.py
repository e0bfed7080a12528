"""Keep the key that signs checkpoints, and everything that was signed.

Law: the private key is a 0600 file of root, where no service can go: whoever breaks into the
campus cannot sign what the ledger never was. Signed is only a ledger that goes on from every
checkpoint before. What was signed, and every public key there was, lie in one file that the
campus may read and nobody may change; it may be carried away, and names nobody.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables_ledger import LedgerCheckpoint
from bioskills.base.text import _
from bioskills.base.wire import Wire
from bioskills.competence import checkpoints
from bioskills.competence.checkpoints import BadCheckpointError, Checkpoint, Loss
from bioskills.competence.ledger import in_text
from bioskills.hub.ledger_check import agreed, examine
from bioskills.hub.privileges import run_as
from bioskills.hub.secrets_store import read_secret, write_private

KEY, KEPT = "ledger_key.pem", "ledger-checkpoints.json"
_READABLE = 0o640


def _named(key: dict[str, str]) -> dict[str, str]:
    if not {"kid", "x"} <= key.keys():
        raise ValueError
    return key


class Kept(Wire):
    """What was signed, with every public key there was; the newest of each is the last.

    Attributes:
        keys: JWKs with `since`, and `vouched`: the word of the key before for this one.
        checkpoints: Signed texts.
        losses: Signed words that records after one were lost, and that this was accepted.
    """

    keys: list[Annotated[dict[str, str], AfterValidator(_named)]] = []  # noqa: RUF012 - pydantic copies it
    checkpoints: list[str] = []  # noqa: RUF012
    losses: list[str] = []  # noqa: RUF012

    def accepted(self) -> list[Loss]:
        """Return every accepted loss."""
        return [checkpoints.read_loss(jws, self.keys) for jws in self.losses]

    def standing(self) -> list[Checkpoint]:
        """Return the checkpoints that the ledger must go on from."""
        return checkpoints.standing(self.read(), self.accepted())

    def read(self) -> list[Checkpoint]:
        """Return every checkpoint.

        Raises:
            BadCheckpointError: One is not signed by a key of this file.
        """
        return [checkpoints.read(jws, self.keys) for jws in self.checkpoints]

    def newest(self) -> Checkpoint | None:
        """Return the last checkpoint that still stands; None where there is none."""
        found = self.standing()
        return found[-1] if found else None


def kept_file(places: Places) -> Path:
    """Return the file of what was signed."""
    return places.reports / KEPT


def read_kept(path: Path) -> Kept:
    """Return what was signed; nothing where nothing was.

    Raises:
        SetupError: The file is there and cannot be read.
    """
    try:
        return Kept.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Kept()
    except (OSError, ValidationError) as error:
        text = _("{path} is no file of checkpoints: {error}. Use a whole copy, of a backup say.")
        why = getattr(error, "strerror", None) or _("it is not whole")
        raise SetupError(text.format(path=path, error=why)) from error


def ensure_ledger_key(places: Places, group: int, at: datetime) -> None:
    """Make the key on first use, and say its public half; root does it at each set-up.

    A broken file stops no start: nothing is signed then, and the doctor says so.
    """
    path = places.machine / KEY
    with suppress(SetupError, BadCheckpointError, OSError), _alone(places):
        if not path.exists():
            _make_key(path)
        jwk = checkpoints.public_jwk(_private_key(places))
        kept = read_kept(kept_file(places))
        if jwk["kid"] not in {key["kid"] for key in kept.keys}:
            _write(places, group, _with_key(kept, jwk, at))


def rotate_key(places: Places, group: int, at: datetime) -> str:
    """Put a new key in the place of the old one, which gives its word for it and is removed.

    Killed in between, the next set-up goes on: the old key still signs, or the new one does.

    Returns:
        The new key's thumbprint.
    """
    path, staged = places.machine / KEY, places.machine / f"{KEY}.next"
    with _alone(places):
        old, pem = _private_key(places), checkpoints.new_key()
        jwk, kept = checkpoints.public_jwk(pem), read_kept(kept_file(places))
        _write_key(staged, pem)
        word = checkpoints.sign_next_key(old, jwk)
        _write(places, group, _with_key(kept, jwk, at, word))
        staged.rename(path)
    return jwk["kid"]


def accept_loss(settings: Settings, group: int, at: datetime, reason: str) -> Loss:
    """Say, signed, that records were lost; what was signed of them is kept.

    Where they were lost nobody can know: new ones may stand in their place. Known is the last
    checkpoint that the ledger still goes on from, so that is what the loss is said to follow.

    Raises:
        SetupError: No checkpoint says that something was lost, or something else is wrong, too.
    """
    places = places_of(settings)
    with _alone(places):
        kept = read_kept(kept_file(places))
        url = database_url(settings)
        found = as_campus(settings, partial(_look, url, kept.model_dump()))
        loss = Loss(found["agreed"], at, reason)
        pem = _private_key(places)
        losses = [*kept.losses, checkpoints.sign_loss(pem, loss)]
        after = kept.model_copy(update={"losses": losses})
        again = as_campus(settings, partial(_look, url, after.model_dump()))
        if not found["findings"] or again["findings"]:
            first = (again["findings"] or [{"what": _("nothing is lost"), "next": ""}])[0]
            raise SetupError(_("This is no loss to accept: {what}. {next}").format(**first).strip())
        _write(places, group, after)
        return loss


def make_checkpoint(settings: Settings, group: int, at: datetime) -> Checkpoint:
    """Look through the ledger, sign what it is, and keep that in the file and in the table.

    Raises:
        SetupError: Something is wrong with the ledger; nothing was signed.
        BadCheckpointError: What was kept is not signed by a kept key.
    """
    places = places_of(settings)
    with _alone(places):
        return _make(settings, places, group, at)


def _make(settings: Settings, places: Places, group: int, at: datetime) -> Checkpoint:
    kept = read_kept(kept_file(places))
    kept.read()
    found = as_campus(settings, partial(_look, database_url(settings), kept.model_dump()))
    if found["findings"]:
        first = found["findings"][0]
        of_one = _("Nothing was signed, record {seq}: {what}. {next}")
        text = of_one if first["seq"] else _("Nothing was signed: {what}. {next}")
        raise SetupError(text.format(**first))
    pem = _private_key(places)
    signed = checkpoints.sign(pem, found["seq"], found["head"], found["count"], at)
    kept = kept.model_copy(update={"checkpoints": [*kept.checkpoints, signed.jws]})
    _write(places, group, kept)
    as_campus(settings, partial(_store, database_url(settings), kept.model_dump()))
    return signed


def as_campus(settings: Settings, act: Any) -> Any:
    """Do something as the service that owns our database; return what it gave."""
    from bioskills.hub.state import owners_of  # noqa: PLC0415 - set-up makes the key by this module

    owners = owners_of(settings)
    return run_as(owners.campus, owners.groups(owners.campus), partial(_saying, act))


def _saying(act: Any) -> Any:
    """Do something with the database; where it does not answer, say so in a sentence."""
    try:
        return act()
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        text = _("The database cannot be read: {why}. Run: bioskills doctor")
        raise SetupError(text.format(why=why)) from error


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Let one process at a time change key and file; the lock ends with the process."""
    with (places.machine / "ledger.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _look(url: str, kept: dict[str, Any]) -> dict[str, Any]:
    store = Store(url)
    try:
        with store.reading() as session:
            signed = Kept(**kept).standing()
            found = examine(session, signed).as_dict()
            return {**found, "agreed": agreed(session, signed)}
    finally:
        store.close()


def _store(url: str, kept: dict[str, Any]) -> None:
    """Put into the table what is in the file alone; a kill between the two is mended so."""
    store = Store(url)
    try:
        with store.transaction() as session:
            known = set(session.scalars(select(LedgerCheckpoint.jws)))
            for one in Kept(**kept).read():
                if one.jws not in known:
                    session.add(_row(one))
    finally:
        store.close()


def _row(one: Checkpoint) -> LedgerCheckpoint:
    return LedgerCheckpoint(
        seq=one.seq, head=one.head, count=one.count, at=one.at, kid=one.kid, jws=one.jws
    )


def _with_key(kept: Kept, jwk: dict[str, str], at: datetime, word: str = "") -> Kept:
    key = {**jwk, "since": in_text(at), "vouched": word}
    return kept.model_copy(update={"keys": [*kept.keys, key]})


def _private_key(places: Places) -> str:
    """Return the key that signs.

    Raises:
        SetupError: Its file cannot be read, or holds something else.
    """
    path, other = places.machine / KEY, _("The file of the key holds no Ed25519 key.")
    try:
        pem = read_secret(path)
        checkpoints.public_jwk(pem)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or other
        step = _(
            "Bring it back from a backup; or move it away, and the next start makes a new one."
        )
        raise SetupError(f"{path}: {why} {step}") from error
    return pem


def _make_key(path: Path) -> None:
    """Make a key that is there whole or not at all."""
    staged = path.with_name(f"{path.name}.new")
    _write_key(staged, checkpoints.new_key())
    staged.rename(path)


def _write_key(path: Path, pem: str) -> None:
    write_private(path, pem, 0)
    with path.open("rb") as file:
        os.fsync(file.fileno())  # whole before it takes its place, whatever the power does


def _write(places: Places, group: int, kept: Kept) -> None:
    path = kept_file(places)
    staged = path.with_name(f"{path.name}.new")
    with staged.open("w", encoding="utf-8") as file:
        file.write(json.dumps(kept.model_dump(), indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        os.chown(staged, 0, group)
    staged.chmod(_READABLE)
    staged.rename(path)
