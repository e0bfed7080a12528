"""The ways beside the fork work, and are never taken silently."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bioskills_formgrader import at_formgrader
from bioskills_http import (
    PROC,
    is_in,
    lab_of,
    page_config,
    sign_in,
    start_lab,
    stop_lab,
    visitor,
)
from bioskills_ports import free_ports
from bioskills_product import ROOT, Product
from bioskills_waiting import eventually

from bioskills.hub.processes import pids_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="becomes other accounts"),
]


def doctor(product: Product) -> dict[str, dict[str, Any]]:
    return {c["name"]: c for c in json.loads(product.command("doctor", "--json").stdout)}


def namespace(pid: int | str, kind: str) -> str:
    return str((PROC / str(pid) / "ns" / kind).readlink())


def test_slim_exec_starts_a_new_interpreter_behind_the_same_walls_and_says_the_network(
    fresh_product: Product,
) -> None:
    fresh_product.environ["BIOSKILLS_LABS_SPAWNER"] = "slim_exec"
    fresh_product.start()

    lab = start_lab(fresh_product, "lea")

    command = (PROC / str(lab.pid) / "cmdline").read_bytes().split(b"\0")
    assert b"bioskills.fork_server.cold_lab" in command
    assert page_config(lab)["hubUser"] == "lea"
    assert lab.uid == fresh_product.uid("lea")
    assert namespace(lab.pid, "mnt") != namespace("self", "mnt")
    assert namespace(lab.pid, "net") == namespace("self", "net")
    told = "Learners share the machine's network"
    assert f"Warning: {told}" in fresh_product.said()
    found = doctor(fresh_product)
    assert (found["walls"]["level"], found["spawner"]["level"]) == ("warning", "ok")
    assert told in found["walls"]["sentence"]
    with visitor() as client:
        assert sign_in(client, fresh_product, "lea")
        assert told in client.get(f"{fresh_product.url}/hub/home").text.replace("&#x27;", "'")
    stop_lab(lab)
    assert eventually(lambda: not pids_of({lab.uid}))


def test_where_every_wall_stands_nothing_is_warned_of(product: Product) -> None:
    found = doctor(product)

    assert found["spawner"]["sentence"].endswith("all its parts answer.")
    assert found["walls"]["sentence"].startswith("Learners' network: ")
    if found["walls"]["level"] == "ok":
        assert "Warning:" not in product.said()
    assert [c for c in found.values() if c["level"] == "fault"] == []


@dataclass
class Alone(Product):
    """An installation of one account that is not root."""

    @property
    def account(self) -> int:
        """Its uid, which nobody else has."""
        return self.lab_uid

    def begin(self) -> None:
        with (self.data / "run.log").open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--demo", str(self.course)],
                env=self.environ,
                cwd="/",
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                user=self.account,
                group=self.account,
                extra_groups=[],
            )


@pytest.fixture
def alone(fresh_product: Product) -> Alone:
    port, hub, api, campus = free_ports(4)
    environ = {
        **fresh_product.environ,
        "HOME": str(fresh_product.data),
        "XDG_RUNTIME_DIR": str(fresh_product.data / "run"),
        "BIOSKILLS_NETWORK_PORT": str(port),
        "BIOSKILLS_NETWORK_HUB_PORT": str(hub),
        "BIOSKILLS_NETWORK_PROXY_API_PORT": str(api),
        "BIOSKILLS_NETWORK_CAMPUS_PORT": str(campus),
    }
    found = Alone(fresh_product.data, environ, port, course=course_for_all(fresh_product.data))
    (found.data / "run").mkdir()
    for folder in (found.data, found.data / "run"):
        os.chown(folder, found.account, found.account)
    return found


def course_for_all(data: Path) -> Path:
    """Return a copy of the demo course that another account can read."""
    target = data / "course"
    source = ROOT / "courses" / "sequences-first-steps"
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
    return target


def test_without_root_all_labs_run_as_one_account_and_everybody_is_told(alone: Alone) -> None:
    try:
        alone.start()
        lab = start_lab(alone, "lea")

        assert lab.uid == alone.account
        assert page_config(lab)["hubUser"] == "lea"
        assert "Warning: Not started as root" in alone.said()
        with visitor() as client:
            assert sign_in(client, alone, "lea")
            assert is_in(client, alone)
            assert "Not started as root" in client.get(f"{alone.url}/hub/home").text
        assert lab_of(alone, "lea").pid == lab.pid
        with at_formgrader(alone, "ina") as ina:
            assert ina.open()
    finally:
        code = alone.stop()
    assert code == 0, alone.said()
    assert eventually(lambda: not pids_of({alone.account}))
