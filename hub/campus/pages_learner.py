"""Serve the pages of a learner: first page, passport, feedback.

Law: a person's passport and feedback are seen by that person and by the
instructors and assessors of a cohort they learn in; every view by somebody
else is written down with who looked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.pages_passport import page_of
from bioskills.hub.campus.pages_shared import (
    TEACHING,
    forbidden,
    navigation,
    require_teaching,
    teaches_anybody,
)
from bioskills.hub.campus.passport import Standing, runs_of, standing_of, version_of
from bioskills.hub.campus.pages_work import manifest_of
from bioskills.hub.campus.site import Nav, Site, render, site_of
from bioskills.hub.campus.wording import add_words
from bioskills.hub.membership import seats


@dataclass(frozen=True)
class _Subject:
    """Whose passport is shown, and how its page is headed."""

    person: tables.Person
    own: bool
    back: Nav


def routes(site: Site) -> APIRouter:
    """Return the routes of the learner's pages."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/")
    def home(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        both = teaches_anybody(caller) and caller.holds("learner")
        if both:
            return render(request, "home.html", nav=navigation(site, caller, ""))
        return RedirectResponse(site.link(_first_page(caller)), 303)

    @router.get("/passport")
    def own_passport(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        with site.store.reading() as session:
            person = session.get_one(tables.Person, caller.person_id)
            return _passport(request, session, caller, _Subject(person, own=True, back=Nav("", "")))

    @router.get("/passport/{pseudonym}")
    def passport(
        request: Request, pseudonym: str, caller: Annotated[Browser, Depends(browser)]
    ) -> Response:
        with site.store.transaction() as session:
            subject = _learner_of(session, site, caller, pseudonym)
            note_view(session, site, caller, "viewed passport", pseudonym)
            return _passport(request, session, caller, subject)

    return router


def note_view(session: Session, site: Site, caller: Browser, action: str, subject: str) -> None:
    """Write down that somebody looked at another person's learning."""
    entry = tables.AuditEntry(
        at=site.clock(), actor=caller.name, action=action, subject=subject, detail={}
    )
    session.add(entry)


def _first_page(caller: Browser) -> str:
    return "courses" if teaches_anybody(caller) else "passport"


def _learner_of(session: Session, site: Site, caller: Browser, pseudonym: str) -> _Subject:
    """Return the learner if the caller teaches a cohort they learn in.

    Raises:
        Refused: 403, the same whether or not there is such a learner.
    """
    require_teaching(caller)
    chosen = select(tables.Person).where(tables.Person.pseudonym == pseudonym)
    person = session.scalar(chosen)
    shared = _shared_cohorts(session, site, caller, person) if person else []
    if person is None or not shared:
        raise forbidden(
            _("There is no learner {name} in a cohort of yours.").format(name=pseudonym)
        )
    back = Nav(_("Cohort {name}").format(name=shared[0]), site.link(f"cohorts/{shared[0]}"))
    return _Subject(person, own=False, back=back)


def _shared_cohorts(
    session: Session, site: Site, caller: Browser, person: tables.Person
) -> list[str]:
    taught = {seat.cohort for seat in caller.seats if seat.role in TEACHING}
    learns = seats(session, person.name, site.clock())
    return [seat.cohort for seat in learns if seat.role == "learner" and seat.cohort in taught]


def _passport(
    request: Request, session: Session, caller: Browser, subject: _Subject
) -> HTMLResponse:
    site = site_of(request)
    now, zone = site.clock(), site.settings.site.time_zone
    framework = load_framework(FRAMEWORK)
    standing = standing_of(session, framework, subject.person, now)
    address = site.url + ("passport" if subject.own else f"passport/{subject.person.pseudonym}")
    return render(
        request,
        "passport.html",
        nav=navigation(site, caller, "passport" if subject.own else subject.back.href),
        page=page_of(standing, zone, _hand_ins(session, standing.rows.values())),
        own=subject.own,
        back=subject.back,
        person=subject.person.display_name,
        pseudonym=subject.person.pseudonym,
        framework=framework.ref.replace("@", " "),
        first_task=_first_task(session, subject.person, standing, site),
        address=address,
        now=now,
        zone=zone,
    )


def _hand_ins(session: Session, rows: Iterable[tables.Evidence]) -> dict[int, int]:
    """Return the submission of each result, for links to feedback."""
    table = tables.Result
    results = {row.result_id for row in rows}
    found = session.execute(select(table.id, table.submission_id).where(table.id.in_(results)))
    return {result: submission for result, submission in found}


def _first_task(session: Session, person: tables.Person, standing: Standing, site: Site) -> str:
    """Return the title of the first assignment of the learner's runs; empty where there is none."""
    if standing.rows:
        return ""
    runs = runs_of(session, person, ["learner"], site.clock())
    titles = (
        plan.title for run in runs for plan in manifest_of(version_of(session, run)).assignments
    )
    return next(titles, "")
