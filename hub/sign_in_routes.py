"""Sign in, second factor, another password.

Law: a person is let in by our own steps alone; the hub's form handler is replaced, and no
route makes an account. A try is counted before its password is looked at, so that many at
once are no way around the delay.
"""

from typing import Any

from jupyterhub.handlers.login import LoginHandler

from bioskills.base.text import _
from bioskills.hub.attempts import Rule, code_keys, sign_in_keys
from bioskills.hub.join_pages import ChooseHandler, JoinHandler
from bioskills.hub.password_pages import FactorHandler, FactorOffHandler, PasswordHandler
from bioskills.hub.passwords import LONGEST
from bioskills.hub.reception import Reception
from bioskills.hub.session_ends import end_sessions
from bioskills.hub.sign_in_pages import STATIC, STATIC_PATH, OurStatic, SignInPage

LONGEST_NAME = 65
"""One more than a name may have: what is kept of a failed try is bounded."""


class SignInHandler(SignInPage, LoginHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """Name and password."""

    def render_template(self, name: str, **values: Any) -> Any:
        """Leave the hub's error page to what is not a form."""
        # BaseHandler's: LoginHandler's own would put an error of ours into its form.
        return super(LoginHandler, self).render_template(name, **values)

    async def _render(self, login_error: str = "", username: str = "", **_more: Any) -> str:
        return self.page("sign_in.html", error=login_error or "", username=username or "")

    async def post(self) -> None:
        """Take a try, or say how long to wait."""
        name = self.authenticator.normalize_username(
            self.get_argument("username", "")[:LONGEST_NAME]
        )
        password = self.get_argument("password", "", strip=False)[: 4 * LONGEST]
        if self.reception.turns.is_crowded:
            self.told(503, _("Very many people sign in now"), _("Wait a minute, then try again."))
            return
        keys = sign_in_keys(name, self.address, self.mark_of(name))
        attempts = self.reception.attempts
        wait = attempts.wait_s(keys)
        if wait:
            self.too_soon(wait)
            return
        attempts.failed(_of_the_person(keys))
        if await self.reception.proven(name, password) is None:
            attempts.failed(key for key in keys if key not in _of_the_person(keys))
            await self._refused(name)
            return
        attempts.forgive(_of_the_person(keys))
        await self.go_on(name)

    async def _refused(self, name: str) -> None:
        # The log knows that somebody failed; a password typed into the wrong field stays out of it.
        self.log.warning("A sign-in failed, from %s", self.address)
        self.set_status(403)
        error = _("This name and password do not belong together.")
        self.finish(await self._render(error, name[:64]))


class CodeHandler(SignInPage):
    """The code of the second factor."""

    async def post(self) -> None:
        """Take a code of the app, or a recovery code."""
        ticket = self.get_argument("ticket", "")
        name, _more = self.ticket_of(ticket, "code")
        if not name:
            self.redirect(self.settings["login_url"])
            return
        keys, attempts = code_keys(name), self.reception.attempts
        if wait := attempts.wait_s(keys):
            self.too_soon(wait)
            return
        attempts.failed(keys)
        if not await self.reception.takes_code(name, self.get_argument("code", "")):
            error = _("This code is wrong, or was used before. Wait for the next one.")
            self.show("sign_in_code.html", status=403, ticket=ticket, error=error)
            return
        attempts.forgive(keys)
        await self.let_in(name)


class FirstFactorHandler(SignInPage):
    """The first code of who must have a second factor."""

    async def post(self) -> None:
        """Switch the second factor on and let the person in."""
        ticket = self.get_argument("ticket", "")
        name, sealed = self.ticket_of(ticket, "first")
        key = self.reception.sealer.open(sealed, name) if sealed else None
        must = bool(name) and self.reception.needs_second_factor(name)
        if key is None or not must or _has_factor(self.reception, name):
            self.redirect(self.settings["login_url"])
            return
        keys, attempts = code_keys(name), self.reception.attempts
        if wait := attempts.wait_s(keys):
            self.too_soon(wait)
            return
        attempts.failed(keys)
        codes = await self.reception.switch_on(name, key, self.get_argument("code", ""))
        if codes is None:
            self.set_up_factor(name, _("This code is wrong. Wait for the next one."), ticket)
            return
        attempts.forgive(keys)
        if user := self.find_user(name):
            # Whatever was signed in before had no second factor.
            end_sessions(self.db, user.orm_user)
        await self.let_in(name, codes)


def handlers_of() -> list[Any]:
    """Return every route of the embedded sign-in."""
    return [
        (r"/login", SignInHandler),
        (r"/login/code", CodeHandler),
        (r"/login/second-factor", FirstFactorHandler),
        (r"/join", JoinHandler),
        (r"/join/password", ChooseHandler),
        (r"/password", PasswordHandler),
        (r"/password/second-factor", FactorHandler),
        (r"/password/second-factor/off", FactorOffHandler),
        (STATIC_PATH, OurStatic, {"path": str(STATIC)}),
    ]


def _of_the_person(keys: list[tuple[str, Rule]]) -> list[tuple[str, Rule]]:
    return [(key, rule) for key, rule in keys if not key.startswith("address ")]


def _has_factor(reception: Reception, name: str) -> bool:
    found = reception.known(name)
    return found is not None and found.totp_sealed is not None
