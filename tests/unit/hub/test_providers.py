"""GitHub, Google and Microsoft, as far as oauthenticator's own classes go on this machine.

A small local server says what each documents that it says. It stands for them, and
proves nothing about the real ones.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from tornado.httpclient import HTTPClientError
from traitlets.config import Config

from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Cohort, Membership, Person
from bioskills.hub.authenticator import MembershipMixin
from bioskills.hub.claims import RefusedError
from bioskills.hub.oidc import STORED
from bioskills.hub.oidc_apply import apply_oidc
from bioskills.hub.oidc_endpoints import ProviderAwayError
from bioskills.hub.oidc_secret import client_secret_file
from bioskills.hub.secrets_store import ensure_secret
from bioskills.hub.state import secret_files

TENANT = "01234567-89ab-cdef-0123-456789abcdef"
TOKEN = {"access_token": "t", "token_type": "bearer"}
TEAM = {"organization": {"login": "school"}, "slug": "cohort"}


class Says(BaseHTTPRequestHandler):
    """Answers each path with what the test put there; a number is a status."""

    answers: dict[str, Any] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        said = self.answers.get(self.path.partition("?")[0], 404)
        self.send_response(said if isinstance(said, int) else 200)
        self.end_headers()
        self.wfile.write(b"" if isinstance(said, int) else json.dumps(said).encode())

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def there() -> Iterator[tuple[str, dict[str, Any]]]:
    class Own(Says):
        answers: dict[str, Any] = {}  # noqa: RUF012

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Own.answers
        server.shutdown()


@pytest.fixture
def made(store: Store, tmp_path: Path) -> Any:
    with store.transaction() as session:
        session.add(Cohort(slug="autumn", title="A"))
        session.add(Person(name="lea", pseudonym="p-1", display_name="L", email="lea@example.org"))
        session.flush()
        session.add(Membership(person_id=1, cohort_id=1, role="learner", source="file:autumn"))

    def make(**oidc: Any) -> Any:
        values = {"client_id": "hub", "client_secret_file": "/x", **oidc}
        settings = Settings.model_validate(
            {
                "paths": {"data_dir": str(tmp_path / "data")},
                "sign_in": {"method": "oidc"},
                "network": {"public_url": "https://hub.example.org"},
                "oidc": values,
            }
        )
        places = places_of(settings)
        places.hub.mkdir(parents=True, exist_ok=True)
        for file in (secret_files(places).auth_state, secret_files(places).provision):
            ensure_secret(file)
        ensure_secret(client_secret_file(places))
        config = Config()
        apply_oidc(config, settings)
        found: MembershipMixin = config.JupyterHub.authenticator_class(config=config)
        found.store = store
        return found

    return make


async def prove(authenticator: Any, token: dict[str, Any]) -> str:
    model = await authenticator._token_to_auth_model(token)
    return str(await authenticator.whose(model))


async def test_github_is_asked_for_verified_addresses_and_teams(made: Any, there: Any) -> None:
    url, says = there
    says["/api/v3/user"] = {"id": 42, "login": "Anybody", "name": "Lea", "email": None}
    says["/api/v3/user/emails"] = [
        {"email": "lea@example.org", "verified": True, "primary": True, "visibility": None}
    ]
    says["/api/v3/user/teams"] = [TEAM]
    rule = {"group": "school:cohort", "cohort": "autumn", "role": "assessor"}
    github = made(provider="github", issuer=url, claims=[rule])
    token = {**TOKEN, "scope": "read:user,user:email,read:org"}

    assert await prove(github, token) == "lea"
    assert [seat.role for seat in github.seats_of("lea")] == ["assessor", "learner"]
    assert github.authorize_url == f"{url}/login/oauth/authorize"


async def test_a_github_account_that_only_shows_the_address_is_nobody(
    made: Any, there: Any
) -> None:
    url, says = there
    says["/api/v3/user"] = {"id": 43, "login": "lea", "name": "", "email": "lea@example.org"}
    says["/api/v3/user/emails"] = [{"email": "lea@example.org", "verified": False}]
    says["/api/v3/user/teams"] = []

    with pytest.raises(RefusedError, match="unknown"):
        await prove(made(provider="github", issuer=url), TOKEN)


async def test_google_is_asked_and_tells_a_workspace_address(made: Any, there: Any) -> None:
    url, says = there
    said = {"id": "7", "email": "lea@example.org", "verified_email": True, "hd": "example.org"}
    says["/userinfo"] = said
    google = made(provider="google", userinfo_url=f"{url}/userinfo", domain="example.org")

    assert await prove(google, TOKEN) == "lea"
    assert google.extra_authorize_params["access_type"] == "offline"
    says["/userinfo"] = {**said, "hd": "evil.org"}
    with pytest.raises(RefusedError, match="other_domain"):
        await prove(google, TOKEN)


async def test_microsoft_tells_by_its_token_and_is_asked_for_a_new_one_each_time(
    made: Any,
) -> None:
    azure = made(provider="azuread", tenant=TENANT, match_by="name", domain="example.org")
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    said = {"iss": issuer, "aud": "hub", "oid": "o", "sub": "s", "name": "Lea B."}
    said["preferred_username"] = "lea@example.org"
    token = {**TOKEN, "id_token": jwt.encode(said, "k" * 32)}

    assert await prove(azure, token) == "lea"
    assert azure.token_url == f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    with pytest.raises(HTTPClientError):
        await prove(azure, {**token, STORED: True})


async def test_no_answer_and_a_no_are_told_apart(made: Any, there: Any) -> None:
    url, says = there
    generic = made(issuer="https://login.example.org", userinfo_url=f"{url}/me")
    for status, expected in (
        (401, HTTPClientError),
        (403, HTTPClientError),
        (429, ProviderAwayError),
        (500, ProviderAwayError),
        (503, ProviderAwayError),
    ):
        says["/me"] = status
        with pytest.raises(expected):
            await prove(generic, TOKEN)


async def test_a_provider_that_calls_itself_something_else_is_refused(
    made: Any, there: Any
) -> None:
    url, says = there
    generic = made(issuer=url)
    says["/.well-known/openid-configuration"] = {"issuer": f"{url}/other"}
    with pytest.raises(RefusedError, match="issuer"):
        await generic.ensure_endpoints()
    insecure = {"issuer": url, "token_endpoint": "http://login.example.org/token"}
    says["/.well-known/openid-configuration"] = insecure
    with pytest.raises(RefusedError, match="issuer"):
        await generic.ensure_endpoints()
