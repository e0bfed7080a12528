"""Serve *Your settings*: the language and the time zone that a person reads in.

Law: a person changes their own settings and nobody else's; an empty choice
means what the browser or the site says.
"""

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bioskills.base.languages import own_name
from bioskills.base.problems import Problem, nearest
from bioskills.base.tables import AuditEntry, Person
from bioskills.base.text import _, known_languages
from bioskills.hub.campus.callers import Browser, browser_before_papers, browser_unsafe
from bioskills.hub.campus.pages_shared import navigation
from bioskills.hub.campus.site import Site, render, site_of

PAGE = "your-settings"
NOT_PLACES = ("Etc/", "SystemV/", "US/", "right/", "posix/")


@cache
def zones() -> tuple[str, ...]:
    """Return the time zones that people choose from: those that are named after places, and UTC."""
    named = {name for name in available_timezones() if "/" in name}
    return ("UTC", *sorted(name for name in named if not name.startswith(NOT_PLACES)))


def routes(site: Site) -> APIRouter:
    """Return the routes of a person's own settings."""
    router = APIRouter(default_response_class=HTMLResponse)
    del site

    @router.get(f"/{PAGE}")
    def show(
        request: Request,
        caller: Annotated[Browser, Depends(browser_before_papers)],
        saved: str = "",
    ) -> Response:
        with site_of(request).store.reading() as session:
            person = session.get_one(Person, caller.person_id)
            chosen = person.language or "", person.time_zone or ""
        return _page(request, caller, chosen, saved=bool(saved))

    @router.post(f"/{PAGE}")
    def change(
        request: Request,
        caller: Annotated[Browser, Depends(browser_unsafe)],
        language: Annotated[str, Form()] = "",
        time_zone: Annotated[str, Form()] = "",
    ) -> Response:
        faults = faults_of(language, time_zone.strip())
        if faults:
            return _page(request, caller, (language, time_zone), faults=faults)
        _keep(site_of(request), caller, language, time_zone.strip())
        return RedirectResponse(site_of(request).link(f"{PAGE}?saved=1"), 303)

    return router


def faults_of(language: str, time_zone: str) -> list[Problem]:
    """Return every fault of what was chosen."""
    found = []
    if language and language not in known_languages():
        what = _("There is no language {value!r} here.").format(value=language[:20])
        found.append(Problem("language", what, next=_("Choose one from the list.")))
    if time_zone and time_zone not in zones():
        near = nearest(time_zone[:60], zones())
        step = (
            _("Did you mean {near}?").format(near=near) if near else _("Choose one from the list.")
        )
        what = _("There is no time zone {value!r}.").format(value=time_zone[:60])
        rule = _("Zones are named after places, such as Europe/Berlin.")
        found.append(Problem("time_zone", what, rule, step))
    return found


def _keep(site: Site, caller: Browser, language: str, time_zone: str) -> None:
    with site.store.transaction() as session:
        person = session.get_one(Person, caller.person_id)
        person.language, person.time_zone = language or None, time_zone or None
        session.add(
            AuditEntry(
                at=site.clock(),
                actor=caller.pseudonym,
                action="changed own settings",
                subject=caller.pseudonym,
                detail={"language": language, "time_zone": time_zone},
            )
        )


def _page(
    request: Request,
    caller: Browser,
    chosen: tuple[str, str],
    *,
    saved: bool = False,
    faults: list[Problem] | None = None,
) -> Response:
    site = site_of(request)
    return render(
        request,
        "your_settings.html",
        nav=navigation(site, caller, PAGE),
        status=422 if faults else 200,
        languages=[(code, own_name(code)) for code in known_languages()],
        zones=zones(),
        language=chosen[0],
        time_zone=chosen[1],
        saved=saved,
        faults={fault.where: fault for fault in faults or ()},
        site_zone=site.settings.site.time_zone,
    )
