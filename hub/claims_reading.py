"""Read what each kind of provider says about an account.

Law: pure. Only an address that the provider itself calls verified is one; what cannot be
read surely is refused. Nothing here looks at a name to know who somebody is.
"""

from collections.abc import Mapping
from typing import Any

import jwt

from bioskills.base.settings_oidc import Oidc
from bioskills.hub.claims import Proof, RefusedError

GOOGLE, GITHUB = "https://accounts.google.com", "https://github.com"
AZURE = "https://login.microsoftonline.com/{tenant}/v2.0"
GMAIL = ("gmail.com", "googlemail.com")
USERNAMES = {"github": "login", "google": "email"}

Claims = Mapping[str, Any]
"""JSON of the provider."""


def issuer_of(rules: Oidc) -> str:
    """Return the address under which accounts of this provider are known."""
    usual = {"google": GOOGLE, "github": GITHUB, "azuread": AZURE.format(tenant=rules.tenant)}
    return (rules.issuer or usual.get(rules.provider, "")).rstrip("/" * (rules.provider != "oidc"))


def username_claim_of(rules: Oidc) -> str:
    """Return the claim that holds user names."""
    return rules.username_claim or USERNAMES.get(rules.provider, "preferred_username")


def proof_of(rules: Oidc, state: Claims, said: Claims) -> Proof:
    """Return what was proved.

    Args:
        rules: The settings.
        state: What oauthenticator keeps about the sign-in (`auth_state`).
        said: What the provider said about the account, from the same.

    Raises:
        RefusedError: It cannot be read surely.
    """
    subject = subject_of(rules, said)
    if not subject:
        raise RefusedError("unreadable")
    _check_id_token(rules, state, subject)
    if rules.provider == "google" and rules.domain and said.get("hd") != rules.domain:
        raise RefusedError("other_domain")
    return Proof(
        issuer=issuer_of(rules),
        subject=subject,
        username=str(said.get(username_claim_of(rules)) or ""),
        emails=frozenset(emails_of(rules, said)),
        display_name=str(said.get("name") or ""),
        groups=frozenset(groups_of(rules, state, said)),
    )


def subject_of(rules: Oidc, said: Claims) -> str:
    """Return the account's own id: `sub`, in a Microsoft tenant `oid`, at GitHub and Google `id`."""
    keys = {"azuread": ("oid", "sub"), "github": ("id",), "google": ("sub", "id")}
    for key in keys.get(rules.provider, ("sub",)):
        if isinstance(said.get(key), str | int) and str(said[key]):
            return str(said[key])
    return ""


def _check_id_token(rules: Oidc, state: Claims, subject: str) -> None:
    # It came from the provider itself over TLS, so its signature adds nothing (OpenID Connect
    # Core 3.1.3.7); that it is about this installation and this account does (5.3.2).
    token = state.get("id_token")
    if rules.provider not in {"oidc", "azuread"} or not token:
        return
    try:
        found = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise RefusedError("unreadable") from error
    audience = found.get("aud")
    wanted = audience if isinstance(audience, list) else [audience]
    same = rules.provider == "azuread" or found.get("sub") == subject
    if found.get("iss") != issuer_of(rules) or rules.client_id not in wanted or not same:
        raise RefusedError("unreadable")


def emails_of(rules: Oidc, said: Claims) -> list[str]:
    """Return the verified addresses of an account."""
    if rules.provider == "github":
        known = said.get("emails")
        rows = known if isinstance(known, list) else []
        return [str(row["email"]) for row in rows if row.get("verified") is True]
    email = said.get("email")
    if not isinstance(email, str) or "@" not in email or not _verified(rules, said, email):
        return []
    return [email]


def _verified(rules: Oidc, said: Claims, email: str) -> bool:
    if rules.provider == "azuread":
        # Anybody may write any address there; this claim alone says that its domain's owner agreed.
        return said.get("xms_edov") in (True, "true", "1")
    if rules.provider == "google":
        # For other domains Google knew the address once, and is not who gives it.
        own = bool(said.get("hd")) or email.rpartition("@")[2].lower() in GMAIL
        return own and (said.get("verified_email") is True or said.get("email_verified") is True)
    return said.get("email_verified") in (True, "true")


def groups_of(rules: Oidc, state: Claims, said: Claims) -> list[str]:
    """Return the groups of an account; a claim that is not there says: none.

    Raises:
        RefusedError: The provider left them out because there are too many.
    """
    if rules.provider == "github":
        return [f"{t['organization']['login']}:{t['slug']}" for t in state.get("teams") or []]
    elsewhere = said.get("_claim_names") or {}
    if said.get("hasgroups") or rules.groups_claim in elsewhere:
        raise RefusedError("too_many_groups")
    found: Any = said
    for key in rules.groups_claim.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    return [group for group in found if isinstance(group, str)] if isinstance(found, list) else []
