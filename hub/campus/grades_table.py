"""Show the grades of a run: learners by assignments.

Law: points are those of the best graded attempt that counts (rule R3), returned or not,
for this is the teacher's table; the state is that of the newest hand-in. Practice is shown and never
added up. Everything comes from one reading of the class, so that no page can disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from bioskills.base import tables
from bioskills.base.languages import name_key
from bioskills.base.text import _
from bioskills.courses.manifest import Assignment as Plan
from bioskills.hub.campus import spreadsheets
from bioskills.hub.campus.pages_class import Class, title_of, work_sign_of
from bioskills.hub.campus.pages_work import Points, Work
from bioskills.hub.campus.wording import Sign, number, plain_number

TOTAL = "total"
NAME = "name"


@dataclass(frozen=True)
class Column:
    """One assignment."""

    name: str
    title: str
    practice: bool
    most: Fraction


@dataclass(frozen=True)
class Grade:
    """One learner's grade in one assignment.

    Attributes:
        points: None while no attempt is graded.
        submission_id: The newest hand-in, or the one that stands for it, for the link.
        note: Where the points come from, if another assignment was given as the resit.
    """

    points: Fraction | None
    most: Fraction
    sign: Sign
    late: bool
    submission_id: int | None
    note: str = ""

    @property
    def words(self) -> str:
        """Points of most, as the page says it."""
        if self.points is None:
            return ""
        return _("{points} of {max}").format(points=number(self.points), max=number(self.most))


@dataclass(frozen=True)
class Row:
    """One learner."""

    pseudonym: str
    display_name: str
    grades: tuple[Grade, ...]
    total: Fraction
    most: Fraction

    @property
    def words(self) -> str:
        """The total, as the page says it."""
        return _("{points} of {max}").format(points=number(self.total), max=number(self.most))


@dataclass(frozen=True)
class Grades:
    """The table of a run."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def grades_of(group: Class) -> Grades:
    """Return everybody's grades in everything that is not in preparation."""
    shown = [a for a in group.assignments if a.state != "draft"]
    columns = tuple(_column(group, assignment) for assignment in shown)
    pairs = tuple(zip(shown, columns, strict=True))
    return Grades(columns, tuple(_row(group, person, pairs) for person in group.learners))


def ordered(table: Grades, order: str, *, down: bool, names: bool) -> list[Row]:
    """Return the rows by name, by total or by the points of one assignment."""

    def label(row: Row) -> tuple[str, str]:
        return name_key(row.display_name if names else row.pseudonym)

    places = {column.name: place for place, column in enumerate(table.columns)}
    rows = sorted(table.rows, key=label, reverse=down and order not in {*places, TOTAL})
    if order == TOTAL:
        return sorted(rows, key=lambda row: row.total, reverse=down)
    if order in places:
        return sorted(rows, key=lambda row: _rank(row.grades[places[order]]), reverse=down)
    return rows


def file_of(
    table: Grades, rows: Iterable[Row], *, names: bool
) -> tuple[list[str], list[list[spreadsheets.Cell]]]:
    """Return head and rows of the file that holds what the page shows."""
    head = [_("learner"), *([_("name")] if names else [])]
    for column in table.columns:
        head += [
            _("{title}: points").format(title=column.title),
            _("{title}: of").format(title=column.title),
            _("{title}: state").format(title=column.title),
        ]
    head += [_("total without practice"), _("total: of")]
    return head, [_file_row(row, names=names) for row in rows]


def best_points(work: Work) -> Points | None:
    """Return the points of the attempt that counts, late penalty off; None before the first."""
    return work.points(*work.best_graded) if work.best_graded else None


def _column(group: Class, assignment: tables.Assignment) -> Column:
    plan = group.manifest.assignment(assignment.name)
    return Column(
        name=assignment.name,
        title=title_of(group.manifest, assignment.name),
        practice=plan is not None and plan.kind == "practice",
        most=Fraction(str(plan.points)) if plan else Fraction(0),
    )


def _row(
    group: Class, person: tables.Person, columns: Sequence[tuple[tables.Assignment, Column]]
) -> Row:
    grades = tuple(
        _grade(group, group.works[assignment.id, person.id], column)
        for assignment, column in columns
    )
    counted = [
        grade for grade, (_a, column) in zip(grades, columns, strict=True) if not column.practice
    ]
    return Row(
        pseudonym=person.pseudonym,
        display_name=person.display_name,
        grades=grades,
        total=sum((grade.points or Fraction(0) for grade in counted), Fraction(0)),
        most=sum((grade.most for grade in counted), Fraction(0)),
    )


def _grade(group: Class, work: Work, column: Column) -> Grade:
    if work.stands_for is not None:
        return _for_another(work, work.stands_for, group)
    best, excused = best_points(work), work.excuse is not None and work.latest is None
    return Grade(
        points=best[0] if best else None,
        most=best[1] if best else Fraction(0) if excused else column.most,
        sign=work_sign_of(work, group.now),
        late=any(row.late for row in work.submissions[:1]),
        submission_id=_linked(work),
        note=_by_another(work),
    )


def _for_another(work: Work, first: Plan, group: Class) -> Grade:
    """Return the grade of what was given as a resit: its points stand there, not here."""
    note = _("resit of {title}: its points stand there").format(title=first.title)
    sign, late = work_sign_of(work, group.now), any(row.late for row in work.submissions[:1])
    return Grade(None, Fraction(0), sign, late, work.latest.id if work.latest else None, note)


def _by_another(work: Work) -> str:
    best = work.stand_in_of(work.best_graded)
    by = best or work.stand_in
    if by is None or by.plan is None:
        return ""
    text = _("by the resit {title}") if best else _("resit given: {title}")
    return text.format(title=by.plan.title)


def _linked(work: Work) -> int | None:
    if work.by_stand_in and work.best_graded:
        return work.best_graded[0].id
    return work.latest.id if work.latest else None


def _rank(grade: Grade) -> tuple[bool, Fraction]:
    return grade.points is not None, grade.points or Fraction(0)


def _file_row(row: Row, *, names: bool) -> list[spreadsheets.Cell]:
    cells: list[spreadsheets.Cell] = [row.pseudonym, *([row.display_name] if names else [])]
    for grade in row.grades:
        state = grade.sign.words + (_(", late") if grade.late else "")
        state += f", {grade.note}" if grade.note else ""
        cells += [_decimal(grade.points), _decimal(grade.most), state]
    return [*cells, _decimal(row.total), _decimal(row.most)]


def _decimal(points: Fraction | None) -> Decimal | None:
    return None if points is None else Decimal(plain_number(points))
