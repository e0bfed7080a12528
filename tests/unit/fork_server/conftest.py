"""An installation of rooms below a folder of its own, and a way to run programs in one."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bioskills.fork_server import cgroups, child, drop, rooms, warden
from bioskills.fork_server.config import Config
from bioskills.fork_server.links import Links

FIRST_UID = 790_000
LIMITS = {"memory_mb": 256, "processes": 64, "tmp_mb": 8, "shm_mb": 8, "home_mb": 64}
InRoom = Callable[[int, str], str]


@pytest.fixture(params=["/run", "/tmp"])
def installation(request: pytest.FixtureRequest) -> Iterator[Config]:
    """Rooms for uids of nobody else; everything is taken away afterwards.

    Twice: an installation may lie below a folder that every room has a private form of.
    """
    if os.geteuid() != 0:
        pytest.skip("rooms need root")
    # Not below pytest's own folder: others may not pass there, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="bsh-", dir=request.param) as name:
        base = Path(name)
        base.chmod(0o711)
        for part in ("homes", "log", "run"):
            (base / part).mkdir(mode=0o711)
        config = Config(
            mark=f"test-{os.getpid()}",
            run_dir=base / "run",
            homes=base / "homes",
            log_dir=base / "log",
            first_uid=FIRST_UID,
            last_uid=FIRST_UID + 99,
            hub_uid=0,
            relay_uid=FIRST_UID + 100,
            probe_uid=FIRST_UID + 101,
            environments={},
            network="shared",
            limits=LIMITS,
        )
        rooms.prepare(config)
        cgroups.here()
        yield config
        warden.close_all(config, Links(config))
        rooms.unprepare(config)


@pytest.fixture
def in_room(installation: Config) -> InRoom:
    """Return a function that runs a shell command as a learner, in the learner's room."""

    def run(uid: int, command: str) -> str:
        heard, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            child.run(lambda: _be_learner(installation, uid, said, command))
        os.close(said)
        with os.fdopen(heard) as output:
            text = output.read()
        os.waitpid(pid, 0)
        return text

    return run


def _be_learner(config: Config, uid: int, output: int, command: str) -> None:
    drop.enter_and_drop(config, uid, output)
    home = str(config.home(uid))
    os.chdir(home)
    os.execve("/bin/bash", ["bash", "-c", command], {"HOME": home, "PATH": "/usr/bin:/bin"})
