"""Set a password by a link, once.

Law: opening the link changes nothing and sets nothing, because mail scanners open links,
too: the page says whom it is for and offers *Continue*. From there on the secret travels in
forms alone, never in an address. What ended says so, each in its own words.
"""

from typing import Any

from tornado.web import HTTPError

from bioskills.base.text import _
from bioskills.hub.attempts import link_keys
from bioskills.hub.invitations import FIELD, LinkState
from bioskills.hub.passwords import LONGEST, SHORTEST
from bioskills.hub.reception import Invited
from bioskills.hub.session_ends import end_everywhere
from bioskills.hub.sign_in_pages import SignInPage

GONE, UNKNOWN, REFUSED = 410, 404, 422
FROM_OURSELVES = {"", "same-origin", "none"}


class LinkPage(SignInPage):
    """What the pages of a link share."""

    secret = ""

    def initialize(self) -> None:
        """Take the secret out of the address before anything looks at the request."""
        self.request.uri = self.request.path
        self.request.query = ""

    async def prepare(self) -> None:
        """Read the secret, from the address or the form; the form is read only by now."""
        self.secret = self.get_argument(FIELD, "")
        await super().prepare()

    def invited(self) -> Invited | None:
        """Return whom the link is for; otherwise the answer has been sent."""
        # First, so that nobody's guesses from one address make a real link wait.
        found = self.reception.invited(self.secret)
        if found.state is LinkState.OPEN:
            return found
        if found.state is LinkState.UNKNOWN:
            attempts, keys = self.reception.attempts, link_keys(self.address)
            wait = attempts.wait_s(keys)
            if wait:
                self.too_soon(wait)
                return None
            attempts.failed(keys)
        self.ended(found.state)
        return None

    def ended(self, state: LinkState) -> None:
        """Say what became of a link and what to do now."""
        ask = _("Ask the person who invited you for a new link.")
        match state:
            case LinkState.USED:
                title = _("This link was used already")
                text = _("A password was set with it. A link works once.")
                ask = _(
                    "If that was you, sign in. If not, ask the person who invited you for a new link at once."
                )
            case LinkState.EXPIRED:
                title, text = (
                    _("This link has ended"),
                    _("It was not used in time. Nothing is lost."),
                )
            case LinkState.REVOKED:
                title = _("This link was taken back")
                text = _(
                    "A newer one may have been sent to you: look for the latest mail or sheet."
                )
            case _unknown:
                title = _("There is no such link")
                text = _("Its address may have been cut when it was copied. Copy the whole line.")
        self.told(UNKNOWN if state is LinkState.UNKNOWN else GONE, title, text, ask)


class JoinHandler(LinkPage):
    """The link itself."""

    def check_xsrf_cookie(self) -> None:
        """Ask for no cookie: opening a link sets none, and its secret is the proof.

        A page elsewhere that knows the secret could as well open the link; its form is refused.
        """
        site = self.request.headers.get("Sec-Fetch-Site", "")
        if self.request.method == "POST" and site not in FROM_OURSELVES:
            raise HTTPError(403)

    async def get(self) -> None:
        """Say whom the link is for; changes nothing, sets nothing."""
        found = self.invited()
        if found:
            self.show("join.html", with_form=False, invited=found, secret=self.secret, field=FIELD)

    async def post(self) -> None:
        """Show the form for a password."""
        found = self.invited()
        if found:
            self.show("join_password.html", **_form(found, self.secret))


class ChooseHandler(LinkPage):
    """The form for a password."""

    async def get(self) -> None:
        """Lead back who opened this address by itself."""
        self.redirect(self.settings["login_url"])

    async def post(self) -> None:
        """Use the link up, set the password and let the person in."""
        found = self.invited()
        if found is None:
            return
        password, again = (self.get_argument(n, "", strip=False) for n in ("password", "again"))
        faults = self.reception.password_faults(found.name, password)
        if password != again:
            faults.append(_("The two are not the same."))
        if faults:
            form = _form(found, self.secret, faults)
            self.show("join_password.html", status=REFUSED, **form)
            return
        hashed = await self.reception.turns.make_hash(password)
        state = await self.reception.join(self.secret, hashed)
        if state is not LinkState.OPEN:
            self.ended(state)
            return
        await end_everywhere(self, found.name)
        # Again: a session that was open meanwhile may have signed in at the campus.
        await self.reception.end_campus_sessions(found.name)
        self.log.info("A link of kind %s was used", found.kind)
        await self.go_on(found.name)


def _form(found: Invited, secret: str, faults: list[str] | None = None) -> dict[str, Any]:
    return {
        "invited": found, "secret": secret, "field": FIELD, "faults": faults or [],
        "shortest": SHORTEST, "longest": LONGEST,
    }  # fmt: skip
