"""Fill an empty installation with a cohort to try everything with.

Law: only on this machine (loopback), only while nobody is there; accounts are real ones,
but their passwords are printed and kept in clear (0600 of the hub); the same plan/apply
that a real cohort goes through, so that the demo proves the real thing.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bioskills.base.places import Places
from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.hub.accounts import fill_printed, new_printed_password
from bioskills.hub.cohort_file import Wish, parse_cohort
from bioskills.hub.cohort_plan import apply_wish

COHORT = "demo"
WEEKS = 10

PEOPLE = (
    ("lea", "Lea Brandt", "learner"),
    ("miro", "Miro Petrov", "learner"),
    ("sofia", "Sofia Rossi", "learner"),
    ("ina", "Ina Keller", "instructor"),
    ("asta", "Asta Nyström", "assessor"),
    ("ada", "Ada Admin", "admin"),
    ("max", "Max Meyer", "manager"),
)
"""Invented people: user name, display name, role."""


def demo_text(course: str, at: datetime) -> str:
    """Return the demo cohort's file; the run opened this morning (UTC)."""
    opens = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    closes = opens + timedelta(weeks=WEEKS)
    people = "".join(
        f'[[people]]\nname = "{name}"\ndisplay_name = "{display}"\nroles = ["{role}"]\n'
        for name, display, role in PEOPLE
    )
    return (
        f'[cohort]\nslug = "{COHORT}"\ntitle = "Demo cohort"\n{people}'
        f'[[runs]]\nslug = "{COHORT}-{course}"\ncourse = "{course}"\n'
        f'opens = "{opens.isoformat()}"\ncloses = "{closes.isoformat()}"\n'
    )


def demo_wish(course: str, time_zone: str) -> Wish:
    """Return the demo cohort."""
    return parse_cohort(demo_text(course, now()), ".toml", "demo cohort", time_zone)


def is_empty(store: Store) -> bool:
    """Say whether nobody has been provisioned yet."""
    with store.reading() as session:
        return not session.scalar(select(func.count()).select_from(Person))


def seed(store: Store, course: str, time_zone: str) -> None:
    """Apply the demo cohort."""
    with store.transaction() as session:
        apply_wish(
            session,
            demo_wish(course, time_zone),
            actor="bioskills run",
            now=now(),
            platform_roles=True,
        )


def is_demo(places: Places) -> bool:
    """Say whether this installation was begun with `--demo`: its passwords are printed."""
    try:
        return sign_ins_file(places).exists()
    except PermissionError:  # only the hub and root can look, and they do, before anything starts
        return False


def begin(places: Places) -> None:
    """Make this installation a demo; its passwords will be printed."""
    if not is_demo(places):
        _write(sign_ins_file(places), {})


def ensure_sign_ins(store: Store, file: Path) -> dict[str, str]:
    """Return a printed password for everybody, made on first use and kept."""
    known = _read(file)
    with store.reading() as session:
        names = list(session.scalars(select(Person.name).order_by(Person.id)))
    found = {name: known.get(name) or new_printed_password() for name in names}
    if found != known:
        _write(file, found)
    with store.transaction() as session:
        fill_printed(session, found, now())
    return found


def add_sign_ins(file: Path, names: Iterable[str]) -> dict[str, str]:
    """Give a password to those of these people who have none, and return the new ones."""
    known = _read(file)
    new = {name: new_printed_password() for name in names if name not in known}
    if new:
        _write(file, known | new)
    return new


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    known: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return known


def _write(file: Path, found: dict[str, str]) -> None:
    staged = file.with_suffix(".new")
    staged.unlink(missing_ok=True)
    staged.touch(mode=0o600)
    staged.write_text(json.dumps(found, indent=1), encoding="utf-8")
    staged.rename(file)


def sign_ins_file(places: Places) -> Path:
    """Return where the printed passwords are kept, 0600 of the hub."""
    return places.hub / "demo_sign_ins.json"
