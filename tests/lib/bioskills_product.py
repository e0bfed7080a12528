"""A whole running installation for tests: `bioskills run`, nothing replaced.

`product` is shared by the session, `fresh_product` is one test's own. All run
on random loopback ports, with uids of their own, in a folder that other uids
can traverse, and end with everything they started.
"""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bioskills_ports import free_port, give_back, own_ports
from bioskills_tests import COURSE, ROOT
from bioskills_waiting import remove

ENVIRONMENTS = Path(os.environ.get("BIOSKILLS_TEST_ENVIRONMENTS", ROOT / ".bioskills" / "env"))
START_TIMEOUT_S = 200
UIDS_EACH = 200
_uids = iter(range(200_000 + os.getpid() % 5_000 * 2_000, 1 << 31, UIDS_EACH))


@dataclass
class Product:
    """One installation.

    Attributes:
        data: Its data folder.
        environ: Variables that make `bioskills` commands mean this installation.
        port: The proxy's port.
        process: `bioskills run`, once started.
        course: The course it begins with.
        demo: Whether it is filled with the demo cohort.
        chosen: Passwords that people set by their links, by name.
    """

    data: Path
    environ: dict[str, str]
    port: int
    process: "subprocess.Popen[str] | None" = None
    course: Path = COURSE
    demo: bool = True
    chosen: dict[str, str] = field(default_factory=dict)

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
        """Return the password that a test chose for a person, or a demo person's printed one."""
        if name in self.chosen:
            return self.chosen[name]
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
                [self.program, "run", *(["--demo", str(self.course)] if self.demo else [])],
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


def put_away(found: Product) -> None:
    """Remove an installation that has ended."""
    if found.process is not None:
        keep_logs(found)
    remove(found.data)
    ports = (value for name, value in found.environ.items() if name.endswith("_PORT"))
    give_back(map(int, ports))


def new_product() -> Product:
    """Return an installation that is not started."""
    data = Path(tempfile.mkdtemp(prefix="bsh-"))
    data.chmod(0o755)
    port = free_port()
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
        # The papers have tests of their own; everybody else would meet them first.
        "BIOSKILLS_PAPERS_AT_FIRST_SIGN_IN": "false",
        "BIOSKILLS_LABS_SERVICE_UID": str(uids),
        "BIOSKILLS_LABS_FIRST_UID": str(uids + 20),
        "BIOSKILLS_LABS_UID_COUNT": str(UIDS_EACH - 20),
    }
    return Product(data, environ, port)


@contextmanager
def running_product(*, demo: bool = True, **settings: str) -> Iterator[Product]:
    """Give a running installation with these settings (`LABS_MEMORY_MB`, say); end and remove it."""
    found = new_product()
    found.demo = demo
    found.environ |= {f"BIOSKILLS_{name}": value for name, value in settings.items()}
    found.start()
    try:
        yield found
    finally:
        found.stop()
        put_away(found)


@pytest.fixture
def fresh_product() -> Iterator[Product]:
    """An installation of this test alone, not started."""
    found = new_product()
    yield found
    if found.process is not None:
        found.stop()
    put_away(found)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """A running installation shared by the session's tests."""
    with running_product() as found:
        yield found
    assert found.process.returncode == 0


@pytest.fixture(scope="session")
def mortal_product() -> Iterator[Product]:
    """A running installation whose processes any test may kill; two labs start at one time.

    A test waits for what it needs there, and leaves nothing dead that does not come back.
    """
    with running_product(LABS_CONCURRENT_STARTS="2") as found:
        yield found
