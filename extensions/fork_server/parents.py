"""Start the warm parents and the relay, and start them again.

Law: a parent runs `python -I` with cwd / and a bare environment from an
environment that nobody but root can write; what is not so is refused. A parent
that ends is started again; one whose environment changed is replaced, and what
it forked goes on.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bioskills.fork_server import config as configuration
from bioskills.fork_server import links, ownership
from bioskills.fork_server.config import Config

MODULES = {"labs": "lab", "kernels": "course", "boxes": "course"}
"""Which parent runs in which environment."""
STARTED_BY = {"boxes": "box_view"}
"""Parents that another module starts, behind walls of their own."""

LOOK_S = 2.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
LIVED_S = 30.0
BARE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


class Parents:
    """The warden's children that live on.

    Attributes:
        pids: Names by process.
        refused: Why a parent is not started, by name; codes.
    """

    def __init__(self, config: Config, gates: links.Links) -> None:
        self.config = config
        self.gates = gates
        self.pids: dict[int, str] = {}
        self.refused: dict[str, str] = {}
        self._marks: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._next_look = 0.0
        self._file = write_config(config)

    def look(self) -> None:
        """Start what is missing, replace what is stale; called at every turn of the loop."""
        now = time.monotonic()
        running = set(self.pids.values())
        for name in self.config.serves:
            due = self._since.get(name, 0.0) + self._pause.get(name, 0.0)
            if name not in running and now >= due:
                self._start(name)
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            self._replace_stale()

    def ended(self, pid: int, status: int) -> None:
        """Note that a child ended; a parent that ended at once is started again later."""
        name = self.pids.pop(pid, "")
        if not name:
            return
        lived = time.monotonic() - self._since[name]
        last = self._pause.get(name, 0.0)
        longer = min(max(2 * last, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self._pause[name] = FIRST_PAUSE_S if lived > LIVED_S else longer
        self._since[name] = time.monotonic()
        say(f"{name} ended with status {status}; starting it again")

    def stop(self) -> None:
        """Ask every child to end."""
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)

    def _start(self, name: str) -> None:
        self._since[name] = time.monotonic()
        if name == "relay":
            self.pids[self.gates.start_relay()] = name
            return
        root = self.config.environments[MODULES[name]]
        self._marks[name] = ownership.digest(root)
        faults = ownership.foreign(root)
        if faults:
            self._refuse(name, str(faults[0]))
            return
        self.refused.pop(name, None)
        module = f"bioskills.fork_server.{STARTED_BY.get(name, name)}"
        command = [str(root / "bin" / "python"), "-I", "-m", module]
        process = subprocess.Popen(
            [*command, str(self._file)], cwd="/", env=BARE, stdin=subprocess.DEVNULL
        )
        self.pids[process.pid] = name
        process.returncode = 0  # The loop reaps it; Popen must not wait for it again.

    def _refuse(self, name: str, why: str) -> None:
        self._pause[name] = LONGEST_PAUSE_S
        if self.refused.get(name) != why:
            say(f"{name} is not started: {why}")
        self.refused[name] = why

    def _replace_stale(self) -> None:
        for pid, name in list(self.pids.items()):
            kind = MODULES.get(name)
            if kind and ownership.digest(self.config.environments[kind]) != self._marks[name]:
                say(f"the {kind} environment changed; {name} is started again")
                self._marks[name] = ""
                os.kill(pid, signal.SIGTERM)


def write_config(config: Config) -> Path:
    """Write what the parents read; root's alone."""
    path = config.run_dir / "fork.json"
    staged = path.with_name(f".{path.name}.new")
    staged.touch(mode=0o600)
    staged.write_text(configuration.as_json(config), encoding="utf-8")
    staged.rename(path)
    return path


def say(line: str) -> None:
    """Write one line to the log."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the supervisor keeps it
