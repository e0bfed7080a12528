"""Put the campus together.

Law: every route comes from a `routes(site)` of its module; every refusal is
worded in one place, as JSON for programs and as a page for people. A page says
what happened, what is safe and what to do; a stack trace stays in the log,
under an id that the page shows.
"""

import functools
import hashlib
import logging
import secrets
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jupyterhub._data import DATA_FILES_PATH
from sqlalchemy import text
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX, Refusal
from bioskills.hub.campus import (
    admin,
    door_figures,
    door_funded,
    door_units,
    door_waiting,
    exchange_routes,
    formgrader_routes,
    grader_routes,
    invitations,
    overview_routes,
    pages_as_learner,
    pages_instructor,
    pages_learner,
    pages_looks,
    pages_papers,
    pages_settings,
    people_pages,
    signin,
    token_pages,
)
from bioskills.hub.campus.callers import SAFE_METHODS, PapersNeeded, SignInNeeded
from bioskills.hub.campus.headers import Guard, is_for_programs, protection
from bioskills.hub.campus.housekeeping import housekeeping
from bioskills.hub.campus.readers import Readers
from bioskills.hub.campus.refusals import two_sessions
from bioskills.hub.campus.sessions import TwoSessionsError, drop_everywhere
from bioskills.hub.campus.site import Refused, Site, render, site_of

log = logging.getLogger("bioskills.campus")

OUR_STATIC = Path(__file__).parent / "static"
HUB_STATIC = Path(DATA_FILES_PATH) / "static"
ROUTERS = (
    signin.routes,
    overview_routes.routes,
    exchange_routes.routes,
    grader_routes.routes,
    formgrader_routes.routes,
    pages_learner.routes,
    pages_looks.routes,
    pages_as_learner.routes,
    pages_instructor.routes,
    people_pages.routes,
    token_pages.routes,
    invitations.routes,
    admin.routes,
    pages_papers.routes,
    pages_settings.routes,
    door_waiting.routes,
    door_units.routes,
    door_figures.routes,
    door_funded.routes,
)


def create_app(site: Site) -> FastAPI:
    """Return the campus as an ASGI application."""
    # Starlette's own redirects would take the scheme of the last hop, which is not the public one.
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        lifespan=housekeeping(site),
    )  # fmt: skip
    app.state.site = site
    app.add_middleware(Guard, settings=site.settings)
    # Added last, it stands outermost: the guard's refusals are in the reader's language, too.
    app.add_middleware(Readers, site_language=site.settings.site.language)
    app.add_api_route(f"{CAMPUS_PREFIX}healthz", healthz, methods=["GET"])
    app.add_api_route(CAMPUS_PREFIX.rstrip("/"), to_first_page, methods=["GET"])
    for routes in ROUTERS:
        router = routes(site)
        # A module may write its paths with our prefix or without it.
        named = router.prefix.startswith(CAMPUS_PREFIX)
        app.include_router(router, prefix="" if named else CAMPUS_PREFIX.rstrip("/"))
    # The hub's own style sheet is linked from the installed package, never copied.
    app.mount(f"{CAMPUS_PREFIX}static/hub", StaticFiles(directory=HUB_STATIC))
    app.mount(f"{CAMPUS_PREFIX}static", StaticFiles(directory=OUR_STATIC))
    _answer_refusals(app)
    return app


@functools.cache
def static_url(path: str) -> str:
    """Return the address of a static file; it changes with the file's content."""
    file = HUB_STATIC / path.removeprefix("hub/") if path.startswith("hub/") else OUR_STATIC / path
    return f"{CAMPUS_PREFIX}static/{path}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def healthz(request: Request) -> dict[str, str]:
    """Say that the database answers; needs no sign-in."""
    with site_of(request).store.reading() as database:
        database.execute(text("select 1"))
    return {"status": "ok"}


def to_first_page() -> RedirectResponse:
    """Add the slash that somebody left out."""
    return RedirectResponse(CAMPUS_PREFIX, HTTPStatus.SEE_OTHER)


