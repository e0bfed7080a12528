"""Give another assignment as the resit of one that a learner did not pass.

Law: the other assignment is open to this learner alone, until the resit's own date, and its
points stand for the first one: as a share of the first one's points, and only where they are
better. It adds nothing by itself. As evidence it is what the course's mapping makes of it
(rule R1): another attempt of the same task, or a task of its own.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import Problem
from bioskills.base.tables_teaching import Resit
from bioskills.base.text import _
from bioskills.hub.campus.pages_changes import Change
from bioskills.hub.campus.pages_class import title_of
from bioskills.hub.campus.pages_work import manifest_of


def choices(change: Change) -> list[tuple[str, str]]:
    """Return name and title of each assignment that can be given as the resit."""
    manifest = change.group.manifest
    return [(row.name, title_of(manifest, row.name)) for row in _possible(change)]


def chosen(
    change: Change, name: str, people: Iterable[tables.Person], problems: list[Problem]
) -> tables.Assignment | None:
    """Return the assignment that is given; what cannot be meant is added to the problems."""
    if not name:
        return None
    found = next((row for row in _possible(change) if row.name == name), None)
    if found is None:
        what = _("{name} cannot be given as the resit of this one.").format(name=name[:60])
        step = _("Choose one from the list: no practice, released, and not open to everybody.")
        problems.append(Problem("instead", what, next=step))
        return None
    problems += _faults(change, found, people)
    return found


def title_by(change: Change, row: Resit) -> str:
    """Return the title of the assignment by which a resit is taken; empty for the same one."""
    by = next((a for a in change.group.assignments if a.id == row.by_assignment_id), None)
    return title_of(change.group.manifest, by.name) if by else ""


def _possible(change: Change) -> Sequence[tables.Assignment]:
    return [
        row
        for row in change.group.assignments
        for plan in [change.group.manifest.assignment(row.name)]
        if row.id != change.assignment.id
        and plan is not None
        and plan.kind != "practice"
        and row.state != "open"
        and change.group.works[row.id, 0].version is not None
    ]


def _faults(
    change: Change, by: tables.Assignment, people: Iterable[tables.Person]
) -> Iterator[Problem]:
    title = title_of(change.group.manifest, by.name)
    for person in people:
        work = change.group.works[by.id, person.id]
        mine = change.group.works[change.assignment.id, person.id]
        again = any(given.assignment.id == by.id for given in mine.stand_ins)
        if not again and (work.latest or work.stands_for or work.stand_in):
            what = _("{person} has worked on {title} already, or has a resit there.")
            step = _("Choose another assignment for them.")
            shown = what.format(person=person.display_name, title=title)
            yield Problem("instead", shown, next=step)


def resits_of(session: Session, person: int, results: Iterable[int]) -> dict[int, str]:
    """Return what each of these results was the resit of, by the result's id; most were none."""
    chosen = (
        select(tables.Result.id, tables.Assignment)
        .join(tables.Submission, tables.Submission.id == tables.Result.submission_id)
        .join(Resit, Resit.by_assignment_id == tables.Submission.assignment_id)
        .join(tables.Assignment, tables.Assignment.id == Resit.assignment_id)
        .where(Resit.person_id == person, Resit.ended_at.is_(None))
        .where(tables.Submission.person_id == person, tables.Result.id.in_(set(results)))
    )
    return {result: _title(session, first) for result, first in session.execute(chosen)}


def _title(session: Session, assignment: tables.Assignment) -> str:
    run = session.get_one(tables.Run, assignment.run_id)
    version = session.get_one(tables.CourseVersion, run.course_version_id)
    return title_of(manifest_of(version), assignment.name)
