"""Let somebody who is signed in change the password and the second factor.

Law: each change asks for the present password again, and ends every other sign-in; the
browser that asked stays in. What takes the second factor away asks for a code of it, too.
"""

from typing import Any

from tornado.web import authenticated

from bioskills.base.text import _
from bioskills.hub.attempts import code_keys, sign_in_keys
from bioskills.hub.passwords import LONGEST, SHORTEST, strength_of
from bioskills.hub.session_ends import end_sessions
from bioskills.hub.sign_in_pages import SignInPage

REFUSED = 422


class OwnPage(SignInPage):
    """A page of who is signed in."""

    async def is_proven(self) -> bool:
        """Say whether the present password was typed; otherwise the answer was sent."""
        name = self.current_user.name
        keys = sign_in_keys(name, self.address, self.mark_of(name))[:1]
        attempts = self.reception.attempts
        wait = attempts.wait_s(keys)
        if wait:
            self.too_soon(wait)
            return False
        attempts.failed(keys)
        right = await self.reception.proven(name, self.get_argument("present", "", strip=False))
        if right:
            attempts.forgive(keys)
        else:
            self.again([_("The present password is not right.")])
        return right is not None

    async def has_code(self) -> bool:
        """Say whether a code of the second factor was typed; otherwise the answer was sent."""
        name, attempts = self.current_user.name, self.reception.attempts
        keys = code_keys(name)
        if wait := attempts.wait_s(keys):
            self.too_soon(wait)
            return False
        attempts.failed(keys)
        right = await self.reception.takes_code(name, self.get_argument("code", ""))
        if right:
            attempts.forgive(keys)
        else:
            self.again([_("This code is wrong, or was used before. Wait for the next one.")])
        return right

    def again(self, faults: list[str]) -> None:
        """Show the form with what was wrong."""
        raise NotImplementedError

    def stay_alone(self) -> None:
        """End all other sign-ins; this browser gets a new one."""
        user = self.current_user
        end_sessions(self.db, user.orm_user)
        self.set_hub_cookie(user)


class PasswordHandler(OwnPage):
    """Another password."""

    @authenticated
    async def get(self) -> None:
        """Show the form."""
        self._form()

    @authenticated
    async def post(self) -> None:
        """Change the password."""
        if not await self.is_proven():
            return
        name = self.current_user.name
        password, again = (self.get_argument(n, "", strip=False) for n in ("password", "again"))
        faults = self.reception.password_faults(name, password)
        if password != again:
            faults.append(_("The two are not the same."))
        if faults:
            self.again(faults)
            return
        await self.reception.change_password(name, password)
        self.stay_alone()
        said = _("The password was changed; all other sign-ins have ended.")
        self._form(said=f"{said} {strength_of(password)}")

    def again(self, faults: list[str]) -> None:
        """Show the form with what was wrong."""
        self._form(faults=faults, status=REFUSED)

    def _form(self, *, faults: list[str] | None = None, said: str = "", status: int = 200) -> None:
        name = self.current_user.name
        found = self.reception.known(name)
        self.show(
            "password.html", status=status, faults=faults or [], said=said, signed_in=name,
            shortest=SHORTEST, longest=LONGEST,
            second_factor=bool(found and found.totp_sealed),
            must_have=self.reception.needs_second_factor(name),
        )  # fmt: skip


class FactorHandler(OwnPage):
    """Switch the second factor on."""

    @authenticated
    async def get(self) -> None:
        """Show a new key."""
        self._form([])

    @authenticated
    async def post(self) -> None:
        """Switch it on, when the app shows the right code."""
        name, sealed = self.ticket_of(self.get_argument("ticket", ""), "own")
        key = self.reception.sealer.open(sealed, name) if sealed else None
        found = self.reception.known(self.current_user.name)
        # One that is on is switched off first: a session is not enough to put another in its place.
        if name != self.current_user.name or key is None or (found and found.totp_sealed):
            self.redirect(f"{self.hub.base_url}password/second-factor")
            return
        if not await self.is_proven():
            return
        codes = await self.reception.switch_on(name, key, self.get_argument("code", ""))
        if codes is None:
            self.again([_("This code is wrong. Wait for the next one.")])
            return
        self.stay_alone()
        onward = f"{self.hub.base_url}password"
        self.show("sign_in_recovery.html", codes=codes, onward=onward, signed_in=name)

    def again(self, faults: list[str]) -> None:
        """Show the same key again."""
        self._form(faults, self.get_argument("ticket", ""))

    def _form(self, faults: list[str], ticket: str = "") -> None:
        name = self.current_user.name
        shown = self.new_factor(name, "own", " ".join(faults), ticket)
        status = REFUSED if faults else 200
        self.show("password_factor.html", status=status, signed_in=name, **shown)


class FactorOffHandler(OwnPage):
    """Switch the second factor off."""

    @authenticated
    async def get(self) -> None:
        """Ask first."""
        self._form([])

    @authenticated
    async def post(self) -> None:
        """Switch it off; not where a role needs it."""
        if self.reception.needs_second_factor(self.current_user.name):
            why = _("One of your roles needs the second factor, so it stays on.")
            self.told(403, _("This is not open to you"), why)
            return
        if not await self.is_proven() or not await self.has_code():
            return
        await self.reception.switch_off(self.current_user.name)
        self.stay_alone()
        self.redirect(f"{self.hub.base_url}password")

    def again(self, faults: list[str]) -> None:
        """Ask again."""
        self._form(faults)

    def _form(self, faults: list[str]) -> None:
        values: dict[str, Any] = {"faults": faults, "signed_in": self.current_user.name}
        self.show("password_factor_off.html", status=REFUSED if faults else 200, **values)
