"""Serve the pages on which a learner leaves a cohort: by their wish, or an instructor's.

Law: a page says first what ends and what stays; nobody leaves by a link. An instructor
acts in their own cohort, a learner for themselves alone.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.hub.campus import withdrawals
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.membership_changed import membership_changed
from bioskills.hub.campus.pages_shared import forbidden, navigation, require_role, require_teaching
from bioskills.hub.campus.site import Site, render, site_of

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
Reason = Annotated[str, Form()]
_LEFT = "/cohorts/{cohort}/withdrawals"


def routes(site: Site) -> APIRouter:
    """Return the routes for leaving a cohort."""
    router = APIRouter(default_response_class=HTMLResponse)
    _add_for_instructors(router, site)
    _add_for_learners(router, site)
    return router


def _add_for_instructors(router: APIRouter, site: Site) -> None:
    @router.get(_LEFT)
    def who_left(request: Request, cohort: str, caller: Reads, done: str = "") -> Response:
        with site.store.reading() as session:
            row = _taught(session, caller, cohort)
            gone = withdrawals.left(session, row, site.clock())
            return render(
                request, "withdrawals.html", nav=navigation(site, caller, f"cohorts/{cohort}"),
                cohort=row, left=gone, days=withdrawals.UNDO_DAYS, now=site.clock(),
                zone=site.settings.site.time_zone, said=_said(done), good=done != "nothing",
            )  # fmt: skip

    @router.get(_LEFT + "/{learner}")
    def plan(request: Request, cohort: str, learner: str, caller: Reads) -> Response:
        with site.store.reading() as session:
            row = _taught(session, caller, cohort)
            return _plan(request, caller, row, _learner(session, site, row, learner))

    @router.post(_LEFT + "/{learner}")
    def withdraw(
        request: Request, cohort: str, learner: str, caller: Changes, reason: Reason = ""
    ) -> Response:
        with site.store.transaction() as session:
            row = _taught(session, caller, cohort)
            person = _learner(session, site, row, learner)
            try:
                withdrawals.withdraw(
                    session, person, row, reason, by=caller.pseudonym, at=site.clock()
                )
            except InputError as error:
                return _plan(request, caller, row, person, problems=error.problems)
        membership_changed(site)
        return RedirectResponse(site.link(f"cohorts/{cohort}/withdrawals"), 303)

    @router.post("/cohorts/{cohort}/withdrawal-undo")
    def undo(cohort: str, caller: Changes, withdrawal: Annotated[int, Form()] = 0) -> Response:
        with site.store.transaction() as session:
            row = _taught(session, caller, cohort)
            done = withdrawals.undo(session, withdrawal, row, caller.pseudonym, site.clock())
        membership_changed(site)
        where = f"cohorts/{cohort}/withdrawals?done={'back' if done else 'nothing'}"
        return RedirectResponse(site.link(where), 303)


def _said(done: str) -> str:
    sentences = {
        "back": _("The seat is given back as it was."),
        "nothing": _("No seat was given back: it had been given back already, or it is too late."),
    }
    return sentences.get(done, "")


def _add_for_learners(router: APIRouter, site: Site) -> None:
    @router.get("/leave/{cohort}")
    def own_plan(request: Request, cohort: str, caller: Reads) -> Response:
        with site.store.reading() as session:
            row, person = _own(session, caller, cohort)
            return _plan(request, caller, row, person, own=True)

    @router.post("/leave/{cohort}")
    def leave(request: Request, cohort: str, caller: Changes, reason: Reason = "") -> Response:
        with site.store.transaction() as session:
            row, person = _own(session, caller, cohort)
            try:
                withdrawals.withdraw(
                    session, person, row, reason, by=caller.pseudonym, at=site.clock()
                )
            except InputError as error:
                return _plan(request, caller, row, person, own=True, problems=error.problems)
            title = row.title
        membership_changed(site)
        return render(request, "left.html", title=title, days=withdrawals.UNDO_DAYS)


def _plan(
    request: Request,
    caller: Browser,
    cohort: tables.Cohort,
    person: tables.Person,
    *,
    own: bool = False,
    problems: Sequence[Problem] = (),
) -> HTMLResponse:
    site = site_of(request)
    return render(
        request,
        "withdraw.html",
        nav=navigation(site, caller, "passport" if own else f"cohorts/{cohort.slug}"),
        status=422 if problems else 200,
        cohort=cohort,
        person=person,
        own=own,
        problems=problems,
        days=withdrawals.UNDO_DAYS,
    )


def _taught(session: Session, caller: Browser, slug: str) -> tables.Cohort:
    require_teaching(caller)
    require_role(caller, slug, ("instructor",))
    return session.scalars(select(tables.Cohort).where(tables.Cohort.slug == slug)).one()


def _learner(session: Session, site: Site, cohort: tables.Cohort, pseudonym: str) -> tables.Person:
    person = session.scalar(select(tables.Person).where(tables.Person.pseudonym == pseudonym))
    if person is None or not withdrawals.learner_seats(session, person, cohort, site.clock()):
        raise forbidden(_("There is no learner {name} in this cohort.").format(name=pseudonym))
    return person


def _own(session: Session, caller: Browser, slug: str) -> tuple[tables.Cohort, tables.Person]:
    if not caller.holds("learner", slug):
        raise forbidden(_("You are no learner of {name}.").format(name=slug))
    cohort = session.scalars(select(tables.Cohort).where(tables.Cohort.slug == slug)).one()
    return cohort, session.get_one(tables.Person, caller.person_id)
