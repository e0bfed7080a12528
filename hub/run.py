"""Start everything on one machine, and end everything that was started.

Law: nothing half-starts: what would fail is looked at first and said in one
sentence with the next step. Ctrl-C ends every process that was started here;
no grade or hand-in is lost by it, because each lies in a finished transaction.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bioskills.base.places import database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.runtime import runtime_dir
from bioskills.base.settings import Settings
from bioskills.base.settings_command import SOURCES, sources_of
from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.fork_server.config import as_json
from bioskills.hub.apply import refuse_public_demo
from bioskills.hub.config_files import hand_over_config
from bioskills.hub.fork_config import fork_config
from bioskills.hub.grading_spawner import door_below
from bioskills.hub.ledger_nightly import Nightly
from bioskills.hub.privileges import run_as
from bioskills.hub.processes import end_all_of
from bioskills.hub.readiness import (
    answers,
    bare_environment,
    check_before_start,
    is_free,
    listens,
    pinned,
    prepare,
    say,
    tail,
    take_locks,
    unreleased,
    write_settings,
)
from bioskills.hub.root_reports import Reports
from bioskills.hub.secrets_store import write_private
from bioskills.hub.spawner_choice import uses_fork_server
from bioskills.hub.state import ensure_folder, owners_of
from bioskills.hub.supervision import (
    STOP_WAIT_S,
    fork_program,
    formgrader_program,
    programs,
    supervisor_config,
)
from bioskills.hub.uids import uids_given

READY_TIMEOUT_S = 300
"""The first start after a set-up also learns what labs and kernels import: slow on a slow machine."""

RELEASE_PATIENCE_S = 60


@dataclass(frozen=True)
class Started:
    """What a person needs to know to come in."""

    url: str
    sign_ins: dict[str, str]


class Machine:
    """Everything that one `bioskills run` started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = pinned(settings)
        self.places = places_of(self.settings)
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.locks: list[TextIO] = []
        self.given = settings
        self.reports: Reports | None = None
        self.nightly: Nightly | None = None
        self.ended = False
        alone = os.geteuid() != 0
        self.forks = uses_fork_server(self.settings, alone=alone)

    def start(self, demo_course: Path | None) -> Started:
        """Start every process and wait until people can come in.

        Raises:
            SetupError: It did not become ready; the text names the log to read.
            KeyboardInterrupt: A person or the machine ended it meanwhile.
        """
        # Only noted, and looked at where we wait: an exception raised between any two
        # instructions can be lost in a callback, and with it the wish to end.
        for which in (signal.SIGINT, signal.SIGTERM):
            signal.signal(which, self._end)
        refuse_public_demo(self.settings, demo=demo_course is not None)
        check_before_start(self.settings)
        # From here on this installation is ours: sweeping must never reach another's processes.
        self.locks = take_locks(self.settings)
        sign_ins = prepare(self.settings, demo_course)
        if self.forks:
            self._write_fork_config()
        self.sweep()
        self._end_if_asked()
        self.supervisor = self._start_supervisor()
        self._await_ready()
        self._await_releases()
        self.reports = Reports(self.places, owners_of(self.settings).campus)
        self.nightly = Nightly(self.places)
        return Started(self.settings.public_url, sign_ins)

    def _end(self, _signal: int, _frame: object) -> None:
        self.ended = True

    def _end_if_asked(self) -> None:
        if self.ended:
            raise KeyboardInterrupt

    def _write_fork_config(self) -> None:
        config = fork_config(self.settings, owners_of(self.settings))
        write_private(self._fork_config, as_json(config), 0)

    @property
    def _fork_config(self) -> Path:
        return self.places.machine / "fork.json"

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        owners, places = owners_of(self.settings), self.places
        # One file for each reader's uid: the services share no file.
        files = {
            name: write_settings(self.settings, folder / "run.toml", owner=uid, without=hidden)
            for name, folder, uid, hidden in (
                ("proxy", places.proxy, owners.proxy, ("database",)),
                ("campus", places.campus, owners.campus, ()),
                ("hub", places.hub, owners.hub, ()),
                ("grader", places.grader, owners.grader, ("database",)),
                ("culler", places.state / "culler", owners.culler, ("database",)),
            )
        }
        write_private(places.campus / SOURCES, json.dumps(sources_of(self.given)), owners.campus)
        every = programs(places, owners, hand_over_config(places, owners), files)
        if self.forks:
            every.append(fork_program(places, self._fork_config))
        config = places.machine / "supervisord.conf"
        socket_path = runtime_dir(self.settings) / "supervisor.sock"
        socket_path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        socket_path.parent.chmod(0o711)  # whatever the umask of whoever started this
        door = door_below(runtime_dir(self.settings))
        ensure_folder(door.parent, owners.grader, 0o710, group=owners.hub)
        every.append(formgrader_program(places, owners, files["grader"], door))
        config.write_text(supervisor_config(places, owners, every, socket_path), encoding="utf-8")
        config.chmod(0o600)
        command = [
            "setpriv",
            "--pdeathsig",
            "TERM",
            "--",
            sys.executable,
            "-I",
            "-m",
            "supervisor.supervisord",
            "-c",
            str(config),
        ]
        # Its own session: a Ctrl-C in the terminal reaches this process alone, which then stops all in order.
        return subprocess.Popen(
            command, start_new_session=True, stdin=subprocess.DEVNULL, env=bare_environment()
        )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        for name, ready in self._probes().items():
            say(_("Starting {name} …").format(name=name))
            while not ready():
                self._give_up_if_dead(name, deadline)
                time.sleep(0.2)

    def _await_releases(self) -> None:
        """Wait a while for assignments that are being made ready; a slow one is no failure."""
        deadline = time.monotonic() + RELEASE_PATIENCE_S
        if unreleased(self.settings):
            say(_("Making the assignments ready for learners …"))
        while unreleased(self.settings) and time.monotonic() < deadline:
            self._end_if_asked()
            time.sleep(0.5)

    def _give_up_if_dead(self, name: str, deadline: float) -> None:
        self._end_if_asked()
        dead = self.supervisor is None or self.supervisor.poll() is not None
        if dead or time.monotonic() > deadline:
            log = self.places.logs / f"{name}.log"
            raise SetupError(
                _(
                    "{name} did not start. Its last lines:\n{tail}\nThe whole log: {log}. Then run: bioskills doctor"
                ).format(name=name, tail=tail(log), log=log)
            )

    def _probes(self) -> dict[str, Callable[[], bool]]:
        net = self.settings.network
        return {
            "proxy": lambda: not is_free(net.address, net.port),
            "campus": lambda: answers(f"http://127.0.0.1:{net.campus_port}{CAMPUS_PREFIX}healthz"),
            "hub": lambda: answers(f"http://127.0.0.1:{net.hub_port}/hub/health"),
            **({"fork": self._labs_can_start} if self.forks else {}),
        }

    def _labs_can_start(self) -> bool:
        return all(
            listens(runtime_dir(self.settings) / f"{name}.sock")
            for name in ("warden", "labs", "kernels")
        )

    def wait(self) -> int:
        """Wait until a person or the machine ends it, then stop everything."""
        try:
            while not self.ended and self.supervisor is not None and self.supervisor.poll() is None:
                self._tend()
                time.sleep(0.3)
            died = not self.ended
        finally:
            self.stop()
        if died:
            say(
                _("The supervisor ended by itself. See {log}.").format(
                    log=self.places.logs / "supervisor.log"
                )
            )
        return int(died)

    def _tend(self) -> None:
        """Let what is done now and then go on; what it cannot do now ends nothing else."""
        for regular in (self.reports, self.nightly):
            if regular is None:
                continue
            try:
                regular.tick()
            except OSError as error:
                text = _("Could not be done now, and is tried again later: {error}")
                say(text.format(error=error))

    def stop(self) -> None:
        """End every process started here, and every lab; nothing where nothing was started."""
        if not self.locks:
            return
        say(_("Stopping; labs are ended, nothing that was handed in is lost …"))
        for regular in (self.reports, self.nightly):
            if regular is not None:
                regular.end()
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(timeout=3 * STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        self.sweep()
        shutil.rmtree(runtime_dir(self.settings), ignore_errors=True)
        say(_("Stopped."))

    def sweep(self) -> None:
        """End what learners' uids and services left running (after a crash, say)."""
        if os.geteuid() != 0:
            return
        owners, url = owners_of(self.settings), database_url(self.settings)
        given = run_as(owners.campus, owners.groups(owners.campus), lambda: uids_given(url))
        end_all_of(set(given) | owners.services)
        if self.forks and self._fork_config.exists():
            command = fork_program(self.places, self._fork_config).command
            subprocess.run([*command, "--sweep"], cwd="/", env=bare_environment(), check=False)
