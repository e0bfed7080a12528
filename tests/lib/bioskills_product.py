"""A whole running installation for tests: `bioskills run`, nothing replaced.

`product` is shared by the session, `fresh_product` is one test's own. Both run
on random loopback ports, with uids of their own, in a folder that other uids
can traverse, and end with everything they started.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from bioskills_tests import COURSE, ROOT

ENVIRONMENTS = Path(os.environ.get("BIOSKILLS_TEST_ENVIRONMENTS", ROOT / ".bioskills" / "env"))
START_TIMEOUT_S = 120
UIDS_EACH = 200
_uids = iter(range(200_000 + os.getpid() % 5_000 * 2_000, 1 << 31, UIDS_EACH))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def own_ports(count: int) -> list[int]:
    """Return ports that no learner can take (below 1024) for root, any free ones otherwise."""
    if os.geteuid() != 0:
        return free_ports(count)
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(600, 1024)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


@dataclass
class Product:
    """One installation.

    Attributes:
        data: Its data folder.
        environ: Variables that make `bioskills` commands mean this installation.
        port: The proxy's port.
        process: `bioskills run`, once started.
        course: The course it begins with.
    """

    data: Path
    environ: dict[str, str]
    port: int
    process: "subprocess.Popen[str] | None" = None
    course: Path = COURSE

    @property
    def url(self) -> str:
        """The address people type."""
        return f"http://hub.localhost:{self.port}"

    @property
    def campus(self) -> str:
        """The address of the campus pages."""
        return f"http://campus--service.hub.localhost:{self.port}/services/campus/"

    @property
    def run_dir(self) -> Path:
        """The folder of its sockets, as root starts it."""
        mark = hashlib.sha256(str(self.data).encode()).hexdigest()[:8]
        return Path(f"/run/bsh-{mark}")

    @property
    def program(self) -> str:
        """The `bioskills` command of the hub environment."""
        return str(ENVIRONMENTS / "hub" / "bin" / "bioskills")

    @property
    def lab_uid(self) -> int:
        """The first uid that this installation gives to a learner."""
        return int(self.environ["BIOSKILLS_LABS_FIRST_UID"])

    def uid(self, name: str) -> int:
        """Return the uid that the installation has given to a person's lab."""
        file = self.data / "state/db/bioskills.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            chosen = "select uid from lab_uid join person on person.id = person_id where name = ?"
            return int(database.execute(chosen, (name,)).fetchone()[0])

    def password(self, name: str) -> str:
        """Return a demo person's printed password."""
        found: dict[str, str] = json.loads((self.data / "state/hub/demo_sign_ins.json").read_text())
        return found[name]

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a `bioskills` command on this installation."""
        return subprocess.run(
            [self.program, *words],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def begin(self) -> None:
        """Start the command and return at once."""
        with (self.data / "run.log").open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--demo", str(self.course)],
                env=self.environ,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def start(self) -> None:
        """Start everything and wait until it says that it is ready."""
        self.begin()
        deadline = time.monotonic() + START_TIMEOUT_S
        while "Stop with Ctrl-C" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"bioskills run did not become ready:\n{self.said()}")
            time.sleep(0.1)

    def said(self) -> str:
        """Return what `bioskills run` printed."""
        return (self.data / "run.log").read_text()

    def stop(self, how: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=120)


def keep_logs(found: Product) -> None:
    """Keep the services' logs beside the pictures, for whoever reads a failure."""
    target = ROOT / "tests" / "artefacts" / f"logs-{found.port}"
    shutil.copytree(found.data / "state" / "log", target, dirs_exist_ok=True)


def new_product() -> Product:
    """Return an installation that is not started."""
    data = Path(tempfile.mkdtemp(prefix="bsh-"))
    data.chmod(0o755)
    (port,) = free_ports(1)
    hub, api, campus = own_ports(3)
    uids = next(_uids)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "BIOSKILLS_PATHS_DATA_DIR": str(data),
        "BIOSKILLS_PATHS_ENVIRONMENTS_DIR": str(ENVIRONMENTS),
        "BIOSKILLS_NETWORK_PORT": str(port),
        "BIOSKILLS_NETWORK_HUB_PORT": str(hub),
        "BIOSKILLS_NETWORK_PROXY_API_PORT": str(api),
        "BIOSKILLS_NETWORK_CAMPUS_PORT": str(campus),
        "BIOSKILLS_LABS_SERVICE_UID": str(uids),
        "BIOSKILLS_LABS_FIRST_UID": str(uids + 20),
        "BIOSKILLS_LABS_UID_COUNT": str(UIDS_EACH - 20),
    }
    return Product(data, environ, port)


@pytest.fixture
def fresh_product() -> Iterator[Product]:
    """An installation of this test alone, not started."""
    found = new_product()
    yield found
    if found.process is not None:
        found.stop()
        keep_logs(found)
    shutil.rmtree(found.data)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """A running installation shared by the session's tests."""
    found = new_product()
    found.start()
    yield found
    code = found.stop()
    keep_logs(found)
    assert code == 0, found.said()
    shutil.rmtree(found.data)
