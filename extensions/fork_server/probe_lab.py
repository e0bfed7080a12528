"""Start one real lab for the probe, with a hub that is none, and open it as a browser does.

Law: the lab is started by the very function that a forked child runs. Everything
stays on loopback, and ends with the probe.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bioskills.fork_server import lab_child, wire

NAMES_FILE = "names.json"
COMMAND = [sys.executable, "-I", "-m", "bioskills.fork_server.probe"]
READY_S, ANSWER_S, END_S = 60.0, 20.0, 10.0
PREFIX = "/user/probe/"
TOKEN = secrets.token_hex()
"""Without it nobody else on this machine can use the lab, as short as it lives."""
SCOPES = ["access:servers!server=probe/"]
PERSON = {
    "kind": "user",
    "name": "probe",
    "admin": False,
    "groups": [],
    "scopes": [*SCOPES, "access:servers!user=probe", "read:users:activity!user=probe"],
    "session_id": None,
}
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
LOOKS = (
    "lab",
    "api/me",
    "api/status",
    "api/kernelspecs",
    "api/contents?content=1",
    "api/contents/a.ipynb?content=1",
    "api/contents/a.ipynb/checkpoints",
    "api/sessions",
    "api/kernels",
    "api/terminals",
    "lab/api/settings",
    "lab/api/translations",
    "lab/api/workspaces/default",
    "files/a.ipynb",
)
"""What JupyterLab asks for when it opens."""
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}


def modules(arguments: Iterable[str]) -> list[str]:
    """Return the modules of a lab that has shown its page, a notebook and a kernel."""
    with _hub() as hub, socket.create_server(("127.0.0.1", 0)) as listener:
        ours, theirs = socket.socketpair()
        inherited = [listener.fileno(), theirs.fileno()]
        process = subprocess.Popen(
            [*COMMAND, "serve", json.dumps(inherited), json.dumps([*arguments])],
            env={**os.environ, **_variables(hub)},
            pass_fds=inherited,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        try:
            _await_ready(ours)
            _look_around(listener.getsockname()[1])
            process.send_signal(signal.SIGUSR2)
            process.wait(END_S)
        finally:
            process.kill()
            process.wait()
    return written()


def serve(inherited: list[int], arguments: list[str]) -> None:
    """Be the lab, exactly as a child of the warm parent is one."""
    signal.signal(signal.SIGUSR2, _write_names)
    lab_child.import_all(())
    listener, connection = (socket.socket(fileno=number) for number in inherited)
    payload = wire.Payload(args=tuple(arguments), env=dict(os.environ))
    lab_child.serve(payload, listener, connection)


def _write_names(_number: int, _frame: object) -> None:
    names = [name for name in sys.modules if sys.modules.get(name)]
    Path(NAMES_FILE).write_text(json.dumps(names), encoding="utf-8")
    os._exit(0)


def _variables(hub: str) -> dict[str, str]:
    """Return what a hub gives a lab."""
    return {
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JUPYTERHUB_API_URL": f"{hub}/hub/api",
        "JUPYTERHUB_ACTIVITY_URL": f"{hub}/hub/api/users/probe/activity",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-probe",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(SCOPES),
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
        "JUPYTERHUB_OAUTH_SCOPES": json.dumps(SCOPES),
        "JUPYTERHUB_SERVER_NAME": "",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:0{PREFIX}",
        "JUPYTERHUB_USER": "probe",
        "JUPYTER_RUNTIME_DIR": str(Path.home() / "run"),
    }


class _Hub(BaseHTTPRequestHandler):
    """Answers as a hub does whose only person is *probe*."""

    def do_GET(self) -> None:
        """Say who holds a token, or what this is."""
        asked = self.path.startswith("/hub/api/user")
        known = self.headers.get("Authorization") in {f"token {TOKEN}", f"Bearer {TOKEN}"}
        self._answer(PERSON if asked else {"version": "0"}, 403 if asked and not known else 200)

    def do_POST(self) -> None:
        """Take note of nothing."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({}, 200)

    def _answer(self, body: object, status: int) -> None:
        text = json.dumps(body if status == http.client.OK else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def _hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _await_ready(connection: socket.socket) -> None:
    connection.settimeout(READY_S)
    with connection, connection.makefile("rb") as lines:
        line = lines.readline()
    if b"ready" not in line:
        raise SystemExit("the lab ended before it was ready")


def _look_around(port: int) -> None:
    """Open JupyterLab, a notebook and its kernel; what is refused is said and costs nothing."""
    with suppress(OSError, http.client.HTTPException):
        _ask(port, "PUT", "api/contents/a.ipynb", {"type": "notebook", "content": NOTEBOOK})
        for path in LOOKS:
            _ask(port, "GET", path)
        kernel = {"name": "python3"}
        wanted = {"path": "a.ipynb", "name": "a.ipynb", "type": "notebook", "kernel": kernel}
        session = _ask(port, "POST", "api/sessions", wanted)
        if session:
            _ask(port, "GET", f"api/kernels/{session['kernel']['id']}/channels", more=UPGRADE)
            _ask(port, "DELETE", f"api/sessions/{session['id']}")


def _ask(
    port: int, verb: str, path: str, body: object = None, more: dict[str, str] | None = None
) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        text = None if body is None else json.dumps(body)
        headers = {"Authorization": f"token {TOKEN}", **(more or {})}
        connection.request(verb, f"{PREFIX}{path}", text, headers)
        answer = connection.getresponse()
        if answer.status >= http.client.BAD_REQUEST:
            sys.stderr.write(f"{verb} {path}: {answer.status}\n")
            return None
        found = b"" if more else answer.read()
        return json.loads(found) if body is not None else None
    finally:
        connection.close()


def written() -> list[str]:
    """Return what a child wrote, and forget it."""
    file = Path(NAMES_FILE)
    found: list[str] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return found
