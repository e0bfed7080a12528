"""Serve the page on which an instructor puts points from formgrader into results.

Law: the page shows what is put in before anything is; the form sends back what was shown,
so that nothing goes out which nobody looked at. All of it is done, or nothing, with every
fault at once. Instructors of the cohort alone.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import points_given
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.pages_changes import Change
from bioskills.hub.campus.pages_class import title_of
from bioskills.hub.campus.pages_doors import Where, change_for, changing
from bioskills.hub.campus.pages_shared import navigation, require_teaching
from bioskills.hub.campus.site import Site, render, site_of

_POINTS = "/runs/{run}/assignments/{name}/points"
_REFUSED = 422

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
Act = Callable[[Session, Change, Iterable[int]], int]


class _ShownForm(BaseModel):
    """The newest judgement that was shown of each hand-in."""

    given: list[int] = []


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get(_POINTS)
    def points_page(
        request: Request, run: str, name: str, caller: Reads, *, done: str = "", n: int = 0
    ) -> Response:
        """Show what waits to be put in."""
        require_teaching(caller)
        with site.store.reading() as session:
            change, cohort = change_for(session, site, caller, (run, name), ("instructor",))
            people = [person.id for person in change.group.learners]
            look(site, caller, people, "assignment", (f"{run}/{name}", cohort.slug))
            return _page(request, session, caller, change, said=_said(done, n))

    @router.post(_POINTS)
    def put_in(
        request: Request, run: str, name: str, caller: Changes, form: Annotated[_ShownForm, Form()]
    ) -> Response:
        """Put what was shown into results."""
        return _do(request, caller, (run, name), form.given, "in")

    @router.post(_POINTS + "/leave-out")
    def leave_out(
        request: Request, run: str, name: str, caller: Changes, form: Annotated[_ShownForm, Form()]
    ) -> Response:
        """Note that what was shown is not to count."""
        return _do(request, caller, (run, name), form.given, "out")

    return router


_ACTS: dict[str, Act] = {"in": points_given.put_in, "out": points_given.leave_out}


def _do(
    request: Request, caller: Browser, where: Where, shown: Sequence[int], done: str
) -> Response:
    site = site_of(request)
    try:
        with changing(site, caller, where) as (session, change, _cohort):
            count = _ACTS[done](session, change, shown)
    except InputError as error:
        with site.store.reading() as session:
            change, _cohort = change_for(session, site, caller, where, ("instructor",))
            return _page(request, session, caller, change, problems=error.problems)
    run, name = map(quote, where)
    address = f"runs/{run}/assignments/{name}/points?done={done}&n={count}"
    return RedirectResponse(site.link(address), 303)


def _page(
    request: Request,
    session: Session,
    caller: Browser,
    change: Change,
    *,
    said: str = "",
    problems: Sequence[Problem] = (),
) -> HTMLResponse:
    group, assignment = change.group, change.assignment
    version = session.get_one(tables.CourseVersion, group.run.course_version_id)
    return render(
        request,
        "points.html",
        nav=navigation(site_of(request), caller, "courses"),
        status=_REFUSED if problems else 200,
        title=title_of(group.manifest, assignment.name),
        name=assignment.name,
        run=group.run,
        given=points_given.given_on(session, group, assignment, version),
        said=said,
        problems=problems,
        now=group.now,
    )


def _said(done: str, n: int) -> str:
    sentences = {
        "in": ngettext(
            "The points of {n} hand-in are in its result.",
            "The points of {n} hand-ins are in their results.",
            n,
        )
        if n
        else _("Somebody else had decided that already."),
        "out": ngettext(
            "The points of {n} hand-in were left out. They stay in formgrader.",
            "The points of {n} hand-ins were left out. They stay in formgrader.",
            n,
        )
        if n
        else _("Somebody else had decided that already."),
    }
    return sentences.get(done, "").format(n=n)
