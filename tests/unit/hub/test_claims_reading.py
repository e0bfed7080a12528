"""What each kind of provider says about an account, as it writes it."""

from typing import Any

import jwt
import pytest

from bioskills.base.settings_oidc import Oidc
from bioskills.hub.claims import Proof, RefusedError
from bioskills.hub.claims_reading import proof_of

ISSUER = "https://login.example.org/realms/x"
TENANT = "01234567-89ab-cdef-0123-456789abcdef"
KEY = "k" * 32


def read(said: dict[str, Any], state: dict[str, Any] | None = None, **options: Any) -> Proof:
    given = {"issuer": ISSUER, "client_id": "hub", **options}
    return proof_of(Oidc.model_validate(given), state or {}, said)


def reason(said: dict[str, Any], state: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(RefusedError) as error:
        read(said, state, **options)
    return error.value.reason


def test_openid_connect() -> None:
    said = {
        "sub": "1",
        "preferred_username": "lea",
        "name": "Lea Brandt",
        "email": "lea@example.org",
        "email_verified": True,
        "realm_access": {"roles": ["a", 7, "b"]},
    }

    assert read(said, groups_claim="realm_access.roles") == Proof(
        ISSUER,
        "1",
        "lea",
        frozenset({"lea@example.org"}),
        "Lea Brandt",
        frozenset("ab"),
    )


@pytest.mark.parametrize("verified", [False, None, "false", "", 0, ["true"]])
def test_an_address_that_is_not_verified_is_none(verified: object) -> None:
    assert read({"sub": "1", "email": "a@b.org", "email_verified": verified}).emails == frozenset()


@pytest.mark.parametrize(
    ("groups", "expected"),
    [("cohort-2026", {"cohort-2026"}), (None, set()), ({"a": 1}, set()), (5, set())],
)
def test_groups_in_any_shape_are_read_or_are_none(groups: object, expected: set[str]) -> None:
    assert read({"sub": "1", "groups": groups}).groups == expected


def test_groups_that_were_left_out_are_not_read_as_none() -> None:
    assert reason({"sub": "1", "_claim_names": {"groups": "src1"}}) == "too_many_groups"
    assert reason({"sub": "1", "hasgroups": True}) == "too_many_groups"


def test_without_an_id_nobody_is_proved() -> None:
    assert reason({"email": "a@b.org", "email_verified": True}) == "unreadable"


@pytest.mark.parametrize(
    "wrong",
    [{"iss": "https://evil.example.org"}, {"aud": "another"}, {"sub": "2"}],
)
def test_an_id_token_about_something_else_is_refused(wrong: dict[str, str]) -> None:
    right = {"iss": ISSUER, "aud": "hub", "sub": "1"}
    good = {"id_token": jwt.encode(right, KEY)}

    assert read({"sub": "1"}, good).subject == "1"
    assert reason({"sub": "1"}, {"id_token": jwt.encode(right | wrong, KEY)}) == "unreadable"
    assert reason({"sub": "1"}, {"id_token": "rubbish"}) == "unreadable"


def test_github_is_known_by_number_and_gives_its_verified_addresses_alone() -> None:
    said = {
        "id": 42,
        "login": "Lea",
        "name": None,
        "email": "public@example.org",
        "emails": [
            {"email": "lea@example.org", "verified": True, "primary": False},
            {"email": "miro@example.org", "verified": False, "primary": True},
        ],
    }
    teams = {"teams": [{"organization": {"login": "school"}, "slug": "cohort"}]}

    assert read(said, teams, provider="github", issuer="") == Proof(
        "https://github.com",
        "42",
        "Lea",
        frozenset({"lea@example.org"}),
        "",
        frozenset({"school:cohort"}),
    )


@pytest.mark.parametrize(
    ("email", "hd", "verified"),
    [
        ("lea@gmail.com", None, True),
        ("lea@school.org", "school.org", True),
        ("lea@school.org", None, False),  # Google is not who gives these addresses
    ],
)
def test_google_vouches_for_its_own_addresses(email: str, hd: str | None, verified: bool) -> None:
    said = {"id": "7", "email": email, "verified_email": True} | ({"hd": hd} if hd else {})

    assert bool(read(said, provider="google", issuer="").emails) is verified


def test_google_accounts_of_another_domain_are_refused_where_one_is_named() -> None:
    options = {"provider": "google", "issuer": "", "domain": "school.org"}
    said = {"id": "7", "email": "lea@gmail.com", "verified_email": True}

    assert reason(said, **options) == "other_domain"
    assert read(said | {"hd": "school.org"}, **options).issuer == "https://accounts.google.com"


def test_microsofts_addresses_count_only_where_the_domains_owner_agreed() -> None:
    options = {"provider": "azuread", "issuer": "", "tenant": TENANT}
    said = {"oid": "o-1", "sub": "s-1", "email": "lea@example.org", "email_verified": True}

    assert read(said, **options) == Proof(
        f"https://login.microsoftonline.com/{TENANT}/v2.0", "o-1", ""
    )
    assert read(said | {"xms_edov": True}, **options).emails == {"lea@example.org"}
