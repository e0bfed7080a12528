"""A real warden with its parents and relay: who may ask for what."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_ports import own_ports
from bioskills_product import ENVIRONMENTS
from bioskills_waiting import eventually

from bioskills.fork_server import client, wire
from bioskills.fork_server.config import Config, as_json

pytestmark = pytest.mark.integration

FIRST = 792_000
HUB, GRADER, RELAY, PROBE, STRANGER = range(792_100, 792_105)
A, B = FIRST, FIRST + 1


@pytest.fixture(scope="module")
def installation() -> Iterator[Config]:
    if os.geteuid() != 0:
        pytest.skip("the fork server needs root")
    with tempfile.TemporaryDirectory(prefix="bsw-", dir="/run") as name:
        base = Path(name)
        base.chmod(0o711)
        for part in ("homes", "log", "run"):
            (base / part).mkdir(mode=0o711)
        yield Config(
            mark="warden-test",
            run_dir=base / "run",
            homes=base / "homes",
            log_dir=base / "log",
            first_uid=FIRST,
            last_uid=FIRST + 9,
            hub_uid=HUB,
            relay_uid=RELAY,
            probe_uid=PROBE,
            environments={name: ENVIRONMENTS / name for name in ("lab", "course")},
            keep=(ENVIRONMENTS,),
            ports=dict(zip(("hub", "campus"), own_ports(2), strict=True)),
            limits={"memory_mb": 512, "processes": 100, "tmp_mb": 16, "shm_mb": 16},
            grader_uid=GRADER,
            first_slot_uid=792_200,
            slots=2,
            cache=str(ENVIRONMENTS / "learned"),
        )


@pytest.fixture(scope="module")
def warden(installation: Config) -> "Iterator[subprocess.Popen[bytes]]":
    file = installation.run_dir.parent / "config.json"
    file.write_text(as_json(installation))
    python = str(ENVIRONMENTS / "hub" / "bin" / "python")
    command = [python, "-I", "-m", "bioskills.fork_server", str(file)]
    process = subprocess.Popen(command, cwd="/", env={"PATH": "/usr/bin:/bin"})
    serves = installation.socket("labs")
    eventually(lambda: serves.exists() or process.poll() is not None, 200)
    assert serves.exists()
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=90) == 0
    mounts = Path("/proc/self/mounts").read_text()
    assert str(installation.run_dir) not in mounts


def asked_as(uid: int, path: Path, request: dict[str, object]) -> dict[str, object]:
    """Return the answer that a uid gets."""
    code = (
        "import json, os, socket, sys\n"
        "from bioskills.fork_server import client\n"
        "uid = int(sys.argv[1]); os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)\n"
        "from pathlib import Path\n"
        "try: print(json.dumps(client.ask_now(Path(sys.argv[2]), json.loads(sys.argv[3]))))\n"
        "except client.RefusedError as error: print(json.dumps({'failed': error.code}))\n"
    )
    command = [sys.executable, "-c", code, str(uid), str(path), json.dumps(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


OPEN_A = {"op": "open", "uid": A, "name": "lea"}
REFUSED = {"failed": wire.NOT_ALLOWED}


@pytest.mark.usefixtures("warden")
def test_the_hub_opens_and_closes_rooms(installation: Config) -> None:
    path = installation.socket("warden")
    assert asked_as(HUB, path, OPEN_A) == {"opened": True, "existed": False}
    assert asked_as(HUB, path, OPEN_A) == {"opened": True, "existed": True}
    assert asked_as(HUB, path, {"op": "close", "uid": A}) == {"closed": True}


@pytest.mark.usefixtures("warden")
@pytest.mark.parametrize("uid", [0, 61_000, FIRST - 1, FIRST + 10, HUB, GRADER])
def test_even_the_hub_gets_no_room_for_anybody_but_a_learner(
    installation: Config, uid: int
) -> None:
    request = {"op": "open", "uid": uid or 1}
    assert asked_as(HUB, installation.socket("warden"), request) == REFUSED


@pytest.mark.usefixtures("warden")
@pytest.mark.parametrize("op", ["open", "close", "slot", "start", "release", "nonsense"])
def test_a_learner_may_not_ask_for_it(installation: Config, op: str) -> None:
    assert asked_as(A, installation.socket("warden"), {"op": op, "uid": B}) == REFUSED


@pytest.mark.usefixtures("warden")
@pytest.mark.parametrize("op", ["open", "close", "slot", "usage"])
def test_a_stranger_is_shown_the_door_before_he_has_asked(installation: Config, op: str) -> None:
    said = asked_as(STRANGER, installation.socket("warden"), {"op": op, "uid": B})
    assert said["failed"] in {wire.NOT_ALLOWED, client.UNREACHABLE}


@pytest.mark.usefixtures("warden")
def test_a_learner_is_told_of_the_own_use_and_of_no_other(installation: Config) -> None:
    path = installation.socket("warden")
    asked_as(HUB, path, OPEN_A)
    assert asked_as(A, path, {"op": "usage"})["room"] is True
    assert asked_as(A, path, {"op": "usage", "uid": A})["room"] is True
    assert asked_as(B, path, {"op": "usage", "uid": A}) == REFUSED
    asked_as(HUB, path, {"op": "close", "uid": A})


@pytest.mark.usefixtures("warden")
def test_nobody_but_the_hub_reaches_the_parent_of_labs(installation: Config) -> None:
    request = {"op": "start", "uid": A}
    for uid in (A, GRADER, STRANGER):
        said = asked_as(uid, installation.socket("labs"), request)
        assert said == {"failed": client.UNREACHABLE}
    assert asked_as(HUB, installation.socket("labs"), request) == {"failed": wire.NO_ROOM}


@pytest.mark.usefixtures("warden")
def test_the_grader_gets_a_slot_and_nothing_else(installation: Config) -> None:
    path = installation.socket("warden")
    assert 792_200 <= int(str(asked_as(GRADER, path, {"op": "slot"})["slot"])) < 792_202
    for op in ("open", "close", "usage"):
        assert asked_as(GRADER, path, {"op": op, "uid": A}) == REFUSED
    assert asked_as(HUB, path, {"op": "slot"}) == REFUSED


@pytest.mark.usefixtures("warden")
def test_a_room_with_a_network_of_its_own_reaches_two_ports_of_the_host(
    installation: Config,
) -> None:
    path, (closed,) = installation.socket("warden"), own_ports(1)
    with (
        socket.create_server(("127.0.0.1", installation.ports["hub"])) as hub,
        socket.create_server(("127.0.0.1", closed)) as other,
    ):
        asked_as(HUB, path, OPEN_A)
        net = installation.room(A) / "net"
        code = (
            "import socket\n"
            f"line = socket.create_connection(('127.0.0.1', {installation.ports['hub']}), 60)\n"
            "line.sendall(b'hello')\n"
            f"for port in ({closed}, 22, 80):\n"
            "    try: socket.create_connection(('127.0.0.1', port), 2); print('reached', port)\n"
            "    except OSError: pass\n"
        )
        command = ["nsenter", f"--net={net}", sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("", "")
        hub.settimeout(60)
        with hub.accept()[0] as arrived:
            assert arrived.recv(5) == b"hello"
        other.settimeout(0.1)
        with pytest.raises(TimeoutError):
            other.accept()
        asked_as(HUB, path, {"op": "close", "uid": A})


def test_a_warden_that_ends_takes_every_room_away(
    warden: "subprocess.Popen[bytes]", installation: Config
) -> None:
    asked_as(HUB, installation.socket("warden"), OPEN_A)
    assert warden.poll() is None  # its end, and what is left then, is looked at in the fixture
    assert str(installation.room(A)) in Path("/proc/self/mounts").read_text()
