"""Let an admin see, start and stop labs, on a running hub.

Law: the hub asks at each request whether the person's own token carries the scope
`custom:bioskills:run-labs`, which the role admin on the platform gives and no service has.
Who runs labs opens none: nothing here is an address, a token or a file of one. A lab is
started for who has a seat, and for nobody else. What was done is in the audit log.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.roles import assign_default_roles
from jupyterhub.utils import maybe_future
from tornado import web

from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, now
from bioskills.base.text import _
from bioskills.base.wire import RUN_LABS_SCOPE
from bioskills.hub.grading_accounts import is_account
from bioskills.hub.labs_wire import LabNow, LabsNow, State
from bioskills.hub.membership import find_person, seats

LABS_PATH = r"/bioskills/labs"
LAB_PATH = r"/bioskills/labs/([^/]+)"
MOST = 100
ASKED_AT_ONCE = 8
ORDER: tuple[State, ...] = ("failed", "queued", "starting", "stopping", "running")


class AdminsHandler(UserServerAPIHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """A handler for whoever may run labs, and nobody else."""

    def initialize(self, store: Store) -> None:
        """Take our database."""
        self.store = store

    def require_admin(self) -> None:
        """Let only a person whose token carries the scope go on.

        Raises:
            HTTPError: 403 for everybody else.
        """
        user = self.current_user
        if user is None or user.kind != "user" or RUN_LABS_SCOPE not in self.parsed_scopes:
            raise said(HTTPStatus.FORBIDDEN, _("Labs of others are run by admins."))

    async def note(self, action: str, name: str) -> None:
        """Write into the audit log what was done, by pseudonyms; beside the event loop."""
        await asyncio.to_thread(_note, self.store, self.current_user.name, action, name)


def _note(store: Store, admin: str, action: str, name: str) -> None:
    with store.transaction() as session:
        actor, owner = (find_person(session, who) for who in (admin, name))
        # A service's account is nobody's name; of anybody else unknown, nothing is kept.
        known = name if is_account(name) else "?"
        entry = AuditEntry(
            at=now(),
            actor=actor.pseudonym if actor else "?",
            action=action,
            subject=f"lab/{owner.pseudonym if owner else known}",
            detail={},
        )
        session.add(entry)


class LabsDoor(AdminsHandler):
    """Which labs there are."""

    SUPPORTED_METHODS = ("GET",)

    async def get(self) -> None:
        """Answer a part of them; memory is asked for this part alone."""
        self.require_admin()
        found = sorted(self._labs(), key=lambda pair: (ORDER.index(pair[0].state), pair[0].name))
        first, most = self._part()
        part = found[first : first + most]
        answer = LabsNow(
            at=now(),
            counts=dict(Counter(lab.state for lab, _spawner in found)),
            labs=await with_memory(part),
            total=len(found),
        )
        self.write(answer.model_dump_json())

    def _part(self) -> tuple[int, int]:
        try:
            first, most = (
                int(self.get_argument(n, d)) for n, d in (("offset", "0"), ("limit", "50"))
            )
        except ValueError as error:
            raise said(HTTPStatus.BAD_REQUEST, _("offset and limit are whole numbers.")) from error
        return max(0, first), min(max(1, most), MOST)

    def _labs(self) -> Iterator[tuple[LabNow, Any]]:
        for user in list(self.users.values()):
            for spawner in list(user.spawners.values()):
                lab = lab_now(user.name, spawner)
                if lab is not None:
                    yield lab, spawner


class LabDoor(AdminsHandler):
    """One person's lab."""

    SUPPORTED_METHODS = ("GET", "POST", "DELETE")

    # JupyterHub's own ways to start and stop: its checks of scopes stand around them, ours here.
    _start = UserServerAPIHandler.post.__wrapped__
    _stop = UserServerAPIHandler.delete.__wrapped__

    async def get(self, name: str) -> None:
        """Answer what there is of it now."""
        self.require_admin()
        user = self._user(name)
        spawner = user.spawners.get("")
        lab = lab_now(user.name, spawner) if spawner else None
        if lab is None:
            raise said(HTTPStatus.NOT_FOUND, _("This person has no lab now."))
        self.write((await with_memory([(lab, spawner)]))[0].model_dump_json())

    async def post(self, name: str) -> None:
        """Start it; 201 when it is ready, 202 when it goes on starting, 200 where it runs already."""
        self.require_admin()
        if is_account(name) or not self._has_seat(name):
            text = _("This person has no seat now, so no lab is started.")
            raise said(HTTPStatus.CONFLICT, text)
        await self._ensure_user(name)
        if await self._runs(name):
            self.set_status(HTTPStatus.OK)
            return
        try:
            await self._start(name, "")
        except Exception:
            await self.note("tried to start lab", name)
            raise
        await self.note("started lab", name)

    async def delete(self, name: str) -> None:
        """Stop it; 204 when it is gone, 202 when it goes on stopping."""
        self.require_admin()
        self._user(name)
        await self._stop(name, "")
        await self.note("stopped lab", name)

    def _user(self, name: str) -> Any:
        user = self.find_user(name)
        if user is None:
            raise said(HTTPStatus.NOT_FOUND, _("The hub knows nobody of this name."))
        return user

    async def _ensure_user(self, name: str) -> None:
        """Let the hub know somebody who has a seat and has never signed in."""
        if self.find_user(name) is None:
            user = self.user_from_username(name)
            assign_default_roles(self.db, entity=user)
            self.db.commit()
            await maybe_future(self.authenticator.add_user(user))

    async def _runs(self, name: str) -> bool:
        """Say whether it runs; one that died a moment ago does not."""
        spawner = self._user(name).spawners.get("")
        return bool(spawner and spawner.ready and await spawner.poll() is None)

    def _has_seat(self, name: str) -> bool:
        with self.store.reading() as session:
            return bool(seats(session, name))


