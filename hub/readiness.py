"""Make an installation ready to start, and look at what would fail.

Law: what would fail later is refused here, in one sentence with the next step,
before any process is started. Idempotent: everything here may run again.
"""

import fcntl
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import httpx
from sqlalchemy import func, select

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import SECTIONS, Settings
from bioskills.base.store import Store
from bioskills.base.tables import CourseVersion, Job
from bioskills.base.text import _
from bioskills.base.toml_text import as_toml
from bioskills.hub import demo
from bioskills.hub.apply import refuse_public_demo, refuse_unsafe
from bioskills.hub.campus.objects import Objects
from bioskills.hub.course_install import install, read_for_install
from bioskills.hub.hidden_processes import MOUNTS, hidden_from, sentence_of
from bioskills.hub.privileges import run_as
from bioskills.hub.secrets_store import write_private
from bioskills.hub.spawner_choice import spawner_of
from bioskills.hub.state import Owners, ensure_state, owners_of
from bioskills.hub.uids import NoUidLeftError, give_uids


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(line, flush=True)  # noqa: T201 - the command's own output


def check_before_start(settings: Settings) -> None:
    """Refuse what would fail later.

    Raises:
        SetupError: A port is taken, a tool or an environment is missing, or the settings are unsafe.
    """
    refuse_unsafe(settings)
    spawner_of(settings, alone=os.geteuid() != 0)
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
    if os.geteuid() == 0:
        _check_processes_are_seen(owners_of(settings))
    _check_ports(settings)


def _check_processes_are_seen(owners: Owners) -> None:
    if hidden_from(owners.groups(owners.hub), MOUNTS.read_text(encoding="utf-8")):
        raise SetupError(" ".join(sentence_of(owners.group)))


def _check_ports(settings: Settings) -> None:
    net = settings.network
    places = (
        ("port", net.address, net.port),
        *((k, "127.0.0.1", getattr(net, k)) for k in ("hub_port", "proxy_api_port", "campus_port")),
    )
    taken = [f"network.{key} {port}" for key, address, port in places if not is_free(address, port)]
    if taken:
        raise SetupError(
            _(
                "Already in use: {ports}. Another BioSkills Hub may be running; stop it, or set other ports, for example BIOSKILLS_NETWORK_PORT=8100."
            ).format(ports=", ".join(taken))
        )


def is_free(address: str, port: int) -> bool:
    """Say whether nobody listens on this port."""
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
            lines += [f"{key} = {as_toml(value)}" for key, value in values.items()]
    write_private(path, "\n".join(lines) + "\n", owner)
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
    refuse_public_demo(settings, demo=demo_course is not None)
    places, owners = ensure_state(settings), owners_of(settings)
    if demo_course:
        _begin_demo(settings, places, demo_course)
    run_as(owners.campus, owners.groups(owners.campus), lambda: _give_uids(settings))
    if not demo.is_demo(places) or settings.sign_in.method != "accounts":
        return {}
    known: dict[str, str] = run_as(
        owners.hub, owners.groups(owners.hub), lambda: _sign_ins(settings, places)
    )
    return known


def _give_uids(settings: Settings) -> None:
    store = Store(database_url(settings))
    # Whoever gets none is told when they start a lab.
    with suppress(NoUidLeftError):
        give_uids(store, settings.labs.first_uid, settings.labs.uid_count)
    store.close()


def _sign_ins(settings: Settings, places: Places) -> dict[str, str]:
    store = Store(database_url(settings))
    try:
        return demo.ensure_sign_ins(store, demo.sign_ins_file(places))
    finally:
        store.close()


def _begin_demo(settings: Settings, places: Places, course: Path) -> None:
    owners = owners_of(settings)
    content, version = read_for_install(course)
    campus = (owners.campus, owners.groups(owners.campus))
    if run_as(*campus, lambda: _is_empty(settings)):
        # Said first: killed between the two, the next start goes on with the demo.
        run_as(owners.hub, owners.groups(owners.hub), lambda: demo.begin(places))
        say(_("Installing the demo course and cohort."))
        run_as(*campus, lambda: _seed(settings, places, content, version))


def _is_empty(settings: Settings) -> bool:
    store = Store(database_url(settings))
    try:
        return demo.is_empty(store)
    finally:
        store.close()


def _seed(settings: Settings, places: Places, content: bytes, version: CourseVersion) -> None:
    store = Store(database_url(settings))
    install(store, Objects(places.objects), content, version, "bioskills run")
    demo.seed(store, version.course, settings.site.time_zone)
    store.close()


def take_locks(settings: Settings) -> list[TextIO]:
    """Return the held locks of this installation; they end with the process.

    Two things must be nobody else's: the data folder, and the uids, because
    what a crash left running is found and ended by uid.

    Raises:
        SetupError: Another `bioskills run` holds one of them.
    """
    places, first = places_of(settings), settings.labs.service_uid
    places.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    held = [_lock(places.data / "run.lock", _("This installation already runs"))]
    if os.geteuid() == 0:
        what = _(
            "Another installation uses the uids from {first} on; set labs.service_uid and labs.first_uid"
        )
        held.append(_lock(Path("/run") / f"bioskills-{first}.lock", what.format(first=first)))
    return held


def _lock(path: Path, taken: str) -> TextIO:
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise SetupError(
            _("{what} (process {pid}). End that one with Ctrl-C where it was started.").format(
                what=taken, pid=file.read().strip()
            )
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def unreleased(settings: Settings) -> int:
    """Return how many runs wait for their assignments to be made ready by the grader."""
    owners = owners_of(settings)
    groups = owners.groups(owners.campus)
    count: int = run_as(owners.campus, groups, lambda: _count_unreleased(settings))
    return count


def _count_unreleased(settings: Settings) -> int:
    waiting = select(func.count()).where(
        Job.kind == "release", Job.state.in_(("queued", "running"))
    )
    store = Store(database_url(settings))
    with store.reading() as session:
        found = session.scalar(waiting) or 0
    store.close()
    return found


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return _("(no log yet)")
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def listens(path: Path) -> bool:
    """Say whether somebody listens on this unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def answers(url: str) -> bool:
    """Say whether this address gives a good answer within two seconds."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def bare_environment() -> dict[str, str]:
    """Return the few variables that services inherit; none of them is a secret."""
    kept = ["PATH", "HOME", "TZ", "SSL_CERT_FILE"]
    if os.geteuid() != 0:
        kept += [
            "XDG_RUNTIME_DIR",
            "TMPDIR",
        ]  # where `runtime_dir` lies must not depend on who asks
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8"}
