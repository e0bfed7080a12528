"""The control loop waits for nobody: a real loop in a real process, real sockets."""

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bioskills.fork_server import wire
from bioskills.fork_server.door import REQUEST_S, Caller, Door, Loop

QUOTA = 8
GUEST = 790_050
STRANGER = 790_051


@contextmanager
def served(path: Path, rate: float = 0.0) -> Iterator[Path]:
    """A loop that answers `echo` with the caller, keeps `keep` open and forks for `child`."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        _serve(path, told, rate)
    os.close(told)
    assert os.read(ready, 1) == b"1"
    os.close(ready)
    yield path
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Path]:
    with served(tmp_path / "door.sock") as path:
        yield path


def _serve(path: Path, told: int, rate: float) -> None:
    kept: dict[int, Caller] = {}

    def handle(caller: Caller, request: wire.Request) -> bool:
        if request.op == "child":
            pid = os.fork()
            if pid == 0:
                os._exit(7)
            kept[pid] = caller
            return True
        caller.answer({"op": request.op, "pid": caller.pid, "uid": caller.uid})
        return request.op == "keep"

    def on_child(pid: int, status: int) -> None:
        caller = kept.pop(pid)
        caller.answer({"exit": status})
        loop.dismiss(caller)

    status = 1
    try:
        admitted = {os.getuid(), GUEST}
        door = Door(path, 0o666, admitted.__contains__, QUOTA, handle, rate=rate)
        loop = Loop(door, on_child)
        os.write(told, b"1")
        loop.serve()
        status = 0
    finally:
        os._exit(status)


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(REQUEST_S + 60)
    connection.connect(str(path))
    return connection


def ask(path: Path, line: bytes) -> dict[str, object]:
    with connect(path) as connection:
        with suppress(BrokenPipeError):  # who is not admitted may be answered before he has asked
            connection.sendall(line)
        return heard(connection)


def heard(connection: socket.socket) -> dict[str, object]:
    with connection.makefile("rb") as file:
        return dict(json.loads(file.readline() or b"{}"))


def test_the_caller_is_who_the_kernel_says(door: Path) -> None:
    answer = ask(door, b'{"op":"echo","uid":70001}\n')
    assert answer == {"op": "echo", "pid": os.getpid(), "uid": os.getuid()}


def test_a_request_may_arrive_byte_by_byte(door: Path) -> None:
    with connect(door) as connection:
        for byte in b'{"op":"echo"}\n':
            connection.sendall(bytes([byte]))
            time.sleep(0.002)
        assert heard(connection)["op"] == "echo"


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"x" * 5000,
        b"x" * 70_000,
        b'{"op":"echo"}\n{"op":"echo"}\n',
        b"\n",
        b"\0" * 99,
    ],
)
def test_a_wrong_request_is_told_so_and_closed(door: Path, line: bytes) -> None:
    with connect(door) as connection:
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass
        try:
            answer = heard(connection)
        except ConnectionResetError:
            answer = {}
    assert answer in ({"failed": wire.BAD_REQUEST}, {})
    assert ask(door, b'{"op":"echo"}\n')["op"] == "echo"


def test_what_never_finishes_is_dropped_in_time(door: Path) -> None:
    began = time.monotonic()
    with connect(door) as connection:
        connection.sendall(b'{"op":')
        assert connection.recv(100) == b""
    assert time.monotonic() - began >= REQUEST_S - 1


def test_over_its_quota_a_uid_loses_its_own_oldest_request(door: Path) -> None:
    unfinished = [connect(door) for _ in range(QUOTA)]
    assert ask(door, b'{"op":"echo"}\n')["op"] == "echo"
    assert heard(unfinished[0]) == {"failed": wire.BUSY}
    for connection in unfinished:
        connection.close()


def test_a_thousand_half_open_connections_delay_nobody(door: Path) -> None:
    flood = []
    for _ in range(1000):
        connection = connect(door)
        connection.send(b'{"op"')
        flood.append(connection)
    busy = latency(door)
    for connection in flood:
        connection.close()
    assert busy < REQUEST_S, "as long as the first of them would be waited for"


def latency(path: Path) -> float:
    began = time.monotonic()
    assert ask(path, b'{"op":"echo"}\n')["op"] == "echo"
    return time.monotonic() - began


def test_what_follows_a_request_is_left_for_the_child(door: Path) -> None:
    with connect(door) as connection:
        connection.sendall(b'{"op":"keep"}\n')
        assert heard(connection)["op"] == "keep"
        connection.sendall(b"a secret that the parent must not read\n")
        assert ask(door, b'{"op":"echo"}\n')["op"] == "echo"
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(10)


def test_the_end_of_a_child_is_told_to_who_asked_for_it(door: Path) -> None:
    assert ask(door, b'{"op":"child"}\n') == {"exit": 7}


def test_a_caller_that_goes_away_does_no_harm(door: Path) -> None:
    for _ in range(50):
        connect(door).close()
        with connect(door) as connection:
            connection.sendall(b'{"op":"child"}\n')
    assert ask(door, b'{"op":"echo"}\n')["op"] == "echo"


def answers_as(uid: int, path: Path, count: int) -> list[dict[str, object]]:
    """Ask that often as another uid."""
    heard_end, told_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:  # whatever happens, this child must not go on with the tests
            os.setgroups([])
            os.setresuid(uid, uid, uid)
            said = [ask(path, b'{"op":"echo"}\n') for _ in range(count)]
            os.write(told_end, json.dumps(said).encode())
        finally:
            os._exit(0)
    os.close(told_end)
    with os.fdopen(heard_end) as file:
        said = json.load(file)
    os.waitpid(pid, 0)
    return list(said)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("becoming another uid needs root")
    with tempfile.TemporaryDirectory(dir="/run") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_who_asks_too_often_is_told_so_and_others_are_not(open_folder: Path) -> None:
    with served(open_folder / "door.sock", rate=0.001) as path:
        said = answers_as(GUEST, path, QUOTA + 3)
        assert [answer.get("failed") for answer in said] == [None] * QUOTA + [wire.BUSY] * 3
        assert all(ask(path, b'{"op":"echo"}\n')["op"] == "echo" for _ in range(QUOTA + 3))


def test_a_stranger_is_refused(open_folder: Path) -> None:
    with served(open_folder / "door.sock") as path:
        assert answers_as(STRANGER, path, 1) == [{"failed": wire.NOT_ALLOWED}]
