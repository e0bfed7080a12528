"""Let an instructor say what happens with late work on one assignment.

Law: learners read the rule before the due date; once that has passed, the rule may only
become milder: nobody loses by a rule that did not stand when they could still have acted.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables, tables_teaching
from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.late_rules import LateRule, rule_words
from bioskills.hub.campus.pages_changes import Change, note
from bioskills.hub.campus.pages_class import title_of
from bioskills.hub.campus.pages_doors import change_for, changing
from bioskills.hub.campus.pages_shared import navigation, require_teaching
from bioskills.hub.campus.site import Site, render, site_of

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
_PAGE = "/runs/{run}/assignments/{name}/late"
_MOST_DAYS, _MOST_PERCENT = 366, 100


class LateForm(BaseModel):
    """What was typed; text until it is understood."""

    accepted: str = ""
    days: str = ""
    percent: str = ""


def routes(site: Site) -> APIRouter:
    """Return the routes of the rule for late work."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get(_PAGE)
    def late_page(request: Request, run: str, name: str, caller: Reads) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            change, cohort = change_for(session, site, caller, (run, name), ("instructor",))
            rule = rule_in(change)
            typed = LateForm(
                accepted=rule.accepted, days=str(rule.days), percent=str(rule.percent_per_day)
            )
            return _page(request, caller, change, cohort, typed)

    @router.post(_PAGE)
    def set_rule(
        request: Request, run: str, name: str, caller: Changes, form: Annotated[LateForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, cohort):
            try:
                set_late(session, change, form)
            except InputError as error:
                return _page(request, caller, change, cohort, form, problems=error.problems)
        return RedirectResponse(site.link(f"runs/{run}/assignments/{name}?done=late"), 303)

    return router


def rule_in(change: Change) -> LateRule:
    """Return the rule that stands for an assignment of the class."""
    return change.group.works[change.assignment.id, 0].late


def set_late(session: Session, change: Change, form: LateForm) -> LateRule:
    """Change the rule.

    Raises:
        InputError: With every fault at its field.
    """
    before, after = rule_in(change), _understood(form)
    due = change.assignment.due_at
    if due is not None and due <= change.group.now and after.is_stricter_than(before):
        what = _("The due date has passed, so the rule may only become milder.")
        step = _("Leave it as it is, or take late work longer.")
        raise InputError([Problem("accepted", what, next=step)])
    table = tables_teaching.LateRule
    row = session.scalar(select(table).where(table.assignment_id == change.assignment.id))
    row = row or table(assignment_id=change.assignment.id)
    row.accepted, row.days, row.percent_per_day = after.accepted, after.days, after.percent_per_day
    row.set_by, row.set_at = change.by, change.group.now
    session.add(row)
    detail = {"before": vars(before), "after": vars(after)}
    note(session, change, "set late rule", detail)
    return after


def _understood(form: LateForm) -> LateRule:
    if form.accepted in {"until_close", "never"}:
        return LateRule("until_close" if form.accepted == "until_close" else "never")
    problems: list[Problem] = []
    if form.accepted != "days":
        what, step = _("Nothing is chosen."), _("Choose one of the three.")
        problems.append(Problem("accepted", what, next=step))
    days = _whole(form.days, "days", 1, _MOST_DAYS, problems)
    percent = _whole(form.percent or "0", "percent", 0, _MOST_PERCENT, problems)
    if problems:
        raise InputError(problems)
    return LateRule("days", days, percent)


def _whole(text: str, field: str, least: int, most: int, problems: list[Problem]) -> int:
    plain = text.strip()
    number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 3 else -1  # noqa: PLR2004 - digits of the largest
    if least <= number <= most:
        return number
    what = _("{text!r} is no number from {least} to {most}.")
    step = _("Type a whole number.")
    shown = what.format(text=plain[:40], least=least, most=most)
    problems.append(Problem(field, shown, next=step))
    return 0


def _page(
    request: Request,
    caller: Browser,
    change: Change,
    cohort: tables.Cohort,
    typed: LateForm,
    *,
    problems: Sequence[Problem] = (),
) -> HTMLResponse:
    site, group, assignment = site_of(request), change.group, change.assignment
    words = rule_words(
        rule_in(change), assignment.due_at, group.run.closes_at, group.run.time_zone, group.now
    )
    return render(
        request,
        "late.html",
        nav=navigation(site, caller, "courses"),
        status=422 if problems else 200,
        title=title_of(group.manifest, assignment.name),
        course=group.manifest.title,
        run=group.run,
        cohort=cohort,
        assignment=assignment,
        words=words,
        typed=typed,
        problems=problems,
        now=group.now,
    )
