"""Find a provider's addresses, and know when it is away.

Law: addresses come from the provider's own discovery document, which must call itself
by the issuer of the settings; what the settings name wins. Found on first use: a provider
that is away keeps no hub from starting.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError

from bioskills.base.settings_oidc import LOOPBACK
from bioskills.hub.claims import RefusedError

DISCOVERY = "/.well-known/openid-configuration"
NO_ANSWER = 599
BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, NO_ANSWER)
FOUND = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "userdata_url": "userinfo_endpoint",
    "provider_logout_url": "end_session_endpoint",
}


class ProviderAwayError(Exception):
    """The provider did not answer, or said that it cannot now."""


def raised_when_away(error: Exception) -> bool:
    """Say whether this means that nobody knows, rather than that the provider said no."""
    if isinstance(error, HTTPClientError):
        return error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in BUSY
    # No address, no connection, no valid certificate, or no JSON: not the provider's answer.
    return isinstance(error, OSError | ValueError)


async def find_endpoints(authenticator: Any) -> None:
    """Set the addresses that are not set.

    Raises:
        ProviderAwayError: It does not answer.
        RefusedError: It is another provider, or would have secrets sent in the clear.
    """
    issuer = authenticator.rules.issuer
    found = await authenticator.httpfetch(issuer.rstrip("/") + DISCOVERY, "asking for addresses")
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise RefusedError("issuer")
    for ours, theirs in FOUND.items():
        url = found.get(theirs)
        if getattr(authenticator, ours) or not isinstance(url, str):
            continue
        if not _is_private(url):
            raise RefusedError("issuer")
        setattr(authenticator, ours, url)


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
