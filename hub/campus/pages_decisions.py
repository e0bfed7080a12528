"""Serve the page on which an instructor gives more time, an excuse or another attempt.

Law: one form for one learner or many; every decision that holds is listed with its
reason and can be taken back.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.hub.campus import decisions, looks, resits
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.pages_changes import Change, Typed
from bioskills.hub.campus.pages_class import people_on, title_of
from bioskills.hub.campus.pages_doors import change_for, changing
from bioskills.hub.campus.pages_shared import navigation, require_teaching
from bioskills.hub.campus.site import Site, render, site_of

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
_PAGE = "/runs/{run}/assignments/{name}/learners"


class DecisionForm(BaseModel):
    """What was typed; text until it is understood."""

    kind: str = ""
    learner: list[str] = []
    reason: str = ""
    instead: str = ""
    date: str = ""
    time: str = ""

    @property
    def wanted(self) -> decisions.Wanted:
        """What was typed, as the decisions take it."""
        typed = Typed(self.date, self.time)
        return decisions.Wanted(self.kind, self.learner, self.reason, typed, self.instead)


class UndoForm(BaseModel):
    """Which decision is taken back."""

    kind: str = ""
    id: int = 0


def routes(site: Site) -> APIRouter:
    """Return the routes of the decisions about learners."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get(_PAGE)
    def page(
        request: Request, run: str, name: str, caller: Reads, *,
        done: str = "", n: int = 0, choose: str = "",
    ) -> Response:  # fmt: skip
        require_teaching(caller)
        with site.store.reading() as session:
            change, cohort = change_for(session, site, caller, (run, name), ("instructor",))
            where = (change.subject, cohort.slug)
            looks.look(site, caller, [p.id for p in change.group.learners], "decisions", where)
            failed = decisions.failed_in(change) if choose == "failed" else []
            form = DecisionForm(kind="resit" if failed else "", learner=failed)
            told = decisions.said(done, n)
            good = done != "nothing"
            return _page(
                request, session, caller, (change, cohort), form=form, said=told, good=good
            )

    @router.post(_PAGE)
    def decide(
        request: Request, run: str, name: str, caller: Changes,
        form: Annotated[DecisionForm, Form()],
    ) -> Response:  # fmt: skip
        with changing(site, caller, (run, name)) as (session, change, cohort):
            try:
                people = decisions.decide(session, change, form.wanted)
            except InputError as error:
                found, learners = error.problems, [p.id for p in change.group.learners]
                looks.note_looks(
                    session, caller.pseudonym, learners, "decisions", change.group.now,
                    subject=change.subject,
                )  # fmt: skip
                return _page(request, session, caller, (change, cohort), form=form, problems=found)
        return _back(site, run, name, f"{form.kind}&n={len(people)}")

    @router.post(_PAGE + "/undo")
    def undo(run: str, name: str, caller: Changes, form: Annotated[UndoForm, Form()]) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            held = decisions.undo(session, change, form.kind, form.id)
        return _back(site, run, name, "undo" if held else "nothing")

    return router


def _back(site: Site, run: str, name: str, done: str) -> Response:
    return RedirectResponse(site.link(f"runs/{run}/assignments/{name}/learners?done={done}"), 303)


def _page(
    request: Request,
    session: Session,
    caller: Browser,
    where: tuple[Change, tables.Cohort],
    *,
    form: DecisionForm,
    problems: Sequence[Problem] = (),
    said: str = "",
    good: bool = True,
) -> HTMLResponse:
    change, cohort = where
    site, group = site_of(request), change.group
    plan = group.manifest.assignment(change.assignment.name)
    return render(
        request,
        "decisions.html",
        nav=navigation(site, caller, "courses"),
        status=422 if problems else 200,
        title=title_of(group.manifest, change.assignment.name),
        course=group.manifest.title,
        run=group.run,
        cohort=cohort,
        assignment=change.assignment,
        most=plan.attempts.max if plan else None,
        people=people_on(group, change.assignment),
        choices=resits.choices(change),
        failed=len(decisions.failed_in(change)),
        standing=decisions.standing(session, change),
        form=form,
        problems=problems,
        said=said,
        good=good,
        now=group.now,
    )
