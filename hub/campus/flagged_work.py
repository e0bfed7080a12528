"""List flagged hand-ins as their instructor reads them: where, and what to look at.

Law: for instructors and assessors alone; a learner's page never gets any of it.
"""

from dataclasses import dataclass

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus.flags import open_flags
from bioskills.hub.campus.pages_class import Class, flagged_in, title_of
from bioskills.hub.campus.pages_work import notes_of


@dataclass(frozen=True)
class FlagLine:
    """One flag: where, and what a person should look at."""

    where: str
    message: str


@dataclass(frozen=True)
class Flagged:
    """One flagged hand-in."""

    result_id: int
    submission_id: int
    assignment: str
    title: str
    display_name: str
    pseudonym: str
    attempt: int
    lines: tuple[FlagLine, ...]


def flagged_hand_ins(group: Class, version: tables.CourseVersion) -> list[Flagged]:
    """Return every flagged hand-in with what was flagged, in the course's order."""
    people = {person.id: person for person in group.learners}
    return [
        Flagged(
            result_id=result.id,
            submission_id=submission.id,
            assignment=assignment.name,
            title=title_of(group.manifest, assignment.name),
            display_name=people[submission.person_id].display_name,
            pseudonym=people[submission.person_id].pseudonym,
            attempt=submission.attempt,
            lines=flag_lines(result, version, assignment.name),
        )
        for assignment in group.assignments
        for submission, result in flagged_in(group.works_on(assignment))
    ]


def flag_lines(
    result: tables.Result, version: tables.CourseVersion, assignment: str
) -> tuple[FlagLine, ...]:
    """Return the open flags of a result, each with the title of its cell."""
    notes = notes_of(version, assignment).cells

    def where(cell: str) -> str:
        name = cell.rpartition("/")[2]
        note = notes.get(name)
        return _("{title} ({cell})").format(title=note.title, cell=name) if note else name

    return tuple(
        FlagLine(where(flag.cell) if flag.cell else _("the whole hand-in"), flag.message)
        for flag in open_flags(result)
    )
