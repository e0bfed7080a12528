"""Say of each lab what an admin must know, in words.

Law: names stand beside what the hub told, at this moment only; nothing of what is in a lab.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Person
from bioskills.base.text import _
from bioskills.hub.campus.wording import Sign
from bioskills.hub.grading_accounts import is_account, run_of
from bioskills.hub.labs_wire import LabNow, State

FULL = 0.9
"""From this share of the memory on, a lab is near its end."""


@dataclass(frozen=True)
class Row:
    """One lab in the table.

    Attributes:
        key: What addresses name it by: a pseudonym, or the account of a formgrader.
        percent: Memory used, of the limit; None where there is none or nobody counts.
    """

    key: str
    title: str
    lab: LabNow
    sign: Sign
    percent: int | None
    near_full: bool
    may_start: bool


@dataclass(frozen=True)
class Listed:
    """What the page shows.

    Attributes:
        away: Why nothing can be shown; empty where something can.
    """

    rows: list[Row] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    total: int = 0
    away: str = ""


def rows_of(session: Session, labs: list[LabNow]) -> list[Row]:
    """Return labs as the table shows them, with the names of their owners."""
    names = [lab.name for lab in labs]
    chosen = select(Person).where(Person.name.in_(names))
    people = {person.name: person for person in session.scalars(chosen)}
    return [_row(lab, people.get(lab.name)) for lab in labs]


def _row(lab: LabNow, person: Person | None) -> Row:
    share = lab.memory / lab.memory_limit if lab.memory and lab.memory_limit else None
    return Row(
        key=person.pseudonym if person else lab.name,
        title=person.display_name if person else title_of(lab.name),
        lab=lab,
        sign=sign_of(lab.state),
        percent=None if share is None else min(100, round(share * 100)),
        near_full=share is not None and share >= FULL,
        may_start=lab.state == "failed" and person is not None,
    )


def title_of(name: str) -> str:
    """Return what a lab is called whose owner is no person: a run's formgrader."""
    if is_account(name):
        return _("Formgrader of {run}").format(run=run_of(name))
    return name


def sign_of(state: State) -> Sign:
    """Return how the state of a lab is shown."""
    signs: dict[State, tuple[str, str, str]] = {
        "running": ("s-done", "st-done", _("Running")),
        "starting": ("s-wait", "st-wait", _("Starting")),
        "queued": ("s-wait", "st-wait", _("Waits for its turn")),
        "stopping": ("s-wait", "st-wait", _("Stopping")),
        "failed": ("s-bad", "st-bad", _("Did not start")),
    }
    css, icon, words = signs[state]
    return Sign(css, icon, words, words)
