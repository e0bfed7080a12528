"""Keep browsers signed in.

Law: the browser holds a random value, the database only its hash; the hub's
token is sealed with a key that is derived from that value, so a copied
database signs nobody in. A session lives no longer than the hub's token.
"""

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta

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
    pairs = (
        part.partition("=")
        for header in request.headers.getlist("cookie")
        for part in header.split(";")
    )
    found = {value.strip() for key, _, value in pairs if key.strip() == name}
    return found.pop() if len(found) == 1 else ""


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
    """Return the live session of this request's cookie."""
    value = cookie_value(request, session_cookie(site).name)
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
