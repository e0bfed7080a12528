"""Ask the hub who somebody is.

Law: identity comes from the hub. An answer is believed for at most
`sign_in.permissions_age_s` seconds; a hub that does not answer is said so
and never taken for a yes or a no.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from bioskills.base.text import _
from bioskills.hub.membership_door import Told, tell

log = logging.getLogger("bioskills.campus")

TIMEOUT_S = 5.0
DOOR_TIMEOUT_S = 20.0
"""A start is answered when the lab is ready, or after ten seconds while it goes on."""
MOST_REMEMBERED = 10_000


class HubAwayError(Exception):
    """The hub did not answer; nothing is known."""


@dataclass(frozen=True)
class Identity:
    """Whom a hub token speaks for, and what the token may do."""

    name: str
    kind: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """What the hub gave for a sign-in code."""

    token: str
    lifetime_s: int


class HubApi:
    """The hub's REST API, as far as the campus needs it."""

    def __init__(
        self,
        api_url: str,
        own_token: str,
        max_age_s: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = api_url.rstrip("/")
        self._own_token = own_token
        self._max_age_s = max_age_s
        self._timer = timer
        # The hub is on this machine; a proxy of the environment must not see tokens.
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self._known: dict[bytes, tuple[float, Identity]] = {}
        self._lock = threading.Lock()

    def identity(self, token: str) -> Identity | None:
        """Return whom the token speaks for, or None where the hub does not know it.

        Raises:
            HubAwayError: The hub did not answer.
        """
        key = hashlib.sha256(token.encode()).digest()
        asked = self._timer()
        with self._lock:
            known = self._known.get(key)
        if known and asked - known[0] < self._max_age_s:
            return known[1]
        found = self._ask(token)
        self._remember(key, asked, found)
        return found

    def forget(self, token: str) -> None:
        """Ask the hub again when this token comes next."""
        with self._lock:
            self._known.pop(hashlib.sha256(token.encode()).digest(), None)

    def redeem(self, client_id: str, code: str, redirect_uri: str, verifier: str) -> Grant | None:
        """Exchange a sign-in code for a token; None where the hub refuses the code.

        Raises:
            HubAwayError: The hub did not answer.
        """
        body = {
            "client_id": client_id,
            "client_secret": self._own_token,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        answer = self._send("POST", "/oauth2/token", data=body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            log.error("The hub does not accept the campus's token. Run: bioskills doctor")
            raise HubAwayError(_("The hub does not know the campus."))
        if answer.status_code != HTTPStatus.OK:
            return None
        told = _object(answer)
        return Grant(token=str(told["access_token"]), lifetime_s=int(told.get("expires_in") or 0))

    def door(self, token: str, method: str, path: str) -> httpx.Response:
        """Ask a handler of ours inside the hub, with the rights of this person's own token.

        Args:
            token: The person's; the campus has no right of its own there.
            method: HTTP method.
            path: Below the hub's prefix.

        Raises:
            HubAwayError: The hub did not answer.
        """
        url = self._url.removesuffix("api") + path
        headers = {"Authorization": f"token {token}"}
        try:
            return self._http.request(method, url, headers=headers, timeout=DOOR_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise HubAwayError(_("The hub did not answer.")) from error

    def tell_membership(self) -> Told:
        """Say that membership changed; the hub reads the table itself."""
        return tell(self._url, self._own_token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, token: str) -> Identity | None:
        answer = self._send("GET", "/user", headers={"Authorization": f"token {token}"})
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return None
        if answer.status_code != HTTPStatus.OK:
            raise HubAwayError(_("The hub answered {status}.").format(status=answer.status_code))
        model = _object(answer)
        return Identity(str(model["name"]), str(model["kind"]), frozenset(model.get("scopes", [])))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, self._url + path, **options)
        except httpx.HTTPError as error:
            raise HubAwayError(_("The hub did not answer.")) from error
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise HubAwayError(_("The hub answered {status}.").format(status=answer.status_code))
        return answer

    def _remember(self, key: bytes, asked: float, found: Identity | None) -> None:
        with self._lock:
            self._known.pop(key, None)
            if found is None:
                return
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (asked, found)


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Return the answer's JSON object; something else came from no hub."""
    try:
        found = answer.json()
    except ValueError as error:
        raise HubAwayError(_("What answered is not the hub.")) from error
    if not isinstance(found, dict) or not {"name", "access_token"} & set(found):
        raise HubAwayError(_("What answered is not the hub."))
    return found
