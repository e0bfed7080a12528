"""Serve the grades of a run, as a page and as files.

Law: pseudonyms unless names are asked for; a file holds what the page shows, in the
same order, and who took it is written down.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus import spreadsheets
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.grades_table import NAME, Grades, Row, file_of, grades_of, ordered
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.pages_class import Class, read_class
from bioskills.hub.campus.pages_shared import (
    find_run,
    navigation,
    require_role,
    require_teaching,
)
from bioskills.hub.campus.site import Site, render

Reads = Annotated[Browser, Depends(browser)]


@dataclass(frozen=True)
class View:
    """How the reader wants the table: the address says it, so that it can be kept."""

    names: int = 0
    order: str = NAME
    down: int = 0

    def rows(self, table: Grades) -> list[Row]:
        """Return the rows in this order."""
        return ordered(table, self.order, down=bool(self.down), names=bool(self.names))


Wanted = Annotated[View, Depends()]


def routes(site: Site) -> APIRouter:
    """Return the routes of the grades."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/runs/{run}/grades")
    def grades_page(request: Request, run: str, caller: Reads, view: Wanted) -> Response:
        with site.store.reading() as session:
            group, cohort = class_of(session, site, caller, run)
            table = grades_of(group)
            look(site, caller, [p.id for p in group.learners], "grades", (run, cohort.slug))
            return render(
                request,
                "grades.html",
                nav=navigation(site, caller, "courses"),
                title=group.manifest.title,
                run=group.run,
                cohort=cohort,
                table=table,
                rows=view.rows(table),
                view=view,
                now=group.now,
            )

    @router.get("/runs/{run}/grades.csv")
    def csv_file(run: str, caller: Reads, view: Wanted) -> Response:
        head, rows = _taken(site, caller, run, view)
        return _file(f"{run}.csv", spreadsheets.as_csv(head, rows), spreadsheets.CSV_TYPE)

    @router.get("/runs/{run}/grades.xlsx")
    def xlsx_file(run: str, caller: Reads, view: Wanted) -> Response:
        head, rows = _taken(site, caller, run, view)
        content = spreadsheets.as_xlsx(_("Grades"), head, rows)
        return _file(f"{run}.xlsx", content, spreadsheets.XLSX_TYPE)

    return router


def class_of(
    session: Session, site: Site, caller: Browser, run: str
) -> tuple[Class, tables.Cohort]:
    """Return a run's class for somebody who teaches its cohort.

    Raises:
        Refused: Another cohort, or no such run.
    """
    require_teaching(caller)
    row, cohort = find_run(session, run)
    require_role(caller, cohort.slug)
    return read_class(session, row, cohort, site.clock()), cohort


def _taken(
    site: Site, caller: Browser, run: str, view: View
) -> tuple[list[str], list[list[spreadsheets.Cell]]]:
    with site.store.reading() as session:
        group, cohort = class_of(session, site, caller, run)
    table, slug = grades_of(group), cohort.slug
    look(site, caller, [person.id for person in group.learners], "grades_file", (run, slug))
    with site.store.transaction() as session:
        entry = tables.AuditEntry(
            at=group.now,
            actor=caller.pseudonym,
            action="exported grades",
            subject=run,
            detail={"names": bool(view.names)},
        )
        session.add(entry)
    return file_of(table, view.rows(table), names=bool(view.names))


def _file(name: str, content: str | bytes, kind: str) -> Response:
    head = {"Content-Disposition": f'attachment; filename="grades-{name}"'}
    return Response(content, media_type=kind, headers=head)
