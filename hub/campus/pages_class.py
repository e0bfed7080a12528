"""Read a whole class: a run with its learners and all their work, at one moment.

Law: everything an instructor sees of a run is worked out from one such
reading, so that board, list of learners and cohort table cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.courses.manifest import Assignment as Plan
from bioskills.courses.manifest import Manifest
from bioskills.hub.campus.flags import open_flags
from bioskills.hub.campus.pages_shelf import read_works
from bioskills.hub.campus.pages_work import (
    Work,
    assignments_of,
    manifest_of,
    state_of,
    waits_for_person,
)
from bioskills.hub.campus.wording import Sign, number, percent, time_tag, work_sign
from bioskills.hub.membership import people_in


@dataclass(frozen=True)
class Class:
    """A run with its learners and all their work, read at one moment."""

    run: tables.Run
    manifest: Manifest
    learners: tuple[tables.Person, ...]
    assignments: tuple[tables.Assignment, ...]
    works: dict[tuple[int, int], Work]
    release: tables.Job | None
    now: datetime

    def works_on(self, assignment: tables.Assignment) -> list[Work]:
        """Return everybody's work on one assignment."""
        return [self.works[assignment.id, person.id] for person in self.learners]


@dataclass(frozen=True)
class Person:
    """One learner's work on one assignment."""

    pseudonym: str
    display_name: str
    sign: Sign
    attempt: int
    submitted: Markup | None
    late: bool
    points: str
    share: str
    submission_id: int | None
    due: Markup | None
    extended: bool
    held: int
    note: str
    excused: bool


def read_class(session: Session, run: tables.Run, cohort: tables.Cohort, now: datetime) -> Class:
    """Return a run with its present learners and all their work."""
    learners = tuple(people_in(session, cohort.slug, "learner", now))
    version = session.get_one(tables.CourseVersion, run.course_version_id)
    jobs = select(tables.Job).where(tables.Job.kind == "release", tables.Job.run_id == run.id)
    return Class(
        run=run,
        manifest=manifest_of(version),
        learners=learners,
        assignments=tuple(assignments_of(session, run)),
        # Person 0 does not exist: also an empty cohort knows what is released.
        works=read_works(session, run, [0, *(person.id for person in learners)]),
        release=session.scalars(jobs.order_by(tables.Job.id.desc())).first(),
        now=now,
    )


def held_results(works: Iterable[Work]) -> list[tables.Result]:
    """Return the results that wait for the instructor to return them, oldest hand-in first.

    Earlier attempts are among them: the best one counts, whichever it is.
    """
    found = [work.results[row.id] for work in works for row in work.submissions
             if row.id in work.results]  # fmt: skip
    held = [result for result in found if result.state == "held"]
    return sorted(held, key=lambda result: result.submission_id)


def flagged_in(works: Iterable[Work]) -> list[tuple[tables.Submission, tables.Result]]:
    """Return the hand-ins whose newest result has flags that nobody looked at, oldest first."""
    found = [(row, work.results[row.id]) for work in works for row in work.submissions
             if row.id in work.results]  # fmt: skip
    flagged = [pair for pair in found if open_flags(pair[1])]
    return sorted(flagged, key=lambda pair: pair[0].id)


def why_a_person(work: Work, now: datetime) -> str:
    """Return why a person must look at the newest hand-in; empty where nobody must."""
    if work.latest is None:
        return ""
    result, job = work.results.get(work.latest.id), work.jobs.get(work.latest.id)
    if result is not None:
        unread = len(waits_for_person(result))
        text = ngettext("One answer to read.", "{n} answers to read.", unread)
        words = text.format(n=unread) if unread else ""
        reason = result.reason if result.verdict == "needs_person" else ""
        flagged = _("Flagged.") if open_flags(result) else ""
        return " ".join(part for part in (flagged, reason, words) if part)
    failed = state_of(work, now) == "needs_person"
    return (job.message if job and failed else "") or (
        _("It could not be graded.") if failed else ""
    )


def title_of(manifest: Manifest, name: str) -> str:
    """Return an assignment's title, or its name where the course has none."""
    plan = manifest.assignment(name)
    return plan.title if plan else name


def people_on(group: Class, assignment: tables.Assignment) -> list[Person]:
    """Return every learner with the newest work on one assignment."""
    plan = group.manifest.assignment(assignment.name)
    return [
        _person(group, person, group.works[assignment.id, person.id], plan)
        for person in group.learners
    ]


def _person(group: Class, person: tables.Person, work: Work, plan: Plan | None) -> Person:
    zone, latest = group.run.time_zone, work.latest
    points, share = _score(work, plan)
    return Person(
        pseudonym=person.pseudonym,
        display_name=person.display_name,
        sign=work_sign_of(work, group.now),
        attempt=latest.attempt if latest else 0,
        submitted=time_tag(latest.submitted_at, zone, group.now) if latest else None,
        late=latest.late if latest else False,
        points=points,
        share=share,
        submission_id=latest.id if latest else None,
        due=time_tag(work.due_at, zone, group.now) if work.due_at else None,
        extended=work.extension is not None,
        held=len(held_results([work])),
        note=why_a_person(work, group.now),
        excused=work.excuse is not None,
    )


def work_sign_of(work: Work, now: datetime) -> Sign:
    """Return the state as its instructor names it: graded work is theirs to return."""
    result = work.results.get(work.latest.id) if work.latest else None
    if result is not None and result.state == "held" and not why_a_person(work, now):
        return Sign("s-wait", "st-wait", _("Graded, not returned"), _("Graded"))
    if work.may_sit_again(now):
        return Sign("s-review", "st-review", _("Another attempt open"), _("Resit"))
    if work.stand_in is not None and _is_shown(work.stand_in, work, now):
        return work_sign_of(work.stand_in, now)
    return work_sign(state_of(work, now))


def _is_shown(by: Work, work: Work, now: datetime) -> bool:
    """Say whether the state is that of the resit: it is open, or has the newest hand-in."""
    if by.latest is None or work.latest is None:
        return by.latest is not None or by.may_sit_again(now)
    return by.latest.id > work.latest.id or by.may_sit_again(now)


def _score(work: Work, plan: Plan | None) -> tuple[str, str]:
    """Return points and percent of the newest hand-in; empty where nothing was graded."""
    result = work.results.get(work.latest.id) if work.latest else None
    both = work.points(work.latest, result) if work.latest and result else None
    reached, most = both or (Fraction(0), Fraction(0))
    if not most:
        return "", ""
    needed = Fraction(plan.pass_share) if plan else None
    words = _("{points} of {max}").format(points=number(reached), max=number(most))
    return words, percent(reached / most, needed)
