"""Show a whole cohort: learners by outcomes, and who may need help.

Law: signs that somebody needs help are facts with their figures, in a column
of their own; they are no status, no rank and no score. Every status comes
from `passport.judge`, as in the learner's own passport.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.languages import name_key
from bioskills.base.text import _
from bioskills.competence.framework import Framework
from bioskills.hub.campus.pages_class import Class, read_class, why_a_person
from bioskills.hub.campus.pages_hints import QUIET_DAYS, Hint, hints_for
from bioskills.hub.campus.passport import Standing, evidence_of, judge, read_plans
from bioskills.hub.campus.spreadsheets import as_csv as csv_of
from bioskills.hub.campus.wording import Sign, code, percent, status_sign


@dataclass(frozen=True)
class Cell:
    """One learner's status in one outcome."""

    outcome: str
    sign: Sign
    level: str
    first: bool
    reached: bool


@dataclass(frozen=True)
class Row:
    """One learner."""

    pseudonym: str
    display_name: str
    cells: tuple[Cell, ...]
    hints: tuple[Hint, ...]
    reached: int
    complete: int


@dataclass(frozen=True)
class Column:
    """One outcome with how many learners have reached it."""

    outcome: str
    code: str
    statement: str
    first: bool
    reached: int


@dataclass(frozen=True)
class Group:
    """One unit above its columns."""

    code: str
    title: str
    span: int


@dataclass(frozen=True)
class Week:
    """How many learners handed in during one week."""

    label: str
    learners: int


@dataclass(frozen=True)
class Table:
    """A cohort as its page and its file show it."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    weeks: tuple[Week, ...]
    active: int
    complete: int
    waiting: int
    courses: tuple[str, ...]

    @property
    def learners(self) -> int:
        """How many learners there are."""
        return len(self.rows)

    @property
    def need_help(self) -> int:
        """How many learners have at least one sign."""
        return sum(bool(row.hints) for row in self.rows)

    @property
    def signs(self) -> list[Sign]:
        """Every status that occurs, for the legend."""
        found = {cell.sign.words: cell.sign for row in self.rows for cell in row.cells}
        return list(found.values())


def read_table(
    session: Session, cohort: tables.Cohort, framework: Framework, now: datetime
) -> Table:
    """Return a cohort with every learner's status and signs at this moment."""
    classes = _classes(session, cohort, now)
    learners = classes[0].learners if classes else ()
    plans = read_plans(session, framework, {group.manifest.id for group in classes})
    evidence = evidence_of(session, [person.pseudonym for person in learners])
    standings = [judge(framework, plans, evidence[p.pseudonym], now) for p in learners]
    rows = tuple(
        _row(person, standing, plans.units, hints_for(classes, person))
        for person, standing in zip(learners, standings, strict=True)
    )
    return Table(
        rows=rows,
        columns=_columns(framework, plans.units, rows),
        groups=_groups(framework, plans.units),
        weeks=_weeks(classes, now),
        active=_active(classes, now),
        complete=sum(row.complete for row in rows),
        waiting=sum(bool(why_a_person(w, now)) for group in classes for w in group.works.values()),
        courses=tuple(group.manifest.title for group in classes),
    )


def ordered(rows: Iterable[Row], order: str, *, names: bool) -> list[Row]:
    """Return the rows: who needs attention first, or by name, or by progress."""

    def label(row: Row) -> tuple[str, str]:
        return name_key(row.display_name if names else row.pseudonym)

    if order == "name":
        return sorted(rows, key=label)
    if order == "progress":
        return sorted(rows, key=lambda row: (-row.reached, label(row)))
    return sorted(rows, key=lambda row: (-sum(hint.weight for hint in row.hints), label(row)))


def as_csv(table: Table, *, names: bool) -> str:
    """Return the table as a file for spreadsheets; no cell can become a formula."""
    head = [_("learner"), *([_("name")] if names else [])]
    for column in table.columns:
        head += [column.outcome, _("{code} level").format(code=column.outcome)]
    rows = (_csv_row(row, names=names) for row in table.rows)
    return csv_of([*head, _("needs attention")], rows)


def _csv_row(row: Row, *, names: bool) -> list[str]:
    cells = [row.pseudonym, *([row.display_name] if names else [])]
    for cell in row.cells:
        cells += [cell.sign.words, cell.level]
    signs = "; ".join(" ".join(part for part in (h.strong, h.more) if part) for h in row.hints)
    return [*cells, signs]


def _classes(session: Session, cohort: tables.Cohort, now: datetime) -> list[Class]:
    chosen = select(tables.Run).where(tables.Run.cohort_id == cohort.id)
    runs = session.scalars(chosen.order_by(tables.Run.opens_at, tables.Run.id))
    return [read_class(session, run, cohort, now) for run in runs]


def _row(
    person: tables.Person, standing: Standing, units: Sequence[str], hints: Sequence[Hint]
) -> Row:
    cells = tuple(
        _cell(standing, outcome.id, place == 0)
        for unit in units
        for place, outcome in enumerate(standing.framework.unit(unit).outcomes)
    )
    return Row(
        pseudonym=person.pseudonym,
        display_name=person.display_name,
        cells=cells,
        hints=tuple(hints),
        reached=sum(cell.reached for cell in cells),
        complete=sum(bool(standing.units[unit].points) for unit in units),
    )


def _cell(standing: Standing, outcome: str, first: bool) -> Cell:
    result = standing.results[outcome]
    level = percent(result.level, result.theta)
    return Cell(outcome, status_sign(result.status.value), level, first, result.status.reached)


def _columns(framework: Framework, units: Sequence[str], rows: Sequence[Row]) -> tuple[Column, ...]:
    outcomes = [
        (o, place == 0) for unit in units for place, o in enumerate(framework.unit(unit).outcomes)
    ]
    return tuple(
        Column(
            outcome=outcome.id,
            code=code(outcome.id).split(" ")[-1],
            statement=outcome.statement_in(),
            first=first,
            reached=sum(row.cells[index].reached for row in rows),
        )
        for index, (outcome, first) in enumerate(outcomes)
    )


def _groups(framework: Framework, units: Sequence[str]) -> tuple[Group, ...]:
    found = [framework.unit(unit) for unit in units]
    return tuple(Group(code(unit.code), unit.title_in(), len(unit.outcomes)) for unit in found)


def _hand_ins(classes: Sequence[Class]) -> list[tuple[int, datetime]]:
    return [
        (work.person_id, row.submitted_at)
        for group in classes
        for work in group.works.values()
        for row in work.submissions
    ]


def _active(classes: Sequence[Class], now: datetime) -> int:
    since = now - timedelta(days=QUIET_DAYS)
    return len({person for person, at in _hand_ins(classes) if at >= since})


def _weeks(classes: Sequence[Class], now: datetime, most: int = 12) -> tuple[Week, ...]:
    """Return learners with a hand-in for each week of the course so far, the last twelve."""
    if not classes:
        return ()
    start = min(group.run.opens_at for group in classes)
    count = max(0, (now - start) // timedelta(weeks=1) + 1)
    found: list[set[int]] = [set() for _n in range(count)]
    for person, at in _hand_ins(classes):
        place = (at - start) // timedelta(weeks=1)
        if 0 <= place < count:
            found[place].add(person)
    weeks = [Week(_("week {n}").format(n=n), len(who)) for n, who in enumerate(found, start=1)]
    return tuple(weeks[-most:])
