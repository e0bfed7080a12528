"""Learners at work in a running installation, reached as a browser reaches them.

Everything goes through the proxy: sign-in, start of the lab, kernels over a
websocket. Nothing here reads a process's environment or a connection file, so
it holds for every way of starting labs. `Kernel.call` runs a function of an
attack module inside the kernel and returns what that function returned.
"""

import inspect
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx
import websocket
from bioskills_http import PATIENCE_S, eventually, rest, server_of, start_lab_of, visitor
from bioskills_product import Product

TOLD = "told:"
UNREAD_S = 15
"""A server cuts a connection on which nobody answers its pings."""


class KernelDiedError(Exception):
    """The kernel went away while it ran a cell."""


@dataclass
class Kernel:
    """A running kernel and its websocket.

    Attributes:
        learner: Whose it is.
        id: Its name at the server.
        used: When it was last spoken to.
    """

    learner: "Learner"
    id: str
    socket: "websocket.WebSocket"
    used: float = field(default_factory=time.monotonic)

    def run(self, code: str, timeout_s: float = PATIENCE_S) -> str:
        """Run code; return what it printed, or its traceback.

        Raises:
            KernelDiedError: The server says that it restarts, or the connection ended.
            TimeoutError: It did not end in time.
        """
        sent = self._send("execute_request", code=code, silent=False, allow_stdin=False)
        said, replied, idle = [], False, False
        end = time.monotonic() + timeout_s
        while not (replied and idle):
            message = self._hear(end)
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] in {"restarting", "dead"}:
                raise KernelDiedError(content["execution_state"])
            if (message.get("parent_header") or {}).get("msg_id") != sent:
                continue
            replied |= kind == "execute_reply"
            idle |= kind == "status" and content["execution_state"] == "idle"
            if kind in {"stream", "error"}:
                said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))
        return "".join(said)

    def begin(self, act: Callable[..., Any], *args: Any) -> None:
        """Run such a function and do not wait for it."""
        self._send("execute_request", code=_cell(act, args), silent=False, allow_stdin=False)

    def reconnect(self) -> None:
        """Take a new connection: an old one that nobody read from has been cut."""
        with suppress(OSError, websocket.WebSocketException):
            self.socket.close()
        self.socket, self.used = self.learner.connect(self.id), time.monotonic()

    def latency(self, times: int = 5) -> float:
        """Return the longest of some round trips of a small cell, in seconds."""
        found = []
        for number in range(times):
            begun = time.monotonic()
            assert self.run(f"print({number} + 1)").strip() == str(number + 1)
            found.append(time.monotonic() - begun)
        return max(found)

    def call(self, act: Callable[..., Any], *args: Any, timeout_s: float = PATIENCE_S) -> Any:
        """Run a function of a module that needs the standard library alone; return its result."""
        said = self.run(_cell(act, args), timeout_s)
        # Something else may be printed before and behind it on the same line.
        _before, found, told = said.rpartition(TOLD)
        assert found, said
        return json.JSONDecoder().raw_decode(told)[0]

    def close(self) -> None:
        """End the kernel."""
        with suppress(OSError, websocket.WebSocketException):
            self.socket.close()
        with suppress(httpx.HTTPError):
            self.learner.call("DELETE", f"api/kernels/{self.id}")

    def _send(self, kind: str, **content: Any) -> str:
        if time.monotonic() - self.used > UNREAD_S:
            self._connected_again()
        name = uuid.uuid4().hex
        header = {
            "msg_id": name,
            "msg_type": kind,
            "session": "tests",
            "username": "",
            "version": "5.3",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return name

    def _connected_again(self) -> None:
        try:
            self.reconnect()
        except (OSError, websocket.WebSocketException) as error:
            raise KernelDiedError(str(error)) from error

    def _hear(self, end: float) -> dict[str, Any]:
        self.socket.settimeout(max(0.01, end - time.monotonic()))
        try:
            found: dict[str, Any] = json.loads(self.socket.recv())
            self.used = time.monotonic()
        except websocket.WebSocketTimeoutException as error:
            raise TimeoutError from error
        except (OSError, ValueError, websocket.WebSocketException) as error:  # closed: no JSON
            raise KernelDiedError(str(error)) from error
        return found


def _cell(act: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """Return code that defines a function's whole module, calls the function, and tells the result."""
    module = inspect.getmodule(act)
    assert isinstance(module, ModuleType)
    return (
        f"import json, types\n"
        f"_m = types.ModuleType('attacks'); exec({inspect.getsource(module)!r}, _m.__dict__)\n"
        f"print({TOLD!r} + json.dumps(_m.{act.__name__}(*json.loads({json.dumps(args)!r}))))"
    )


@dataclass
class Learner:
    """A person with a running lab.

    Attributes:
        product: Where it runs.
        name: Who.
        token: Opens their own lab and nothing else.
    """

    product: Product
    name: str
    token: str

    @property
    def uid(self) -> int:
        """Whom the lab runs as."""
        return self.product.uid(self.name)

    @property
    def host(self) -> str:
        """Their origin's host with the port."""
        return f"{self.name}.hub.localhost:{self.product.port}"

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the lab through the proxy."""
        headers = {"Authorization": f"token {self.token}"}
        with visitor() as client:
            return client.request(
                method, f"http://{self.host}/user/{self.name}/{path}", headers=headers, **options
            )

    def kernel(self) -> Kernel:
        """Start a kernel and wait until it answers."""
        found = self.call("POST", "api/kernels").raise_for_status().json()["id"]
        kernel = Kernel(self, found, self.connect(found))
        try:
            kernel.run("pass")
        except BaseException:
            kernel.close()
            raise
        return kernel

    def connect(self, kernel: str) -> "websocket.WebSocket":
        """Open a websocket to a running kernel."""
        address = (
            f"ws://127.0.0.1:{self.product.port}/user/{self.name}/api/kernels/{kernel}/channels"
        )
        headers = [f"Authorization: token {self.token}"]
        return websocket.create_connection(
            address, timeout=PATIENCE_S, host=self.host, header=headers, http_no_proxy=["*"]
        )

    @contextmanager
    def running(self) -> Iterator[Kernel]:
        """A kernel of this block alone."""
        kernel = self.kernel()
        try:
            yield kernel
        finally:
            kernel.close()

    def stop(self) -> None:
        """Stop the lab through the hub and wait until the hub says so."""
        rest(self.product, "DELETE", f"users/{self.name}/server")
        assert eventually(lambda: not server_of(self.product, self.name))


def learner(product: Product, name: str, password: str = "") -> Learner:
    """Sign in, start the lab, and return the person at it."""
    start_lab_of(product, name, password)
    return at_work(product, name)


def at_work(product: Product, name: str) -> Learner:
    """Return a person whose lab runs already."""
    wish = {"scopes": [f"access:servers!user={name}"], "note": "tests"}
    made = rest(product, "POST", f"users/{name}/tokens", json=wish).raise_for_status().json()
    return Learner(product, name, made["token"])
