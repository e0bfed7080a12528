"""Serve the instructor's pages: courses, the board of a run, one assignment.

Law: every page asks for a role in the cohort it shows. Changes come from
forms alone, with the session's token; what cannot be undone for learners
(closing, returning) shows its plan on a page of its own first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.hub.campus import pages_changes as changes
from bioskills.hub.campus import (
    pages_cohort,
    pages_decisions,
    pages_grades,
    pages_grading,
    pages_late,
    pages_notices,
    pages_points,
    pages_versions,
    pages_withdrawals,
)
from bioskills.hub.campus import run_board as board
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.late_rules import rule_words
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.pages_changes import Change, Typed
from bioskills.hub.campus.pages_class import held_results, people_on, read_class, title_of
from bioskills.hub.campus.pages_courses import cards_of
from bioskills.hub.campus.pages_doors import Where, change_for, changing
from bioskills.hub.campus.pages_shared import (
    TEACHING,
    find_run,
    navigation,
    require_role,
    require_teaching,
)
from bioskills.hub.campus.site import Site, render, site_of
from bioskills.hub.campus.wording import add_words

_ASSIGNMENT = "/runs/{run}/assignments/{name}"
_REFUSED = 422

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]


class _DateForm(BaseModel):
    """What the forms for dates send; everything is text until it is understood."""

    date: str = ""
    time: str = ""
    learner: str = ""

    @property
    def typed(self) -> Typed:
        """What was typed, to be understood or shown again."""
        return Typed(self.date, self.time, self.learner)


class _ReturnForm(BaseModel):
    """The results that the plan showed."""

    result: list[int] = []


@dataclass(frozen=True)
class _Faults:
    """What was refused in one form, and what was typed there."""

    form: str = ""
    typed: Typed = field(default_factory=lambda: Typed("", ""))
    problems: Sequence[Problem] = ()

    def at(self, form: str, field: str) -> list[Problem]:
        """Return the problems of one field of one form."""
        return [p for p in self.problems if self.form == form and p.where == field]


def routes(site: Site) -> APIRouter:
    """Return the routes of the instructor's pages."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)
    _add_pages(router, site)
    _add_plans(router, site)
    _add_changes(router, site)
    router.include_router(pages_cohort.routes(site))
    router.include_router(pages_grading.routes(site))
    router.include_router(pages_points.routes(site))
    router.include_router(pages_notices.routes(site))
    router.include_router(pages_versions.routes(site))
    router.include_router(pages_grades.routes(site))
    router.include_router(pages_late.routes(site))
    router.include_router(pages_decisions.routes(site))
    router.include_router(pages_withdrawals.routes(site))
    return router


def _add_pages(router: APIRouter, site: Site) -> None:
    @router.get("/courses")
    def courses(request: Request, caller: Reads) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            person = session.get_one(tables.Person, caller.person_id)
            cards = cards_of(session, person, site.clock())
        nav = navigation(site, caller, "courses")
        return render(request, "courses.html", nav=nav, cards=cards, now=site.clock())

    @router.get("/runs/{run}")
    def run_page(request: Request, run: str, caller: Reads) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            row, cohort = find_run(session, run)
            require_role(caller, cohort.slug)
            group = read_class(session, row, cohort, site.clock())
            look(site, caller, [p.id for p in group.learners], "board", (run, cohort.slug))
            return render(
                request,
                "run.html",
                nav=navigation(site, caller, "courses"),
                board=board.board_of(group),
                run=row,
                cohort=cohort,
                may_change=caller.holds("instructor", cohort.slug),
                now=site.clock(),
            )

    @router.get(_ASSIGNMENT)
    def assignment_page(
        request: Request, run: str, name: str, caller: Reads, *, done: str = "", n: int = 0
    ) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            change, cohort = change_for(session, site, caller, (run, name), TEACHING)
            text = changes.said(done, change, n)
            people = [person.id for person in change.group.learners]
            look(site, caller, people, "assignment", (f"{run}/{name}", cohort.slug))
            return _assignment_page(request, caller, change, cohort, said=text)


