"""Serve the admin's page of labs: which run, whose, how much they need, and why one does not.

Law: everything comes from the hub at the moment of asking, with the admin's own token; the
campus has no right over labs. Stopping shows its plan first. A lab is never opened here.
"""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Person
from bioskills.base.text import _
from bioskills.hub.campus.admin_lab_rows import Listed, rows_of, title_of
from bioskills.hub.campus.admin_shared import find_who, show
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.hub_api import HubAwayError
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.refusals import hub_away
from bioskills.hub.campus.sessions import find_session
from bioskills.hub.campus.site import Refused, Site, site_of
from bioskills.hub.grading_accounts import is_account
from bioskills.hub.labs_wire import LabNow, LabsNow

PAGE = 50

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]


class StartForm(BaseModel):
    """Whose lab is to be started, as it was typed."""

    who: str = ""


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/labs")
    def labs_page(
        request: Request, caller: Reads, *, page: int = 1, done: str = "", who: str = ""
    ) -> Response:
        require_admin(caller)
        return _page(request, caller, page=page, said=_said(site, done, who))

    @router.post("/admin/labs/start")
    def start_typed(
        request: Request, caller: Changes, form: Annotated[StartForm, Form()]
    ) -> Response:
        require_admin(caller)
        with site.store.reading() as session:
            person = find_who(session, form.who)
        if person is None:
            return _page(request, caller, fault=_nobody(form.who), typed=form.who)
        return _start(request, caller, person)

    @router.post("/admin/labs/{pseudonym}/start")
    def start_one(request: Request, pseudonym: str, caller: Changes) -> Response:
        require_admin(caller)
        with site.store.reading() as session:
            person = _person(session, pseudonym)
        return _start(request, caller, person)

    @router.get("/admin/labs/{pseudonym}/stop")
    def plan_to_stop(request: Request, pseudonym: str, caller: Reads) -> Response:
        require_admin(caller)
        name = _name_of(site, pseudonym)
        answer = ask(request, "GET", f"bioskills/labs/{quote(name)}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return _back(site, "none", pseudonym)
        with site.store.reading() as session:
            row = rows_of(session, [LabNow.model_validate_json(_right(answer).content)])[0]
        return show(request, caller, "admin_stop.html", "admin/labs", row=row)

    @router.post("/admin/labs/{pseudonym}/stop")
    def stop_one(request: Request, pseudonym: str, caller: Changes) -> Response:
        require_admin(caller)
        answer = ask(request, "DELETE", f"bioskills/labs/{quote(_name_of(site, pseudonym))}")
        _right(answer)
        done = "stopping" if answer.status_code == HTTPStatus.ACCEPTED else "stopped"
        return _back(site, done, pseudonym)

    return router


def ask(request: Request, method: str, path: str) -> httpx.Response:
    """Ask the hub with the token of this session.

    Raises:
        Refused: The hub did not answer.
    """
    site = site_of(request)
    session = find_session(site, request)
    try:
        answer = site.hub.door(session.hub_token if session else "", method, path)
    except HubAwayError as error:
        raise hub_away() from error
    if answer.status_code in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise hub_away()
    return answer


def read_labs(request: Request, page: int = 1) -> Listed:
    """Return a page of labs; with a sentence where the hub does not tell."""
    path = f"bioskills/labs?limit={PAGE}&offset={(max(1, page) - 1) * PAGE}"
    try:
        found = LabsNow.model_validate_json(_right(ask(request, "GET", path)).content)
    except Refused as refused:
        return Listed(away=f"{refused.message} {refused.next}")
    except ValidationError:
        return Listed(away=_("What the hub answered was not understood."))
    with site_of(request).store.reading() as session:
        return Listed(rows_of(session, found.labs), found.counts, found.total)


def _page(
    request: Request,
    caller: Browser,
    *,
    page: int = 1,
    said: str = "",
    fault: str = "",
    typed: str = "",
) -> Response:
    listed = read_labs(request, page)
    return show(
        request,
        caller,
        "admin_labs.html",
        "admin/labs",
        status=HTTPStatus.CONFLICT if fault else HTTPStatus.OK,
        listed=listed,
        page=max(1, page),
        pages=max(1, -(-listed.total // PAGE)),
        said=said,
        fault=fault,
        typed=typed,
    )


def _start(request: Request, caller: Browser, person: Person) -> Response:
    answer = ask(request, "POST", f"bioskills/labs/{quote(person.name)}")
    if answer.is_success:
        done = {HTTPStatus.ACCEPTED: "starting", HTTPStatus.OK: "running"}
        word = done.get(HTTPStatus(answer.status_code), "started")
        return _back(site_of(request), word, person.pseudonym)
    if answer.status_code == HTTPStatus.FORBIDDEN:
        raise _sign_in_again()
    fault = _("The lab of {name} was not started. {why}")
    return _page(
        request, caller, fault=fault.format(name=person.display_name, why=_sentence(answer))
    )


def _right(answer: httpx.Response) -> httpx.Response:
    """Return an answer that is none of a refusal.

    Raises:
        Refused: With the hub's own sentence.
    """
    if answer.is_success:
        return answer
    if answer.status_code == HTTPStatus.FORBIDDEN:
        raise _sign_in_again()
    raise Refused(HTTPStatus.CONFLICT, "lab", _sentence(answer), _("Look at the list of labs."))


def _sentence(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        found = {}
    text = found.get("message", "") if isinstance(found, dict) else ""
    return str(text) or _("The hub answered {status}.").format(status=answer.status_code)


def _sign_in_again() -> Refused:
    message = _("The hub does not know this sign-in as an admin's, so nothing was done.")
    after = _("If you were made an admin a moment ago: sign out, and sign in again.")
    return Refused(HTTPStatus.FORBIDDEN, "forbidden", message, after)


def _person(session: Session, pseudonym: str) -> Person:
    found = session.scalar(select(Person).where(Person.pseudonym == pseudonym))
    if found is None:
        message = _("There is nobody with the pseudonym {name}.").format(name=pseudonym)
        raise Refused(HTTPStatus.NOT_FOUND, "not_found", message, _("Look at the list of labs."))
    return found


def _name_of(site: Site, key: str) -> str:
    if is_account(key):
        return key
    with site.store.reading() as session:
        return _person(session, key).name


def _nobody(typed: str) -> str:
    if not typed.strip():
        return _("Nobody was named. Type a user name, a pseudonym or a mail address.")
    text = _("There is nobody called {name}. Type a user name, a pseudonym or a mail address.")
    return text.format(name=typed.strip()[:60])


def _said(site: Site, done: str, key: str) -> str:
    sentences = {
        "started": _("The lab of {name} runs."),
        "running": _("The lab of {name} runs already; nothing was changed."),
        "starting": _("The lab of {name} is starting. Look again in a moment."),
        "stopped": _("The lab of {name} was stopped. Saved files are safe."),
        "stopping": _("The lab of {name} is being stopped. Look again in a moment."),
        "none": _("The lab of {name} does not run any more."),
    }
    if done not in sentences:
        return ""
    with site.store.reading() as session:
        person = session.scalar(select(Person).where(Person.pseudonym == key))
    return sentences[done].format(name=person.display_name if person else title_of(key[:80]))


def _back(site: Site, done: str, key: str) -> Response:
    address = site.link(f"admin/labs?done={done}&who={quote(key)}")
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
