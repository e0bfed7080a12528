"""Write down who looked at a learner's work or result, and tell the learner.

Law: every sight of another person's learning is noted before it is shown: who, in which
role, what, and when, once an hour and thing. The learner reads all of it; nobody can hide
a look, and nobody can end the list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.tables_teaching import Look
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.site import Site
from bioskills.hub.campus.wording import role_word
from bioskills.hub.role_routes import CERTIFIER, TEACHING

SHOWN_DAYS = 400
LOOKING = (*TEACHING, *CERTIFIER)
"""Roles in which somebody sees the learning of others, by name."""


@dataclass(frozen=True)
class Line:
    """One look, as the learner reads it."""

    at: datetime
    who: str
    role: str
    what: str
    subject: str


def note_look(
    session: Session, actor: str, person_id: int, what: str, now: datetime,
    *, subject: str = "", role: str = "instructor",
) -> bool:  # fmt: skip
    """Write down one look, once an hour and thing; say whether it was new.

    Args:
        session: A writing session.
        actor: Pseudonym of who looks.
        person_id: Whose learning it is; one's own is not noted.
        what: A key of `purposes`.
        now: The present moment.
        subject: Which one, such as a run, an assignment or a hand-in; no names.
        role: The role in which they look.
    """
    return bool(note_looks(session, actor, [person_id], what, now, subject=subject, role=role))


def note_looks(
    session: Session, actor: str, people: Iterable[int], what: str, now: datetime,
    *, subject: str = "", role: str = "instructor",
) -> int:  # fmt: skip
    """Write down that somebody sees many learners at once; return how many looks were new."""
    # Two requests of one person wait for each other, so that a look is noted once.
    session.execute(_person(actor).with_for_update())
    new = _unnoted(session, actor, people, now, (what, subject))
    session.add_all(
        Look(
            person_id=person, actor=actor, role=role, what=what, subject=subject,
            hour=_hour(now), at=now,
        )
        for person in new
    )  # fmt: skip
    return len(new)


def look(
    site: Site, caller: Browser, people: Iterable[int], what: str, where: tuple[str, str]
) -> None:
    """Note what a page is about to show, in a transaction of its own where there is news.

    Args:
        site: This installation.
        caller: Who looks.
        people: Whose learning it is.
        what: A key of `purposes`.
        where: Which one, without names, and the cohort in which the role is held.
    """
    subject, cohort = where
    now, wanted = site.clock(), list(people)
    with site.store.reading() as session:
        news = _unnoted(session, caller.pseudonym, wanted, now, (what, subject))
    if news:
        role = next((role for role in LOOKING if caller.holds(role, cohort)), LOOKING[0])
        with site.store.transaction() as session:
            note_looks(session, caller.pseudonym, news, what, now, subject=subject, role=role)


def looks_at(session: Session, person_id: int, now: datetime) -> list[Line]:
    """Return who looked at a person's learning, the last first."""
    since = now - timedelta(days=SHOWN_DAYS)
    rows = session.execute(
        select(Look, tables.Person.display_name)
        .outerjoin(tables.Person, tables.Person.pseudonym == Look.actor)
        .where(Look.person_id == person_id, Look.at >= since)
        .order_by(Look.at.desc(), Look.id.desc())
    )
    words = purposes()
    return [
        Line(
            row.at, name or row.actor, role_word(row.role),
            words.get(row.what, row.what), row.subject,
        )
        for row, name in rows
    ]  # fmt: skip


def purposes() -> dict[str, str]:
    """Return what each kind of look was for, in words."""
    return {
        "passport": _("read your passport"),
        "feedback": _("read one hand-in with its feedback"),
        "assignment": _("saw your state and points in an assignment"),
        "decisions": _("saw your state, deciding about more time, excuses and other attempts"),
        "board": _("saw the state of your work on the page of the course"),
        "grades": _("saw your points in the table of grades"),
        "grades_file": _("took the table of grades as a file"),
        "cohort": _("saw your outcomes in the table of the cohort"),
        "cohort_file": _("took the table of the cohort as a file"),
        "waiting": _("saw that work of yours waits for a person"),
        "units": _("saw which units and outcomes you have reached"),
        "units_file": _("took the table of units and outcomes as a file"),
        "formgrader": _("gave points or a comment in formgrader"),
        "formgrader_work": _("read a hand-in in formgrader"),
        "formgrader_points": _("saw your points in formgrader"),
        "collected": _("collected your hand-in with nbgrader"),
        "as_learner": _("saw your panel and passport as you see them"),
    }


def _unnoted(
    session: Session, actor: str, people: Iterable[int], now: datetime, thing: tuple[str, str]
) -> list[int]:
    own = session.scalar(_person(actor))
    wanted = [person for person in dict.fromkeys(people) if person != own]
    known = select(Look.person_id).where(
        Look.actor == actor,
        Look.what == thing[0],
        Look.subject == thing[1],
        Look.hour == _hour(now),
    )
    noted = set(session.scalars(known))
    return [person for person in wanted if person not in noted]


def _person(pseudonym: str) -> Select[int]:
    return select(tables.Person.id).where(tables.Person.pseudonym == pseudonym)


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
