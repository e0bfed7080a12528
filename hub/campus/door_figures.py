"""Serve the manager's pages: figures of courses and cohorts, without names.

Law: only cohorts in which the person is a manager now; a manager of the platform has
all. Nobody is named, and no page leads to a person's work. A file that is taken is
written into the audit log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.problems import Problem
from bioskills.base.tables import PLATFORM
from bioskills.base.text import _
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.figures import figures_of
from bioskills.hub.campus.figures_shapes import CohortFigures, Period
from bioskills.hub.campus.figures_words import (
    attempts_words,
    figures_file,
    role_words,
    waits_words,
)
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.pages_shared import find_cohort, held_cohorts, navigation
from bioskills.hub.campus.site import Refused, Site, render, site_of
from bioskills.hub.campus.standings import Reading, Verdicts
from bioskills.hub.campus.taken_files import Sheet, as_file, note_taken
from bioskills.hub.campus.wording import add_words
from bioskills.hub.role_routes import MANAGER

Reads = Annotated[Browser, Depends(browser)]
_USUAL = timedelta(days=30)


@dataclass(frozen=True)
class Typed:
    """The period as it was typed: first and last day, empty for the usual one."""

    since: str = ""
    until: str = ""

    def period(self, zone: str, now: datetime) -> tuple[Period, list[Problem]]:
        """Return the period, or the usual one with every fault of what was typed."""
        here = ZoneInfo(zone)
        today = now.astimezone(here).date()
        last = _day(self.until) if self.until else today
        first = _day(self.since) if self.since else (last or today) - _USUAL + timedelta(days=1)
        problems = list(_faults(self, first, last))
        if problems or first is None or last is None:
            first, last = today - _USUAL + timedelta(days=1), today
        midnight = datetime.combine(first, time(), here)
        return Period(midnight, datetime.combine(last + timedelta(days=1), time(), here)), problems


View = Annotated[Typed, Depends()]


@dataclass(frozen=True)
class Counting:
    """This installation, with the verdicts that were worked out already."""

    site: Site
    verdicts: Verdicts = field(default_factory=Verdicts)

    def figures(
        self, session: Session, cohorts: Sequence[tables.Cohort], period: Period
    ) -> list[CohortFigures]:
        """Return the figures of these cohorts now."""
        reading = Reading(session, load_framework(FRAMEWORK), self.site.clock())
        return figures_of(session, cohorts, period, reading, self.verdicts)


def routes(site: Site) -> APIRouter:
    """Return the routes of the manager's pages."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)
    counting = Counting(site)

    @router.get("/figures")
    def cohorts_page(request: Request, caller: Reads, view: View) -> Response:
        held, (period, problems) = held_cohorts(caller, MANAGER), _period(site, view)
        with site.store.reading() as session:
            found = counting.figures(session, _cohorts(session, held), period)
        shown = {"found": found, "period": period, "view": view, "problems": problems}
        return _page(request, caller, "figures.html", shown)

    @router.get("/figures/{cohort}")
    def cohort_page(request: Request, cohort: str, caller: Reads, view: View) -> Response:
        period, problems = _period(site, view)
        with site.store.reading() as session:
            found = counting.figures(
                session, [find_cohort(session, caller, cohort, MANAGER)], period
            )
        shown = {"found": found, "period": period, "view": view, "problems": problems}
        return _page(request, caller, "figures_cohort.html", shown)

    @router.get("/figures/{cohort}/figures.csv")
    def csv_file(cohort: str, caller: Reads, view: View) -> Response:
        return as_file(f"figures-{cohort}", _taken(counting, caller, cohort, view), "csv")

    @router.get("/figures/{cohort}/figures.xlsx")
    def xlsx_file(cohort: str, caller: Reads, view: View) -> Response:
        return as_file(f"figures-{cohort}", _taken(counting, caller, cohort, view), "xlsx")

    return router


def _period(site: Site, view: Typed) -> tuple[Period, list[Problem]]:
    return view.period(site.settings.site.time_zone, site.clock())


def _cohorts(session: Session, held: list[str]) -> list[tables.Cohort]:
    chosen = select(tables.Cohort).where(tables.Cohort.slug != PLATFORM)
    if PLATFORM not in held:
        chosen = chosen.where(tables.Cohort.slug.in_(held))
    return list(session.scalars(chosen.order_by(tables.Cohort.title, tables.Cohort.id)))


def _page(
    request: Request, caller: Browser, template: str, shown: Mapping[str, Any]
) -> HTMLResponse:
    site = site_of(request)
    return render(
        request,
        template,
        nav=navigation(site, caller, "figures"),
        status=422 if shown["problems"] else 200,
        last=shown["period"].until - timedelta(days=1),
        waits=waits_words,
        attempts=attempts_words,
        role_words=role_words(),
        now=site.clock(),
        zone=site.settings.site.time_zone,
        **shown,
    )


def _taken(counting: Counting, caller: Browser, slug: str, view: Typed) -> Sheet:
    site = counting.site
    period, problems = _period(site, view)
    if problems:
        # A file says nothing of what was typed: never one of another period.
        words = " ".join(problem.what for problem in problems)
        raise Refused(422, "period", words, problems[0].next)
    with site.store.reading() as session:
        cohort = find_cohort(session, caller, slug, MANAGER)
        sheet = figures_file(counting.figures(session, [cohort], period))
    note_taken(site, caller, "exported figures", slug)
    return sheet


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _faults(typed: Typed, first: date | None, last: date | None) -> list[Problem]:
    step = _("Write it as 2027-03-19.")
    what = _("{text} is no day.")
    found = [
        Problem(name, what.format(text=text[:20]), next=step)
        for name, text, day in (("since", typed.since, first), ("until", typed.until, last))
        if day is None
    ]
    if first is not None and last is not None and last < first:
        found.append(
            Problem("until", _("The last day is before the first."), next=_("Choose a later one."))
        )
    return found
