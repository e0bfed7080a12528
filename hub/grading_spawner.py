"""Have formgrader started for a run, by the service that may read its gradebook.

Law: the hub starts nothing itself and reads no gradebook: it asks the formgrader
service, which has the grader's uid, by the name of the run. A server is (pid, start
time), and is known again after a restart of the hub.
"""

import asyncio
import time
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub.spawner import Spawner
from traitlets import Integer, Unicode

from bioskills.base.text import _
from bioskills.fork_server.client import UNREACHABLE, RefusedError, ask
from bioskills.hub.grading_accounts import is_account, run_of
from bioskills.hub.lab_spawner import LabError
from bioskills.hub.processes import start_time

ENDED = 1
RETRY_FOR_S = 30.0
RETRY_EACH_S = 0.5
NOTHING_RELEASED = "nothing_released"


class GradingSpawner(Spawner):  # type: ignore[misc]  # jupyterhub is untyped
    """Ask the formgrader service for the server of one run."""

    socket = Unicode(config=True, help="Socket of the formgrader service; set by apply().")
    pid = Integer(0, help="The server's process.")
    started = Integer(0, help="Its start time, in clock ticks since boot.")
    port = Integer(0, help="Its port on loopback.")

    async def start(self) -> tuple[str, int]:
        """Have the server started; the hub then waits until it answers."""
        variables = {k: v for k, v in self.get_env().items() if k.startswith("JUPYTERHUB_")}
        request = {"op": "start", "run": run_of(self.user.name), "env": variables}
        try:
            told = await self._ask_patiently(request)
        except (RefusedError, TimeoutError) as error:
            raise LabError(_sentence(error), reason="formgrader") from error
        self.pid, self.port = told["pid"], told["port"]
        self.started = start_time(self.pid)
        return "127.0.0.1", self.port

    async def _ask_patiently(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask; wait out a service that is being started again."""
        give_up = time.monotonic() + RETRY_FOR_S
        while True:
            try:
                return await ask(Path(self.socket), request)
            except RefusedError as refused:
                if refused.code != UNREACHABLE or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(RETRY_EACH_S)

    async def poll(self) -> int | None:
        """Say whether the server ended; a reused pid is not the server."""
        return None if self.pid and start_time(self.pid) == self.started else ENDED

    async def stop(self, now: bool = False) -> None:
        """End the server; where the service is away, it ended with it."""
        del now
        try:
            await ask(Path(self.socket), {"op": "stop", "run": run_of(self.user.name)})
        except RefusedError as error:
            if error.code != UNREACHABLE:
                raise

    def get_state(self) -> dict[str, Any]:
        """Keep the server's identity over a restart of the hub."""
        state: dict[str, Any] = super().get_state()
        return {**state, "pid": self.pid, "started": self.started} if self.pid else state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up a server that lives on from before a restart."""
        super().load_state(state)
        self.pid, self.started = state.get("pid", 0), state.get("started", 0)

    def clear_state(self) -> None:
        """Forget the server."""
        super().clear_state()
        self.pid = self.started = 0


def door_below(run_dir: Path) -> Path:
    """Return where the formgrader service listens: in a folder of its own."""
    return run_dir / "formgrader" / "door.sock"


@cache
def with_formgrader(labs: type[Spawner]) -> type[Spawner]:
    """Return a spawner class that starts labs for people and formgrader for its accounts."""

    class LabsAndFormgrader(labs):  # type: ignore[misc]  # a class that is only known here
        def __new__(cls, *words: Any, **options: Any) -> Any:
            user = options.get("user")
            if user is not None and is_account(user.name):
                return GradingSpawner(*words, **options)
            return super().__new__(cls, *words, **options)

    return LabsAndFormgrader


def _sentence(error: Exception) -> str:
    if isinstance(error, RefusedError) and error.code == NOTHING_RELEASED:
        return _(
            "There is nothing to grade yet: no assignment of this run was made ready. Try again in a minute."
        )
    return _(
        "Formgrader could not be started on this machine. Nothing is lost. Tell your admin; the log is formgrader.log."
    )
