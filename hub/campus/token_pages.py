"""Let instructors make tokens for nbgrader commands, and take them back.

Law (charter, 8): tokens are made in a browser session alone, by people who teach.
The text of a token is in one answer, which no cache keeps, and nowhere else.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import Person
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.exchange_callers import Here
from bioskills.hub.campus.pages_shared import navigation
from bioskills.hub.campus.site import Refused, Site, render
from bioskills.hub.campus.tokens import (
    Wish,
    is_live,
    make_token,
    own_tokens,
    revoke_token,
    runs_taught,
)

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
EMPTY = Wish("", "", ("list", "collect"), "14")


def routes(site: Site) -> APIRouter:
    """Return the pages about tokens."""
    router = APIRouter(prefix=f"{site.prefix}tokens")
    router.add_api_route("", show, methods=["GET"], response_class=HTMLResponse)
    router.add_api_route("", make, methods=["POST"], response_class=HTMLResponse)
    router.add_api_route(
        "/{token_id}/revoke", revoke, methods=["POST"], response_class=HTMLResponse
    )
    return router


def show(request: Request, site: Here, caller: Reads) -> HTMLResponse:
    """Show the caller's tokens and the form for a new one."""
    return _page(request, site, caller)


async def make(request: Request, site: Here, caller: Changes) -> HTMLResponse:
    """Make a token and show it, this once."""
    wish = _wish(await request.form())
    _require_instructor(caller)
    with site.store.transaction() as session:
        person = session.get_one(Person, caller.person_id)
        most = site.settings.exchange.token_days
        try:
            made = make_token(session, person, wish, site.clock(), most)
        except InputError as error:
            faults: tuple[Problem, ...] = error.problems
        else:
            faults, wish = (), EMPTY
    return _page(request, site, caller, made=made if not faults else "", faults=faults, wish=wish)


def revoke(token_id: int, site: Here, caller: Changes) -> RedirectResponse:
    """Take one of the caller's tokens back; again changes nothing."""
    with site.store.transaction() as session:
        person = session.get_one(Person, caller.person_id)
        if revoke_token(session, person, token_id, site.clock()) is None:
            message = _("You have no such token.")
            raise Refused(404, "not_found", message, _("Open the page Tokens again."))
    return RedirectResponse(site.link("tokens"), status_code=303)


def _wish(form: FormData) -> Wish:
    def text(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    verbs = tuple(value for value in form.getlist("verbs") if isinstance(value, str))
    return Wish(text("label"), text("run"), verbs, text("days"))


def _require_instructor(caller: Browser) -> None:
    if not caller.holds("instructor"):
        message = _("Tokens are for the instructors of a run.")
        after = _("Your own JupyterLab needs none.")
        raise Refused(403, "forbidden", message, after)


def _page(
    request: Request,
    site: Site,
    caller: Browser,
    *,
    made: str = "",
    faults: tuple[Problem, ...] = (),
    wish: Wish = EMPTY,
) -> HTMLResponse:
    _require_instructor(caller)
    with site.store.reading() as session:
        listed = own_tokens(session, caller.person_id)
        runs = [run.slug for run in runs_taught(session, caller.name, site.clock())]
    return render(
        request,
        "tokens.html",
        nav=navigation(site, caller, "tokens"),
        status=422 if faults else 200,
        tokens=[(token, slug, is_live(token, site.clock())) for token, slug in listed],
        runs=runs,
        verbs=_verbs(),
        made=made,
        faults=faults,
        wish=wish,
        zone=site.settings.site.time_zone,
        now=site.clock(),
        most_days=site.settings.exchange.token_days,
        campus_url=site.url,
    )


def _verbs() -> list[tuple[str, str]]:
    return [
        ("list", _("List and fetch what is released")),
        ("release", _("Release an assignment to learners")),
        ("collect", _("Collect learners' work")),
        ("feedback", _("Return feedback made by nbgrader")),
    ]
