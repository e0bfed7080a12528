"""Serve the certifier's pages: who of a cohort has reached which unit.

Law: only cohorts in which the person is a certifier now; read only. Pseudonyms unless
names are asked for. That somebody saw it is noted before it is shown, and a file that is
taken is written into the audit log.
"""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from bioskills.base import tables
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.pages_shared import find_cohort, held_cohorts, navigation
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.standings import Reading, Verdicts
from bioskills.hub.campus.taken_files import Sheet, as_file, note_taken
from bioskills.hub.campus.units_table import STATES, Table, Wanted, file_of, read_table
from bioskills.hub.campus.wording import add_words
from bioskills.hub.membership import people_in
from bioskills.hub.role_routes import CERTIFIER

Reads = Annotated[Browser, Depends(browser)]
View = Annotated[Wanted, Depends()]


@dataclass(frozen=True)
class Units:
    """This installation, with the verdicts that were worked out already."""

    site: Site
    verdicts: Verdicts = field(default_factory=Verdicts)

    def read(
        self, caller: Browser, slug: str, view: Wanted, *, whole: bool = False
    ) -> tuple[tables.Cohort, Table]:
        """Return a cohort in which somebody is a certifier, with one page of its table or all."""
        with self.site.store.reading() as session:
            cohort = find_cohort(session, caller, slug, CERTIFIER)
            reading = Reading(session, load_framework(FRAMEWORK), self.site.clock())
            return cohort, read_table(session, cohort, reading, self.verdicts, view, whole=whole)


def routes(site: Site) -> APIRouter:
    """Return the routes of the certifier's pages."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)
    units = Units(site)

    @router.get("/units")
    def cohorts_page(request: Request, caller: Reads) -> Response:
        held = held_cohorts(caller, CERTIFIER)
        with site.store.reading() as session:
            chosen = select(tables.Cohort).where(tables.Cohort.slug.in_(held))
            rows = session.scalars(chosen.order_by(tables.Cohort.title)).all()
            now = site.clock()
            cards = [(row, len(people_in(session, row.slug, "learner", now))) for row in rows]
        return render(request, "units.html", nav=navigation(site, caller, "units"), cards=cards)

    @router.get("/units/{cohort}")
    def units_page(request: Request, cohort: str, caller: Reads, view: View) -> Response:
        row, table = units.read(caller, cohort, view)
        look(site, caller, table.people, "units", (cohort, cohort))
        return render(
            request,
            "units_cohort.html",
            nav=navigation(site, caller, "units"),
            cohort=row,
            table=table,
            view=view,
            states=STATES,
            now=site.clock(),
            zone=site.settings.site.time_zone,
        )

    @router.get("/units/{cohort}/units.csv")
    def csv_file(cohort: str, caller: Reads, view: View) -> Response:
        return as_file(f"units-{cohort}", _taken(units, caller, cohort, view), "csv")

    @router.get("/units/{cohort}/units.xlsx")
    def xlsx_file(cohort: str, caller: Reads, view: View) -> Response:
        return as_file(f"units-{cohort}", _taken(units, caller, cohort, view), "xlsx")

    return router


def _taken(units: Units, caller: Browser, slug: str, view: Wanted) -> Sheet:
    _row, table = units.read(caller, slug, view, whole=True)
    look(units.site, caller, table.people, "units_file", (slug, slug))
    note_taken(units.site, caller, "exported units reached", slug, names=bool(view.names))
    return file_of(table, names=bool(view.names))
