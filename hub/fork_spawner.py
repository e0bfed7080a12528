"""Start each learner's lab from a warm parent, behind walls, with no right of our own.

Law: the hub starts nothing itself: it asks the fork server, which makes the
learner's room and forks the lab as the learner's uid. A lab is (pid, start
time), never a pid alone, and is known again after a restart of the hub. At the
end the whole room goes: what the learner left running ends with it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.spawner import Spawner
from jupyterhub.utils import maybe_future
from traitlets import Dict, Enum, Integer, List, Unicode

from bioskills.base.text import _, ngettext
from bioskills.fork_server import wire
from bioskills.fork_server.client import UNREACHABLE, Line, RefusedError, ask
from bioskills.hub.cohort_limits import effective
from bioskills.hub.cold_courses import ColdCourses
from bioskills.hub.lab_config import lab_arguments
from bioskills.hub.lab_failures import HOME_FULL, OUT_OF_MEMORY, OUT_OF_PROCESSES, lab_error
from bioskills.hub.lab_spawner import LabError, LabSpawner
from bioskills.hub.listeners import await_listener
from bioskills.hub.processes import start_time
from bioskills.hub.start_queue import StartQueue, Ticket
from bioskills.hub.walls import must_exec, read_about

RETRY_FOR_S = 30.0
RETRY_EACH_S = 0.2
PASSING = {UNREACHABLE, wire.NO_ROOM, wire.BUSY}
"""Refusals that end by themselves: a part of the fork server is being started again."""

LAB_KERNELS = Path("share/bioskills/lab-kernels/jupyter")
"""Kernelspecs that name our provisioner; plain Jupyter does not look there."""

LOOK_S = 0.5
USAGE_S = 3.0
ENDED = 1


class ForkSpawner(LabSpawner, Spawner):  # type: ignore[misc]  # jupyterhub is untyped
    """Ask the fork server for a lab."""

    mode = Enum(("fork", "exec"), "fork", config=True, help="From the warm parent, or anew.")
    limits = Dict(config=True, help="Limits where no cohort sets them; set by apply().")
    cold_courses = List(Unicode(), config=True, help="Further courses with cold kernels.")
    lab_timeout_s = Integer(120, config=True, help="Seconds a lab may take once its turn came.")
    concurrent_starts = Integer(0, config=True, help="Labs that start at one time; 0: 4 a core.")
    uid = Integer(0, help="The learner's uid, once known.")
    pid = Integer(0, help="The lab's process.")
    started = Integer(0, help="Its start time, in clock ticks since boot.")
    port = Integer(0, help="Its port on loopback.")
    way = Unicode("fork", help="The mode of this lab: what was wished, or what is possible here.")
    step = Unicode("", help="What happens now, for whoever waits.")
    queue: ClassVar[StartQueue | None] = None
    cold: ClassVar[ColdCourses | None] = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._ticket = Ticket()
        self._open = False

    def _queue(self) -> StartQueue:
        if ForkSpawner.queue is None:
            ForkSpawner.queue = StartQueue(self.concurrent_starts)
        return ForkSpawner.queue

    def _limits(self) -> dict[str, int]:
        return effective(self.limits, self._cohort_limits)

    def _cold(self) -> ColdCourses:
        if ForkSpawner.cold is None:
            ForkSpawner.cold = ColdCourses(self.opened_store(), tuple(self.cold_courses))
        return ForkSpawner.cold

    async def start(self) -> tuple[str, int]:
        """Wait for a turn, then have room and lab made; return when the lab answers."""
        self._ticket, self.step = Ticket(), ""
        async with self._queue().turn(self._ticket):
            try:
                return await asyncio.wait_for(self._start(), self.lab_timeout_s)
            except RefusedError as refused:
                raise lab_error(await self._reason(refused), self._limits(), self.uid) from refused
            except TimeoutError as error:
                text = _(
                    "Your lab did not start within {n} seconds. Your files are safe. Start it again; if that does not help, tell your admin."
                )
                raise LabError(text.format(n=self.lab_timeout_s), reason="slow") from error

    def place_in_queue(self) -> tuple[int, int]:
        """Return this lab's place and in how many seconds its turn should come; 0 once it came."""
        place = self._queue().place(self._ticket)
        return place, self._queue().estimate_s(place) if place else 0

    async def memory(self) -> tuple[int, int] | None:
        """Return how many bytes the learner uses and may use; None where nobody counts them."""
        try:
            async with asyncio.timeout(USAGE_S):
                found = (await self._ask("warden", {"op": "usage"})).get("memory") or {}
        except (RefusedError, TimeoutError):
            return None
        return (int(found["now"]), int(found.get("limit") or 0)) if found.get("now") else None

    async def _start(self) -> tuple[str, int]:
        self.step = _("Your own files and walls are being made ready.")
        self.uid = self.look_up() or self.new_uid()
        await self._retried(self._open_room)
        self.step = _("JupyterLab is starting.")
        cold = await self._retried(self._start_lab)
        if cold:
            await await_listener(self.port, self.uid, lambda: start_time(self.pid) == self.started)
        return "127.0.0.1", self.port

    async def _retried(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do this; wait out a fork server that is being started again."""
        give_up = time.monotonic() + RETRY_FOR_S
        while True:
            try:
                return await act()
            except RefusedError as refused:
                if refused.code not in PASSING or time.monotonic() > give_up:
                    raise
                self.log.warning("The fork server refused (%s); trying again", refused.code)
                self.step = _("The service that starts labs is being started again; please wait.")
                await asyncio.sleep(RETRY_EACH_S)

    async def _open_room(self) -> None:
        # A room for a new interpreter has no network of its own: decided before it is made.
        self.way = "exec" if must_exec(read_about(Path(self.runtime_dir))) else self.mode
        request = {"op": "open", "name": self.user.name, "limits": self._limits(), "mode": self.way}
        told = await self._ask("warden", request)
        self._open = True
        if told.get("existed"):
            # A start that no hub lived to note: nobody gets two labs.
            await self._close()
            await self._ask("warden", request)
            self._open = True

    async def _start_lab(self) -> bool:
        line = await Line.open(self._socket("labs"))
        try:
            await line.say({"op": "start", "uid": self.uid, "mode": self.way})
            told = await _heard(line.hear(self.lab_timeout_s))
            self.pid, self.started, self.port = (told[k] for k in ("pid", "started", "port"))
            await line.say({"args": lab_arguments(), "env": self._whole_environ(), "cwd": ""})
            return bool((await line.hear(self.lab_timeout_s)).get("cold"))
        finally:
            line.close()

    def _whole_environ(self) -> dict[str, str]:
        home, runtime = Path(self.homes_dir) / str(self.uid), Path(self.runtime_dir) / str(self.uid)
        course = Path(self.course_environment)
        own = {
            "JUPYTER_PATH": f"{course / LAB_KERNELS}:{course / 'share' / 'jupyter'}",
            "BIOSKILLS_KERNELS_SOCKET": str(self._socket("kernels")),
            "BIOSKILLS_WARDEN_SOCKET": str(self._socket("warden")),
            "BIOSKILLS_COLD_COURSES": ":".join(self._cold().now()),
        }
        return {**self.get_env(), **self.lab_environ(home, runtime), **own}

    async def _reason(self, refused: RefusedError) -> RefusedError:
        """Return what lies behind a lab that ended before it was ready."""
        if refused.code != wire.ENDED_BEFORE_READY:
            return refused
        try:
            used = await self._ask("warden", {"op": "usage"})
        except (RefusedError, TimeoutError):
            return refused
        return RefusedError(reached_limit(used) or refused.code)

    async def _ask(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        return await _heard(ask(self._socket(name), {**request, "uid": self.uid}))

    def _socket(self, name: str) -> Path:
        return Path(self.runtime_dir) / f"{name}.sock"

    async def poll(self) -> int | None:
        """Say whether the lab ended; a reused pid is not the lab."""
        if self.pid and start_time(self.pid) == self.started:
            return None
        if self.pid:
            # It ended by itself, perhaps while no hub was there: what it left running ends now.
            with suppress(LabError):
                await self._close()
        return ENDED

    async def stop(self, now: bool = False) -> None:
        """End the lab and everything its learner left running; the hub has dropped the route."""
        del now
        await self._close()

    async def run_post_stop_hook(self) -> Any:
        """Also after a start that failed: nothing is left running."""
        await self._close()
        return await maybe_future(
            super().run_post_stop_hook()
        )  # nothing to wait for without a hook

    async def _close(self) -> None:
        if not self._open:
            return
        try:
            with suppress(RefusedError):  # a warm parent that is away holds no socket
                await self._ask("labs", {"op": "release"})
            await self._retried(lambda: self._ask("warden", {"op": "close"}))
        except RefusedError as refused:
            raise lab_error(refused, self._limits(), self.uid) from refused
        self._open = False

    def get_state(self) -> dict[str, Any]:
        """Keep the lab's identity over a restart of the hub."""
        state: dict[str, Any] = super().get_state()
        own = {"pid": self.pid, "started": self.started, "port": self.port, "uid": self.uid}
        return {**state, **own} if self.pid else state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up a lab that lives on from before a restart."""
        super().load_state(state)
        for name in ("pid", "started", "port", "uid"):
            setattr(self, name, state.get(name, 0))
        self._open = bool(self.pid)

    def clear_state(self) -> None:
        """Forget the lab."""
        super().clear_state()
        self.pid = self.started = self.port = 0

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell the waiting person their place and what happens."""
        said = ""
        while True:
            share, text = self._progress_now()
            if text and text != said:
                said = text
                yield {"progress": share, "message": text}
            await asyncio.sleep(LOOK_S)

    def _progress_now(self) -> tuple[int, str]:
        queue = self._queue()
        place = queue.place(self._ticket)
        return (5, waiting_text(place, queue.estimate_s(place))) if place else (40, self.step)


async def _heard(answer: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Return an answer; one that breaks off means that a part of the server was ended."""
    try:
        return await answer
    except RefusedError as refused:
        if refused.code == wire.ENDED_BEFORE_READY:
            raise RefusedError(UNREACHABLE) from refused
        raise


def waiting_text(place: int, seconds: int) -> str:
    """Return what somebody in the queue reads."""
    if place == 1:
        text = _("Your lab is the next to start.")
    else:
        text = _("Many labs are starting. You are number {place} in the queue.").format(place=place)
    about = ngettext("About {n} second.", "About {n} seconds.", seconds).format(n=seconds)
    return f"{text} {about}"


def reached_limit(used: dict[str, Any]) -> str:
    """Return the code of the limit that was reached, by what *usage* says; empty where none was."""
    if used.get("memory", {}).get("oom_kills"):
        return OUT_OF_MEMORY
    if used.get("processes", {}).get("hits"):
        return OUT_OF_PROCESSES
    return HOME_FULL if used.get("home", {}).get("full") else ""
