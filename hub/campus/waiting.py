"""List what waits for a person's judgement in some cohorts, the oldest first.

Law: what waits is decided by the same words as on the boards of the runs. Only work
that may wait is read, until there is enough for one page: work that turns out to be done
never stands before work that waits.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Select, Text, cast, func, or_, select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.hub.campus.pages_class import Class, flagged_in, title_of, why_a_person
from bioskills.hub.campus.pages_shelf import read_works
from bioskills.hub.campus.pages_work import Work, assignments_of, manifest_of
from bioskills.hub.campus.points_given import given_on
from bioskills.hub.membership import active

MOST = 200
"""Hand-ins that one page lists; the next ones come when these are done."""


@dataclass(frozen=True)
class Waiting:
    """One hand-in that a person must look at."""

    since: datetime
    person_id: int
    pseudonym: str
    display_name: str
    cohort: str
    run: str
    zone: str
    course: str
    assignment: str
    title: str
    attempt: int
    reason: str
    flagged: bool
    submission_id: int


@dataclass(frozen=True)
class Pile:
    """Everything that waits in some cohorts.

    Attributes:
        given: What was judged already and waits for an instructor to put it into results.
        more: How many more may wait at most, because these come first.
    """

    items: tuple[Waiting, ...]
    given: tuple[Waiting, ...]
    more: int

    @property
    def people(self) -> dict[str, tuple[int, ...]]:
        """Ids of everybody whose work is listed, by cohort."""
        listed = sorted({(one.cohort, one.person_id) for one in (*self.items, *self.given)})
        return {
            slug: tuple(person for _slug, person in pairs)
            for slug, pairs in groupby(listed, key=itemgetter(0))
        }

    @property
    def runs(self) -> list[tuple[str, str]]:
        """The runs with waiting work, for the filter: slug and title."""
        return sorted({item.run: item.course for item in self.items}.items())


def waiting_in(session: Session, cohorts: Sequence[str], now: datetime) -> Pile:
    """Return what waits for a person in these cohorts."""
    rows = _may_wait(session, cohorts, now)
    learners = list(dict.fromkeys((run, person) for _number, person, run in rows))
    items, given, read = list[Waiting](), list[Waiting](), set[tuple[int, int]]()
    for start in range(0, len(learners), MOST):
        if len(items) >= MOST:
            break
        batch = learners[start : start + MOST]
        read.update(batch)
        for item, judged in _of_batch(session, batch, now):
            (given if judged else items).append(item)
    items.sort(key=_age)
    unread = sum((run, person) not in read for _number, person, run in rows)
    return Pile(
        items=tuple(items[:MOST]),
        given=tuple(sorted(given, key=_age)),
        more=unread + max(0, len(items) - MOST),
    )


def _age(item: Waiting) -> tuple[datetime, int]:
    return item.since, item.submission_id


def _of_batch(
    session: Session, batch: Iterable[tuple[int, int]], now: datetime
) -> Iterator[tuple[Waiting, bool]]:
    """Yield what waits of these learners in these runs, and whether it was judged already."""
    people: dict[int, set[int]] = defaultdict(set)
    for run, person in batch:
        people[run].add(person)
    for run, ids in people.items():
        group, cohort = _class(session, run, ids, now)
        judged = _given(session, group)
        for item in _waiting(group, cohort):
            yield item, item.submission_id in judged


def _may_wait(
    session: Session, cohorts: Sequence[str], now: datetime
) -> list[tuple[int, int, int]]:
    """Return hand-in, person and run of what may wait, the oldest first.

    It may be too many, never too few: `why_a_person` and the flags decide.
    """
    result, job = tables.Result, tables.Job
    newest = select(func.max(result.id)).group_by(result.submission_id)
    unread = or_(
        result.verdict == "needs_person",
        result.state == "preliminary",
        func.length(cast(result.flags, Text)) > len("null"),
        cast(result.cells, Text).contains('"needs_person": true'),
    )
    ungraded = job.submission_id.not_in(select(result.submission_id))
    failed = select(job.submission_id).where(job.state == "failed", job.kind == "grade", ungraded)
    ids = {*session.scalars(select(result.submission_id).where(unread, result.id.in_(newest)))}
    ids |= {number for number in session.scalars(failed) if number is not None}
    rows = session.execute(_of_learners(cohorts, now))
    return [(row.id, row.person_id, row.run_id) for row in rows if row.id in ids]


def _of_learners(cohorts: Sequence[str], now: datetime) -> Select[int, int, int]:
    """Return the query for hand-ins of present learners of these cohorts, the oldest first."""
    row = tables.Submission
    learns = (
        select(tables.Membership.id)
        .where(
            tables.Membership.person_id == row.person_id,
            tables.Membership.cohort_id == tables.Run.cohort_id,
            tables.Membership.role == "learner",
            active(now),
        )
        .exists()
    )
    return (
        select(row.id, row.person_id, tables.Assignment.run_id)
        .join(tables.Assignment, tables.Assignment.id == row.assignment_id)
        .join(tables.Run, tables.Run.id == tables.Assignment.run_id)
        .join(tables.Cohort, tables.Cohort.id == tables.Run.cohort_id)
        .where(tables.Cohort.slug.in_(cohorts), learns)
        .order_by(row.submitted_at, row.id)
    )


def _class(
    session: Session, run_id: int, people: set[int], now: datetime
) -> tuple[Class, tables.Cohort]:
    run = session.get_one(tables.Run, run_id)
    version = session.get_one(tables.CourseVersion, run.course_version_id)
    chosen = select(tables.Person).where(tables.Person.id.in_(people))
    group = Class(
        run=run,
        manifest=manifest_of(version),
        learners=tuple(session.scalars(chosen)),
        assignments=tuple(assignments_of(session, run)),
        works=read_works(session, run, people),
        release=None,
        now=now,
    )
    return group, session.get_one(tables.Cohort, run.cohort_id)


def _waiting(group: Class, cohort: tables.Cohort) -> Iterator[Waiting]:
    people = {person.id: person for person in group.learners}
    for assignment in group.assignments:
        for work in group.works_on(assignment):
            for row, reason, flagged in _of(work, group.now):
                person = people[row.person_id]
                yield Waiting(
                    since=row.submitted_at,
                    person_id=person.id,
                    pseudonym=person.pseudonym,
                    display_name=person.display_name,
                    cohort=cohort.slug,
                    run=group.run.slug,
                    zone=group.run.time_zone,
                    course=group.manifest.title,
                    assignment=assignment.name,
                    title=title_of(group.manifest, assignment.name),
                    attempt=row.attempt,
                    reason=reason,
                    flagged=flagged,
                    submission_id=row.id,
                )


def _of(work: Work, now: datetime) -> Iterator[tuple[tables.Submission, str, bool]]:
    """Yield the newest hand-in where it needs a person, and earlier ones that are flagged."""
    flagged = {row.id: row for row, _result in flagged_in([work])}
    reason = why_a_person(work, now)
    if work.latest is not None and reason:
        yield work.latest, reason, work.latest.id in flagged
    for row in flagged.values():
        if row is not work.latest:
            yield row, "", True


def _given(session: Session, group: Class) -> set[int]:
    """Return the hand-ins in which nothing waits any more once what was given is put in."""
    version = session.get_one(tables.CourseVersion, group.run.course_version_id)
    return {
        item.submission_id
        for assignment in group.assignments
        for item in given_on(session, group, assignment, version)
        if item.whole
    }
