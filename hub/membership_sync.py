"""Make the hub as the membership table says, at once and from inside.

Law: users, groups, roles and who is shown out are derived from the table alone, in
batches between which the hub answers others. The authenticator refreshes only who makes
a request; this reaches everybody else, also at the moment a seat begins or ends by date.
Who has no seat left loses the running lab, every token and every session.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from tornado import web
from tornado.log import app_log as log

from bioskills.base.store import Store
from bioskills.base.tables import Membership, now
from bioskills.hub.grading_accounts import is_account
from bioskills.hub.membership import Seat, everybody
from bioskills.hub.membership_door import MEMBERSHIP_SCOPE
from bioskills.hub.roles import EVERYBODY, groups_of, hub_role_of
from bioskills.hub.session_ends import end_sessions, end_when_settled

BATCH = 50
"""People in one commit: some hundredths of a second in which the hub answers nobody."""
LONGEST_WAIT_S = 10.0
"""How late a date may be felt that was written without telling the hub."""
SHORTEST_WAIT_S = 0.2

People = Mapping[str, Sequence[Seat]]


class MembershipSync:
    """The one place in the hub that writes what the table says.

    Args:
        app: The running JupyterHub.
        store: Our database.
    """

    def __init__(self, app: Any, store: Store) -> None:
        self._app, self._store = app, store
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._unfinished = False

    async def derive(self) -> int:
        """Write what differs, show out who is gone; return how many people have a seat."""
        async with self._turn:
            begun = time.monotonic()
            people = await asyncio.to_thread(self._people)
            # Before any role is written: nobody has one for a moment who must prove more first.
            for name in await asyncio.to_thread(self._app.authenticator.lacking, people):
                self._sign_out(name)
            for names in _batches(sorted(people)):
                self._settle(names, people)
                await asyncio.sleep(0)
            self._unfinished = not await self._show_out(people)
            log.info("Derived %d people in %.1f s", len(people), time.monotonic() - begun)
            return len(people)

    def follow_dates(self) -> None:
        """Derive whenever a seat begins or ends by date, as long as the hub runs."""
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        seen: datetime | None = None
        while True:
            await asyncio.sleep(SHORTEST_WAIT_S if seen is None else await self._pause(seen))
            if self._app.http_server is None:
                continue
            try:
                moment = now()
                if seen is None or self._unfinished or await self._passed(seen, moment):
                    await self.derive()
                seen = moment
            except Exception:  # noqa: BLE001 - whatever it was, the dates go on
                # The table may be away for a moment; the dates are looked at again.
                log.exception("Failed to follow the dates of seats")
                await asyncio.sleep(LONGEST_WAIT_S)

    async def _pause(self, seen: datetime) -> float:
        due = await asyncio.to_thread(self._next_after, seen)
        left = (due - now()).total_seconds() if due else LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, max(SHORTEST_WAIT_S, left))

    async def _passed(self, seen: datetime, moment: datetime) -> bool:
        due = await asyncio.to_thread(self._next_after, seen)
        return due is not None and due <= moment

    def _next_after(self, moment: datetime) -> datetime | None:
        dates = (Membership.valid_from, Membership.valid_to)
        with self._store.reading() as session:
            found = [
                session.scalar(select(date).where(date > moment).order_by(date).limit(1))
                for date in dates
            ]
        return min((date for date in found if date), default=None)

    def _people(self) -> dict[str, list[Seat]]:
        with self._store.reading() as session:
            return {n: held for n, held in everybody(session).items() if not is_account(n)}

    # ---- who has a seat

    def _settle(self, names: Sequence[str], people: People) -> None:
        db = self._app.db
        known = {user.name: user for user in db.scalars(_users().where(orm.User.name.in_(names)))}
        groups = self._groups({group for name in names for group in groups_of([*people[name]])})
        everybodys = orm.Role.find(db, "user")
        for name in names:
            user = known.get(name)
            if user is None:
                # One role by hand: the hub's own function would commit for each of them.
                user = orm.User(name=name, roles=[everybodys], groups=[])
                db.add(user)
                self._app.authenticator.add_user(user)
            self._write(user, people[name], groups)
        db.commit()

    def _groups(self, names: set[str]) -> dict[str, orm.Group]:
        db = self._app.db
        found = {g.name: g for g in db.scalars(select(orm.Group).where(orm.Group.name.in_(names)))}
        for name in sorted(names - found.keys()):
            found[name] = orm.Group(name=name)
            db.add(found[name])
        db.flush()
        return found

    def _write(self, user: orm.User, held: Sequence[Seat], groups: Mapping[str, orm.Group]) -> bool:
        wanted = groups_of([*held])
        changed = {group.name for group in user.groups} != set(wanted)
        if changed:
            user.groups = [groups[name] for name in wanted]
        roles = [role for role in map(hub_role_of, held) if role]
        if {role.name for role in user.roles} != {"user", *(role["name"] for role in roles)}:
            self._app.db.flush()  # a new user has its number only then
            default = {"name": "user", "scopes": list(EVERYBODY)}
            self._app.users[user].sync_roles([default, *roles])
            changed = True
        return changed

    # ---- who has none

    async def show_out(self, name: str) -> bool:
        """End what one person has at the hub, whatever the table says.

        For whom an identity provider took back: who still has a seat may sign in again. False
        where a lab is not ended yet; one that starts ends as soon as it has started.
        """
        async with self._turn:
            gone = _users(orm.User.api_tokens, orm.User.oauth_codes)
            user = self._app.db.scalars(gone.where(orm.User.name == name)).one_or_none()
            if user is None:
                return True
            self._end(user)
            self._app.db.commit()
            self._end_starting_labs(user)
            return await self._end_labs(user)

    def _end_starting_labs(self, user: orm.User) -> None:
        wrapped = self._app.users[user] if user.id in self._app.users else None
        for name, spawner in list(wrapped.spawners.items()) if wrapped else ():
            if spawner.pending:
                end_when_settled(spawner, partial(self._stop, wrapped, name))

    async def _stop(self, user: Any, name: str) -> None:
        await self._app.proxy.delete_user(user, name)
        await user.stop(name)

    def _sign_out(self, name: str) -> None:
        """End the sign-ins of somebody who keeps the seat, and the lab."""
        chosen = select(orm.User).where(orm.User.name == name)
        user = self._app.db.scalars(chosen).one_or_none()
        if user is not None:
            end_sessions(self._app.db, user)

    async def _show_out(self, people: People) -> bool:
        """End what the gone have; False while a lab of theirs is not ended yet."""
        db, done = self._app.db, True
        names = [name for name in db.scalars(select(orm.User.name)) if name not in people]
        for batch in _batches([name for name in names if not is_account(name)]):
            gone = _users(orm.User.api_tokens, orm.User.oauth_codes)
            users = db.scalars(gone.where(orm.User.name.in_(batch))).all()
            for user in users:
                self._end(user)
            db.commit()
            for user in users:
                done &= await self._end_labs(user)
            await asyncio.sleep(0)
        return done

    def _end(self, user: orm.User) -> None:
        had = self._write(user, [], {})
        tokens = [*user.api_tokens, *user.oauth_codes]
        for token in tokens:
            self._app.db.delete(token)
        if had or tokens:
            user.cookie_id = orm.new_token()  # no sign-in of a browser is known by the old one

    async def _end_labs(self, user: orm.User) -> bool:
        if user.id not in self._app.users:
            return True
        wrapped, done = self._app.users[user], True
        for name, spawner in list(wrapped.spawners.items()):
            try:
                if spawner.pending:
                    done = False
                elif spawner.active:
                    await self._stop(wrapped, name)
            except Exception:  # noqa: BLE001 - whatever a spawner raises
                # One lab that does not end keeps nobody else's from ending; it is tried again.
                log.exception("Failed to end a lab of somebody without a seat")
                done = False
        return done


def _users(*more: Any) -> Any:
    fields = (orm.User.groups, orm.User.roles, *more)
    return select(orm.User).options(*map(selectinload, fields))


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]


class MembershipDoor(APIHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """Derive now, for a service that holds the narrow scope."""

    def initialize(self, sync: MembershipSync) -> None:
        """Take who derives."""
        self.sync = sync

    async def post(self) -> None:
        """Answer with the number of people once everything is written."""
        # Custom scopes are known only once the hub is configured, so not by the decorator.
        if self.current_user is None or MEMBERSHIP_SCOPE not in self.expanded_scopes:
            raise web.HTTPError(403)
        self.write({"people": await self.sync.derive()})
