"""Say in sentences where a learner stands and what is missing.

Law: what is missing is said before what is wrong, with the number that is
needed beside the number that is there. Pure: data in, sentences out.
"""

from collections.abc import Sequence
from fractions import Fraction

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.competence.framework import Unit
from bioskills.competence.results import (
    MissingCritical,
    MissingTask,
    OutcomeResult,
    Status,
    TaskRef,
    TaskResult,
)
from bioskills.hub.campus.passport import Standing
from bioskills.hub.campus.wording import code, day, listed, percent


def outcome_line(standing: Standing, outcome: str, zone: str) -> str:
    """Return what one outcome rests on and what it still needs."""
    result = standing.results[outcome]
    if result.status is Status.EXPIRED and result.expires_at:
        text = _("Expired on {day}. One task at {share} or better renews it.")
        return text.format(day=day(result.expires_at, zone), share=percent(result.theta))
    if result.status is Status.GRANTED_RPL:
        return _("Granted from prior learning. Nothing is missing.")
    if result.status.reached:
        return _("{shown} Nothing is missing.").format(shown=_shown(standing, result))
    parts = [_missing(standing, result, item) for item in result.missing]
    return " ".join(part for part in parts if part)


def unit_line(standing: Standing, unit: Unit) -> str:
    """Return what a whole unit still needs, in one or two sentences."""
    results = [standing.results[outcome.id] for outcome in unit.outcomes]
    if all(result.status.reached for result in results):
        return _("Nothing. All {n} outcomes are reached.").format(n=len(results))
    parts = (
        _expired_part(results),
        _pending_part(results),
        _more_part(results),
        _start_part(standing, results),
        _elsewhere_part(results),
    )
    return " ".join(part for part in parts if part)


def lead_line(standing: Standing) -> tuple[str, str]:
    """Return the sentence that a reader takes away, and what comes next."""
    units = [standing.units[name] for name in standing.shown]
    complete = sum(1 for unit in units if unit.points)
    outcomes = [standing.results[o.id] for unit in _units(standing) for o in unit.outcomes]
    reached = sum(result.status.reached for result in outcomes)
    if complete:
        first = ngettext(
            "{done} of {n} unit is complete.", "{done} of {n} units are complete.", len(units)
        ).format(done=complete, n=len(units))
    else:
        first = _("{done} of {n} outcomes are shown, no unit is complete yet.").format(
            done=reached, n=len(outcomes)
        )
    return first, _shortest_way(standing)


def counts_line(standing: Standing, row: tables.Evidence) -> str:
    """Return whether a record counts, and why or why not."""
    result = standing.results[row.outcome]
    aside = next((item.reason for item in result.set_aside if item.seq == row.seq), None)
    if aside is not None:
        return _("No, {why}").format(why=_why(aside))
    if row.kind == "rpl":
        return _("Yes, prior learning granted by an assessor")
    if row.pending:
        return _("Not yet, an assessor reads it")
    task = next((item for item in result.tasks if row.seq in item.evidence), None)
    if task is None:
        return _("No, its course no longer maps it")
    return _counts_in(result, task, Fraction(row.score or 0))


def _counts_in(result: OutcomeResult, task: TaskResult, share: Fraction) -> str:
    if not task.counts:
        return _("No, practice never counts")
    if task.best is not None and share < task.best:
        return _("No, another attempt is better")
    if share < result.theta:
        return _("No, {share} is needed").format(share=percent(result.theta))
    ranked = [item for item in result.tasks if item.counts and item.shown_at]
    place = ranked.index(task) + 1 if task in ranked else 1
    if result.needed == 1:
        return _("Yes, one task is enough")
    return _("Yes, task {place} of {n} that are needed").format(
        place=min(place, result.needed), n=result.needed
    )


def _why(reason: str) -> str:
    words = {
        "other_framework": _("it belongs to another framework"),
        "other_rule": _("it was made under another rule"),
        "superseded": _("a regrade replaced it"),
        "integrity": _("the tests of the notebook were changed"),
        "withdrawn": _("it was withdrawn"),
        "unmapped": _("its course no longer maps it"),
        "too_many_attempts": _("the attempts that count were used up"),
        "too_soon": _("it came before the waiting time was over"),
        "unreleased": _("it is not returned yet"),
        "needs_person": _("only a person may judge autonomy"),
    }
    return words.get(reason, reason)


def _shown(standing: Standing, result: OutcomeResult) -> str:
    tasks = [task for task in result.tasks if task.counts and task.shown_at is not None]
    shares = listed(percent(task.best) for task in tasks)
    if len(tasks) == 1:
        title = standing.plans.title(tasks[0].ref)
        return _("Shown in {task}, {share}.").format(task=title, share=shares)
    return _("Shown in {n} tasks, {shares}.").format(n=len(tasks), shares=shares)


def _missing(standing: Standing, result: OutcomeResult, item: MissingTask | MissingCritical) -> str:
    if isinstance(item, MissingCritical):
        text = _("{task} must reach {share}; it has {best} so far.")
        best = percent(item.best, item.floor) or _("nothing")
        title = standing.plans.title(item.task)
        return text.format(task=title, share=percent(item.floor), best=best)
    return " ".join(
        part for part in (_so_far(result, item), _waiting(item), _still(standing, item)) if part
    )