def _answer_refusals(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(SignInNeeded, _sign_in_needed)
    app.add_exception_handler(PapersNeeded, _papers_needed)
    app.add_exception_handler(TwoSessionsError, _two_sessions)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http_error)
    # A number far beyond every id: SQLite's driver and PostgreSQL say so, each in its way.
    app.add_exception_handler(OverflowError, _too_large_a_number)
    app.add_exception_handler(DataError, _too_large_a_number)
    app.add_exception_handler(Exception, _broken)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - for the type checker; Starlette picks by class
    return _answer(request, error)


def _sign_in_needed(request: Request, _error: Exception) -> Response:
    if is_for_programs(request.url.path):
        return _answer(request, Refused(HTTPStatus.UNAUTHORIZED, "sign_in", _("Sign in first.")))
    if request.method in SAFE_METHODS:
        return RedirectResponse(signin.sign_in_url(_asked_for(request)), HTTPStatus.SEE_OTHER)
    return render(request, "signed_out.html", status=HTTPStatus.UNAUTHORIZED)


def _asked_for(request: Request) -> str:
    """Return the address as it was sent: decoded, an escaped slash would look like another page."""
    path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
    return f"{path}?{request.url.query}" if request.url.query else path


def _papers_needed(request: Request, _error: Exception) -> Response:
    first = pages_papers.first_look(_asked_for(request))
    return RedirectResponse(site_of(request).link(first), HTTPStatus.SEE_OTHER)


def _two_sessions(request: Request, _error: Exception) -> Response:
    answer = _answer(request, two_sessions())
    drop_everywhere(site_of(request), request, answer)
    return answer


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = "; ".join(
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
    )
    message = _("This was not understood: {faults}.").format(faults=faults)
    return _answer(
        request,
        Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_understood",
            message,
            _("Correct it and send it again."),
        ),
    )


def _too_large_a_number(request: Request, error: Exception) -> Response:
    log.warning("Refused %s %s", request.method, request.url.path, exc_info=error)
    message = _("A number or a text in it is larger than anything here can be.")
    hint = _("Look at the address, or start from the first page.")
    return _answer(request, Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "out_of_range", message, hint))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == HTTPStatus.NOT_FOUND:
        message, hint = (
            _("There is no such page here."),
            _("Look at the address, or start from the first page."),
        )
        return _answer(request, Refused(error.status_code, "not_found", message, hint))
    refusal = Refused(
        error.status_code, "refused", f"{error.detail}.", _("Start from the first page.")
    )
    return _answer(request, refusal)


def _broken(request: Request, error: Exception) -> Response:
    quote = secrets.token_hex(4)
    log.error(
        "Failed to answer %s %s, id %s", request.method, request.url.path, quote, exc_info=error
    )
    message = _("Something in the campus failed (id {id}). What was stored before is safe.").format(
        id=quote
    )
    hint = _("Try again; if it fails again, send this id to the people who run this site.")
    answer = _answer(request, Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "broken", message, hint))
    # Starlette answers this one outside of all middleware, so the guard never sees it.
    answer.headers.update({**protection(site_of(request).settings), "Cache-Control": "no-store"})
    return answer


def _answer(request: Request, refused: Refused) -> Response:
    headers = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else {}
    if is_for_programs(request.url.path):
        body = Refusal(error=refused.error, message=refused.message, next=refused.next)
        return JSONResponse(body.model_dump(), refused.status, headers)
    page = render(
        request, "error.html", status=refused.status, title=_heading(refused.status),
        message=refused.message, next_step=refused.next, error=refused.error,
    )  # fmt: skip
    page.headers.update(headers)
    return page


def _heading(status: int) -> str:
    match status:
        case HTTPStatus.FORBIDDEN:
            return _("This is not open to you")
        case HTTPStatus.NOT_FOUND:
            return _("Nothing is here")
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return _("Not available for a moment")
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return _("Something failed on our side")
        case _:
            return _("This did not work")
