"""The kinds of provider, each a class of oauthenticator with our two before it.

Law: what a provider does otherwise than the others stands here and in `claims_reading`.
"""

from http import HTTPStatus
from typing import Any

from oauthenticator.azuread import AzureAdOAuthenticator
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.google import GoogleOAuthenticator
from tornado.httpclient import HTTPClientError
from traitlets import Bool

from bioskills.hub.authenticator import MembershipMixin
from bioskills.hub.oidc import STORED, ClaimsMixin


class OidcSignIn(MembershipMixin, ClaimsMixin, GenericOAuthenticator):  # type: ignore[misc]  # untyped
    """Any provider that speaks OpenID Connect; membership decides."""


class GitHubSignIn(MembershipMixin, ClaimsMixin, GitHubOAuthenticator):  # type: ignore[misc]  # untyped
    """GitHub; membership decides."""

    populate_teams_in_auth_state = Bool(True)

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Add every address with whether it is verified: the public one does not say that."""
        state = auth_model["auth_state"]
        token = state["token_response"]
        said = state[self.user_auth_state_key]
        headers = self.build_userdata_request_headers(token["access_token"], token["token_type"])
        url = f"{self.github_api}/user/emails"
        said["emails"] = await self.httpfetch(url, "asking for addresses", headers=headers)
        said["email"] = said.get("email") or "-"
        return dict(await super().update_auth_model(auth_model))


class GoogleSignIn(MembershipMixin, ClaimsMixin, GoogleOAuthenticator):  # type: ignore[misc]  # untyped
    """Google; membership decides."""


class AzureSignIn(MembershipMixin, ClaimsMixin, AzureAdOAuthenticator):  # type: ignore[misc]  # untyped
    """One tenant of Microsoft Entra ID; membership decides."""

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Return what the id token says; a used one says nothing new, so a new one is asked for."""
        if token_info.get(STORED):
            raise HTTPClientError(HTTPStatus.UNAUTHORIZED, "used before")
        return dict(await super().token_to_user(token_info))


CLASSES = {
    "oidc": OidcSignIn,
    "github": GitHubSignIn,
    "google": GoogleSignIn,
    "azuread": AzureSignIn,
}
