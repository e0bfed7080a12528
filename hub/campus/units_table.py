"""Show who of a cohort has reached which unit, and what that rests on.

Law: every status comes from the passport's evaluator. A unit is ready where all its
outcomes are reached; what is missing is said in the passport's own sentences.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.languages import name_key
from bioskills.base.text import _, ngettext
from bioskills.competence.framework import Outcome, Unit
from bioskills.hub.campus import spreadsheets, taken_files
from bioskills.hub.campus.pages_sentences import unit_line
from bioskills.hub.campus.pages_work import manifest_of
from bioskills.hub.campus.passport import Standing, read_plans, version_of
from bioskills.hub.campus.standings import Reading, Verdicts
from bioskills.hub.campus.wording import Sign, code, percent, status_sign
from bioskills.hub.membership import people_in

PAGE = 25
"""Learners on one page."""
STATES = ("all", "ready", "open")


@dataclass(frozen=True)
class Wanted:
    """Which part of the table is wanted: the address says it, so that it can be kept."""

    unit: str = ""
    state: str = "all"
    names: int = 0
    page: int = 1


@dataclass(frozen=True)
class OutcomeCell:
    """One outcome of a row: its status, level, and the records that count for it."""

    id: str
    code: str
    sign: Sign
    level: str
    records: int


@dataclass(frozen=True)
class Row:
    """One learner in one unit."""

    pseudonym: str
    display_name: str
    unit: str
    code: str
    title: str
    sign: Sign
    reached: int
    total: int
    records: int
    counting: int
    ready: bool
    missing: str
    outcomes: tuple[OutcomeCell, ...]

    @property
    def records_words(self) -> str:
        """How many records there are, and how many of them count."""
        text = ngettext("{n} of {of} record counts", "{n} of {of} records count", self.records)
        return text.format(n=self.counting, of=self.records)


@dataclass(frozen=True)
class UnitSum:
    """One unit with how many learners have reached it."""

    code: str
    title: str
    shown: str
    points: int
    ready: int


@dataclass(frozen=True)
class Table:
    """A part of the table of a cohort.

    Attributes:
        chosen: Learners that the filter leaves, on all pages.
        pages: How many pages these fill.
    """

    learners: int
    chosen: int
    page: int
    pages: int
    units: tuple[UnitSum, ...]
    rows: tuple[Row, ...]
    people: tuple[int, ...]
    courses: tuple[str, ...]


def read_table(
    session: Session, cohort: tables.Cohort, reading: Reading, verdicts: Verdicts,
    wanted: Wanted, *, whole: bool = False,
) -> Table:  # fmt: skip
    """Return one page of the table, or all of it for a file."""
    runs = session.scalars(select(tables.Run).where(tables.Run.cohort_id == cohort.id))
    versions = [version_of(session, run) for run in runs]
    plans = read_plans(session, reading.framework, {version.course for version in versions})
    people = people_in(session, cohort.slug, "learner", reading.at)
    reached = reading.reached(people, verdicts)
    units = [u for u in plans.units if wanted.unit in ("", u)] or list(plans.units)
    chosen = [p for p in people if _wanted(reached.get(p.id, frozenset()), units, wanted.state)]
    chosen.sort(key=lambda p: name_key(p.display_name) if wanted.names else (p.pseudonym,))
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(wanted.page, 1), pages)
    shown = chosen if whole else chosen[(page - 1) * PAGE : page * PAGE]
    standings = reading.standings(shown)
    return Table(
        learners=len(people),
        chosen=len(chosen),
        page=page,
        pages=pages,
        units=tuple(_sum(reading.framework.unit(unit), reached.values()) for unit in plans.units),
        rows=tuple(
            row
            for person in shown
            for row in _rows(person, standings[person.id], units)
            if wanted.state == "all" or row.ready == (wanted.state == "ready")
        ),
        people=tuple(person.id for person in shown),
        courses=tuple(sorted({manifest_of(version).title for version in versions})),
    )


def file_of(table: Table, *, names: bool) -> taken_files.Sheet:
    """Return the file: one row for each learner, unit and outcome."""
    head = [_("learner"), *([_("name")] if names else []), _("unit"), _("unit ready"), _("outcome")]
    head += [_("status"), _("level"), _("records that count"), _("what the unit lacks")]
    rows = [line for row in table.rows for line in _lines(row, names=names)]
    return taken_files.Sheet(_("Units"), head, rows)


def _lines(row: Row, *, names: bool) -> Iterator[list[spreadsheets.Cell]]:
    for outcome in row.outcomes:
        yield [
            row.pseudonym,
            *([row.display_name] if names else []),
            row.unit,
            _("ready") if row.ready else _("not ready"),
            outcome.id,
            outcome.sign.words,
            outcome.level,
            Decimal(outcome.records),
            row.missing,
        ]


def _wanted(reached: frozenset[str], units: Sequence[str], state: str) -> bool:
    if state == "ready":
        return any(unit in reached for unit in units)
    return state != "open" or any(unit not in reached for unit in units)


def _sum(unit: Unit, reached: Iterable[frozenset[str]]) -> UnitSum:
    ready = sum(unit.code in units for units in reached)
    return UnitSum(unit.code, unit.title_in(), code(unit.code), unit.points, ready)


def _rows(person: tables.Person, standing: Standing, units: Sequence[str]) -> Iterator[Row]:
    for unit in (standing.framework.unit(name) for name in units):
        result = standing.units[unit.code]
        cells = tuple(_cell(standing, outcome) for outcome in unit.outcomes)
        yield Row(
            pseudonym=person.pseudonym,
            display_name=person.display_name,
            unit=unit.code,
            code=code(unit.code),
            title=unit.title_in(),
            sign=status_sign(result.status.value),
            reached=result.reached,
            total=result.total,
            records=sum(len(standing.rows_of(outcome.id)) for outcome in unit.outcomes),
            counting=sum(cell.records for cell in cells),
            ready=bool(result.points),
            missing=unit_line(standing, unit),
            outcomes=cells,
        )


def _cell(standing: Standing, outcome: Outcome) -> OutcomeCell:
    result = standing.results[outcome.id]
    return OutcomeCell(
        id=outcome.id,
        code=code(outcome.id).split(" ")[-1],
        sign=status_sign(result.status.value),
        level=percent(result.level, result.theta),
        records=len(result.evidence),
    )
