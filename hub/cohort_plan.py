"""Say what a cohort file would change, and change it.

Law: a plan is made and applied inside one transaction, so that what was shown
is what is done; applying the same file twice changes nothing the second time.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import PLATFORM, Cohort
from bioskills.base.tables_cohorts import CohortOptions
from bioskills.base.text import _
from bioskills.hub.cohort_change import Change, count_of
from bioskills.hub.cohort_limits import differences
from bioskills.hub.cohort_people import People
from bioskills.hub.cohort_record import Record
from bioskills.hub.cohort_runs import course_versions, ensure_run
from bioskills.hub.cohort_wish import Wish


def apply_wish(
    session: Session, wish: Wish, *, actor: str, now: datetime, platform_roles: bool = False
) -> list[Change]:
    """Make the database as the file wants it and return what changed, and who is kept out.

    Roll the session back instead of committing to have a plan.

    Args:
        session: A writing session.
        wish: What the file wants.
        actor: Who applies it, for the audit log.
        now: The present moment.
        platform_roles: Whether the file may give or end roles of the whole platform.

    Raises:
        InputError: A course or version is not installed, a run would move, an address is that
            of somebody else, or the file touches a role of the platform without being allowed to.
    """
    record = Record(session)
    people = People(session, wish, record, actor, now)
    people.check(platform_roles=platform_roles)
    versions = course_versions(session, wish)
    changes = [
        *_ensure_cohorts(session, record, wish),
        *_ensure_options(session, record, wish),
        *people.ensure(),
    ]
    for run in wish.runs:
        changes += ensure_run(session, record, wish, run, versions[run.slug])
    if count := count_of(changes):
        record.keep(wish.cohort, "apply", actor, now, count)
    return changes


def _ensure_cohorts(session: Session, record: Record, wish: Wish) -> Iterator[Change]:
    for slug, title in ((PLATFORM, "Platform"), (wish.cohort, wish.title)):
        cohort = session.scalar(select(Cohort).where(Cohort.slug == slug))
        if cohort is None:
            # The platform's own is no part of this cohort's record.
            (session if slug == PLATFORM else record).add(Cohort(slug=slug, title=title))
            if slug != PLATFORM:
                yield Change("+", slug, _("new cohort “{title}”").format(title=title))
        elif slug != PLATFORM and cohort.title != title:
            text = _("title “{old}” → “{new}”").format(old=cohort.title, new=title)
            yield Change("~", slug, text)
            record.set(cohort, title=title)
    session.flush()


def _ensure_options(session: Session, record: Record, wish: Wish) -> list[Change]:
    cohort = session.scalars(select(Cohort).where(Cohort.slug == wish.cohort)).one()
    told = list(differences(cohort.limits or {}, wish.limits))
    if told:
        record.set(cohort, limits=dict(wish.limits) or None)
    row = session.get(CohortOptions, cohort.id)
    for key, new in (("seats", wish.seats), ("environment", wish.environment)):
        old = getattr(row, key) if row else {"seats": None, "environment": ""}[key]
        if old != new:
            told.append(f"{key} {old or '-'} → {new or '-'}")
            if row is None:
                row = CohortOptions(cohort_id=cohort.id, **{"environment": "", key: new})
                record.add(row)
            else:
                record.set(row, **{key: new})
    return [Change("~", wish.cohort, text) for text in told]
