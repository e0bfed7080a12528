"""Lay out the feedback on one hand-in as a page.

Law: the same message that the Lab shows (`wire.Feedback`), nothing more of the
tests. Criteria that need work come first; what is full comes last. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from bioskills.base.text import _, ngettext
from bioskills.base.wire import CheckNote, Criterion, Feedback
from bioskills.hub.campus.pages_sentences import outcome_line
from bioskills.hub.campus.passport import Standing
from bioskills.hub.campus.wording import Sign, code, listed, number, percent, status_sign


@dataclass(frozen=True)
class CheckLine:
    """One check: icon, class, word, and what it tries."""

    css: str
    icon: str
    word: str
    label: str
    hidden: bool


@dataclass(frozen=True)
class Item:
    """One criterion with how well it is met."""

    anchor: str
    criterion: Criterion
    css: str
    icon: str
    word: str
    points: str
    about: tuple[str, ...]
    how: str
    checks: tuple[CheckLine, ...]
    has_hidden: bool
    given: str


@dataclass(frozen=True)
class Proved:
    """What the learner's evidence now says about one outcome of this hand-in."""

    code: str
    sign: Sign
    line: str


@dataclass(frozen=True)
class FeedbackPage:
    """Everything a feedback page shows."""

    feedback: Feedback
    share: str
    width: str
    summary: str
    back: str
    items: tuple[Item, ...]
    full: tuple[Item, ...]
    proved: tuple[Proved, ...]

    @property
    def explain(self) -> str:
        """Where it is said, once, why some tests are hidden; empty where none is."""
        return next((item.anchor for item in self.items if item.has_hidden), "")

    @property
    def criteria(self) -> tuple[Item, ...]:
        """Every criterion, open ones first."""
        return self.items + self.full


def feedback_page(feedback: Feedback, standing: Standing, zone: str) -> FeedbackPage:
    """Return the page of one feedback.

    Args:
        feedback: What came back.
        standing: Where the learner stands now.
        zone: IANA zone of dates in sentences.
    """
    items = [_item(criterion, standing) for criterion in feedback.criteria]
    todo = tuple(item for item in items if item.icon != "st-done")
    full = tuple(item for item in items if item.icon == "st-done")
    most = Fraction(feedback.max_points)
    share = Fraction(feedback.points) / most if most else Fraction(0)
    return FeedbackPage(
        feedback=feedback,
        share=percent(share),
        width=f"{float(share) * 100:.0f}",
        summary=_summary(items),
        back=_holds_back(items),
        items=todo,
        full=full,
        proved=_proved(feedback, standing, zone),
    )


def _item(criterion: Criterion, standing: Standing) -> Item:
    css, icon, word = _mark(criterion)
    checks = tuple(_check_line(check) for check in criterion.checks)
    return Item(
        anchor="c-" + criterion.cell.rpartition("/")[2],
        criterion=criterion,
        css=css,
        icon=icon,
        word=word,
        points=_points(criterion),
        about=tuple(_about(standing, outcome) for outcome in criterion.outcomes),
        how=_("read by a person") if criterion.graded == "person" else _("automatic"),
        checks=checks,
        has_hidden=any(check.hidden for check in checks),
        given=number(criterion.points) if criterion.points is not None else "",
    )


def _mark(criterion: Criterion) -> tuple[str, str, str]:
    if criterion.points is None:
        return "wait", "st-wait", _("waiting for assessor")
    reached, most = Fraction(criterion.points), Fraction(criterion.max_points)
    if reached >= most:
        return "ok", "st-done", _("met")
    return ("part", "st-dev", _("partly met")) if reached > 0 else ("no", "x", _("not met"))


def _points(criterion: Criterion) -> str:
    if criterion.points is None:
        text = _("waiting for assessor, {max} points")
        return text.format(max=number(criterion.max_points))
    most = Fraction(criterion.max_points)
    text = ngettext("{points} of {max} point", "{points} of {max} points", int(most) or 2)
    return text.format(points=number(criterion.points), max=number(criterion.max_points))


def _about(standing: Standing, outcome: str) -> str:
    found = standing.framework.outcomes.get(outcome)
    if found is None:
        return code(outcome)
    kinds = {"knowledge": _("Knowledge"), "skill": _("Skill"), "autonomy": _("Autonomy")}
    text = _("{kind} {code}: {statement}")
    return text.format(kind=kinds[found.type], code=code(outcome), statement=found.statement_in())


def _check_line(check: CheckNote) -> CheckLine:
    css, icon, word = {
        True: ("ok", "st-done", _("passed")),
        False: ("no", "x", _("failed")),
        None: ("meta", "st-none", _("did not run")),
    }[check.passed]
    return CheckLine(css, icon, word, check.label, not check.visible)


def _summary(items: Sequence[Item]) -> str:
    full = sum(item.css == "ok" for item in items)
    waits = sum(item.css == "wait" for item in items)
    text = ngettext(
        "{full} of {n} criterion has full points.",
        "{full} of {n} criteria have full points.",
        len(items),
    ).format(full=full, n=len(items))
    if not waits:
        return text
    more = ngettext("{n} waits for an assessor.", "{n} wait for an assessor.", waits)
    return f"{text} {more.format(n=waits)}"


def _holds_back(items: Sequence[Item]) -> str:
    """Return the first thing to work on: the title, and the kind of input that failed."""
    short = next((item for item in items if item.css in {"no", "part"}), None)
    if short is None:
        return ""
    failed = [line.label for line in short.checks if line.icon == "x"]
    title = short.criterion.title
    if not failed:
        return _("Begin with: {title}.").format(title=title)
    return _("Begin with: {title}, {failed}.").format(title=title, failed=listed(failed))


def _proved(feedback: Feedback, standing: Standing, zone: str) -> tuple[Proved, ...]:
    named = dict.fromkeys(o for criterion in feedback.criteria for o in criterion.outcomes)
    return tuple(
        Proved(
            code(outcome),
            status_sign(standing.results[outcome].status.value),
            outcome_line(standing, outcome, zone),
        )
        for outcome in named
        if outcome in standing.results
    )
