"""Serve the admin's page of the doctor: what was checked, when, and what to do.

Law: the campus has no right to make these checks, most of which look at what belongs to
others; it asks `bioskills run`, which is root, and shows what that found (`root_reports`).
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bioskills.base.text import _
from bioskills.hub.campus.admin_shared import note, show
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Site
from bioskills.hub.campus.wording import Sign
from bioskills.hub.doctor import Level
from bioskills.hub.root_reports import (
    WISH,
    CheckMade,
    Report,
    ask_for_report,
    is_asked,
    read_report,
)

PATIENCE = timedelta(minutes=6)
"""A report that was asked for and has not come by then will not come."""
ROOT_ONLY = ("rights", "interpreter", "environments", "state", "database", "ports")
"""Checks that find everything only where root makes them."""
ORDER: tuple[Level, ...] = ("fault", "warning", "ok")


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/doctor")
    def doctor_page(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        require_admin(caller)
        report = read_report(site.places)
        return show(
            request,
            caller,
            "admin_doctor.html",
            "admin/doctor",
            report=report,
            checks=in_order(report),
            signs={level: sign_of(level) for level in ORDER},
            root_only=ROOT_ONLY,
            waits=is_asked(site.places, report),
            in_vain=in_vain(site, report),
        )

    @router.post("/admin/doctor")
    def check_again(caller: Annotated[Browser, Depends(browser_unsafe)]) -> Response:
        require_admin(caller)
        ask_for_report(site.places)
        with site.store.transaction() as session:
            note(session, site, caller, "asked the doctor", "doctor")
        return RedirectResponse(site.link("admin/doctor"), HTTPStatus.SEE_OTHER)

    return router


def in_order(report: Report | None) -> list[CheckMade]:
    """Return what was found, the worst first."""
    checks = report.checks if report else []
    return sorted(checks, key=lambda check: ORDER.index(check.level))


def in_vain(site: Site, report: Report | None) -> bool:
    """Say whether a report was asked for so long ago that nobody can be there to make it."""
    if not is_asked(site.places, report):
        return False
    asked_at = (site.places.campus / WISH).lstat().st_mtime
    return site.clock().timestamp() - asked_at > PATIENCE.total_seconds()


def sign_of(level: Level) -> Sign:
    """Return how a finding is shown."""
    signs: dict[Level, tuple[str, str, str]] = {
        "ok": ("s-done", "st-done", _("In order")),
        "warning": ("s-dev", "warn", _("Somebody must know")),
        "fault": ("s-bad", "st-bad", _("Does not work")),
    }
    css, icon, words = signs[level]
    return Sign(css, icon, words, words)
