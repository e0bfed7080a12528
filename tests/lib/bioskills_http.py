"""People at a running installation without a browser: sign in, start a lab, run code in it."""

import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bioskills_memory import environ_of
from bioskills_product import Product
from bioskills_waiting import PATIENCE_S, eventually
from jupyter_client.blocking.client import BlockingKernelClient

from bioskills.hub.processes import PROC, pids_of, start_time

LISTENING = "0A"
STARTERS = {"setpriv", "bwrap"}
"""Programs that name in their own command line what they start."""


class ToThisMachine(httpx.HTTPTransport):
    """Bring every host's requests to the proxy on loopback; the Host header stays."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(sent)


@contextmanager
def visitor() -> Iterator[httpx.Client]:
    """A new browser, as far as the servers can tell."""
    with httpx.Client(
        transport=ToThisMachine(), follow_redirects=True, timeout=60, trust_env=False
    ) as client:
        yield client


def sign_in(client: httpx.Client, product: Product, name: str, password: str = "") -> bool:
    """Sign in by the hub's form; say whether the hub let this person in."""
    form = client.get(f"{product.url}/hub/login").text
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form)
    assert xsrf, form
    data = {
        "username": name,
        "password": password or product.password(name),
        "_xsrf": xsrf[1],
    }
    client.post(f"{product.url}/hub/login", data=data, follow_redirects=False)
    return is_in(client, product)


def is_in(client: httpx.Client, product: Product) -> bool:
    """Say whether the hub still takes this browser for a person with a seat."""
    answer = client.get(f"{product.url}/hub/home", follow_redirects=False)
    return answer.status_code == httpx.codes.OK


def rest(product: Product, method: str, path: str, **options: Any) -> httpx.Response:
    """Call the hub's REST API as the `provision` service."""
    token = (product.data / "state/hub/provision_token").read_text()
    port = product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    url = f"http://127.0.0.1:{port}/hub/api/{path}"
    headers = {"Authorization": f"token {token}"}
    return httpx.request(method, url, headers=headers, trust_env=False, timeout=60, **options)


def groups(product: Product) -> dict[str, list[str]]:
    """Return the people of every hub group that has some."""
    found = rest(product, "GET", "groups").raise_for_status().json()
    return {group["name"]: sorted(group["users"]) for group in found if group["users"]}


@dataclass
class Lab:
    """A running lab of one person.

    Attributes:
        product: Where it runs.
        name: Whose it is.
        pid: Its server process.
        uid: Whom that runs as.
        environ: The environment that its server has.
    """

    product: Product
    name: str
    pid: int
    uid: int
    environ: dict[str, str]

    @property
    def status(self) -> dict[str, str]:
        """What the kernel says about the process."""
        lines = (PROC / str(self.pid) / "status").read_text().splitlines()
        return {
            key: value.strip() for key, _colon, value in (line.partition(":") for line in lines)
        }

    @property
    def runtime(self) -> Path:
        """The folder of its kernels' sockets."""
        return Path(self.environ["JUPYTER_RUNTIME_DIR"])

    @property
    def home(self) -> Path:
        """The learner's home."""
        return Path(self.environ["HOME"])

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the lab's server through the proxy, with its own token."""
        url = f"http://{self.name}.hub.localhost:{self.product.port}/user/{self.name}/{path}"
        headers = {"Authorization": f"token {self.environ['JUPYTERHUB_API_TOKEN']}"}
        with visitor() as client:
            return client.request(method, url, headers=headers, **options)

    @contextmanager
    def kernel(self) -> "Iterator[Callable[[str], str]]":
        """Start a kernel through the server; yield what runs code in it and returns its output."""
        found = self.call("POST", "api/kernels").raise_for_status().json()["id"]
        file = self.runtime / f"kernel-{found}.json"
        assert eventually(file.exists)
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        # Without the heartbeat: on a busy machine one late beat would count as a death.
        client.start_channels(hb=False)
        client.wait_for_ready(timeout=PATIENCE_S)
        try:
            yield lambda code: run(client, code)
        finally:
            client.stop_channels()
            self.call("DELETE", f"api/kernels/{found}")


def run(client: BlockingKernelClient, code: str) -> str:
    """Run code in a kernel and return what it printed, or its traceback."""
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))

    client.execute_interactive(code, timeout=PATIENCE_S, output_hook=hear)
    return "".join(said)


def start_lab(product: Product, name: str, password: str = "") -> Lab:
    """Sign in and start a lab as a browser does; find its process."""
    start_lab_of(product, name, password)
    return lab_of(product, name)


