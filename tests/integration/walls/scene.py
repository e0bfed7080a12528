"""What the attacks are aimed at, and the same attacks from outside every wall."""

import inspect
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import walls_attacks
from bioskills_http import end_lab, loaded_paths
from bioskills_learners import TOLD, Kernel, Learner, learner
from bioskills_ports import free_port
from bioskills_product import Product

from bioskills.hub.processes import PROC, pids_of, start_time

MARK = f"{secrets.randbits(31):08x}"
"""Names the bait; also a key of System V, so eight hexadecimal digits."""
PRIVATE = ("/tmp", "/dev/shm", "/var/tmp", "/run/lock")


@dataclass
class Scene:
    """Lea at work, and Miro, whose kernel attacks.

    Attributes:
        victim: A kernel of Lea's.
        attacker: A kernel of Miro's.
        runtime: The installation's folder below /run.
        port: On which Lea listens inside her kernel.
        setuid: A program that would show root's id.
        folders: Miro's home and runtime folder.
    """

    product: Product
    victim: Kernel
    attacker: Kernel
    runtime: Path
    port: int
    setuid: Path
    folders: tuple[str, str]

    @property
    def lea(self) -> Learner:
        """The victim."""
        return self.victim.learner

    @property
    def miro(self) -> Learner:
        """The attacker."""
        return self.attacker.learner

    @property
    def home(self) -> Path:
        """Lea's home."""
        return self.product.data / "homes" / str(self.lea.uid)

    @property
    def services(self) -> dict[str, int]:
        """Ports of the services."""
        names = ("hub", "proxy_api", "campus")
        return {n: int(self.product.environ[f"BIOSKILLS_NETWORK_{n.upper()}_PORT"]) for n in names}

    @property
    def reachable(self) -> list[int]:
        """The ports of services that a room reaches."""
        return [self.services["hub"], self.services["campus"]]

    @property
    def others(self) -> list[int]:
        """Processes of Lea, of every service, and of root."""
        first = int(self.product.environ["BIOSKILLS_LABS_SERVICE_UID"])
        services = set(range(first, self.product.lab_uid))
        mine = [p for p in ours(self.product) if _owner(p) != self.miro.uid]
        return sorted({*pids_of({self.lea.uid, *services}), *mine})

    @property
    def paths(self) -> list[str]:
        """Files and folders of Lea, of the services and of the fork server."""
        tops = [self.home, self.runtime / str(self.lea.uid), self.product.data / "state"]
        inside = [p for top in tops for p in [top, *top.rglob("*")] if not p.is_socket()]
        rooms = [p for p in (self.runtime / "rooms").rglob("*") if not p.is_dir()]
        lists = [self.product.data / "homes", self.runtime, self.runtime / "rooms"]
        return [str(path) for path in [*inside, *rooms, *lists]]

    @property
    def sockets(self) -> list[str]:
        """Every socket of the installation, but Miro's own."""
        own = self.runtime / str(self.miro.uid)
        found = [*self.runtime.rglob("*"), *(self.product.data / "state").rglob("*")]
        return [str(p) for p in found if p.is_socket() and not p.is_relative_to(own)]

    def from_inside(self, act: Callable[..., Any], *args: Any) -> Any:
        """Run an attack in Miro's kernel."""
        return self.attacker.call(act, *args)


