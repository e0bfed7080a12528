"""A warm parent of kernels, rooms of learners, and a lab's stand-in in each, for tests as root."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bioskills_waiting import eventually

from bioskills.fork_server import cgroups, child, config, drop, rooms, warden, wire
from bioskills.fork_server.links import Links

FIRST_UID = 791_000
LIMITS = {"memory_mb": 1500, "processes": 400, "tmp_mb": 64, "shm_mb": 64, "home_mb": 200}
ANSWERS = 3
"""Descriptor of what the stand-in says; what it prints goes to its log, as a lab's does."""
AGENT = Path(__file__).with_name("bioskills_lab_agent.py")
SPEC = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3",
    "language": "python",
    "metadata": {"kernel_provisioner": {"provisioner_name": "bioskills-fork"}},
}


class Learner:
    """A lab's stand-in; its methods are those of `bioskills_lab_agent.Agent`."""

    def __init__(self, house: "House", uid: int) -> None:
        self.uid = uid
        self.home = house.config.home(uid)
        self.log = house.base / f"agent-{uid}.log"
        asks, self._in = os.pipe()
        self._out, answers = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            child.run(lambda: _be_agent(house, uid, asks, answers))
        os.close(asks)
        os.close(answers)
        self._answers = os.fdopen(self._out, encoding="utf-8")

    def do(self, verb: str, **options: Any) -> Any:
        """Let the stand-in do something; return what it says."""
        os.write(self._in, json.dumps({"do": verb, **options}).encode() + b"\n")
        line = self._answers.readline()
        assert line, f"the lab's stand-in ended:\n{self.log.read_text()}"
        said = json.loads(line)
        assert "error" not in said, f"{said}\n{self.log.read_text()}"
        return said["answer"]

    def text(self, name: str, code: str, **options: Any) -> str:
        """Return what a cell printed; its errors too."""
        outputs = self.do("run", name=name, code=code, **options)["outputs"]
        parts = [c.get("text") or "\n".join(c.get("traceback", ())) for _kind, c in outputs]
        return "".join(parts)

    def end(self) -> None:
        """End the stand-in as a killed lab ends."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._in)
        self._answers.close()


@dataclass
class House:
    """One installation with a warm parent of kernels."""

    base: Path
    config: config.Config
    parent: "subprocess.Popen[bytes] | None" = None
    learners: dict[int, Learner] = field(default_factory=dict)

    def start_parent(self) -> None:
        """Start the warm parent and wait until it serves."""
        self.config.socket("kernels").unlink(missing_ok=True)
        path = self.base / "config.json"
        path.write_text(config.as_json(self.config))
        with (self.base / "parent.log").open("ab") as log:
            self.parent = subprocess.Popen(
                [sys.executable, "-I", "-m", "bioskills.fork_server.kernels", str(path)],
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        serves, parent = self.config.socket("kernels"), self.parent
        eventually(lambda: serves.exists() or parent.poll() is not None, 200)
        assert serves.exists(), (self.base / "parent.log").read_text()

    def stop_parent(self, number: int = signal.SIGTERM) -> None:
        """End the warm parent."""
        if self.parent:
            self.parent.send_signal(number)
            self.parent.wait(60)

    def learner(self, number: int = 1) -> Learner:
        """Return a learner's stand-in in a room of his own."""
        uid = FIRST_UID + number
        if uid not in self.learners:
            request = wire.Request("open", uid, name=f"learner{number}")
            warden.open_room(self.config, Links(self.config), uid, request)
            self.learners[uid] = Learner(self, uid)
        return self.learners[uid]

    def leave(self, learner: Learner) -> None:
        """End a learner's stand-in."""
        del self.learners[learner.uid]
        learner.end()


@contextmanager
def kernel_house(**changes: Any) -> Iterator[House]:
    """Give an installation with a serving warm parent; takes everything away afterwards."""
    with tempfile.TemporaryDirectory(prefix="bsk-", dir="/run") as name:
        base = Path(name)
        base.chmod(0o711)
        for part in ("homes", "log", "run"):
            (base / part).mkdir(mode=0o711)
        house = House(base, _config(base, **changes))
        _write_specs(base)
        rooms.prepare(house.config)
        cgroups.here()
        try:
            house.start_parent()
            yield house
        finally:
            house.stop_parent()
            for learner in list(house.learners.values()):
                house.leave(learner)
            warden.close_all(house.config, Links(house.config))
            rooms.unprepare(house.config)


@cache
def learned(preload: str) -> Path:
    """Return a folder for what the parents of these tests learn with the same preload list."""
    folder = Path(tempfile.mkdtemp(prefix="bsk-learned-", dir="/run"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _config(base: Path, **changes: Any) -> config.Config:
    values: dict[str, Any] = {
        "mark": f"kern-{os.getpid()}",
        "run_dir": base / "run",
        "homes": base / "homes",
        "log_dir": base / "log",
        "first_uid": FIRST_UID,
        "last_uid": FIRST_UID + 99,
        "hub_uid": 0,
        "relay_uid": FIRST_UID + 100,
        "probe_uid": FIRST_UID + 101,
        "environments": {"course": Path(sys.prefix), "lab": Path(sys.prefix)},
        "network": "shared",
        "limits": LIMITS,
        "preload": {"course": ("numpy", "pandas", "Bio.SeqIO", "matplotlib.pyplot", "ipywidgets")},
        "cache": str(learned(repr(changes.get("preload")))),
    }
    return config.Config(**{**values, **changes})


def _write_specs(base: Path) -> None:
    other = {**SPEC, "argv": ["/usr/bin/env", *SPEC["argv"]]}
    for name, spec in {"python3": SPEC, "other": other}.items():
        folder = base / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))


def _be_agent(house: House, uid: int, asks: int, answers: int) -> None:
    log = os.open(house.base / f"agent-{uid}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    drop.enter_and_drop(house.config, uid, log)
    home = house.config.home(uid)
    os.chdir(home)
    os.dup2(asks, 0)
    os.dup2(answers, ANSWERS)
    os.set_inheritable(ANSWERS, True)
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "JUPYTER_RUNTIME_DIR": str(house.config.runtime(uid)),
        "JUPYTER_PATH": str(house.base / "jupyter"),
        "BIOSKILLS_KERNELS_SOCKET": str(house.config.socket("kernels")),
        "SECRET_OF_LAB": f"secret-of-{uid}",
    }
    os.closerange(ANSWERS + 1, 4096)
    os.execve(sys.executable, [sys.executable, str(AGENT)], env)
