"""A lab is forked only where this version of Jupyter offers what that stands on."""

import subprocess
import sys

import pytest

LOOK = """
import importlib
from bioskills.fork_server import about, lab_child
lab_child.import_all(())
app = importlib.import_module("jupyter_server.serverapp").ServerApp
{change}
print(about.how_labs_start(lab_child.missing()))
"""


def looked(change: str) -> str:
    command = [sys.executable, "-I", "-c", LOOK.format(change=change)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_labs_are_forked_with_the_version_that_is_installed() -> None:
    assert looked("") == "{'labs': 'fork', 'missing': []}"


@pytest.mark.parametrize("name", ["_bind_http_server_tcp", "_find_http_port", "start_ioloop"])
def test_without_a_method_labs_are_started_anew_and_it_is_named(name: str) -> None:
    assert looked(f"del app.{name}") == f"{{'labs': 'exec', 'missing': ['{name}']}}"


def test_a_lab_sends_every_message_at_once() -> None:
    look = """
import socket
from tornado import ioloop, iostream
from bioskills.fork_server.lab_child import send_at_once

send_at_once()
server = socket.create_server(("127.0.0.1", 0))
async def go():
    stream = iostream.IOStream(socket.create_connection(server.getsockname()))
    stream.set_nodelay(False)  # as tornado does after each response
    print(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
    stream.close()
ioloop.IOLoop.current().run_sync(go)
"""
    command = [sys.executable, "-I", "-c", look]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
