"""Lay out a passport: matrix, figures and evidence as the page shows them.

Law: only what `passport.standing_of` says; nothing is decided here. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from markupsafe import Markup

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.base.wire import OutcomeStatus
from bioskills.competence.framework import Outcome, OutcomeType, Unit
from bioskills.competence.results import TaskRef
from bioskills.hub.campus.pages_sentences import counts_line, lead_line, outcome_line, unit_line
from bioskills.hub.campus.passport import Standing
from bioskills.hub.campus.wording import Sign, code, day_tag, listed, percent, status_sign

KINDS: tuple[OutcomeType, ...] = ("knowledge", "skill", "autonomy")
CHART_WIDTH = 600
_GAP = 3


@dataclass(frozen=True)
class Cell:
    """One outcome in the matrix; an empty place has no code."""

    code: str
    anchor: str
    sign: Sign | None
    first: bool
    level: str = ""


@dataclass(frozen=True)
class Row:
    """One unit in the matrix."""

    code: str
    title: str
    eqf: int
    points: int
    reached: int
    total: int
    cells: tuple[Cell, ...]
    missing: str


@dataclass(frozen=True)
class Proof:
    """One evidence record."""

    task: str
    kind: str
    attempt: str
    released: Markup
    score: str
    counts: str
    seq: int
    feedback: int | None


@dataclass(frozen=True)
class Known:
    """What is known of results beside their evidence, by the result's id."""

    hand_ins: Mapping[int, int]
    resits: Mapping[int, str]


_NONE: Mapping[int, str] = {}


@dataclass(frozen=True)
class OutcomeSection:
    """One outcome with everything that speaks for it."""

    anchor: str
    code: str
    statement: str
    sign: Sign
    line: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True)
class UnitSection:
    """The evidence of one unit."""

    code: str
    title: str
    outcomes: tuple[OutcomeSection, ...]


@dataclass(frozen=True)
class Segment:
    """One status in the bar: where it begins, how wide it is, how many outcomes."""

    sign: Sign
    count: int
    x: str
    width: str


@dataclass(frozen=True)
class Page:
    """Everything a passport page shows."""

    lead: str
    next: str
    points: int
    all_points: int
    reached: int
    total: int
    records: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    segments: tuple[Segment, ...]
    chart_label: str
    sections: tuple[UnitSection, ...]


def page_of(
    standing: Standing, zone: str, hand_ins: Mapping[int, int], resits: Mapping[int, str] = _NONE
) -> Page:
    """Return the passport page of one learner.

    Args:
        standing: Where the learner stands.
        zone: IANA zone of the dates.
        hand_ins: Submission of each result, for links to feedback.
        resits: Of a result that came by a resit: the title of what it was given for.
    """
    known = Known(hand_ins, resits)
    units = [standing.framework.unit(name) for name in standing.shown]
    widths = {kind: max((_count(unit, kind) for unit in units), default=0) for kind in KINDS}
    lead, then = lead_line(standing)
    counts = Counter(standing.results[o.id].status.value for u in units for o in u.outcomes)
    segments = _segments(counts)
    return Page(
        lead=lead,
        next=then,
        points=sum(standing.units[unit.code].points for unit in units),
        all_points=sum(unit.points for unit in units),
        reached=sum(standing.units[unit.code].reached for unit in units),
        total=sum(len(unit.outcomes) for unit in units),
        records=len(standing.rows),
        columns=_columns(widths),
        rows=tuple(_row(standing, unit, widths) for unit in units),
        segments=segments,
        chart_label=listed(f"{item.sign.words} {item.count}" for item in segments),
        sections=tuple(_section(standing, unit, zone, known) for unit in units),
    )


def _columns(widths: Mapping[OutcomeType, int]) -> tuple[str, ...]:
    names = {"knowledge": _("Knowledge"), "skill": _("Skill"), "autonomy": _("Autonomy")}
    return tuple(
        names[kind] if widths[kind] == 1 else f"{names[kind]} {place + 1}"
        for kind in KINDS
        for place in range(widths[kind])
    )