def lab_now(name: str, spawner: Any) -> LabNow | None:
    """Return what there is of a lab; None where it neither runs nor failed."""
    state = state_of(spawner)
    if state is None:
        return None
    place, seconds = _place(spawner)
    failure, reason = failure_of(spawner) if state == "failed" else ("", "")
    return LabNow(
        name=name,
        state="queued" if place else state,
        started=_aware(spawner.orm_spawner.started) if state in {"running", "stopping"} else None,
        last_activity=_aware(spawner.orm_spawner.last_activity),
        place=place,
        seconds=seconds,
        failure=failure,
        reason=reason,
    )


def state_of(spawner: Any) -> State | None:
    """Return what a lab does now; None where it does nothing and its last start went well."""
    match spawner.pending:
        case "spawn" | "check" | "rename":
            return "starting"
        case "stop":
            return "stopping"
    if spawner.ready:
        return "running"
    return "failed" if spawner._failed else None  # noqa: SLF001 - the hub has no other word for it


def failure_of(spawner: Any) -> tuple[str, str]:
    """Return why the last start failed: a sentence, and a word."""
    error = spawner._failed  # noqa: SLF001
    if isinstance(error, TimeoutError):
        return _("The lab was started, but it did not answer in time."), "slow"
    sentence = getattr(error, "message", "") or getattr(error, "jupyterhub_message", "")
    reason = str(getattr(error, "reason", "") or type(error).__name__)
    other = _("The lab could not start. The hub's log says why, below this person's name.")
    return str(sentence or other), reason


async def with_memory(part: Iterable[tuple[LabNow, Any]]) -> list[LabNow]:
    """Return these labs with what each uses, asking a few at one time."""
    gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def asked(lab: LabNow, spawner: Any) -> LabNow:
        ask = getattr(spawner, "memory", None)
        if ask is None or lab.state != "running":
            return lab
        async with gate:
            found = await ask()
        if found is None:
            return lab
        return lab.model_copy(update={"memory": found[0], "memory_limit": found[1]})

    return list(await asyncio.gather(*(asked(lab, spawner) for lab, spawner in part)))


def _place(spawner: Any) -> tuple[int, int]:
    ask = getattr(spawner, "place_in_queue", None)
    place, seconds = ask() if ask and spawner.pending == "spawn" else (0, 0)
    return int(place), int(seconds)


def _aware(at: datetime | None) -> datetime | None:
    # The hub's own database keeps UTC without saying so.
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def said(status: HTTPStatus, sentence: str) -> web.HTTPError:
    """Return an error whose sentence reaches whoever asked."""
    error: Any = web.HTTPError(status, reason=status.phrase)
    error.jupyterhub_message = sentence
    return error  # type: ignore[no-any-return]  # as made above
