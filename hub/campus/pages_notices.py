"""Serve the page *Messages* of a cohort.

Law: instructors of the cohort write; assessors read. A message is changed by forms
alone, with the session's token; ending one can be undone on the same page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import InputError, Problem
from bioskills.base.tables_notices import Notice
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.notices import EMPTY, MOST_CHARS, Desk, Writing, all_of, state_of
from bioskills.hub.campus.pages_changes import Typed
from bioskills.hub.campus.pages_shared import TEACHING, navigation, require_role, require_teaching
from bioskills.hub.campus.site import Refused, Site, render
from bioskills.hub.campus.wording import local_date, local_time

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
_PAGE = "/cohorts/{cohort}/messages"


class _Form(BaseModel):
    """What the form sends; everything is text until it is understood."""

    text: str = ""
    start_date: str = ""
    start_time: str = ""
    end_date: str = ""
    end_time: str = ""

    @property
    def writing(self) -> Writing:
        """What was typed, to be understood or shown again."""
        start, end = Typed(self.start_date, self.start_time), Typed(self.end_date, self.end_time)
        return Writing(self.text, start, end)


@dataclass(frozen=True)
class _Open:
    """The form as the page shows it: for a new message, or for the one with this id."""

    writing: Writing
    notice: int | None = None
    problems: Sequence[Problem] = ()

    def at(self, field: str) -> list[Problem]:
        """Return the problems of one field."""
        return [problem for problem in self.problems if problem.where == field]


@dataclass(frozen=True)
class _Row:
    """One message in the list."""

    notice: Notice
    state: str
    by: str


@dataclass(frozen=True)
class _Place:
    """A cohort's page as one person has it open."""

    site: Site
    caller: Browser
    desk: Desk

    def page(self, request: Request, opened: _Open) -> HTMLResponse:
        """Return the page with the form filled like this."""
        desk, cohort = self.desk, self.desk.cohort
        return render(
            request,
            "messages.html",
            nav=navigation(self.site, self.caller, self.site.link(f"cohorts/{cohort.slug}")),
            status=422 if opened.problems else 200,
            cohort=cohort,
            rows=_rows(desk),
            opened=opened,
            may_write=self.caller.holds("instructor", cohort.slug),
            most=MOST_CHARS,
            now=desk.now,
            zone=desk.zone,
        )


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get(_PAGE)
    def show(request: Request, cohort: str, caller: Reads, edit: int = 0) -> Response:
        with site.store.reading() as session:
            place = _place(session, site, caller, cohort)
            opened = _as_form(place.desk, edit) if edit else _Open(Writing())
            return place.page(request, opened)

    @router.post(_PAGE)
    def write(
        request: Request,
        cohort: str,
        caller: Changes,
        form: Annotated[_Form, Form()],
        edit: int = 0,
    ) -> Response:
        with site.store.transaction() as session:
            place = _place(session, site, caller, cohort, ("instructor",))
            try:
                _keep(place.desk, form.writing, edit)
            except InputError as error:
                return place.page(request, _Open(form.writing, edit or None, error.problems))
        return _back(site, cohort)

    def act_on(verb: str, act: Callable[[Desk, Notice], None]) -> None:
        @router.post(_PAGE + "/{message}/" + verb, name=verb)
        def change(cohort: str, message: int, caller: Changes) -> Response:
            with site.store.transaction() as session:
                desk = _place(session, site, caller, cohort, ("instructor",)).desk
                act(desk, _notice(desk, message))
            return _back(site, cohort)

    act_on("end", Desk.end)
    act_on("show-again", Desk.show_again)
    return router


def _place(
    session: Session, site: Site, caller: Browser, slug: str, roles: Sequence[str] = TEACHING
) -> _Place:
    require_teaching(caller)
    require_role(caller, slug, roles)
    cohort = session.scalars(select(tables.Cohort).where(tables.Cohort.slug == slug)).one()
    zone = site.settings.site.time_zone
    return _Place(site, caller, Desk(session, cohort, caller.pseudonym, zone, site.clock()))


def _keep(desk: Desk, writing: Writing, edit: int) -> None:
    if edit:
        desk.change(_notice(desk, edit), writing)
    else:
        desk.add(writing)


def _notice(desk: Desk, message: int) -> Notice:
    found = desk.session.get(Notice, message)
    if found is None or found.cohort_id != desk.cohort.id:
        what = _("This cohort has no message {n}.").format(n=message)
        raise Refused(404, "unknown_message", what, _("Choose one on the page Messages."))
    return found


def _as_form(desk: Desk, message: int) -> _Open:
    notice = _notice(desk, message)
    start, end = (
        Typed(local_date(at, desk.zone), local_time(at, desk.zone))
        for at in (notice.shown_from, notice.shown_until)
    )
    begun = notice.shown_from <= desk.now
    return _Open(Writing(notice.text, EMPTY if begun else start, end), notice.id)


def _rows(desk: Desk) -> list[_Row]:
    found = all_of(desk.session, desk.cohort)
    people = select(tables.Person.pseudonym, tables.Person.display_name).where(
        tables.Person.pseudonym.in_({notice.by for notice in found})
    )
    names = {row.pseudonym: row.display_name for row in desk.session.execute(people)}
    return [_Row(one, state_of(one, desk.now), names.get(one.by, one.by)) for one in found]


def _back(site: Site, cohort: str) -> Response:
    return RedirectResponse(site.link(f"cohorts/{cohort}/messages"), 303)