def start_lab_of(product: Product, name: str, password: str = "") -> None:
    """Sign in and start a lab as a browser does; wait until its server answers."""
    with visitor() as client:
        assert sign_in(client, product, name, password)
        client.get(f"{product.url}/hub/spawn/{name}")
    ready = eventually(lambda: server_of(product, name).get("ready"))
    assert ready, (product.data / "state/log/hub.log").read_text()[-3000:]


def server_of(product: Product, name: str) -> dict[str, Any]:
    """Return what the hub knows of a person's server; empty where there is none."""
    model = rest(product, "GET", f"users/{name}").raise_for_status().json()
    found: dict[str, Any] = (model.get("servers") or {}).get("", {})
    return found


def lab_of(product: Product, name: str) -> Lab:
    """Find the server process of a person's lab, as the hub knows it."""
    state = state_of(product, name)
    assert state.get("pid"), f"{name} has no lab"
    pid = int(state["pid"])
    assert start_time(pid) == state["started"], f"{name}'s lab ended"
    return Lab(product, name, pid, _uid(PROC / str(pid)), environ_of(pid))


def state_of(product: Product, name: str) -> dict[str, Any]:
    """Return what the hub keeps of a person's lab over a restart; empty where there is none."""
    chosen = (
        "select spawners.state from spawners join users on users.id = user_id where users.name = ?"
    )
    file = product.data / "state/hub/hub.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        row = database.execute(chosen, (name,)).fetchone()
    found: dict[str, Any] = json.loads(row[0]) if row and row[0] else {}
    return found


def stop_lab(lab: Lab) -> None:
    """Stop a lab through the hub and wait until the hub says so."""
    rest(lab.product, "DELETE", f"users/{lab.name}/server").raise_for_status()
    assert eventually(lambda: not server_of(lab.product, lab.name))


def end_lab(product: Product, name: str) -> None:
    """Stop a person's lab where one runs, and wait until the hub says so."""
    if rest(product, "DELETE", f"users/{name}/server").is_success:
        assert eventually(lambda: not server_of(product, name))


def listeners(uids: set[int], pid: int | str = "self") -> list[int]:
    """Return the TCP ports on which processes of these uids listen, in a process's network."""
    found = []
    for table in ("tcp", "tcp6"):
        for line in (PROC / str(pid) / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[7]) in uids:
                found.append(int(fields[1].rpartition(":")[2], 16))
    return found


def people_of(product: Product) -> set[int]:
    """Return every uid that this installation may use for services and learners."""
    first = int(product.environ["BIOSKILLS_LABS_SERVICE_UID"])
    return set(range(first, first + 200))


def processes(product: Product) -> list[int]:
    """Return every process of the installation: by uid, by command line, by environment."""
    marks = (str(product.data), str(product.run_dir))
    mine = [
        int(entry.name)
        for entry in PROC.iterdir()
        if entry.name.isdigit()
        and any(mark in f"{_command(entry)}{_environ(entry)}" for mark in marks)
        and start_time(int(entry.name))
    ]
    return sorted({*pids_of(people_of(product)), *mine} - {os.getpid()})


def find(product: Product, *words: str) -> int:
    """Return the installation's process whose command line has these words; 0 where none runs.

    Each word is one argument, or the name of a module that `-m` runs.
    """
    for pid in processes(product):
        command = _command(PROC / str(pid)).split()
        if command and Path(command[0]).name not in STARTERS and set(words) <= set(command):
            return pid
    return 0


def the(product: Product, *words: str) -> int:
    """Return that process as soon as it runs."""
    found = eventually(lambda: find(product, *words))
    assert found, f"no process has the words {words}"
    return found


def kill(product: Product, *words: str) -> int:
    """End that process without a warning; return its number once it is gone."""
    pid = the(product, *words)
    began = start_time(pid)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: start_time(pid) != began)
    return pid


def _environ(entry: Path) -> dict[str, str]:
    try:
        text = (entry / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _uid(entry: Path) -> int:
    try:
        return entry.stat().st_uid
    except OSError:
        return -1


def loaded_paths(pid: int) -> bytes:
    """Return the writable private memory of a process: names of its loaded modules lie there."""
    parts = []
    with (PROC / str(pid) / "mem").open("rb", buffering=0) as memory:
        for line in (PROC / str(pid) / "maps").read_text().splitlines():
            place, rights, *_rest = line.split()
            if rights.startswith("rw"):
                begin, end = (int(part, 16) for part in place.split("-"))
                try:
                    memory.seek(begin)
                    parts.append(memory.read(end - begin))
                except (OSError, OverflowError):
                    continue
    return b"".join(parts)


def page_config(lab: Lab) -> dict[str, Any]:
    """Return what the Lab page is told."""
    text = lab.call("GET", "lab").raise_for_status().text
    found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config