def _add_plans(router: APIRouter, site: Site) -> None:
    @router.get(_ASSIGNMENT + "/close")
    def plan_to_close(request: Request, run: str, name: str, caller: Reads) -> Response:
        return _plan(request, site, caller, (run, name), "close")

    @router.get(_ASSIGNMENT + "/return")
    def plan_to_return(request: Request, run: str, name: str, caller: Reads) -> Response:
        return _plan(request, site, caller, (run, name), "return")


def _add_changes(router: APIRouter, site: Site) -> None:
    @router.post(_ASSIGNMENT + "/open")
    def open_it(run: str, name: str, caller: Changes) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            changes.open_assignment(session, change)
        return _back(site, (run, name), "open")

    @router.post(_ASSIGNMENT + "/close")
    def close_it(run: str, name: str, caller: Changes) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            changes.close_assignment(session, change)
        return _back(site, (run, name), "close")

    @router.post(_ASSIGNMENT + "/return")
    def return_them(
        run: str, name: str, caller: Changes, form: Annotated[_ReturnForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            count = changes.return_results(session, change, form.result)
        return _back(site, (run, name), "return", count)

    @router.post(_ASSIGNMENT + "/due")
    def set_due(
        request: Request, run: str, name: str, caller: Changes, form: Annotated[_DateForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, cohort):
            try:
                changes.set_due(session, change, form.typed)
            except InputError as error:
                faults = _Faults("due", form.typed, error.problems)
                return _assignment_page(request, caller, change, cohort, faults=faults)
        return _back(site, (run, name), "due")

    @router.post(_ASSIGNMENT + "/extension")
    def give_more_time(
        request: Request, run: str, name: str, caller: Changes, form: Annotated[_DateForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, cohort):
            try:
                people = changes.give_more_time(session, change, form.typed)
            except InputError as error:
                faults = _Faults("extension", form.typed, error.problems)
                return _assignment_page(request, caller, change, cohort, faults=faults)
        return _back(site, (run, name), "extension", len(people))


def _assignment_page(
    request: Request,
    caller: Browser,
    change: Change,
    cohort: tables.Cohort,
    *,
    said: str = "",
    faults: _Faults | None = None,
) -> HTMLResponse:
    site, group, assignment = site_of(request), change.group, change.assignment
    row = next(row for row in board.board_of(group).rows if row.name == assignment.name)
    return render(
        request,
        "assignment.html",
        nav=navigation(site, caller, "courses"),
        status=_REFUSED if faults else 200,
        row=row,
        people=people_on(group, assignment),
        title=row.title,
        course=group.manifest.title,
        run=group.run,
        cohort=cohort,
        assignment=assignment,
        may_change=caller.holds("instructor", cohort.slug),
        late=rule_words(
            group.works[assignment.id, 0].late,
            assignment.due_at,
            group.run.closes_at,
            group.run.time_zone,
            group.now,
        ),
        said=said,
        faults=faults or _Faults(),
        everybody=changes.EVERYBODY,
        now=group.now,
    )


def _plan(request: Request, site: Site, caller: Browser, where: Where, verb: str) -> Response:
    require_teaching(caller)
    with site.store.reading() as session:
        change, cohort = change_for(session, site, caller, where, ("instructor",))
        seen = [person.id for person in change.group.learners]
        look(site, caller, seen, "assignment", ("/".join(where), cohort.slug))
        works = change.group.works_on(change.assignment)
        held = held_results(works)
        people = people_on(change.group, change.assignment)
        return render(
            request,
            f"{verb}.html",
            nav=navigation(site, caller, "courses"),
            title=title_of(change.group.manifest, change.assignment.name),
            counts=board.counts_of(works, change.group.now),
            run=change.group.run,
            name=change.assignment.name,
            held=held,
            now=change.group.now,
            getting=[person for person in people if person.held],
            missing=[p for p in people if p.submission_id is None and not p.excused],
        )


def _back(site: Site, where: Where, done: str, count: int = 0) -> Response:
    run, name = where
    address = site.link(f"runs/{quote(run)}/assignments/{quote(name)}?done={done}")
    return RedirectResponse(address + (f"&n={count}" if count else ""), 303)
