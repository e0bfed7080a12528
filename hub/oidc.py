"""Prove people at an identity provider, and ask it again while they are here.

Law: the provider proves an account; `claims` says whose it is; the membership table says
what they may do. Whoever the provider or the table takes back loses pages, labs and tokens
within the stated seconds. A provider that does not answer takes nobody out before their
token ends: only an answer does.

Trap: a refresh token may count once. One question at a time about one person, or the
second would look like a refusal.
"""

import asyncio
import time
from collections import defaultdict
from contextvars import ContextVar
from typing import Any

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from sqlalchemy import select
from tornado import web
from tornado.httpclient import HTTPClientError
from traitlets import Bool, Instance, Unicode

from bioskills.base.settings_oidc import Oidc
from bioskills.base.tables import now
from bioskills.hub.accounts import end_campus_sessions, owners_of_live_tokens
from bioskills.hub.claims import Proof, RefusedError, enter, may_sign_in
from bioskills.hub.claims_door import end_sign_ins
from bioskills.hub.claims_reading import proof_of, subject_of
from bioskills.hub.membership import find_person
from bioskills.hub.oidc_endpoints import ProviderAwayError, find_endpoints, raised_when_away
from bioskills.hub.oidc_pages import CallbackHandler, LoginHandler, LogoutHandler

EXPIRES, REFUSED = "expires_at", "refused_at"
STORED = "asked_before"
"""Marks, in what is kept of a sign-in: its token's end, a provider's no, a token used before."""
EXPIRED = "the provider does not renew the sign-in"
AWAY_PAUSE_S = 30

_away: ContextVar[bool] = ContextVar("away", default=False)


