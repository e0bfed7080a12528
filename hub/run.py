"""Start everything on one machine, and end everything that was started.

Law: nothing half-starts: what would fail is looked at first and said in one
sentence with the next step. Ctrl-C ends every process that was started here;
no grade or hand-in is lost by it, because each lies in a finished transaction.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import SECTIONS, Settings
from bioskills.base.store import Store
from bioskills.base.text import _
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub import demo
from bioskills.hub.apply import refuse_unsafe
from bioskills.hub.campus.objects import Objects
from bioskills.hub.course_install import install, read_for_install
from bioskills.hub.processes import end_all_of
from bioskills.hub.state import ensure_state, owners_of, runtime_dir
from bioskills.hub.supervision import STOP_WAIT_S, programs, supervisor_config
from bioskills.hub.uids import all_uids

READY_TIMEOUT_S = 120
CONFIG_NAME = "jupyterhub_config.py"


@dataclass(frozen=True)
class Started:
    """What a person needs to know to come in."""

    url: str
    sign_ins: dict[str, str]


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(line, flush=True)  # noqa: T201 - the command's own output


def check_before_start(settings: Settings) -> None:
    """Refuse what would fail later.

    Raises:
        SetupError: A port is taken, a tool or an environment is missing, or the settings are unsafe.
    """
    refuse_unsafe(settings)
    if shutil.which("setpriv") is None:
        raise SetupError(
            _(
                "The program setpriv is missing. Install the package util-linux, then run this again."
            )
        )
    for name in ("hub", "lab", "course"):
        python = places_of(settings).environment(name) / "bin" / "python"
        if not python.exists():
            raise SetupError(
                _("The {name} environment is not there ({python}). Run: make setup").format(
                    name=name, python=python
                )
            )
    _check_ports(settings)


def _check_ports(settings: Settings) -> None:
    net = settings.network
    places = (
        ("port", net.address, net.port),
        *((k, "127.0.0.1", getattr(net, k)) for k in ("hub_port", "proxy_api_port", "campus_port")),
    )
    taken = [
        f"network.{key} {port}" for key, address, port in places if not _is_free(address, port)
    ]
    if taken:
        raise SetupError(
            _(
                "Already in use: {ports}. Another BioSkills Hub may be running; stop it, or set other ports, for example BIOSKILLS_NETWORK_PORT=8100."
            ).format(ports=", ".join(taken))
        )


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def write_settings(
    settings: Settings, path: Path, *, owner: int, without: tuple[str, ...] = ()
) -> Path:
    """Write the settings in effect for one kind of process to read.

    Args:
        settings: What holds in this process.
        path: The file; 0600 of its reader.
        owner: The reader's uid.
        without: Sections that the reader must not see (the database's address holds a password).
    """
    lines = []
    for section in SECTIONS:
        if section not in without:
            lines.append(f"[{section}]")
            values = getattr(settings, section).model_dump()
            # JSON's strings, numbers and booleans are TOML's too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if os.geteuid() == 0:
        os.chown(path, owner, owner)
    return path


def pinned(settings: Settings) -> Settings:
    """Return the settings with absolute paths, so that every process means the same folders."""
    places = places_of(settings)
    paths = {
        "data_dir": str(places.data),
        "homes_dir": str(places.homes),
        "environments_dir": str(places.environments),
    }
    return Settings.model_validate({**settings.model_dump(), "paths": paths})


def prepare(settings: Settings, demo_course: Path | None) -> dict[str, str]:
    """Make state, tables and, where asked for and empty, the demo cohort; return the sign-ins."""
    places = ensure_state(settings)
    store = Store(database_url(settings))
    try:
        if demo_course and settings.sign_in.method == "demo" and demo.is_empty(store):
            say(_("Installing the demo course and cohort."))
            content, version = read_for_install(demo_course)
            install(store, Objects(places.objects), content, version, "bioskills run")
            demo.seed(store, version.course, settings.site.time_zone)
        if settings.sign_in.method != "demo":
            return {}
        return demo.ensure_sign_ins(store, places.hub / "demo_sign_ins.json")
    finally:
        store.close()
        # What root wrote into a service's folder becomes the service's.
        own(settings, places)


def own(settings: Settings, places: Places) -> None:
    """Give every file in the campus's folders to the campus."""
    if os.geteuid() != 0:
        return
    uid = owners_of(settings).campus
    for root in (places.objects, places.database):
        for folder, names, files in os.walk(root):
            for name in (*names, *files):
                os.chown(Path(folder) / name, uid, uid, follow_symlinks=False)


def hub_config_file() -> Path:
    """Return `jupyterhub_config.py` from the working folder, or the installed one."""
    here = Path.cwd() / CONFIG_NAME
    installed = Path(sys.prefix) / "share" / "bioskills" / CONFIG_NAME
    return here if here.exists() else installed


class Machine:
    """Everything that one `bioskills run` started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = pinned(settings)
        self.places = places_of(self.settings)
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self, demo_course: Path | None) -> Started:
        """Start every process and wait until people can come in.

        Raises:
            SetupError: It did not become ready; the text names the log to read.
        """
        check_before_start(self.settings)
        sign_ins = prepare(self.settings, demo_course)
        self.sweep()
        self.supervisor = self._start_supervisor()
        self._await_ready()
        return Started(self.settings.public_url, sign_ins)

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
        every = programs(places, owners, hub_config_file(), files)
        config = places.hub / "supervisord.conf"
        socket_path = runtime_dir(self.settings) / "supervisor.sock"
        socket_path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
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
            command, start_new_session=True, stdin=subprocess.DEVNULL, env=_bare_environment()
        )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        for name, ready in self._probes().items():
            say(_("Starting {name} …").format(name=name))
            while not ready():
                self._give_up_if_dead(name, deadline)
                time.sleep(0.2)

    def _give_up_if_dead(self, name: str, deadline: float) -> None:
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
            "proxy": lambda: not _is_free(net.address, net.port),
            "campus": lambda: _answers(f"http://127.0.0.1:{net.campus_port}{CAMPUS_PREFIX}healthz"),
            "hub": lambda: _answers(f"http://127.0.0.1:{net.hub_port}/hub/health"),
        }

    def wait(self) -> int:
        """Wait until a person or the machine ends it, then stop everything."""
        ended = False

        def end(_signal: int, _frame: object) -> None:
            nonlocal ended
            ended = True

        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        while not ended and self.supervisor is not None and self.supervisor.poll() is None:
            time.sleep(0.3)
        died = not ended
        self.stop()
        if died:
            say(
                _("The supervisor ended by itself. See {log}.").format(
                    log=self.places.logs / "supervisor.log"
                )
            )
        return int(died)

    def stop(self) -> None:
        """End every process started here, and every lab."""
        say(_("Stopping; labs are ended, nothing that was handed in is lost …"))
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.terminate()
            try:
                self.supervisor.wait(timeout=3 * STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        self.sweep()
        say(_("Stopped."))

    def sweep(self) -> None:
        """End what learners' uids and services left running (after a crash, say)."""
        if os.geteuid() != 0:
            return
        store = Store(database_url(self.settings))
        owners = owners_of(self.settings)
        services = {owners.proxy, owners.campus, owners.grader, owners.culler}
        end_all_of(set(all_uids(store)) | services)
        store.close()
        own(self.settings, self.places)


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return _("(no log yet)")
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def _bare_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "TZ", "SSL_CERT_FILE", "BIOSKILLS_HUB_CONFIG_D")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8"}
