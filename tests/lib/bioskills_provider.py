"""A real OpenID provider on loopback: `oidc-provider-mock`, started and ended by the test.

It takes any client and no password, so it proves what we make of a provider's answers and
not the provider. What a test asks of it beside that is in `bioskills_provider_app.py`.
"""

import hashlib
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from bioskills_ports import free_port
from bioskills_waiting import eventually

CLIENT, SECRET = "bioskills", "a-secret-of-the-provider"
APP = Path(__file__).with_name("bioskills_provider_app.py")


class Provider:
    """The provider, as its own admin sees it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, str(APP), str(self.port)],
            env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},  # http, on loopback only
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _ask(self, method: str, path: str, **options: object) -> httpx.Response:
        url = f"{self.issuer}{path}"
        return httpx.request(method, url, trust_env=False, timeout=30, **options).raise_for_status()

    def answers(self) -> bool:
        return self._ask("GET", "/test/seen").is_success

    def put(self, sub: str, **claims: object) -> None:
        """Make or change an account."""
        self._ask("PUT", f"/users/{sub}", json=claims)

    def remove(self, sub: str) -> None:
        """Take an account's tokens away, as a provider does with one that it blocks."""
        self._ask("POST", f"/users/{sub}/revoke-tokens")

    def end_access(self, sub: str) -> None:
        """End the access tokens of an account; refresh tokens stay."""
        self._ask("POST", f"/test/end-access/{sub}")

    def lasts(self, seconds: int) -> None:
        """Say of tokens from now on that they last so long; 0: as usual."""
        self._ask("POST", f"/test/lasts/{seconds}")

    @contextmanager
    def away(self, status: int = 503) -> Iterator[None]:
        """Answer nobody but the test."""
        self._ask("POST", f"/test/fail/{status}")
        try:
            yield
        finally:
            self._ask("POST", "/test/fail/0")

    def asked_for(self, path: str) -> int:
        """Return how often somebody asked for this so far."""
        return int(self._ask("GET", "/test/seen").json()["paths"].count(path))

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was posted for a token."""
        return list(self._ask("GET", "/test/seen").json()["forms"])


def challenge_of(verifier: str) -> str:
    """Return what PKCE sends first for a verifier (RFC 7636, S256)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@contextmanager
def running_provider() -> Iterator[Provider]:
    found = Provider()
    try:
        assert eventually(found.answers)
        yield found
    finally:
        found.process.terminate()
        found.process.wait(30)


def begin(client: httpx.Client, hub: str, path: str = "oauth_login") -> httpx.Response:
    """Ask the hub for a sign-in; return its redirect to the provider."""
    return client.get(f"{hub}/hub/{path}", follow_redirects=False)


def agree(client: httpx.Client, there: str, sub: str) -> str:
    """Sign in at the provider; return the address at the hub that it sends the browser to."""
    answer = client.post(there, data={"sub": sub}, follow_redirects=False)
    return answer.headers["location"]


def sign_in_at_provider(client: httpx.Client, hub: str, sub: str) -> httpx.Response:
    """Walk a whole sign-in; return the hub's answer to it, before any further redirect."""
    sent = begin(client, hub)
    assert sent.status_code == 302, sent.text
    return client.get(agree(client, sent.headers["location"], sub), follow_redirects=False)


def query_of(url: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
