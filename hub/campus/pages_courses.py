"""List the runs that somebody teaches.

Law: only runs of cohorts in which the person is instructor or assessor now.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus.pages_shared import TEACHING
from bioskills.hub.campus.pages_work import manifest_of
from bioskills.hub.campus.passport import runs_of, version_of
from bioskills.hub.membership import people_in


@dataclass(frozen=True)
class Card:
    """One run in the list of courses."""

    slug: str
    title: str
    cohort: str
    cohort_title: str
    learners: int
    opens_at: datetime
    closes_at: datetime
    zone: str
    state: str


def cards_of(session: Session, person: tables.Person, now: datetime) -> list[Card]:
    """Return the runs that this person teaches, oldest first."""
    return [_card(session, run, now) for run in runs_of(session, person, TEACHING, now)]


def _card(session: Session, run: tables.Run, now: datetime) -> Card:
    cohort = session.get_one(tables.Cohort, run.cohort_id)
    begun = _("running") if now < run.closes_at else _("ended")
    return Card(
        slug=run.slug,
        title=manifest_of(version_of(session, run)).title,
        cohort=cohort.slug,
        cohort_title=cohort.title,
        learners=len(people_in(session, cohort.slug, "learner", now)),
        opens_at=run.opens_at,
        closes_at=run.closes_at,
        zone=run.time_zone,
        state=begun if now >= run.opens_at else _("not begun"),
    )
