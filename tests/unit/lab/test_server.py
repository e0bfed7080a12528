"""The verbs in a real Jupyter Server: who may call them, and how they refuse."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bioskills_waiting import eventually

from .conftest import ROOT, LittleCampus

pytestmark = pytest.mark.integration
TOKEN = "t" * 20


class Server:
    """A server on loopback, started as a person would, with one token."""

    def __init__(self, home: Path, campus: LittleCampus, **environment: str) -> None:
        self._log = (home / "server.log").open("w+")
        part = ROOT / "extensions" / "competence-lab"
        keep = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(part)}
        options = ["--ServerApp.port=0", "--ip=127.0.0.1", "--no-browser", "--allow-root"]
        options += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"]
        options += ["--ServerApp.jpserver_extensions={'bioskills_lab': True}"]
        options += ["--ServerApp.use_redirect_file=False"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            env=keep
            | {"BIOSKILLS_CAMPUS_API": campus.address, "JUPYTERHUB_API_TOKEN": "secret"}
            | environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.address = self._wait(home)

    def _wait(self, home: Path) -> str:
        """Give the address as soon as it answers; the log names it a little earlier."""
        log = home / "server.log"

        def answering() -> str:
            for address in set(re.findall(r"(http://127\.0\.0\.1:\d+)/", log.read_text())):
                with urllib.request.urlopen(f"{address}/api", timeout=60):
                    return str(address)
            return ""

        found = eventually(answering)
        assert found, log.read_text()
        return found

    def close(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def call(self, method: str, verb: str, body: object = None, **headers: str) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/bioskills/{verb}", data, headers)
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else None

    def mine(self, method: str, verb: str, body: object = None) -> tuple[int, Any]:
        return self.call(method, verb, body, Authorization=f"token {TOKEN}")


@pytest.fixture
def start(tmp_path: Path, campus: LittleCampus) -> Iterator[Any]:
    servers: list[Server] = []

    def make(**environment: str) -> Server:
        servers.append(Server(tmp_path, campus, **environment))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


P1 = {"run": "spring", "assignment": "p1"}
CHANGES = [
    ("start", P1),
    ("check", P1),
    ("hand-in", P1),
    ("open-lesson", {"run": "spring", "lesson": "l1"}),
]


def test_nobody_but_the_owner_changes_anything(start: Any, tmp_path: Path) -> None:
    """The person signed in by the token has another name than the owner the hub states."""
    server = start(JUPYTERHUB_USER="lea", BIOSKILLS_LAB_OWNER="lea")
    assert server.mine("GET", "overview")[0] == 200
    for verb, body in CHANGES:
        status, answer = server.mine("POST", verb, body)
        assert (status, answer["error"]) == (403, "not_yours")
    assert not (tmp_path / "sequences").exists()


def test_outside_a_hub_it_fails_closed(start: Any) -> None:
    server = start()
    assert server.mine("POST", "start", P1)[0] == 403


def test_the_owner_starts_and_checks_and_strangers_do_not(start: Any, tmp_path: Path) -> None:
    server = start(BIOSKILLS_LAB_OWNER="me")
    assert server.mine("POST", "start", P1) == (
        200,
        {"path": "sequences/p1/p1.ipynb", "fetched": True},
    )
    status, result = server.mine("POST", "check", P1)
    assert status == 200
    assert (
        result["tests"][0]["message"]
        == "A name is used before it is defined (name 'gc' is not defined). Does the cell that defines it run without an error?"
    )
    assert server.call("GET", "overview")[0] == 403
    assert server.call("POST", "start", P1)[0] == 403
    status, answer = server.mine("POST", "start", {"run": "spring"})
    assert (status, answer["error"]) == (400, "bad_request")
    assert server.mine("GET", "feedback?id=x")[0] == 400
    assert server.mine("GET", "progress?id=x")[0] == 400
    assert (tmp_path / "sequences/p1/p1.ipynb").is_file()


def test_a_cookie_alone_is_not_enough_to_change_something(start: Any, tmp_path: Path) -> None:
    """A page elsewhere can make the browser send the cookie, but not the XSRF header."""
    server = start(BIOSKILLS_LAB_OWNER="me")
    with urllib.request.urlopen(f"{server.address}/api/status?token={TOKEN}") as answer:
        cookies = "; ".join(
            value.split(";")[0] for name, value in answer.headers.items() if name == "Set-Cookie"
        )
    assert server.call("GET", "overview", Cookie=cookies)[0] == 200
    assert server.call("POST", "start", P1, Cookie=cookies)[0] == 403
    assert not (tmp_path / "sequences").exists()
