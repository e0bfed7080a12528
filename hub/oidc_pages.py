"""Send people to the provider and back, and out of both.

Law: whoever is not let in reads one page in plain words that says whom to ask. The
browser that began a sign-in must end it (`state`, PKCE), and a lab on a sibling host
cannot plant another's (`__Host-` over https). Nothing a provider sends is shown as it is.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from oauthenticator.oauth2 import (
    STATE_COOKIE_NAME,
    OAuthCallbackHandler,
    OAuthLoginHandler,
    OAuthLogoutHandler,
)
from tornado import web
from tornado.httputil import url_concat

from bioskills.base.text import _
from bioskills.hub.claims import RefusedError
from bioskills.hub.claims_door import end_sign_ins
from bioskills.hub.oidc_endpoints import ProviderAwayError
from bioskills.hub.oidc_words import REASONS

PAGE = (Path(__file__).parent / "templates" / "sign_in_refused.html").read_text(encoding="utf-8")
ANOTHER = "another"
STATE_S, DAY_S = 15 * 60, 86400
"""How long a sign-in at the provider may take."""


def refuse(handler: Any, reason: str) -> None:
    """Show the page that says why, and whom to ask."""
    what, step = REASONS[reason]()
    authenticator = handler.authenticator
    handler.log.warning("Refused a sign-in: %s", reason)
    handler.set_status(HTTPStatus.SERVICE_UNAVAILABLE if reason == "away" else HTTPStatus.FORBIDDEN)
    page = handler.settings["jinja2_env_sync"].from_string(PAGE)
    begin = authenticator.login_url(handler.hub.base_url)
    names = {
        **handler.template_namespace,
        "xsrf_token": handler.xsrf_token.decode("ascii"),
        "_": _,
        "what": what,
        "step": step,
        "provider": authenticator.login_service,
        "help_contact": authenticator.site_help,
        "again": begin,
        "another": url_concat(begin, {ANOTHER: "1"}),
    }
    handler.finish(page.render(**names))


class StateCookie:
    """Keep the sign-in's state where no sibling host can write. For handlers of oauthenticator."""

    def set_state_cookie(self: Any, state_cookie_value: str) -> None:
        """Keep it for as long as a sign-in takes."""
        name, days = state_name(self), STATE_S / DAY_S
        self._set_cookie(name, state_cookie_value, expires_days=days, httponly=True)

    def get_state_cookie(self: Any) -> str:
        """Return it, once."""
        if self._state_cookie is None:
            found = self.get_secure_cookie(state_name(self), max_age_days=STATE_S / DAY_S)
            self._state_cookie = (found or b"").decode("utf8", "replace")
            self.clear_cookie(state_name(self))
        return str(self._state_cookie)


def state_name(handler: Any) -> str:
    """Return the name of the cookie that holds the state."""
    safe = handler.settings.get("cookie_host_prefix_enabled")
    return f"__Host-{STATE_COOKIE_NAME}" if safe else STATE_COOKIE_NAME


class LoginHandler(StateCookie, OAuthLoginHandler):  # type: ignore[misc]  # untyped
    """Send the browser to the provider."""

    async def get(self) -> None:
        """Find the provider, then send the browser there."""
        try:
            await self.authenticator.ensure_endpoints()
        except ProviderAwayError:
            refuse(self, "away")
        except RefusedError as error:
            refuse(self, error.reason)
        else:
            super().get()

    def authorize_redirect(self, *args: Any, **options: Any) -> None:
        """Let a person choose another account where the page offered that."""
        if self.get_argument(ANOTHER, ""):
            options["extra_params"]["prompt"] = "select_account"
        super().authorize_redirect(*args, **options)


class CallbackHandler(StateCookie, OAuthCallbackHandler):  # type: ignore[misc]  # untyped
    """Take the browser back from the provider."""

    async def get(self) -> None:
        """Let the person in, or say why not."""
        try:
            self.check_arguments()
            user = await self.login_user()
        except RefusedError as error:
            refuse(self, error.reason)
        except ProviderAwayError:
            refuse(self, "away")
        else:
            if user is None:
                refuse(self, "no_seat")
            else:
                self.redirect(self.get_next_url(user))

    def check_arguments(self) -> None:
        """Check the state first: what comes with a foreign one is not looked at.

        Raises:
            RefusedError: It was not begun here, or the provider said no.
        """
        try:
            self.check_state()
        except web.HTTPError as error:
            raise RefusedError("state") from error
        if self.get_argument("error", "") or not self.get_argument("code", ""):
            raise RefusedError("said_no")


class LogoutHandler(OAuthLogoutHandler):  # type: ignore[misc]  # untyped
    """Sign out here, and at the provider where it offers that."""

    async def handle_logout(self) -> None:
        """Forget the provider's tokens."""
        if user := self.current_user:
            end_sign_ins(user)
            if not user.active and not await self.authenticator.has_tokens(user):
                # While a lab runs or a token may be used, the provider is still asked about the owner.
                await user.save_auth_state(None)
            self.authenticator.asked.pop(user.name, None)

    async def render_logout_page(self) -> None:
        """Go on to the provider; its id token stays here, because addresses are logged."""
        there, rules = self.authenticator.provider_logout_url, self.authenticator.rules
        if not there:
            await super().render_logout_page()
            return
        back = {
            "client_id": rules.client_id,
            "post_logout_redirect_uri": self.authenticator.home_url,
        }
        self.redirect(f"{there}{'&' if '?' in there else '?'}{urlencode(back)}")
