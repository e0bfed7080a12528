"""Start each learner's lab as its own numeric uid.

Law: no lab runs with more rights than its learner. The uid comes from our
table; the home is 0700 and its owner is checked, never changed; the
environment holds nothing but the lab's own narrow token. SimpleLocalProcess-
Spawner is never used: under a root hub it gives every learner root.

This is the *slim exec* way: one new interpreter per lab.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Instance, Integer, Unicode

from bioskills.base.store import Store
from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.lab_config import lab_arguments, lab_config_dir
from bioskills.hub.listeners import listener_uid
from bioskills.hub.membership import seats
from bioskills.hub.processes import end_all_of, start_time
from bioskills.hub.uids import ensure_uid

PRIVATE = 0o700
LOOK_S = 0.1
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class LabError(Exception):
    """A lab cannot start; shown to the learner as it is."""

    @property
    def jupyterhub_message(self) -> str:
        """The sentence the hub's pending page shows."""
        return str(self)


class HomeError(LabError):
    """A home cannot be used."""


def ensure_home(home: Path, uid: int) -> Path:
    """Return a 0700 home of this uid, made if it is not there.

    Raises:
        HomeError: It belongs to another uid, or is not a folder. It is left as it is.
    """
    home.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    if not os.path.lexists(home):
        staged = home.with_name(f".{home.name}.new")
        staged.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(staged, uid, uid)
        staged.rename(home)
    state = home.lstat()
    if not home.is_dir() or home.is_symlink() or state.st_uid != uid:
        raise HomeError(
            _(
                "Your home folder belongs to another account (uid {found}, expected {uid}); nothing was changed. Tell your admin."
            ).format(found=state.st_uid, uid=uid)
        )
    if stat.S_IMODE(state.st_mode) != PRIVATE:
        home.chmod(PRIVATE)
    return home


class PortTakenError(LabError):
    """Another account's process listens on the port of a lab."""


class ExecSpawner(LocalProcessSpawner):  # type: ignore[misc]  # jupyterhub is untyped
    """Spawn `bioskills.hub.slim_lab` in the lab environment as the learner's uid."""

    database_url = Unicode(config=True, help="SQLAlchemy URL of our database; set by apply().")
    homes_dir = Unicode(config=True, help="Parent of the learners' homes.")
    runtime_dir = Unicode(config=True, help="Parent of short 0700 folders for kernel sockets.")
    log_dir = Unicode(config=True, help="Folder of the labs' logs, never inside a home.")
    lab_environment = Unicode(config=True, help="The lab environment.")
    course_environment = Unicode(
        config=True, help="The course environment: kernels come from here."
    )
    lab_config_root = Unicode(config=True, help="Parent of the Lab settings by role.")
    campus_api = Unicode(config=True, help="Loopback address of the campus with its prefix.")
    first_uid = Integer(70000, config=True, help="First uid to give.")
    started = Integer(0, help="Start time of the lab's process, in clock ticks since boot.")
    store = Instance(Store, allow_none=True)

    @property
    def privileged(self) -> bool:
        """Whether this hub can give each learner an own uid."""
        return os.geteuid() == 0

    def _store(self) -> Store:
        store: Store | None = self.store
        if store is None:
            store = self.store = Store(self.database_url)
        return store

    def make_preexec_fn(self, name: str) -> None:
        """Do nothing after the fork: Popen itself drops groups and uid."""
        del name

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment; `start` adds what depends on the home."""
        return env

    async def start(self) -> tuple[str, int]:
        """Prepare home, sockets and environment, then start the lab."""
        uid = (
            ensure_uid(self._store(), self.user.name, self.first_uid)
            if self.privileged
            else os.geteuid()
        )
        home = ensure_home(Path(self.homes_dir) / self._home_name(uid), uid)
        runtime = self._runtime_folder(uid)
        role_config = self._lab_config()
        self.environment = self._environment(home, runtime, role_config)
        self.cmd = self._command()
        self.args = lab_arguments()
        self.popen_kwargs = self._process_options(uid, home)
        with self.popen_kwargs["stdout"]:
            address: tuple[str, int] = await super().start()
        self.started = start_time(self.pid)
        if self.privileged:
            await self._await_own_listener(uid, address[1])
        return address

    async def _await_own_listener(self, uid: int, port: int) -> None:
        """Return when the lab itself listens, or has ended.

        Raises:
            PortTakenError: Somebody else's process listens there; the lab is ended.
        """
        while await self.poll() is None:
            found = await asyncio.to_thread(listener_uid, port)
            if found == uid:
                return
            if found is not None:
                self.log.error(
                    "Port %s of %s's lab was taken by uid %s", port, self.user.name, found
                )
                await self.stop(now=True)
                raise PortTakenError(
                    _("Your lab could not start safely; nothing is lost. Start it again.")
                )
            await asyncio.sleep(LOOK_S)

    def _home_name(self, uid: int) -> str:
        return str(uid) if self.privileged else self.user.name

    def _command(self) -> list[str]:
        python = str(Path(self.lab_environment) / "bin" / "python")
        walls = ["setpriv", "--no-new-privs", "--"] if self.privileged else []
        return [*walls, python, "-I", "-m", "bioskills.hub.slim_lab"]

    def _environment(self, home: Path, runtime: Path, role_config: Path) -> dict[str, str]:
        course, lab = Path(self.course_environment), Path(self.lab_environment)
        return {
            "HOME": str(home),
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "PATH": f"{course / 'bin'}:{lab / 'bin'}:{SYSTEM_PATH}",
            "PYTHONNOUSERSITE": "1",
            "JUPYTER_PATH": str(course / "share" / "jupyter"),
            "JUPYTER_CONFIG_PATH": str(role_config),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "BIOSKILLS_CAMPUS_API": self.campus_api,
            "BIOSKILLS_CAMPUS_URL": self.campus_api,
        }

    def _lab_config(self) -> Path:
        with self._store().reading() as session:
            held = {seat.role for seat in seats(session, self.user.name)}
        return lab_config_dir(Path(self.lab_config_root), held)

    def _runtime_folder(self, uid: int) -> Path:
        parent = Path(self.runtime_dir)
        parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        parent.chmod(0o711)  # mkdir's mode is cut by the umask, which is 077 here
        return ensure_home(parent / self._home_name(uid), uid)

    def _process_options(self, uid: int, home: Path) -> dict[str, Any]:
        logs = Path(self.log_dir)
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = (logs / f"lab-{self._home_name(uid)}.log").open("ab")
        drop = {"user": uid, "group": uid, "extra_groups": []} if self.privileged else {}
        return {
            "preexec_fn": None,
            "cwd": str(home),
            "umask": 0o077,
            "stdin": -3,
            "stdout": output,
            "stderr": -2,
            **drop,
        }

    async def poll(self) -> int | None:
        """Say whether the lab ended; a reused pid is not the lab."""
        if self.proc is None and self.pid and start_time(self.pid) != self.started:
            self.clear_state()
            return 0
        status: int | None = await super().poll()
        return status

    async def stop(self, now: bool = False) -> None:
        """End the lab and everything its learner left running."""
        await super().stop(now=now)
        if self.privileged:
            uid = ensure_uid(self._store(), self.user.name, self.first_uid)
            # In a thread: a daemon that ignores SIGTERM must not hold up the whole hub.
            await asyncio.to_thread(end_all_of, {uid})

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


def campus_api_url(port: int) -> str:
    """Return the loopback address of the campus for labs and the grader."""
    return f"http://127.0.0.1:{port}{CAMPUS_PREFIX}"
