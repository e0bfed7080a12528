"""Serve the assessor's first page: what waits for a person's judgement.

Law: only cohorts in which the person is an assessor now; that they saw whose work waits
is noted before it is shown. What is judged is judged in formgrader.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.pages_shared import held_cohorts, navigation
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.waiting import waiting_in
from bioskills.hub.campus.wording import add_words
from bioskills.hub.role_routes import ASSESSOR

Reads = Annotated[Browser, Depends(browser)]


def routes(site: Site) -> APIRouter:
    """Return the route of the page."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/waiting")
    def waiting_page(request: Request, caller: Reads, *, run: str = "") -> Response:
        cohorts = held_cohorts(caller, ASSESSOR)
        with site.store.reading() as session:
            pile = waiting_in(session, cohorts, site.clock())
        for slug, people in pile.people.items():
            look(site, caller, people, "waiting", (slug, slug))
        known = {slug for slug, _title in pile.runs}
        chosen = run if run in known else ""
        return render(
            request,
            "waiting.html",
            nav=navigation(site, caller, "waiting"),
            pile=pile,
            items=[item for item in pile.items if chosen in ("", item.run)],
            run=chosen,
            now=site.clock(),
        )

    return router
