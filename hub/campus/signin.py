"""Sign people in through the hub, and out.

Law: a sign-in begins and ends in the same browser, once, within ten minutes;
it leads to a page below our prefix or nowhere. A session begins new at every
sign-in; nothing a browser had before becomes one.
"""

import base64
import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus.callers import Browser, browser_unsafe, require_access
from bioskills.hub.campus.hub_api import Grant, HubAwayError, Identity
from bioskills.hub.campus.refusals import hub_away
from bioskills.hub.campus.sessions import (
    CookieShape,
    cookie_shape,
    cookie_value,
    end_session,
    find_session,
    session_cookie,
    start_session,
)
from bioskills.hub.campus.site import Refused, Site, site_of

CLIENT_ID = "service-campus"
CALLBACK = "oauth_callback"
SIGN_IN = "sign-in"
SIGN_OUT = "sign-out"
OWN_PAGES = tuple(CAMPUS_PREFIX + name for name in (CALLBACK, SIGN_IN, SIGN_OUT))

BEGUN_LIFE = timedelta(minutes=10)
MOST_BEGUN = 10_000
LONGEST_NEXT = 1000
_ROUNDS = 3


@dataclass(frozen=True)
class Begun:
    """A sign-in that was begun and not ended."""

    binding_sha256: str
    verifier: str
    next: str
    until: datetime


class BegunSignIns:
    """The sign-ins under way; each can be taken once.

    Kept in memory: after a restart of the campus a person begins again, which
    costs one click.
    """

    def __init__(self) -> None:
        self._begun: OrderedDict[str, Begun] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, state: str, begun: Begun) -> None:
        """Keep a sign-in; the oldest goes where there are too many."""
        with self._lock:
            self._begun[_hash(state)] = begun
            while len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)

    def take(self, state: str, binding: str, now: datetime) -> Begun | None:
        """Return the sign-in of this state if this browser began it and it is not too old.

        Whoever names the state uses it up, so that a guessed binding has one try.
        """
        with self._lock:
            begun = self._begun.pop(_hash(state), None)
        if begun is None or begun.until <= now:
            return None
        return begun if secrets.compare_digest(begun.binding_sha256, _hash(binding)) else None


def safe_next(wanted: str, prefix: str = CAMPUS_PREFIX) -> str:
    """Return the address if it is a page below our prefix, else our first page.

    Args:
        wanted: Path with an optional query, as the browser asked for it.
        prefix: What the path must begin with; ends with a slash.
    """
    if (
        len(wanted) > LONGEST_NEXT
        or not wanted.isascii()
        or not wanted.isprintable()
        or " " in wanted
    ):
        return prefix
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or "\\" in wanted:
        return prefix
    if not _is_below(parts.path, prefix) or parts.path.startswith(OWN_PAGES):
        return prefix
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _is_below(path: str, prefix: str) -> bool:
    """Say whether the path stays below the prefix however often it is decoded."""
    for _round in range(_ROUNDS):
        segments = path.removeprefix(prefix).split("/")
        if not path.startswith(prefix) or "//" in path or "\\" in path or not path.isprintable():
            return False
        if any(segment in {".", ".."} for segment in segments):
            return False
        decoded = unquote(path)
        if decoded == path:
            return True
        path = decoded
    return False


def sign_in_url(next_url: str) -> str:
    """Return the address that signs in and comes back to a page of ours."""
    return f"{CAMPUS_PREFIX}{SIGN_IN}?{urlencode({'next': safe_next(next_url)})}"


def routes(site: Site) -> APIRouter:
    """Return the routes of sign-in and sign-out."""
    del site
    router = APIRouter()
    begun = BegunSignIns()

    @router.get(f"/{SIGN_IN}")
    def sign_in(request: Request, next: str = "") -> Response:  # noqa: A002 - the name in the address
        return begin(site_of(request), begun, safe_next(next))

    @router.get(f"/{CALLBACK}")
    def callback(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
        return finish(request, begun, code=code, state=state, error=error)

    @router.post(f"/{SIGN_OUT}")
    def sign_out(request: Request, caller: Annotated[Browser, Depends(browser_unsafe)]) -> Response:
        del caller
        return leave(request)

    return router


def begin(site: Site, begun: BegunSignIns, next_url: str) -> Response:
    """Send the browser to the hub with a state that only this browser can bring back."""
    state, binding, verifier = (secrets.token_urlsafe(32) for _i in range(3))
    begun.add(state, Begun(_hash(binding), verifier, next_url, site.clock() + BEGUN_LIFE))
    query = {
        "client_id": CLIENT_ID,
        "redirect_uri": site.url + CALLBACK,
        "response_type": "code",
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    address = f"{site.hub_url}api/oauth2/authorize?{urlencode(query)}"
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    binding_cookie(site, state).put(response, binding, int(BEGUN_LIFE.total_seconds()))
    return response


def finish(request: Request, begun: BegunSignIns, *, code: str, state: str, error: str) -> Response:
    """Turn the hub's answer into a new session, or say why there is none."""
    site = site_of(request)
    shape = binding_cookie(site, state)
    found = begun.take(state, cookie_value(request, shape.name), site.clock())
    if found is None:
        raise _stale()
    if error or not code:
        raise _denied()
    grant, identity = _redeem(site, code, found.verifier)
    require_access(identity)
    old = find_session(site, request)
    if old is not None:
        end_session(site, old.key)
    value, life = start_session(site, identity.name, grant)
    response = RedirectResponse(found.next, HTTPStatus.SEE_OTHER)
    shape.drop(response)
    session_cookie(site).put(response, value, int(life.total_seconds()))
    return response


def leave(request: Request) -> Response:
    """End the session here, then at the hub, which revokes our token with its own session.

    The hub lets no token revoke itself without the right to make tokens, which
    the campus does not want; so the only copy is destroyed first.
    """
    site = site_of(request)
    session = find_session(site, request)
    if session is not None:
        site.hub.forget(session.hub_token)
        end_session(site, session.key)
    response = RedirectResponse(f"{site.hub_url}logout", HTTPStatus.SEE_OTHER)
    session_cookie(site).drop(response)
    return response


def binding_cookie(site: Site, state: str) -> CookieShape:
    """Return the shape of the cookie that binds one sign-in to one browser.

    Its name differs by sign-in, so that two tabs can sign in at once.
    """
    return cookie_shape(site, f"bioskills-sign-in-{_hash(state)[:12]}")


def _redeem(site: Site, code: str, verifier: str) -> tuple[Grant, Identity]:
    try:
        grant = site.hub.redeem(CLIENT_ID, code, site.url + CALLBACK, verifier)
        identity = site.hub.identity(grant.token) if grant else None
    except HubAwayError as error:
        raise hub_away() from error
    if grant is None or identity is None:
        raise _stale()
    return grant, identity


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _stale() -> Refused:
    return Refused(
        HTTPStatus.BAD_REQUEST,
        "stale_sign_in",
        _(
            "This sign-in was begun in another browser, was used already, or is older than ten minutes."
        ),
        _("Begin again from the first page. Nothing of your work is touched by this."),
    )


def _denied() -> Refused:
    return Refused(
        HTTPStatus.FORBIDDEN,
        "sign_in_denied",
        _("The hub did not confirm this sign-in."),
        _("Begin again, or ask the person who invited you."),
    )
