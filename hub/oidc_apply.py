"""Put sign-in at a provider into JupyterHub's configuration.

Law: sets, never appends. No secret comes from the settings or the environment: the hub reads
0600 files of its own.
"""

from typing import Any

from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.base.settings_oidc import Oidc
from bioskills.hub.addresses import hub_public_url
from bioskills.hub.claims_reading import issuer_of, username_claim_of
from bioskills.hub.oidc_providers import CLASSES
from bioskills.hub.oidc_secret import client_secret_file
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import secret_files

SCOPES = {
    "oidc": ("openid", "profile", "email"),
    "github": ("read:user", "user:email", "read:org"),
    "google": ("openid", "email", "profile"),
    "azuread": ("openid", "profile", "email", "offline_access"),
}
NAMES = {"oidc": "OpenID Connect", "github": "GitHub", "google": "Google", "azuread": "Microsoft"}
CONNECT_S, REQUEST_S = 5, 10
"""How long a person waits for a provider that does not answer."""


def apply_oidc(c: Any, settings: Settings) -> None:
    """Set the class of the provider, and what it asks for."""
    rules, files = settings.oidc, secret_files(places_of(settings))
    kind = CLASSES[rules.provider]
    c.JupyterHub.authenticator_class = kind
    c.CryptKeeper.keys = [bytes.fromhex(read_secret(files.auth_state))]
    c.ClaimsMixin.rules = rules
    c.ClaimsMixin.site_help = settings.site.help_contact
    c.ClaimsMixin.home_url = f"{hub_public_url(settings)}login"
    c.ClaimsMixin.provider_logout_url = rules.logout_url
    own = c[kind.__name__]
    own.client_id = rules.client_id
    own.client_secret = read_secret(client_secret_file(places_of(settings)))
    # Never from a request's headers: what the provider sends back goes here and nowhere else.
    own.oauth_callback_url = f"{hub_public_url(settings)}oauth_callback"
    own.scope = list(rules.scopes or SCOPES[rules.provider])
    own.username_claim = username_claim_of(rules)
    own.login_service = rules.name or NAMES[rules.provider]
    own.basic_auth = rules.provider == "oidc" and rules.client_auth == "basic"
    own.enable_pkce = True
    own.validate_server_cert = True
    own.http_request_kwargs = {"connect_timeout": CONNECT_S, "request_timeout": REQUEST_S}
    if rules.ca_file:
        own.http_request_kwargs = {**own.http_request_kwargs, "ca_certs": rules.ca_file}
    _apply_addresses(own, rules)


def _apply_addresses(own: Any, rules: Oidc) -> None:
    if rules.provider == "github":
        own.github_url = issuer_of(rules)
    if rules.provider == "google":
        own.hosted_domain = [rules.domain] if rules.domain else []
        # Else there is no refresh token, and everybody is signed out after an hour.
        own.extra_authorize_params = {"access_type": "offline", "prompt": "consent"}
    if rules.provider == "azuread":
        base = issuer_of(rules).removesuffix("/v2.0") + "/oauth2/v2.0"
        own.tenant_id = rules.tenant
        own.authorize_url, own.token_url = f"{base}/authorize", f"{base}/token"
    for ours, theirs in (
        ("authorize_url", rules.authorize_url),
        ("token_url", rules.token_url),
        ("userdata_url", rules.userinfo_url),
    ):
        if theirs:
            setattr(own, ours, theirs)