def _row(standing: Standing, unit: Unit, widths: Mapping[OutcomeType, int]) -> Row:
    result = standing.units[unit.code]
    cells = [
        _cell(standing, outcomes[place] if place < len(outcomes) else None, place == 0)
        for kind in KINDS
        for outcomes in [[o for o in unit.outcomes if o.type == kind]]
        for place in range(widths[kind])
    ]
    return Row(
        code=code(unit.code),
        title=unit.title_in(),
        eqf=unit.eqf,
        points=unit.points,
        reached=result.reached,
        total=result.total,
        cells=tuple(cells),
        missing=unit_line(standing, unit),
    )


def _cell(standing: Standing, outcome: Outcome | None, first: bool) -> Cell:
    if outcome is None:
        return Cell("", "", None, first)
    result = standing.results[outcome.id]
    sign = status_sign(result.status.value)
    return Cell(code(outcome.id), outcome.id, sign, first, percent(result.level, result.theta))


def _segments(counts: Mapping[str, int]) -> tuple[Segment, ...]:
    order: Sequence[OutcomeStatus] = get_args(OutcomeStatus)
    present = [(status, counts[status]) for status in _from_top(order) if counts.get(status)]
    total = sum(count for _status, count in present) or 1
    room = CHART_WIDTH - _GAP * max(len(present) - 1, 0)
    found, x = [], 0.0
    for status, count in present:
        width = room * count / total
        found.append(Segment(status_sign(status), count, f"{x:.1f}", f"{width:.1f}"))
        x += width + _GAP
    return tuple(found)


def _from_top(order: Sequence[OutcomeStatus]) -> list[OutcomeStatus]:
    """Return the statuses from what is reached to what has not begun."""
    last: tuple[OutcomeStatus, ...] = ("pending", "developing", "not_assessed")
    return [status for status in order if status not in last] + list(last)


def _section(standing: Standing, unit: Unit, zone: str, known: Known) -> UnitSection:
    outcomes = tuple(_outcome(standing, outcome, zone, known) for outcome in unit.outcomes)
    return UnitSection(code(unit.code), unit.title_in(), outcomes)


def _outcome(standing: Standing, outcome: Outcome, zone: str, known: Known) -> OutcomeSection:
    rows = standing.rows_of(outcome.id)
    return OutcomeSection(
        anchor=outcome.id,
        code=code(outcome.id).split(" ")[-1],
        statement=outcome.statement_in(),
        sign=status_sign(standing.results[outcome.id].status.value),
        line=outcome_line(standing, outcome.id, zone),
        proofs=tuple(_proof(standing, row, zone, known) for row in rows),
    )


def _proof(standing: Standing, row: tables.Evidence, zone: str, known: Known) -> Proof:
    ref = TaskRef(row.mapping.rpartition("@")[0], row.task)
    task = standing.plans.task(ref)
    most = task.attempts.max if task else None
    within = most is not None and row.attempt <= most
    attempt = _("{n} of {most}").format(n=row.attempt, most=most) if within else str(row.attempt)
    needed = standing.results[row.outcome].theta
    return Proof(
        task=_with_resit(standing.plans.title(ref), known.resits.get(row.result_id, "")),
        kind=_("summative") if task and task.counts else _("practice"),
        attempt=attempt,
        released=day_tag(row.at, zone),
        score=_("with assessor") if row.pending else percent(row.score, needed),
        counts=counts_line(standing, row),
        seq=row.seq,
        feedback=known.hand_ins.get(row.result_id),
    )


def _with_resit(title: str, first: str) -> str:
    return (
        _("{title}, as the resit of {first}").format(title=title, first=first) if first else title
    )


def _count(unit: Unit, kind: OutcomeType) -> int:
    return sum(outcome.type == kind for outcome in unit.outcomes)
