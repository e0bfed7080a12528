"""Say figures in words: what each number is, for pages and files of managers and funders.

Law: one figure has one name and one meaning, on pages and in files. Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bioskills.base.text import _, ngettext
from bioskills.hub.campus import spreadsheets, taken_files
from bioskills.hub.campus.figures_shapes import CohortFigures, Work
from bioskills.hub.campus.suppression import Sheet, Shown, merged, suppress
from bioskills.hub.campus.wording import distance, number, utc


@dataclass(frozen=True)
class FundedRow:
    """One cohort, or several that are too small to be named, as a funder sees it."""

    title: str
    numbers: tuple[Shown, ...]


@dataclass(frozen=True)
class Funded:
    """What a funder sees: everybody together, and cohort by cohort where that may be."""

    total: tuple[Shown, ...]
    rows: tuple[FundedRow, ...]


def funded_of(found: Sequence[CohortFigures]) -> Funded:
    """Return the figures of what somebody funds, in steps of five."""
    small = merged([one.learners for one in found])
    named = [place for place in range(len(found)) if place not in small]
    rows = [_people(found[place]) for place in named]
    titles = [found[place].title for place in named]
    if small:
        parts = [_people(found[place]) for place in sorted(small)]
        rows.append([sum(column) for column in zip(*parts, strict=True)])
        titles.append(_("Other cohorts together"))
    sheet = suppress(rows) if rows else Sheet((), (None,) * len(COUNTED))
    # A single row would say the same as the total.
    shown = sheet.rows if len(rows) > 1 else ()
    return Funded(sheet.total, tuple(map(FundedRow, titles, shown)))


def _people(one: CohortFigures) -> list[int]:
    return [count(one) for count in COUNTED.values()]


COUNTED: dict[str, Callable[[CohortFigures], int]] = {
    "learners": lambda one: one.learners,
    "started": lambda one: one.started,
    "handed_in": lambda one: one.work.people,
    "active": lambda one: one.work.active_month,
    "answered": lambda one: one.work.answered,
    "with_unit": lambda one: one.with_unit,
    "left": lambda one: one.left,
}
"""What a funder sees, each a number of people."""


def counted_words() -> dict[str, str]:
    """Return the names of what a funder sees."""
    return {
        "learners": _("Learners"),
        "started": _("Started"),
        "handed_in": _("Handed in"),
        "active": _("Handed in within 30 days"),
        "answered": _("Got feedback"),
        "with_unit": _("Reached a unit"),
        "left": _("Left"),
    }


def shown_words(item: Shown) -> str:
    """Return a number that may be hidden, as pages and files say it."""
    return _("not shown") if item is None else number(str(item))


def funded_file(funded: Funded) -> taken_files.Sheet:
    """Return the file of a funder: what the page shows."""
    lines = [FundedRow(_("All together"), funded.total), *funded.rows]
    rows = [[line.title, *(_file_number(item) for item in line.numbers)] for line in lines]
    return taken_files.Sheet(
        _("Figures"), [_("people, in fives rounded down"), *counted_words().values()], rows
    )


def _file_number(item: Shown) -> spreadsheets.Cell:
    return shown_words(item) if item is None else Decimal(item)


def attempts_words(work: Work) -> str:
    """Return how many attempts an assignment took on average."""
    return number(f"{work.hand_ins / work.tasks:.1f}") if work.tasks else _("none yet")


def waits_words(work: Work, now: datetime) -> str:
    """Return how many hand-ins wait for feedback, and since when the oldest does."""
    if not work.waiting or work.oldest is None:
        return _("none")
    text = ngettext("{n}, since {time}", "{n}, the oldest since {time}", work.waiting)
    return text.format(n=number(str(work.waiting)), time=distance(work.oldest, now))


def role_words() -> dict[str, str]:
    """Return the names of roles, for a table of how many people hold them."""
    return {
        "learner": _("Learners"),
        "instructor": _("Instructors"),
        "assessor": _("Assessors"),
        "certifier": _("Certifiers"),
        "admin": _("Admins"),
        "manager": _("Managers"),
        "funder": _("Funders"),
    }


def figures_file(found: Sequence[CohortFigures]) -> taken_files.Sheet:
    """Return the file of a manager: one figure in each row."""
    head = [_("cohort"), _("about"), _("figure"), _("value")]
    rows = [[one.slug, *line] for one in found for line in _lines(one)]
    return taken_files.Sheet(_("Figures"), head, rows)


def _lines(one: CohortFigures) -> Iterator[list[spreadsheets.Cell]]:
    roles, whole = role_words(), _("whole cohort")
    yield [whole, _("learners, past ones too"), Decimal(one.learners)]
    yield [whole, _("learners now"), Decimal(one.learning)]
    yield [whole, _("started"), Decimal(one.started)]
    yield [whole, _("left"), Decimal(one.left)]
    yield [whole, _("left in the period"), Decimal(one.period_left)]
    yield [whole, _("learners with a unit"), Decimal(one.with_unit)]
    for role in one.roles:
        name = roles.get(role.role, role.role)
        yield [name, _("now"), Decimal(role.now)]
        yield [name, _("to come"), Decimal(role.ahead)]
        yield [name, _("ended"), Decimal(role.ended)]
    for unit in one.units:
        yield [unit.code, _("learners who reached the unit"), Decimal(unit.people)]
    yield from ([whole, *line] for line in _work_lines(one.work))
    for run in one.runs:
        yield from ([run.slug, *line] for line in _work_lines(run.work))


def _work_lines(work: Work) -> Iterator[list[spreadsheets.Cell]]:
    yield [_("learners who handed in"), Decimal(work.people)]
    yield [_("learners who handed in within 7 days"), Decimal(work.active_week)]
    yield [_("learners who handed in within 30 days"), Decimal(work.active_month)]
    yield [_("learners who handed in, in the period"), Decimal(work.period_people)]
    yield [_("hand-ins"), Decimal(work.hand_ins)]
    yield [_("hand-ins in the period"), Decimal(work.period_hand_ins)]
    yield [_("assignments tried"), Decimal(work.tasks)]
    yield [_("learners who got feedback"), Decimal(work.answered)]
    yield [_("hand-ins without feedback"), Decimal(work.waiting)]
    yield [_("the oldest of these"), utc(work.oldest) if work.oldest else ""]
