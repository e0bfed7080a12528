"""Become a JupyterLab single-user server on a socket that is already bound.

Law: stands on JupyterHub's and Jupyter Server's public start and on two methods
that are private to `jupyter_server.serverapp.ServerApp`; where one of them is
not there, `missing` says so and labs are started by exec instead.
"""

import importlib
import os
import socket
import sys
from collections.abc import Iterable
from typing import Any

from bioskills.fork_server import title, wire
from bioskills.fork_server.warm import import_names

HEAVY = "rfc3987_syntax"
"""Compiles 35 grammars at import (1.9 CPU seconds) for a JSON-schema format that Jupyter never
uses; jsonschema does without it. https://github.com/jupyter-server/jupyter_server/issues/1559"""

MODULES = (
    "jupyterhub.singleuser.extension",
    "jupyter_server.serverapp",
    "jupyterlab.labapp",
    "jupyter_client.asynchronous",
    "tornado.platform.asyncio",
)
PRIVATE_METHODS = ("_bind_http_server_tcp", "_find_http_port", "start_ioloop")
PROGRAM = "jupyterhub-singleuser"
COLD = ("-I", "-m", "bioskills.fork_server.cold_lab")


def import_all(names: Iterable[str]) -> list[str]:
    """Import what labs need; return names that cannot be imported."""
    sys.modules[HEAVY] = None  # type: ignore[assignment]  # the documented way to make an import fail
    return import_names([*MODULES, *names])


def missing() -> list[str]:
    """Return what a forked lab stands on and this version of Jupyter lacks."""
    absent = [name for name in MODULES if name not in sys.modules]
    app = getattr(sys.modules.get("jupyter_server.serverapp"), "ServerApp", None)
    return absent + [name for name in PRIVATE_METHODS if not callable(getattr(app, name, None))]


def serve(payload: wire.Payload, listener: socket.socket, connection: socket.socket) -> None:
    """Serve until the lab ends.

    Args:
        payload: Words and environment, already taken on.
        listener: The bound socket.
        connection: Where *ready* is said.
    """
    set_address(listener)
    sys.argv[:] = [PROGRAM, *payload.args, *_own_folders()]
    title.set_words([PROGRAM])
    app = importlib.import_module("jupyter_server.serverapp").ServerApp
    _adopt(app, listener)
    _announce(app, connection)
    send_at_once()
    importlib.import_module("jupyterhub.singleuser.extension").main()


def send_at_once() -> None:
    """Let no part of a cell's answer wait for the packet before it: that held each cell for 40 ms.

    Tornado turns TCP_NODELAY off after each response, and Jupyter Server never turns it on for
    a kernel's websocket.
    """
    stream = importlib.import_module("tornado.iostream").IOStream
    set_nodelay = stream.set_nodelay
    stream.set_nodelay = lambda self, _value: set_nodelay(self, True)


def _own_folders() -> list[str]:
    """Return the options whose defaults JupyterLab took from the parent's environment at import."""
    commands = importlib.import_module("jupyterlab.commands")
    return [
        f"--LabApp.user_settings_dir={commands.get_user_settings_dir()}",
        f"--LabApp.workspaces_dir={commands.get_workspaces_dir()}",
    ]


def replace(payload: wire.Payload, listener: socket.socket, connection: socket.socket) -> None:
    """Become a new interpreter that starts the lab on the same port: the slim exec way."""
    set_address(listener)
    listener.close()
    connection.sendall(wire.line_of({"ready": True, "cold": True}))
    command = [sys.executable, *COLD, *payload.args]
    os.execve(command[0], command, dict(os.environ))  # noqa: S606 - no shell is wanted


def set_address(listener: socket.socket) -> None:
    """Put the real port where the hub left 0."""
    url = os.environ.get("JUPYTERHUB_SERVICE_URL", "")
    port = listener.getsockname()[1]
    os.environ["JUPYTERHUB_SERVICE_URL"] = url.replace(":0/", f":{port}/")


def _adopt(app: Any, listener: socket.socket) -> None:
    listener.setblocking(False)

    def bind(self: Any) -> bool:
        self.http_server.add_sockets([listener])
        return True

    app._bind_http_server_tcp = bind  # noqa: SLF001 - there is no public way to hand over a socket
    app._find_http_port = lambda _self: None  # noqa: SLF001 - the port is already ours


def _announce(app: Any, connection: socket.socket) -> None:
    start = app.start_ioloop

    def start_ioloop(self: Any) -> Any:
        self.io_loop.add_callback(_say_ready, connection)
        return start(self)

    app.start_ioloop = start_ioloop


def _say_ready(connection: socket.socket) -> None:
    with connection:
        connection.sendall(wire.line_of({"ready": True}))
