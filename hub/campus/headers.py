"""Put the same protection on every answer.

Law: nothing inline runs, nothing is loaded from elsewhere, nobody frames us,
and a page is kept by no cache (charter, law 9). Headers that a proxy may set
(`X-Forwarded-*`, `Forwarded`) are read nowhere: only a peer on this machine is
served, under the host that the settings name.
"""

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus

from bioskills.base.settings import Settings
from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX, Refusal
from bioskills.hub.addresses import campus_local_url, campus_public_url, hub_public_url, origin_of
from bioskills.hub.campus.bodies import (
    FORM_BYTES,
    App,
    Message,
    Meter,
    Patience,
    Receive,
    Refusing,
    Scope,
    Send,
    body_limit,
    refuse,
    too_large,
)

PROGRAMS = (f"{CAMPUS_PREFIX}api/", f"{CAMPUS_PREFIX}exchange/", f"{CAMPUS_PREFIX}healthz")
"""Paths that programs on this machine call; all others are for browsers."""

STATIC = f"{CAMPUS_PREFIX}static/"


def is_for_programs(path: str) -> bool:
    """Say whether this path is answered in JSON, to tokens, and never to a browser's session."""
    return path.startswith(PROGRAMS)


def content_policy(settings: Settings) -> str:
    """Return the content security policy of every answer."""
    hub = origin_of(hub_public_url(settings))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"form-action 'self' {hub}; frame-ancestors 'none'; base-uri 'none'"
    )


def protection(settings: Settings) -> dict[str, str]:
    """Return the headers that every answer carries."""
    return {
        "Content-Security-Policy": content_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


class Guard:
    """Refuse what no honest caller sends, and protect every answer."""

    def __init__(self, app: App, settings: Settings, patience: Patience | None = None) -> None:
        self._app = app
        self._patience = patience or Patience()
        self._headers = [(k.lower().encode(), v.encode()) for k, v in protection(settings).items()]
        self._public = _host_of(campus_public_url(settings))
        self._local = {self._public, _host_of(campus_local_url(settings))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        protected = self._protect(_caching(scope), send)
        refusal = self._refusal(scope)
        if refusal:
            await refuse(refusal, protected)
            return
        limit = body_limit(scope["method"], scope["path"])
        await Meter(receive, protected, limit, self._patience).run(self._app, scope)

    def _protect(self, caching: bytes, send: Send) -> Send:
        ours = [*self._headers, (b"cache-control", caching)]
        names = {name for name, _value in ours}

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [(k, v) for k, v in message.get("headers", []) if k.lower() not in names]
                message["headers"] = theirs + ours
            await send(message)

        return protected

    def _refusal(self, scope: Scope) -> Refusing | None:
        path, headers = scope["path"], _Headers(scope["headers"])
        if "\0" in path or b"%00" in scope["query_string"]:
            return HTTPStatus.BAD_REQUEST, _nul()
        if not _is_this_machine(scope.get("client")):
            return HTTPStatus.FORBIDDEN, _not_through_proxy()
        hosts = self._local if is_for_programs(path) else {self._public}
        if headers.all("host") == [] or not set(headers.all("host")) <= hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, _wrong_host(headers.one("host"), self._public)
        if is_for_programs(path):
            return _declared_too_large(headers, body_limit(scope["method"], path))
        limit = body_limit(scope["method"], path) or FORM_BYTES
        return _form_too_large(headers, limit) or _foreign_embedding(path, headers)


class _Headers:
    """The request's headers, every value kept."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = [(k.lower().decode("latin-1"), v.decode("latin-1")) for k, v in raw]

    def all(self, name: str) -> list[str]:
        return [v for k, v in self._raw if k == name]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def _caching(scope: Scope) -> bytes:
    """Return who may keep the answer: nobody, but for static files named by their content."""
    if not scope["path"].startswith(STATIC):
        return b"no-store"
    return (
        b"public, max-age=31536000, immutable"
        if scope["query_string"].startswith(b"v=")
        else b"no-cache"
    )


def _host_of(url: str) -> str:
    return origin_of(url).partition("://")[2]


def _is_this_machine(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _declared_too_large(headers: _Headers, limit: int | None) -> Refusing | None:
    """Refuse what says itself that it is too large; the meter counts what says nothing."""
    length = headers.one("content-length")
    if limit is None or not length or (length.isdecimal() and int(length) <= limit):
        return None
    return too_large(limit)


def _form_too_large(headers: _Headers, limit: int) -> Refusing | None:
    length = headers.one("content-length")
    if headers.one("transfer-encoding"):
        message = _("This form came without its length, so it was not read.")
        return HTTPStatus.LENGTH_REQUIRED, Refusal(
            error="no_length", message=message, next=_("Send it again.")
        )
    if length and (not length.isdecimal() or int(length) > limit):
        message = _("This form has {length} bytes; {limit} are allowed.").format(
            length=length, limit=limit
        )
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Refusal(
            error="too_large", message=message, next=_("Shorten the text.")
        )
    return None


def _foreign_embedding(path: str, headers: _Headers) -> Refusing | None:
    """Refuse loads by pages of other origins; following a link to us stays possible."""
    site, mode = headers.one("sec-fetch-site"), headers.one("sec-fetch-mode")
    if site in {"", "same-origin", "none"} or mode == "navigate" or path.startswith(STATIC):
        return None
    message = _("A page of another address asked for this page; that is not allowed.")
    return HTTPStatus.FORBIDDEN, Refusal(
        error="foreign_page", message=message, next=_("Open the page itself.")
    )


def _nul() -> Refusal:
    message = _("The address holds a character that is no text (NUL).")
    return Refusal(error="nul", message=message, next=_("Start from the first page."))


def _not_through_proxy() -> Refusal:
    message = _("The campus answers only through the proxy of this installation.")
    return Refusal(error="not_local", message=message, next=_("Use the public address."))


def _wrong_host(host: str, right: str) -> Refusal:
    message = _("The campus is not called {host}.").format(host=ascii(host[:80]))
    return Refusal(error="wrong_host", message=message, next=_("Use {right}.").format(right=right))
