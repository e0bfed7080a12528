"""Serve the funder's page: what came of everything that somebody funds, added up.

Law: only cohorts in which the person is a funder now, and only numbers of people, in
steps of five; a cohort of fewer than five learners is not named. The file holds what the
page shows.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from bioskills.base import tables
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.door_figures import Counting
from bioskills.hub.campus.figures_shapes import Period
from bioskills.hub.campus.figures_words import (
    Funded,
    counted_words,
    funded_file,
    funded_of,
    shown_words,
)
from bioskills.hub.campus.pages_shared import held_cohorts, navigation
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.taken_files import Sheet, as_file, note_taken
from bioskills.hub.campus.wording import add_words
from bioskills.hub.role_routes import FUNDER

Reads = Annotated[Browser, Depends(browser)]


def routes(site: Site) -> APIRouter:
    """Return the routes of the funder's page."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)
    counting = Counting(site)

    @router.get("/funded")
    def page(request: Request, caller: Reads) -> Response:
        cohorts, funded = _read(counting, caller)
        return render(
            request,
            "funded.html",
            nav=navigation(site, caller, "funded"),
            cohorts=cohorts,
            funded=funded,
            names=counted_words(),
            words=shown_words,
            now=site.clock(),
            zone=site.settings.site.time_zone,
        )

    @router.get("/funded/figures.csv")
    def csv_file(caller: Reads) -> Response:
        return as_file("figures-funded", _taken(counting, caller), "csv")

    @router.get("/funded/figures.xlsx")
    def xlsx_file(caller: Reads) -> Response:
        return as_file("figures-funded", _taken(counting, caller), "xlsx")

    return router


def _read(counting: Counting, caller: Browser) -> tuple[int, Funded]:
    """Return how many cohorts are funded, and their figures."""
    held, now = held_cohorts(caller, FUNDER), counting.site.clock()
    with counting.site.store.reading() as session:
        chosen = select(tables.Cohort).where(tables.Cohort.slug.in_(held))
        rows = session.scalars(chosen.order_by(tables.Cohort.title, tables.Cohort.id)).all()
        found = counting.figures(session, rows, Period(now, now))
    return len(rows), funded_of(found)


def _taken(counting: Counting, caller: Browser) -> Sheet:
    _cohorts, funded = _read(counting, caller)
    note_taken(counting.site, caller, "exported figures of what is funded", "")
    return funded_file(funded)