def from_outside(act: Callable[..., Any], *args: Any, uid: int = 0) -> Any:
    """Run an attack without our walls: on the machine itself, as root or as a bare uid.

    In a mount and host name space of its own: what it breaks there, it breaks for itself.
    """
    source = inspect.getsource(walls_attacks)
    code = f"{source}\nprint({TOLD!r} + json.dumps({act.__name__}(*json.loads(sys.argv[1]))))"
    who = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
    apart = ["unshare", "--mount", "--uts", "--propagation=private", "--", "setpriv", *who, "--"]
    with tempfile.TemporaryDirectory() as folder:
        home, runtime = Path(folder, "home"), Path(folder, "runtime")
        for path in (home, runtime):
            path.mkdir()
            os.chown(path, uid, uid)
        Path(folder).chmod(0o755)
        environ = {
            "HOME": str(home),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "PATH": os.environ["PATH"],
        }
        said = subprocess.run(
            [*apart, "/usr/bin/python3", "-I", "-c", f"import json\n{code}", json.dumps(args)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert said.stdout.startswith(TOLD), said.stderr
    return json.loads(said.stdout.removeprefix(TOLD))


@contextmanager
def scene_in(product: Product) -> Iterator[Scene]:
    """Both at work; Lea began first, so that Miro's processes are younger than all of hers."""
    end_lab(product, "miro")  # another suite may have left him one
    lea = learner(product, "lea")
    with lea.running() as victim:
        miro = learner(product, "miro")
        with miro.running() as attacker:
            folders = attacker.call(walls_attacks.own_folders)
            program = _setuid_program(product)
            port = free_port()
            assert victim.call(walls_attacks.bait, MARK, port) == "laid"
            yield Scene(
                product, victim, attacker, Path(folders[1]).parent, port, program, tuple(folders)
            )
            victim.call(walls_attacks.remove_bait, MARK)
            program.unlink()


def _setuid_program(product: Product) -> Path:
    program = product.data / "who"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    return program


def ours(product: Product) -> list[int]:
    """Return the processes that `bioskills run` started, whoever they belong to."""
    first = product.process.pid if product.process else os.getpid()
    found, new = {first}, {first}
    parents = {int(p.name): _parent(p) for p in PROC.iterdir() if p.name.isdigit()}
    while new := {pid for pid, parent in parents.items() if parent in new} - found:
        found |= new
    return sorted(found)


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _owner(pid: int) -> int:
    try:
        return (PROC / str(pid)).stat().st_uid
    except OSError:
        return -1


# Facts that only root can see


def lab_pid(product: Product, name: str) -> int:
    """Return the process of a person's lab: the oldest of its uid."""
    started = {pid: start_time(pid) for pid in pids_of({product.uid(name)})}
    return min((pid for pid in started if started[pid]), key=lambda pid: started[pid])


def lab_port(product: Product, name: str) -> int:
    """Return the port that the proxy sends a person's requests to."""
    token = (product.data / "state/proxy/token").read_text()
    api = product.environ["BIOSKILLS_NETWORK_PROXY_API_PORT"]
    headers = {"Authorization": f"token {token}"}
    routes = httpx.get(f"http://127.0.0.1:{api}/api/routes", headers=headers, trust_env=False)
    found = [r["target"] for path, r in routes.json().items() if f"/user/{name}" in path]
    return int(found[0].rstrip("/").rpartition(":")[2])


def holders() -> dict[str, list[int]]:
    """Return the sockets and pipes of the machine, each with the processes that hold it open."""
    found: dict[str, list[int]] = {}
    for entry in filter(lambda p: p.name.isdigit(), PROC.iterdir()):
        for link in _links(entry / "fd"):
            if link.startswith(("socket:", "pipe:", "anon_inode:[memfd", "/memfd")):
                found.setdefault(link, []).append(int(entry.name))
    return found


def _links(folder: Path) -> Iterator[str]:
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                yield str(path.readlink())


def in_memory(pids: list[int], wanted: dict[str, bytes]) -> set[str]:
    """Return what of the wanted texts lies in the memory of these processes."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            memory = loaded_paths(pid)
            found |= {name for name, text in wanted.items() if text in memory}
    return found


def nothing_changed(folders: list[Path]) -> list[tuple[object, ...]]:
    """Return all that can be said of folders and what they hold."""
    every = [p for folder in folders for p in [folder, *sorted(folder.rglob("*"))]]
    return [
        (str(p), s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns, s.st_ino)
        for p in every
        for s in [p.lstat()]
    ]