def _so_far(result: OutcomeResult, item: MissingTask) -> str:
    if item.shown:
        done = [t.best for t in result.tasks if t.counts and t.shown_at and t.best is not None]
        text = ngettext("Shown once, {shares}.", "Shown {n} times, {shares}.", item.shown)
        return text.format(n=item.shown, shares=listed(percent(best) for best in done))
    if item.best is not None:
        text = _("Best so far {best}, needed {share}.")
        return text.format(best=percent(item.best, item.theta), share=percent(item.theta))
    practised = [task.best for task in result.tasks if not task.counts and task.best is not None]
    if practised:
        text = _("Practised, {best}. Practice never counts.")
        return text.format(best=percent(max(practised)))
    return "" if item.waiting else _("No evidence yet.")


def _waiting(item: MissingTask) -> str:
    if not item.waiting:
        return ""
    text = ngettext(
        "An assessor has one answer of yours to read.",
        "An assessor has {n} answers of yours to read.",
        item.waiting,
    )
    return text.format(n=item.waiting)


def _still(standing: Standing, item: MissingTask) -> str:
    left = item.needed_tasks - item.shown
    if left <= item.waiting:
        return ""
    if not item.open_tasks:
        return _("Your courses have no further task for it yet.")
    titles = listed(standing.plans.title(ref) for ref in item.open_tasks[:3])
    return _open_sentence(item, left).format(
        n=left, share=percent(item.theta), titles=titles, have=len(item.open_tasks)
    )


def _open_sentence(item: MissingTask, left: int) -> str:
    begun = bool(item.shown) or item.best is not None
    if len(item.open_tasks) < left:
        if begun:
            return _(
                "{n} more tasks at {share} or better close it; your courses have {have}: {titles}."
            )
        return _("It takes {n} tasks at {share} or better; your courses have {have}: {titles}.")
    if begun:
        return ngettext(
            "One more task at {share} or better closes it: {titles}.",
            "{n} more tasks at {share} or better close it: {titles}.",
            left,
        )
    return ngettext(
        "One task at {share} or better shows it: {titles}.",
        "{n} tasks at {share} or better show it: {titles}.",
        left,
    )


def _codes(results: Sequence[OutcomeResult]) -> str:
    return listed(code(result.outcome).split(" ")[-1] for result in results)


def _expired_part(results: Sequence[OutcomeResult]) -> str:
    found = [result for result in results if result.status is Status.EXPIRED]
    text = _("{codes} expired: one task each renews it.")
    return text.format(codes=_codes(found)) if found else ""


def _pending_part(results: Sequence[OutcomeResult]) -> str:
    found = [result for result in results if result.status is Status.PENDING]
    text = ngettext("{codes} is with the assessor.", "{codes} are with the assessor.", len(found))
    return text.format(codes=_codes(found)) if found else ""


def _more_part(results: Sequence[OutcomeResult]) -> str:
    found = [r for r in results if r.status is Status.DEVELOPING and _open(r)]
    parts = [
        ngettext(
            "{code} needs one more task at {share} or better.",
            "{code} needs {n} more tasks at {share} or better.",
            item.needed_tasks - item.shown,
        ).format(code=_codes([r]), n=item.needed_tasks - item.shown, share=percent(item.theta))
        for r in found
        for item in r.missing
        if isinstance(item, MissingTask)
    ]
    return " ".join(parts)


def _start_part(standing: Standing, results: Sequence[OutcomeResult]) -> str:
    found = [r for r in results if r.status is Status.NOT_ASSESSED and _open(r)]
    if not found:
        return ""
    titles = dict.fromkeys(standing.plans.title(ref) for r in found for ref in _open(r)[:1])
    text = ngettext("{codes} starts with {titles}.", "{codes} start with {titles}.", len(found))
    return text.format(codes=_codes(found), titles=listed(titles))


def _elsewhere_part(results: Sequence[OutcomeResult]) -> str:
    waiting = (Status.NOT_ASSESSED, Status.DEVELOPING)
    found = [r for r in results if r.status in waiting and not _open(r)]
    text = _("Your courses have no further task for {codes} yet.")
    return text.format(codes=_codes(found)) if found else ""


def _open(result: OutcomeResult) -> tuple[TaskRef, ...]:
    found = [item.open_tasks for item in result.missing if isinstance(item, MissingTask)]
    return found[0] if found else ()


def _units(standing: Standing) -> list[Unit]:
    return [standing.framework.unit(name) for name in standing.shown]


def _shortest_way(standing: Standing) -> str:
    """Return the sentence about the begun unit that needs least; empty where none is begun."""
    begun = [
        unit
        for unit in _units(standing)
        if not standing.units[unit.code].points
        and standing.units[unit.code].status is not Status.NOT_ASSESSED
    ]
    if not begun:
        return ""
    nearest = min(begun, key=lambda unit: len(standing.units[unit.code].missing))
    text = _("Nearest to completion is {code} {title}. {line}")
    return text.format(
        code=code(nearest.code), title=nearest.title_in(), line=unit_line(standing, nearest)
    )
