"""Start labs without root: one account for all, to try things out on one machine.

Law: refused where this hub is root, or a service of a machine that root started:
every learner would have its rights. There the fork server starts the labs. The
start-up, every page and `bioskills doctor` say that learners are not kept apart.
"""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Bool, Integer

from bioskills.base.text import _
from bioskills.hub.lab_config import lab_arguments
from bioskills.hub.lab_spawner import LabError, LabSpawner
from bioskills.hub.processes import start_time

PRIVATE = 0o700


def ensure_own_folder(folder: Path) -> Path:
    """Return a 0700 folder of ours, made if it is not there.

    Raises:
        LabError: It belongs to another account, or is no folder. It is left as it is.
    """
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    if not os.path.lexists(folder):
        folder.mkdir(mode=PRIVATE)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise LabError(
            _(
                "Your home folder belongs to another account (uid {found}, expected {uid}); nothing was changed. Tell your admin."
            ).format(found=state.st_uid, uid=os.geteuid()),
            reason="home_foreign",
        )
    if stat.S_IMODE(state.st_mode) != PRIVATE:
        folder.chmod(PRIVATE)
    return folder


class ExecSpawner(LabSpawner, LocalProcessSpawner):  # type: ignore[misc]  # jupyterhub is untyped
    """Spawn `bioskills.fork_server.cold_lab` in the lab environment as whoever runs the hub."""

    alone = Bool(False, config=True, help="Whether everything here runs as one account.")
    started = Integer(0, help="Start time of the lab's process, in clock ticks since boot.")

    def make_preexec_fn(self, name: str) -> None:
        """Do nothing after the fork: there is no other account to become."""
        del name

    async def start(self) -> tuple[str, int]:
        """Prepare home, sockets and environment, then start the lab."""
        if os.geteuid() == 0 or not self.alone:
            text = _("This way of starting labs would give every learner the hub's rights.")
            raise LabError(text, reason="not_alone")
        self.look_up()
        home = ensure_own_folder(Path(self.homes_dir) / self.user.name)
        runtime = ensure_own_folder(Path(self.runtime_dir) / self.user.name)
        self.environment = self.lab_environ(home, runtime)
        python = str(Path(self.lab_environment) / "bin" / "python")
        self.cmd = [python, "-I", "-m", "bioskills.fork_server.cold_lab"]
        self.args = lab_arguments()
        self.popen_kwargs = self._process_options(home)
        with self.popen_kwargs["stdout"]:
            address: tuple[str, int] = await super().start()
        self.started = start_time(self.pid)
        return address

    def _process_options(self, home: Path) -> dict[str, Any]:
        logs = Path(self.log_dir)
        logs.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        output = (logs / f"lab-{self.user.name}.log").open("ab")
        return {
            "preexec_fn": None,
            "cwd": str(home),
            "umask": 0o077,
            "stdin": -3,
            "stdout": output,
            "stderr": -2,
        }

    async def poll(self) -> int | None:
        """Say whether the lab ended; a reused pid is not the lab."""
        if self.proc is None and self.pid and start_time(self.pid) != self.started:
            self.clear_state()
            return 0
        status: int | None = await super().poll()
        return status

    def get_state(self) -> dict[str, Any]:
        """Keep the process's identity over a restart of the hub."""
        state: dict[str, Any] = super().get_state()
        return {**state, "started": self.started} if state.get("pid") else state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up a lab that lives on from before a restart."""
        super().load_state(state)
        self.started = state.get("started", 0)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell the waiting person what happens."""
        yield {"progress": 10, "message": _("Your own files are being made ready.")}
        yield {"progress": 40, "message": _("JupyterLab is starting; this takes a few seconds.")}
