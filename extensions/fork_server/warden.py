"""The warden: makes and ends rooms, starts the warm parents, answers what is used.

Law: the only process that makes rights for others, so its loop does nothing
itself: every request is acted on by a forked child, which ends. The hub may
open and close rooms; a learner may ask about its own use, and nothing else.

Usage: python -I -m bioskills.fork_server CONFIG.json
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from bioskills.fork_server import (
    cgroups,
    child,
    killing,
    links,
    parents,
    rooms,
    slots,
    usage,
    watch,
    wire,
)
from bioskills.fork_server.config import Config
from bioskills.fork_server.door import Caller, Door, Loop

QUOTA = 16
RATE = 1.0
"""How often a learner may ask what is used; each answer is a process of root."""
PATIENCE_S = 1.5
LOOK_S = 0.02


class Warden:
    """One per installation."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.links = links.Links(config)
        self.parents = parents.Parents(config, self.links)
        self.watcher = watch.Watcher(config)
        door = Door(
            config.socket("warden"), 0o666, self._admits, QUOTA, self.handle, config.hub_uid, RATE
        )
        self.loop = Loop(door, self._ended)
        self.loop.on_turn = self._look
        if config.ends_with_input:
            self.loop.end_with_input()

    def _look(self) -> None:
        self.parents.look()
        self.watcher.look()

    def _ended(self, pid: int, status: int) -> None:
        if not self.watcher.ended(pid, status):
            self.parents.ended(pid, status)

    def _admits(self, uid: int) -> bool:
        services = (0, self.config.hub_uid, self.config.grader_uid)
        return uid in services or self.config.is_learner(uid)

    def handle(self, caller: Caller, request: wire.Request) -> bool:
        """Fork a child that acts on the request and answers it."""
        act = self._act_of(caller, request)
        if act is None and not self._is_slot(caller, request):
            caller.answer({"failed": wire.NOT_ALLOWED})
        elif os.fork() == 0:
            connection = caller.connection.dup()
            mine = Caller(connection, caller.pid, caller.uid, caller.since)
            self.loop.close_in_child()
            config = self.config
            raise child.ForkedError(
                (lambda: _answer(mine, act))
                if act is not None
                else (lambda: _serve_slot(config, mine, request))
            )
        return False

    def _is_slot(self, caller: Caller, request: wire.Request) -> bool:
        return request.op == "slot" and caller.uid in {0, self.config.grader_uid}

    def _act_of(
        self, caller: Caller, request: wire.Request
    ) -> Callable[[], dict[str, object]] | None:
        trusted = caller.uid in (0, self.config.hub_uid)
        uid = request.uid if trusted and request.uid else caller.uid
        if not self.config.is_learner(uid):
            return None
        if request.op == "usage" and (trusted or request.uid in (None, uid)):
            return lambda: usage.of(self.config, uid)
        if request.op == "open" and trusted:
            return lambda: open_room(self.config, self.links, uid, request)
        if request.op == "close" and trusted:
            return lambda: close_room(self.config, self.links, uid)
        return None


def _answer(caller: Caller, act: Callable[[], dict[str, object]]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    caller.connection.setblocking(True)
    try:
        caller.answer(act())
    except rooms.ForeignHomeError as error:
        caller.answer({"failed": wire.HOME_FOREIGN, "uid": error.uid})
    except OSError as error:
        caller.answer({"failed": wire.FAILED, "errno": error.errno or 0})
        raise


def _serve_slot(config: Config, caller: Caller, request: wire.Request) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    caller.connection.setblocking(True)
    try:
        slots.serve(config, caller, request)
    except slots.NoSlotError:
        caller.answer({"failed": wire.BUSY})
    except slots.NoParentError as error:
        # No fault of ours to log, a moment of each start: who asked is told, and asks again.
        caller.answer({"failed": wire.FAILED, "said": str(error)})
    except (OSError, wire.BadRequestError) as error:
        caller.answer({"failed": wire.FAILED, "said": str(error)[:300]})
        raise


def open_room(
    config: Config, gates: links.Links, uid: int, request: wire.Request
) -> dict[str, object]:
    """Make the learner's folders, control group and room, where they are not there."""
    limits = {**config.limits, **request.limits}
    closed = config.network == "closed" and request.mode == "fork" and "net" in links.namespaces()
    with _one_at_a_time(config, uid):
        existed = rooms.exists(config, uid)
        rooms.ensure_folder(config.home(uid), uid)
        rooms.ensure_folder(config.runtime(uid), uid)
        cgroups.ensure(config.mark, uid, limits)
        if not existed:
            rooms.remove(config, uid)
            gates.run(lambda: _build(config, gates, uid, request.name, limits, closed=closed))
        rooms.finish(config, uid, limits)
    return {"opened": True, "existed": existed}


def _build(
    config: Config,
    gates: links.Links,
    uid: int,
    name: str,
    limits: dict[str, int],
    *,
    closed: bool,
) -> None:
    kinds = [kind for kind in links.namespaces() if kind != "net" or closed]
    rooms.make(config, uid, name, limits, kinds)
    if closed:
        gates.join(uid)


def close_room(config: Config, gates: links.Links, uid: int) -> dict[str, object]:
    """End everything of a learner, politely and then for good, and take the room away."""
    with _one_at_a_time(config, uid):
        _ask_to_end(config, uid)
        ended = cgroups.kill_all(config.mark, uid)
        ended = killing.of_uid(uid, PATIENCE_S) and ended
        gates.forget(uid)
        rooms.remove(config, uid)
        cgroups.remove(config.mark, uid)
    return {"closed": True} if ended else {"failed": wire.BUSY}


def close_all(config: Config, gates: links.Links) -> None:
    """End everything of every learner, all at the same time."""
    uids = {*rooms.all_uids(config), *cgroups.uids(config.mark)}
    pids = []
    for uid in sorted(filter(config.is_learner, uids)):
        pid = os.fork()
        if pid == 0:
            child.run(partial(close_room, config, gates, uid))
        pids.append(pid)
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    for uid in uids & set(range(config.first_slot_uid, config.first_slot_uid + config.slots)):
        slots.clear(config, uid)


def _ask_to_end(config: Config, uid: int) -> None:
    groups = tuple(cgroups.folders(config.mark, uid, cgroups.here()).values())
    killing.signal_members(groups, signal.SIGTERM)
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit and killing.members(groups):
        time.sleep(LOOK_S)


@contextmanager
def _one_at_a_time(config: Config, uid: int) -> Iterator[None]:
    """Hold the lock of one learner's room; it ends with this process."""
    path = config.run_dir / "locks" / str(uid)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
