"""The frame of every page that stands before the hub: sign-in, join link, password.

Law: no script is needed and none is inline; no page is kept by a cache or named to
another (`no-referrer`), and none is shown in a frame. What came in an address as a secret
is taken out of the request before anything can log it.
"""

import hashlib
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jupyterhub.handlers.base import BaseHandler
from tornado.web import HTTPError, StaticFileHandler

from bioskills.base.settings import Site
from bioskills.base.text import _, begin_reader, ngettext
from bioskills.hub import second_factor
from bioskills.hub.attempts import client_address
from bioskills.hub.hub_words import language_at
from bioskills.hub.origins import trusted_fronts
from bioskills.hub.reception import Reception
from bioskills.hub.sign_in_frame import content_policy, templates
from bioskills.hub.speakers import speaker_uid
from bioskills.hub.state import proxy_uid

STATIC = Path(__file__).parent / "campus" / "static"
STATIC_PATH = r"/sign-in/(campus\.css|sign-in\.css|logo\.svg|theme\.js)"
MARK, MARK_DAYS = "bioskills-browser", 180
TICKET, TICKET_DAYS = "bioskills-ticket", 10 / 1440
TOO_MANY = 429


class OurStatic(StaticFileHandler):
    """The few files of our own that these pages load."""


class SignInPage(BaseHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """A page before the hub."""

    language = "en"
    proven = ""
    """Whom this request has proven; the authenticator believes it."""

    @property
    def reception(self) -> Reception:
        """What all pages share; tornado asks for it before a handler is initialized."""
        found: Reception = self.authenticator.reception
        return found

    @property
    def site(self) -> Site:
        """Who runs this."""
        return self.reception.settings.site

    @property
    def content_security_policy(self) -> str:
        """The policy of these pages; the hub's own is wider."""
        return content_policy(self.reception.settings)

    def set_default_headers(self) -> None:
        """Protect every answer."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")

    @cached_property
    def address(self) -> str:
        """Where the browser is, as far as it can be trusted.

        Only our proxy may say so: labs and their relay reach the hub's port, too.
        """
        settings = self.reception.settings
        port = self.request.connection.context.address[1]
        uid = speaker_uid(port, settings.network.hub_port)
        if uid != proxy_uid(settings):
            return f"this machine, uid {uid}"
        forwarded = ",".join(self.request.headers.get_list("X-Forwarded-For"))
        return client_address(forwarded, front=bool(trusted_fronts(settings)))

    @property
    def mark(self) -> str:
        """The mark of a browser in which the person of this form signed in before."""
        name = self.authenticator.normalize_username(self.get_argument("username", ""))
        return self.mark_of(name)

    @property
    def mark_name(self) -> str:
        """The name of the mark's cookie: over https one that no lab on a sibling host can plant."""
        return f"__Host-{MARK}" if self.settings.get("cookie_host_prefix_enabled") else MARK

    def mark_of(self, name: str) -> str:
        """Return this browser's mark, if it is one of this person's."""
        raw = self.get_secure_cookie(self.mark_name, max_age_days=MARK_DAYS)
        owner, _colon, mark = (raw or b"").decode().partition(":")
        return mark if owner == name else ""

    def show(
        self, template: str, *, status: int = 200, with_form: bool = True, **values: Any
    ) -> None:
        """Send a page."""
        self.set_status(status)
        self.finish(self.page(template, with_form=with_form, **values))

    async def prepare(self) -> None:
        """Know the reader before a sentence is made."""
        await super().prepare()
        user = self.current_user
        with self.reception.store.reading() as session:
            chosen = language_at(
                session, user.name if user else "", self.request, self.site.language
            )
        self.language = begin_reader(chosen).language
        self.set_header("Content-Language", self.language)

    def page(self, template: str, *, with_form: bool = True, **values: Any) -> str:
        """Return a page; without a form it sets no cookie."""
        shared: dict[str, Any] = {
            "lang": self.language,
            "here": self.request.path,
            "hub": self.hub.base_url,
            "static": lambda name: f"{self.hub.base_url}sign-in/{name}",
            "hub_static": self.static_url("css/style.min.css"),
            "xsrf": self.xsrf_token.decode("ascii") if with_form else "",
            "next": self.get_argument("next", ""),
            "signed_in": "",
        }
        found = self.settings_templates.get_template(template)
        return str(found.render(**(shared | values)))

    @property
    def settings_templates(self) -> Environment:
        """The templates, made once for each hub."""
        kept: Environment | None = self.settings.get("sign_in_templates")
        if kept is None:
            kept = self.settings["sign_in_templates"] = templates(self.reception.settings)
        return kept

    def told(self, status: int, title: str, message: str, after: str = "") -> None:
        """Send a page that says what happened and what to do."""
        values = {"title": title, "message": message, "after": after}
        self.show("sign_in_told.html", status=status, with_form=False, **values)

    def too_soon(self, seconds: int) -> None:
        """Say how long to wait before the next try."""
        self.set_header("Retry-After", str(seconds))
        wait = ngettext(
            "Wait {n} second, then try again.", "Wait {n} seconds, then try again.", seconds
        )
        self.told(
            TOO_MANY,
            _("Too many tries"),
            wait.format(n=seconds),
            _(
                "Others may have tried your name. Where you signed in before, you need not wait for them; a new link from the person who invited you always works."
            ),
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Word a failure without a stack trace."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, HTTPError) and status_code < 500:  # noqa: PLR2004 - our fault or theirs
            message = _("This form was not accepted, so nothing was changed.")
            after = _("Open the page again and repeat the step. Cookies must be allowed for it.")
        else:
            message = _("Something in the hub failed. What was stored before is safe.")
            after = _("Try again; if it fails again, tell the people who run this site.")
        self.told(status_code, _("This did not work"), message, after)

    async def go_on(self, name: str) -> None:
        """Lead a person whose password was right to the next step."""
        found = self.reception.known(name)
        if found and found.totp_sealed:
            self.show("sign_in_code.html", ticket=self.ticket(name, "code"), error="")
        elif self.reception.needs_second_factor(name):
            self.set_up_factor(name, "")
        else:
            await self.let_in(name)

    def set_up_factor(self, name: str, error: str, ticket: str = "") -> None:
        """Show a new key, for who must have a second factor; or again the one of a ticket."""
        self.show(
            "sign_in_factor.html",
            status=422 if error else 200,
            **self.new_factor(name, "first", error, ticket),
        )

    def new_factor(
        self, name: str, purpose: str, error: str = "", ticket: str = ""
    ) -> dict[str, Any]:
        """Return what a page shows to share a key with an app.

        A ticket is shown again as it is: none gets a longer life by a wrong code.
        """
        sealer, sealed = self.reception.sealer, self.ticket_of(ticket, purpose)[1]
        key = (sealer.open(sealed, name) if sealed else None) or second_factor.new_key()
        return {
            "ticket": ticket if sealed else self.ticket(name, purpose, sealer.seal(key, name)),
            "letters": second_factor.in_letters(key),
            "picture": second_factor.picture(key, name, self.site.title),
            "error": error,
        }

    def ticket(self, name: str, purpose: str, more: str = "") -> str:
        """Return a signed note for ten minutes and one purpose.

        It ends with the password and the second factor that it was made for.
        """
        text = f"{purpose}:{name}:{self._stamp(name)}:{more}"
        return str(self.create_signed_value(TICKET, text).decode())

    def ticket_of(self, text: str, purpose: str) -> tuple[str, str]:
        """Return whom a ticket is for and what else it holds; empty where it does not count."""
        raw = self.get_secure_cookie(TICKET, text, max_age_days=TICKET_DAYS)
        parts = (raw or b"").decode().split(":", 3)
        if len(parts) < 4 or parts[0] != purpose or parts[2] != self._stamp(parts[1]):  # noqa: PLR2004
            return "", ""
        return parts[1], parts[3]

    def _stamp(self, name: str) -> str:
        found = self.reception.known(name)
        kept = f"{found.password_hash}|{found.totp_sealed}" if found else ""
        return hashlib.sha256(kept.encode()).hexdigest()[:16]

    async def let_in(self, name: str, codes: list[str] | None = None) -> None:
        """Sign a proven person in, if they have a seat."""
        self.proven = name
        user = await self.login_user({"username": name})
        if user is None:
            self.told(
                403,
                _("You have no seat at the moment"),
                _(
                    "Your password is right, but you are in no course that runs now. Your work and your results are kept."
                ),
                _("Ask the person who invited you."),
            )
            return
        self._jupyterhub_user = user
        self.leave_mark(name)
        self.lead_on(user, codes)

    def lead_on(self, user: Any, codes: list[str] | None) -> None:
        """Go where the person wanted to, by way of new recovery codes."""
        address = self.get_next_url(user)
        if codes:
            self.show("sign_in_recovery.html", codes=codes, onward=address)
        else:
            self.redirect(address)

    def leave_mark(self, name: str) -> None:
        """Mark this browser: nobody elsewhere can make its person wait."""
        mark = self.mark_of(name)
        if not mark:
            value, path = f"{name}:{secrets.token_hex(16)}", self.hub.base_url
            self._set_cookie(
                self.mark_name, value, path=path, expires_days=MARK_DAYS, samesite="Lax"
            )
