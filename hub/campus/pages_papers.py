"""Serve the papers: on privacy and on accessibility, and the first look at the former.

Law: both are open to everybody, signed in or not. The first look is a page with
one button that goes on; it informs and asks for no consent, because consent
that nobody can refuse is none.
"""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from bioskills.base.languages import COOKIE
from bioskills.base.tables import AuditEntry
from bioskills.base.text import known_languages, reader
from bioskills.hub import papers
from bioskills.hub.campus.callers import (
    Browser,
    browser_before_papers,
    browser_unsafe,
    known_browser,
)
from bioskills.hub.campus.pages_shared import navigation
from bioskills.hub.campus.signin import safe_next
from bioskills.hub.campus.site import Nav, Site, render, site_of
from bioskills.hub.papers_door import LAB
from bioskills.hub.papers_text import accessibility_texts

A_YEAR_S = 365 * 24 * 3600


def routes(site: Site) -> APIRouter:
    """Return the routes of the papers and of the language link."""
    router = APIRouter(default_response_class=HTMLResponse)
    statement = accessibility_texts(site.settings)
    _add_papers(router)

    @router.get("/accessibility")
    def accessibility(request: Request) -> Response:
        nav = _nav(request)
        parts = statement[reader().language]
        return render(request, "accessibility.html", nav=nav, parts=parts)

    @router.get("/language")
    def language(request: Request, to: str = "", next: str = "") -> Response:  # noqa: A002 - the name in the address
        return choose_language(site_of(request), to, next)

    return router


def _add_papers(router: APIRouter) -> None:
    @router.get("/papers")
    def privacy(request: Request) -> Response:
        nav = _nav(request)
        with site_of(request).store.reading() as session:
            version = papers.in_force(session)
            parts = papers.parts_of(version, reader().language) if version else ()
            since = version.since if version else None
        return _page(request, nav=nav, parts=parts, since=since)

    @router.get("/papers/first")
    def first(
        request: Request,
        caller: Annotated[Browser, Depends(browser_before_papers)],
        next: str = "",  # noqa: A002 - the name in the address
    ) -> Response:
        with site_of(request).store.reading() as session:
            return _first(request, session, caller, next)

    @router.post("/papers/seen")
    def seen(
        request: Request,
        caller: Annotated[Browser, Depends(browser_unsafe)],
        version: Annotated[int, Form()],
        next: Annotated[str, Form()] = "",  # noqa: A002 - the name in the form
    ) -> Response:
        site = site_of(request)
        _note(site, caller, version)
        if next == LAB:
            return render(request, "to_lab.html", address=where_to(site, next))
        return RedirectResponse(where_to(site, next), 303)


def _note(site: Site, caller: Browser, version: int) -> None:
    """Keep that the version in force was shown; another one leads to the page again."""
    with site.store.transaction() as session:
        newest = papers.in_force(session)
        if newest is None or newest.id != version:
            return
        papers.note_seen(session, caller.person_id, version, reader().language, site.clock())
        session.add(
            AuditEntry(
                at=site.clock(),
                actor=caller.pseudonym,
                action="was shown the paper",
                subject=papers.PRIVACY,
                detail={"version": newest.sha256[:12], "language": reader().language},
            )
        )


def _first(request: Request, session: Session, caller: Browser, next_page: str) -> Response:
    version = papers.in_force(session)
    if version is None:
        return RedirectResponse(where_to(site_of(request), next_page), 303)
    language = reader().language
    parts = papers.parts_of(version, language)
    before = papers.last_seen(session, caller.person_id)
    changed = papers.changes(papers.parts_of(before[1], language), parts) if before else []
    return _page(
        request,
        parts=parts,
        since=version.since,
        version=version.id,
        next=next_page,
        changed=changed,
        seen_at=before[0].seen_at if before else None,
        first=True,
    )


def _page(request: Request, **values: object) -> Response:
    site = site_of(request)
    blank = {
        "version": 0, "next": "", "changed": [], "seen_at": None, "first": False, "nav": [],
        "zone": site.settings.site.time_zone, "parts": (), "since": None,
    }  # fmt: skip
    return render(request, "papers.html", **{**blank, **values})  # type: ignore[arg-type]  # nav is one


def _nav(request: Request) -> list[Nav]:
    caller = known_browser(request)
    return navigation(site_of(request), caller, "") if caller else []


def where_to(site: Site, wanted: str) -> str:
    """Return the address that a page of ours leads to: the lab, or a page below our prefix."""
    return f"{site.hub_url}spawn" if wanted == LAB else safe_next(wanted)


def choose_language(site: Site, wanted: str, next_page: str) -> Response:
    """Keep the language of who has not signed in, in a cookie that says nothing else.

    A link may do it: it changes nothing but the words of the pages.
    """
    hub = urlsplit(site.hub_url)
    at_hub = next_page.startswith(hub.path)
    path = safe_next(next_page, hub.path) if at_hub else safe_next(next_page)
    response = RedirectResponse(f"{hub.scheme}://{hub.netloc}{path}" if at_hub else path, 303)
    if wanted in known_languages():
        response.set_cookie(
            COOKIE,
            wanted,
            max_age=A_YEAR_S,
            # The sign-in pages are the hub's, one host above ours.
            domain=None if site.settings.network.accept_single_origin else hub.hostname,
            secure=hub.scheme == "https",
            httponly=True,
            samesite="lax",
        )
    return response


def first_look(here: str) -> str:
    """Return the address of the first look that leads back to a page of ours."""
    return f"papers/first?{urlencode({'next': safe_next(here)})}"
