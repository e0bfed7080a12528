"""Keep browsers signed in.

Law: the browser holds a random value, the database only its hash; the hub's
token is sealed with a key that is derived from that value, so a copied
database signs nobody in. A session lives no longer than the hub's token. Two
values at once are never chosen between: both are taken away, and the person is told.
"""

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response
from sqlalchemy import delete

from bioskills.base.tables import WebSession
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.campus.hub_api import Grant
from bioskills.hub.campus.site import Site

LONGEST = timedelta(hours=12)
"""A working day; afterwards the hub is asked again, without anybody noticing."""

_NONCE_BYTES = 12
_MOST_HEADER_BYTES = 10_000
"""The proxy takes 16 KiB of headers; shallow paths come first, our first page among them."""


class TwoSessionsError(Exception):
    """The browser sent two values of our session's cookie; one of them is not ours."""


@dataclass(frozen=True)
class CookieShape:
    """How a cookie of ours is named and confined."""

    name: str
    path: str
    secure: bool

    def put(self, response: Response, value: str, max_age_s: int) -> None:
        """Give the cookie to the browser."""
        response.set_cookie(
            self.name,
            value,
            max_age=max_age_s,
            path=self.path,
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response) -> None:
        """Take the cookie from the browser."""
        response.delete_cookie(
            self.name, path=self.path, secure=self.secure, httponly=True, samesite="lax"
        )


@dataclass(frozen=True)
class Session:
    """A browser's session as the database knows it."""

    key: str
    name: str
    hub_token: str
    csrf: str


def session_cookie(site: Site) -> CookieShape:
    """Return the shape of the session's cookie.

    With https and a host of our own the browser itself guarantees (`__Host-`)
    that no other host, such as a learner's server, planted it.
    """
    return cookie_shape(site, "bioskills-session")


def cookie_shape(site: Site, name: str) -> CookieShape:
    """Return the strictest shape that this installation's address allows."""
    secure = site.url.startswith("https:")
    if secure and not site.settings.network.accept_single_origin:
        return CookieShape(f"__Host-{name}", "/", secure=True)
    return CookieShape(f"__Secure-{name}" if secure else name, CAMPUS_PREFIX, secure=secure)


def cookie_value(request: Request, name: str) -> str:
    """Return a cookie's value; empty where it is missing or came twice with different values.

    Two values mean that another host below our name planted one. Which of them
    is ours cannot be known, so neither counts.
    """
    found = _cookie_values(request, name)
    return found.pop() if len(found) == 1 else ""


def _cookie_values(request: Request, name: str) -> set[str]:
    pairs = (
        part.partition("=")
        for header in request.headers.getlist("cookie")
        for part in header.split(";")
    )
    return {value.strip() for key, _, value in pairs if key.strip() == name}


def drop_everywhere(site: Site, request: Request, response: Response) -> None:
    """Take the session's cookie from the browser, on every host and path that sent it here.

    A cookie that came with this request belongs to our host or to a parent of it,
    and to the request's path or to a part of it: all of these are named.
    """
    shape, names = session_cookie(site), (urlsplit(site.url).hostname or "").split(".")
    hosts = ["", *(f"; Domain={'.'.join(names[start:])}" for start in range(len(names)))]
    path = request.scope.get("raw_path", b"").decode("latin-1")
    secure, room = "; Secure" if shape.secure else "", _MOST_HEADER_BYTES
    for above in dict.fromkeys([shape.path, *_paths(path)]):
        # Written by hand: with what a library adds, so many would not fit through the proxy.
        gone = [f"{shape.name}=; Max-Age=0; Path={above}{host}{secure}" for host in hosts]
        room -= sum(map(len, gone))
        if room < 0:
            return
        for one in gone:
            response.headers.append("set-cookie", one)


def _paths(path: str) -> list[str]:
    """Return the path and all above it, highest first, with and without a slash at the end."""
    steps = [step for step in path.split("/") if step]
    above = ["/" + "/".join(steps[:end]) for end in range(1, len(steps) + 1)]
    return ["/", *(p + end for p in above if _fits_in_a_cookie(p) for end in ("", "/"))]


def _fits_in_a_cookie(path: str) -> bool:
    return path.isascii() and path.isprintable() and ";" not in path


def start_session(site: Site, name: str, grant: Grant) -> tuple[str, timedelta]:
    """Return the cookie's value and life of a new session; ended ones are removed on the way."""
    value, now = secrets.token_urlsafe(32), site.clock()
    life = min(LONGEST, timedelta(seconds=grant.lifetime_s)) if grant.lifetime_s else LONGEST
    row = WebSession(
        sha256=_hash(value),
        person_name=name,
        hub_token=_seal(value, grant.token),
        csrf=secrets.token_urlsafe(32),
        created_at=now,
        expires_at=now + life,
    )
    with site.store.transaction() as database:
        database.execute(delete(WebSession).where(WebSession.expires_at <= now))
        database.add(row)
    return value, life


def find_session(site: Site, request: Request) -> Session | None:
    """Return the live session of this request's cookie.

    Raises:
        TwoSessionsError: The cookie came with two values.
    """
    values = _cookie_values(request, session_cookie(site).name)
    if len(values) > 1:
        raise TwoSessionsError
    value = values.pop() if values else ""
    if not value:
        return None
    with site.store.reading() as database:
        row = database.get(WebSession, _hash(value))
    if row is None or row.expires_at <= site.clock():
        return None
    token = _unseal(value, row.hub_token)
    return Session(row.sha256, row.person_name, token, row.csrf) if token else None


def end_session(site: Site, key: str) -> None:
    """Remove a session; does nothing where it is gone."""
    with site.store.transaction() as database:
        database.execute(delete(WebSession).where(WebSession.sha256 == key))


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _cipher(value: str) -> AESGCM:
    # The value has 256 random bits, so one keyed hash is enough of a derivation.
    return AESGCM(hashlib.blake2b(value.encode(), digest_size=32, person=b"hub-token").digest())


def _seal(value: str, token: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + _cipher(value).encrypt(nonce, token.encode(), None)).decode()


def _unseal(value: str, sealed: str) -> str:
    try:
        raw = base64.b64decode(sealed, validate=True)
        return _cipher(value).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
    except (InvalidTag, ValueError, binascii.Error):
        return ""
