"""The options of sign-in at an identity provider.

Law: a secret is never an option; an option names the file that holds it. What an
account at the provider may become here (a person, a seat, a role of the whole
platform) is said here in so many words, or does not happen.
"""

import json
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from bioskills.base.settings_section import Section
from bioskills.base.text import _

LOOPBACK = ("localhost", "127.0.0.1", "::1")
TENANT = r"^$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
OF_PLATFORM = ("admin", "manager")
PLATFORM = "platform"
URLS = ("issuer", "authorize_url", "token_url", "userinfo_url", "logout_url")


class ClaimRule(Section):
    """What being in one group at the provider gives here."""

    group: str = Field(min_length=1, description="Name of the group, as the provider writes it.")
    cohort: str = Field(min_length=1, description="Cohort (slug) in which it gives a seat.")
    role: Literal["learner", "instructor", "assessor", "certifier", "admin", "manager", "funder"]

    @model_validator(mode="after")
    def _platform_is_named(self) -> Self:
        if (self.role in OF_PLATFORM) != (self.cohort == PLATFORM):
            rule = _("the roles {roles} belong to the cohort {platform}, and no others do")
            raise ValueError(rule.format(roles=", ".join(OF_PLATFORM), platform=PLATFORM))
        return self


class Oidc(Section):
    """Sign-in at an identity provider; read where `sign_in.method` is `oidc`."""

    provider: Literal["oidc", "github", "google", "azuread"] = Field(
        "oidc",
        description="Kind of provider. `oidc`: any that speaks OpenID Connect (Keycloak, Authentik, "
        "Shibboleth, a university's or company's own).",
    )
    name: str = Field(
        "", description="What the sign-in button calls the provider; empty: its usual name."
    )
    issuer: str = Field(
        "",
        description="The provider's issuer address, exactly as it writes it itself; its other "
        "addresses are found below it. `github`: empty, or the address of a GitHub of your own.",
    )
    tenant: str = Field(
        "",
        pattern=TENANT,
        description="`azuread`: the directory (tenant) id. One tenant; `common` is refused.",
    )
    client_id: str = Field("", description="What the provider calls this installation.")
    client_secret_file: str = Field(
        "",
        description="File with the secret that the provider gave, readable by its owner alone "
        "(0600). Read at each start; the hub gets a copy of its own.",
    )
    client_auth: Literal["basic", "post"] = Field(
        "basic",
        description="How the secret is sent to the provider: `basic`, as OpenID Connect has it, or "
        "`post`, in the form. Used by the provider `oidc` alone.",
    )
    scopes: tuple[str, ...] = Field(
        (),
        description="Scopes to ask for; empty: what the provider needs for the options below. In a "
        "variable: separated by spaces.",
    )
    authorize_url: str = Field(
        "", description="Only where the provider does not publish it: where people sign in."
    )
    token_url: str = Field(
        "", description="Only where the provider does not publish it: where tokens are given."
    )
    userinfo_url: str = Field(
        "", description="Only where the provider does not publish it: what it says about people."
    )
    logout_url: str = Field(
        "",
        description="Where signing out at the provider is done; empty: what the provider publishes, "
        "else nowhere.",
    )
    ca_file: str = Field(
        "",
        description="PEM file with the authority of the provider's certificate; empty: the system's.",
    )
    username_claim: str = Field(
        "",
        description="Claim with the user name; empty: `preferred_username`, at GitHub `login`, at "
        "Google `email`.",
    )
    domain: str = Field(
        "",
        description="Mail domain that is cut from user names (`lea@example.org` is `lea`). `google`: "
        "also the only Workspace domain whose accounts may sign in.",
    )
    groups_claim: str = Field(
        "groups",
        min_length=1,
        description="Claim with the groups; dots lead into it (`realm_access.roles`). GitHub's are "
        "teams, written `organisation:team`.",
    )
    allowed_groups: tuple[str, ...] = Field(
        (),
        description="Only members of one of these groups may sign in; empty: everybody who has a "
        "seat. In a variable: separated by commas.",
    )
    match_by: Literal["email", "name", "email_or_name"] = Field(
        "email",
        description="How an account that was never seen before meets a person: by an address that "
        "the provider has verified, or by its user name. `name` only where people cannot choose "
        "their names at the provider. Afterwards the account's own id counts and nothing else.",
    )
    create_people: bool = Field(
        False,
        description="Whether an account that meets nobody becomes a new person, if a claim gives it "
        "a seat.",
    )
    claims: tuple[ClaimRule, ...] = Field(
        (),
        description="Groups that give seats, one table `[[oidc.claims]]` each with `group`, `cohort` "
        "and `role`. In a variable: a JSON list.",
    )
    claims_may_give_platform_roles: bool = Field(
        False,
        description="Whether a claim may make somebody admin or manager of the whole platform: who "
        "fills that group at the provider then decides who rules here.",
    )
    recheck_s: int = Field(
        300,
        ge=1,
        le=3600,
        description="Seconds between two questions to the provider about somebody who is signed in: "
        "so long a change there may take.",
    )
    lab_grace_s: int = Field(
        600,
        ge=0,
        description="Seconds that a lab goes on (unreachable) after the provider refused to renew "
        "its owner's sign-in: a session that only ran out is renewed by signing in again.",
    )
    away_s: int = Field(
        3600,
        ge=0,
        description="While the provider does not answer people stay signed in until their token "
        "ends; where tokens have no end, so many seconds.",
    )

    @field_validator("scopes", "allowed_groups", mode="before")
    @classmethod
    def _as_list(cls, value: Any, info: Any) -> Any:
        if not isinstance(value, str):
            return value
        between = None if info.field_name == "scopes" else ","
        return tuple(part.strip() for part in value.split(between) if part.strip())

    @field_validator("claims", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return json.loads(value or "[]") if isinstance(value, str) else value

    @field_validator(*URLS)
    @classmethod
    def _is_private(cls, value: str) -> str:
        parts = urlsplit(value)
        if not value or parts.scheme == "https" or parts.hostname in LOOPBACK:
            return value
        raise ValueError(_("Use an address that begins with https://"))

    @model_validator(mode="after")
    def _platform_roles_are_meant(self) -> Self:
        given = sorted({rule.role for rule in self.claims if rule.role in OF_PLATFORM})
        if given and not self.claims_may_give_platform_roles:
            rule = _(
                "claims would give {roles} of the whole platform; if that is meant, set "
                "claims_may_give_platform_roles = true"
            )
            raise ValueError(rule.format(roles=", ".join(given)))
        return self
