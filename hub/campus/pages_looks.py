"""Serve to each learner who looked at their work.

Law: only one's own list, whole; nobody else opens it.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.looks import SHOWN_DAYS, looks_at
from bioskills.hub.campus.pages_shared import navigation
from bioskills.hub.campus.site import Site, render


def routes(site: Site) -> APIRouter:
    """Return the route of the list."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/looks")
    def own_looks(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        with site.store.reading() as session:
            lines = looks_at(session, caller.person_id, site.clock())
        return render(
            request,
            "looks.html",
            nav=navigation(site, caller, "passport"),
            lines=lines,
            days=SHOWN_DAYS,
            now=site.clock(),
            zone=site.settings.site.time_zone,
        )

    return router