class ClaimsMixin(Authenticator):  # type: ignore[misc]  # jupyterhub is untyped
    """Turn an account at the provider into a person with seats.

    Put it between ``MembershipMixin`` and a class of oauthenticator.
    """

    login_handler = LoginHandler
    callback_handler = CallbackHandler
    logout_handler = LogoutHandler
    enable_pkce = Bool(True)
    enable_auth_state = Bool(True)
    rules = Instance(Oidc, config=True, help="Section `oidc` of the settings; set by apply().")
    site_help = Unicode(config=True, help="Where people ask for help; set by apply().")
    provider_logout_url = Unicode(config=True, help="Where signing out there is done.")
    home_url = Unicode(config=True, help="Where people begin; set by apply().")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked: dict[str, float] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.watch: asyncio.Task[None] | None = None

    async def ensure_endpoints(self) -> None:
        """Find the provider's addresses, on first use.

        Raises:
            ProviderAwayError: It does not answer.
            RefusedError: It calls itself something else.
        """
        if self.rules.provider == "oidc" and not (self.authorize_url and self.token_url):
            await find_endpoints(self)

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return a name that is there always; who it is, is found by the account's id."""
        missing = not user_info.get(self.username_claim)
        if missing:
            user_info[self.username_claim] = subject_of(self.rules, user_info) or "-"
        try:
            return str(super().user_info_to_username(user_info))
        finally:
            if missing:
                del user_info[self.username_claim]

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """Return no group of the hub: those come from the membership table."""
        del auth_state
        return set()

    async def httpfetch(self, *args: Any, **options: Any) -> Any:
        """Ask the provider; tell one that is away from one that says no."""
        try:
            return await super().httpfetch(*args, **options)
        except Exception as error:
            if raised_when_away(error):
                _away.set(True)
                raise ProviderAwayError from error
            raise

    async def authenticate(
        self, handler: Any, data: Any = None, **options: Any
    ) -> dict[str, Any] | None:
        """Prove the account, and find whose it is.

        Raises:
            RefusedError: It is nobody's here.
            ProviderAwayError: The provider does not answer.
        """
        await self.ensure_endpoints()
        try:
            model = await super().authenticate(handler, data, **options)
        except (HTTPClientError, web.HTTPError, KeyError, ValueError) as error:
            self.log.warning("The provider's answer cannot be used: %r", error)
            raise RefusedError("unreadable") from error
        model["name"] = await self.whose(model)
        self.note(model, {})
        self.asked[model["name"]] = time.monotonic()
        return dict(model)

    async def whose(self, model: dict[str, Any], known: str = "") -> str:
        """Return whose account this is, with seats as its claims say now.

        Raises:
            RefusedError: Nobody's, or somebody else's than was known; or who may not enter now.
        """
        state = model["auth_state"]
        proof = proof_of(self.rules, state, state[self.user_auth_state_key])
        # A seat that a claim gave must end although its owner may not enter any more.
        name = await asyncio.to_thread(self._enter, proof, not known)
        if known and name != known:
            raise RefusedError("unreadable")
        if not may_sign_in(proof, self.rules):
            raise RefusedError("group")
        if not self.seats_of(name):
            raise RefusedError("no_seat")
        return name

    def _enter(self, proof: Proof, may_bind: bool) -> str:
        with self._store().transaction() as session:
            return enter(session, proof, self.rules, now(), may_bind=may_bind)

    def note(self, model: dict[str, Any], before: dict[str, Any]) -> None:
        """Keep when the token ends, and that it was used."""
        state = model["auth_state"]
        token = state["token_response"]
        if state["access_token"] == before.get("access_token"):
            state[EXPIRES] = before.get(EXPIRES)
        else:
            lasts = token.get("expires_in")
            state[EXPIRES] = time.time() + float(lasts) if lasts else None
        token[STORED] = True

    async def refresh_user(self, user: Any, handler: Any = None, **_options: Any) -> bool:
        """Say whether the person is still signed in; ask the provider where that is due."""
        # JupyterHub 6.1 looks for this when somebody is signed out, and sets it for tokens alone.
        if handler is not None and not hasattr(handler, "_token_authenticated"):
            handler._token_authenticated = False  # noqa: SLF001
        async with self.locks[user.name]:
            asked = self.asked.get(user.name)
            if asked is not None and time.monotonic() < asked + self.rules.recheck_s:
                return True
            return await self._ask_again(user, handler)

    async def _ask_again(self, user: Any, handler: Any) -> bool:
        before = await user.get_auth_state()
        if not before or REFUSED in before:
            return False
        _away.set(False)
        try:
            model = await self._asked(user, handler)
        except RefusedError as error:
            if error.reason == "too_many_groups":
                return self._kept(user)
            return await self._end(user, error.reason)
        if model:
            self.note(model, before)
            await user.save_auth_state(model["auth_state"])
            return self._kept(user)
        return await (self._wait_for(user, before) if _away.get() else self._end(user, EXPIRED))

    async def _asked(self, user: Any, handler: Any) -> dict[str, Any] | None:
        try:
            await self.ensure_endpoints()
            model = await super().refresh_user(user, handler)
        except ProviderAwayError:
            return None
        if not isinstance(model, dict):
            return None
        await self.whose(model, user.name)
        return model

    def _kept(self, user: Any) -> bool:
        self.asked[user.name] = time.monotonic()
        return True

    async def _wait_for(self, user: Any, before: dict[str, Any]) -> bool:
        """Keep somebody while the provider is away, until their token ends."""
        ends = before.get(EXPIRES)
        if ends is None:
            ends = before[EXPIRES] = time.time() + self.rules.away_s
            await user.save_auth_state(before)
        if time.time() < ends:
            self.log.warning("The provider does not answer; %s stays signed in", user.name)
            # Asked again soon, and not at each request: nobody waits for it twice in a row.
            pause = min(self.rules.recheck_s, AWAY_PAUSE_S)
            self.asked[user.name] = time.monotonic() - self.rules.recheck_s + pause
            return True
        self.log.warning("The provider does not answer and the token of %s ended", user.name)
        self.asked.pop(user.name, None)
        end_sign_ins(user)
        return False

    async def _end(self, user: Any, reason: str) -> bool:
        """Sign somebody out whom the provider or the table took back."""
        self.log.warning("Signed out %s: %s", user.name, reason)
        self.asked.pop(user.name, None)
        await user.save_auth_state({REFUSED: time.time()})
        end_sign_ins(user)
        if reason != EXPIRED or not self.rules.lab_grace_s:
            await self._show_out(user)
        return False

    async def _show_out(self, user: Any) -> None:
        await user.save_auth_state(None)
        await asyncio.to_thread(self._end_at_campus, user.name)
        ended = await self.sync.show_out(user.name)
        self.log.warning("Ended tokens of %s%s", user.name, ", and the lab" if ended else "")

    def _end_at_campus(self, name: str) -> None:
        with self._store().transaction() as session:
            if person := find_person(session, name):
                end_campus_sessions(session, person, now())

    async def has_tokens(self, user: Any) -> bool:
        """Say whether a token that this person made at the campus may still be used."""
        return user.name in await asyncio.to_thread(self._with_tokens)

    def _with_tokens(self) -> set[str]:
        with self._store().reading() as session:
            return owners_of_live_tokens(session, now())

    def get_handlers(self, app: Any) -> list[Any]:
        """Add the provider's handlers, and begin to watch over those who ask for nothing."""
        if self.watch is None:
            self.watch = asyncio.get_running_loop().create_task(self._keep_watch(app))
        return list(super().get_handlers(app))

    async def _keep_watch(self, app: Any) -> None:
        while True:
            await asyncio.sleep(min(5.0, self.rules.recheck_s / 2))
            try:
                await self._look_at_all(app)
            except Exception:
                self.log.exception("Could not look who is still signed in; trying again")

    async def _look_at_all(self, app: Any) -> None:
        """Look at everybody whose lab runs or who has tokens: neither asks for a sign-in."""
        owners = await asyncio.to_thread(self._with_tokens)
        known = app.db.scalars(select(orm.User).where(orm.User.name.in_(owners))).all()
        watched = {user.name: user for user in map(app.users.__getitem__, known)}
        watched |= {user.name: user for user in app.users.values() if user.active}
        for user in watched.values():
            _away.set(False)
            await self._look_at(user)
            if _away.get():
                break

    async def _look_at(self, user: Any) -> None:
        state = await user.get_auth_state()
        if not state:
            return  # a lab that was started for somebody who has not come yet
        here = await ClaimsMixin.refresh_user(self, user)
        state = await user.get_auth_state() or {}
        over = time.time() - self.rules.lab_grace_s
        if (here and not self.seats_of(user.name)) or state.get(REFUSED, over + 1) <= over:
            await self._show_out(user)
