"""Serve the admin's page of storage: what takes how much room, whose, and what can be done.

Law: the campus sees its own folders and the free space of the disk; the sizes of homes and
of other services' folders were measured by root (`root_reports`), and their age is said.
How large a home is is no secret before an admin; what is in it is.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.places import database_url
from bioskills.base.store import sqlite_path
from bioskills.base.tables import LabUid, Person
from bioskills.base.text import _
from bioskills.hub.campus.admin_shared import MB, note, show, size
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Site
from bioskills.hub.doctor_machine import FEW_FREE_GB, GB, LEAST_FREE_GB
from bioskills.hub.root_reports import Report, ask_for_report, is_asked, read_report

SHOWN = 50
FULL = 0.9


@dataclass(frozen=True)
class Disk:
    """The disk below the data folder."""

    free: int
    total: int
    percent: int
    short: bool
    too_short: bool


@dataclass(frozen=True)
class Part:
    """One thing that takes room; `used` is None where nobody has measured it."""

    title: str
    where: str
    used: int | None
    advice: str


@dataclass(frozen=True)
class Home:
    """One learner's home; `percent` is of what it may hold, None without a limit."""

    pseudonym: str
    name: str
    used: int
    whole: bool
    percent: int | None
    near_full: bool


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/storage")
    def storage_page(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        require_admin(caller)
        report = read_report(site.places)
        with site.store.reading() as session:
            homes = homes_of(session, report, site.settings.labs.home_mb)
        return show(
            request,
            caller,
            "admin_storage.html",
            "admin/storage",
            disk=disk_of(site),
            parts=parts_of(site, report),
            homes=homes[:SHOWN],
            all_homes=len(homes),
            report=report,
            limit=size(site.settings.labs.home_mb * MB) if site.settings.labs.home_mb else "",
            waits=is_asked(site.places, report),
        )

    @router.post("/admin/storage")
    def measure_again(caller: Annotated[Browser, Depends(browser_unsafe)]) -> Response:
        require_admin(caller)
        ask_for_report(site.places)
        with site.store.transaction() as session:
            note(session, site, caller, "asked for sizes", "storage")
        return RedirectResponse(site.link("admin/storage"), HTTPStatus.SEE_OTHER)

    return router


def disk_of(site: Site) -> Disk:
    """Return how much room is left where everything lies."""
    found = shutil.disk_usage(site.places.data)
    return Disk(
        free=found.free,
        total=found.total,
        percent=round(100 * (found.total - found.free) / found.total),
        short=found.free < FEW_FREE_GB * GB,
        too_short=found.free < LEAST_FREE_GB * GB,
    )


def parts_of(site: Site, report: Report | None) -> list[Part]:
    """Return what takes room, with what can be done about each."""
    known: Mapping[str, int] = report.folders if report else {}
    homes = sum(home.used for home in report.homes) if report and report.as_root else None
    found = [
        Part(
            _("Learners' homes"),
            str(site.places.homes),
            homes,
            _("Lower labs.home_mb for cohorts to come; ask who is full to delete what they can."),
        ),
        Part(
            _("Courses, hand-ins, feedback"),
            str(site.places.campus),
            known.get("campus"),
            _("Evidence: it stays. Put the state folder on a larger disk."),
        ),
        *_services(site, known),
    ]
    return sorted(found, key=lambda part: -(part.used or 0))


def _services(site: Site, known: Mapping[str, int]) -> list[Part]:
    places, url = site.places, database_url(site.settings)
    database = str(sqlite_path(url) or url.partition("://")[0])
    return [
        Part(_("Our database"), database, known.get("database"), _("It stays.")),
        Part(_("Gradebooks"), str(places.grader), known.get("grader"), _("They stay.")),
        Part(
            _("Backups"),
            str(places.state / "backups"),
            known.get("backups", 0 if known else None),
            _("Copy them to another machine, then delete the oldest here."),
        ),
        Part(_("The hub's own database"), str(places.hub), known.get("hub"), _("It stays.")),
        Part(
            _("Logs"),
            str(places.logs),
            known.get("logs"),
            _("They are kept short by themselves: 40 MB for each service."),
        ),
    ]


def homes_of(session: Session, report: Report | None, limit_mb: int) -> list[Home]:
    """Return the homes, the largest first, with the names of their owners at this moment."""
    if report is None:
        return []
    owners = select(LabUid.uid, Person.pseudonym, Person.display_name)
    people = {
        uid: (pseudonym, name)
        for uid, pseudonym, name in session.execute(
            owners.join(Person, Person.id == LabUid.person_id)
        ).tuples()
    }
    found = [
        _home(home.used, home.whole, people.get(home.uid, ("", str(home.uid))), limit_mb * MB)
        for home in report.homes
    ]
    return sorted(found, key=lambda home: -home.used)


def _home(used: int, whole: bool, owner: tuple[str, str], limit: int) -> Home:
    share = used / limit if limit else None
    return Home(
        pseudonym=owner[0],
        name=owner[1],
        used=used,
        whole=whole,
        percent=None if share is None else min(100, round(100 * share)),
        near_full=share is not None and share >= FULL,
    )
