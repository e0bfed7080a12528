"""Serve the cohort table and its file.

Law: pseudonyms unless names are asked for; the file holds what the page
shows, and who took it is written down.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.cohort_table import Table, Week, as_csv, ordered, read_table
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.pages_shared import navigation, require_role, require_teaching
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.wording import add_words
from bioskills.hub.membership import people_in

ORDERS = ("attention", "name", "progress")
_TOP, _HEIGHT, _WIDTH = 20, 120, 600


@dataclass(frozen=True)
class Bar:
    """One week in the chart."""

    label: str
    value: int
    x: str
    y: str
    width: str
    height: str
    middle: str
    last: bool


def routes(site: Site) -> APIRouter:
    """Return the routes of the cohort table."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/cohorts/{cohort}")
    def cohort_page(
        request: Request,
        cohort: str,
        caller: Annotated[Browser, Depends(browser)],
        names: int = 0,
        order: str = "attention",
    ) -> Response:
        with site.store.reading() as session:
            row = _cohort(session, caller, cohort)
            table = read_table(session, row, load_framework(FRAMEWORK), site.clock())
            people = [person.id for person in people_in(session, cohort, "learner", site.clock())]
        look(site, caller, people, "cohort", (cohort, cohort))
        chosen = order if order in ORDERS else ORDERS[0]
        return render(
            request,
            "cohort.html",
            nav=navigation(site, caller, site.link(f"cohorts/{cohort}")),
            table=table,
            rows=ordered(table.rows, chosen, names=bool(names)),
            cohort=row,
            names=bool(names),
            may_change=caller.holds("instructor", cohort),
            order=chosen,
            bars=bars_of(table.weeks, table.learners),
            now=site.clock(),
            zone=site.settings.site.time_zone,
        )

    @router.get("/cohorts/{cohort}/table.csv")
    def cohort_file(
        cohort: str, caller: Annotated[Browser, Depends(browser)], names: int = 0
    ) -> Response:
        with site.store.reading() as session:
            row = _cohort(session, caller, cohort)
            table = read_table(session, row, load_framework(FRAMEWORK), site.clock())
            people = [person.id for person in people_in(session, cohort, "learner", site.clock())]
        look(site, caller, people, "cohort_file", (cohort, cohort))
        _note_export(site, caller, row.slug, names=bool(names))
        return _file(table, row.slug, names=bool(names))

    return router


def bars_of(weeks: tuple[Week, ...], learners: int) -> list[Bar]:
    """Return the bars of the chart; the baseline is zero, the top is the whole cohort."""
    step = _WIDTH / max(len(weeks), 1)
    room = _HEIGHT / max(learners, 1)
    return [
        Bar(
            label=week.label,
            value=week.learners,
            x=f"{index * step + step * 0.2:.1f}",
            y=f"{_TOP + _HEIGHT - week.learners * room:.1f}",
            width=f"{step * 0.6:.1f}",
            height=f"{week.learners * room:.1f}",
            middle=f"{index * step + step / 2:.1f}",
            last=index == len(weeks) - 1,
        )
        for index, week in enumerate(weeks)
    ]


def _cohort(session: Session, caller: Browser, slug: str) -> tables.Cohort:
    """Return a cohort that the caller teaches.

    Raises:
        Refused: 403, also where there is no such cohort.
    """
    require_teaching(caller)
    require_role(caller, slug)
    return session.scalars(select(tables.Cohort).where(tables.Cohort.slug == slug)).one()


def _note_export(site: Site, caller: Browser, slug: str, *, names: bool) -> None:
    with site.store.transaction() as session:
        entry = tables.AuditEntry(
            at=site.clock(),
            actor=caller.pseudonym,
            action="exported cohort table",
            subject=slug,
            detail={"names": names},
        )
        session.add(entry)


def _file(table: Table, slug: str, *, names: bool) -> Response:
    name = _("cohort-{slug}.csv").format(slug=slug)
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_csv(table, names=names), media_type="text/csv; charset=utf-8", headers=head)
