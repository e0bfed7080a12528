"""Which kernels are forked, and that a kernel is known by its number and its start."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioskills.fork_server import provisioner, wire
from bioskills.fork_server.client import RefusedError
from bioskills.fork_server.linux import start_time
from bioskills.fork_server.provisioner import ForkedKernel, fork_kernel, why_cold

COMMAND = ["/env/bin/python", "-m", "ipykernel_launcher", "-f", "k.json"]


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("command", "options", "reason"),
    [
        (COMMAND, {}, ""),
        ([*COMMAND, "--debug"], {}, ""),
        (["/env/bin/R", "-m", "IRkernel"], {}, provisioner.OTHER_PROGRAM),
        (["/env/bin/python", "-O", *COMMAND[1:]], {}, provisioner.OTHER_PROGRAM),
        (COMMAND, {"stdout": 1}, provisioner.OWN_FILES),
        (COMMAND, {"independent": True}, provisioner.OWN_FILES),
        (COMMAND, {"env": {"PYTHONHASHSEED": "1"}}, provisioner.AT_START),
        (COMMAND, {"env": {"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/bin"}}, ""),
        (COMMAND, {"cwd": "cold"}, provisioner.COLD_COURSE),
        (COMMAND, {"cwd": "cold/lessons/deep"}, provisioner.COLD_COURSE),
        (COMMAND, {"cwd": "warm/../cold"}, provisioner.COLD_COURSE),
        (COMMAND, {"cwd": "link"}, provisioner.COLD_COURSE),
        (COMMAND, {"cwd": "colder"}, ""),
        (COMMAND, {"cwd": "warm/cold"}, ""),
        (COMMAND, {"cwd": "."}, ""),
    ],
)
def test_what_a_fork_cannot_give_starts_cold(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    options: dict[str, object],
    reason: str,
) -> None:
    for name in ("cold/lessons/deep", "warm/cold", "colder"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("cold/lessons")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(provisioner.SOCKET_VARIABLE, "kernels.sock")
    monkeypatch.setenv(provisioner.COLD_VARIABLE, "other::cold")
    if "cwd" in options:
        options = {**options, "cwd": str(tmp_path / str(options["cwd"]))}

    assert why_cold(command, {"env": {}, "cwd": str(tmp_path), **options}) == reason


def test_without_a_warm_parent_everything_starts_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(provisioner.SOCKET_VARIABLE, raising=False)

    assert why_cold(COMMAND, {}) == provisioner.NO_PARENT


def test_a_process_with_another_start_is_never_signalled(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    stranger = ForkedKernel(sleeper.pid, start_time(sleeper.pid) - 1, None)

    stranger.kill()

    assert stranger.poll() == provisioner.LOST_STATUS
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(0.2)


def test_without_the_parent_a_kernel_is_watched_in_proc(sleeper: "subprocess.Popen[bytes]") -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    kernel = ForkedKernel(sleeper.pid, start_time(sleeper.pid), ours)
    assert kernel.poll() is None
    theirs.close()
    assert kernel.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        kernel.wait(0.1)

    kernel.kill()

    assert sleeper.wait(60) == -signal.SIGKILL
    assert kernel.wait(60) == provisioner.LOST_STATUS


@pytest.mark.parametrize(
    ("said", "status"),
    [(b'{"exit":0}\n', 0), (b'{"exit":-9}\n', -9), (b"nonsense\n", None), (b"[]\n", None)],
)
def test_the_parent_tells_how_a_kernel_ended(
    sleeper: "subprocess.Popen[bytes]", said: bytes, status: int | None
) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        theirs.sendall(said)

        assert ForkedKernel(sleeper.pid, start_time(sleeper.pid), ours).poll() == status


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([], wire.ENDED_BEFORE_READY),
        ([{"failed": wire.NO_ROOM}], wire.NO_ROOM),
        ([{"pid": 0}], provisioner.UNREACHABLE),
        (["no JSON"], provisioner.UNREACHABLE),
    ],
)
def test_a_parent_that_refuses_is_said(tmp_path: Path, answers: list[object], code: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()

    def answer() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(100)
            for said in answers:
                line = wire.line_of(said) if isinstance(said, dict) else b"no JSON\n"
                connection.sendall(line)

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(RefusedError) as refused:
        fork_kernel(str(tmp_path / "s"), {"args": []})
    thread.join()
    listener.close()

    assert refused.value.code == code


def test_a_child_that_is_not_ready_is_ended_before_another_starts(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()

    def answer() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(100)
            born = {"pid": sleeper.pid, "started": start_time(sleeper.pid)}
            connection.sendall(wire.line_of(born))

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(RefusedError):
        fork_kernel(str(tmp_path / "s"), {"args": []})
    thread.join()
    listener.close()

    assert sleeper.wait(60) == -signal.SIGKILL


def test_nobody_at_the_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=provisioner.UNREACHABLE):
        fork_kernel(str(tmp_path / "nothing"), {})


def test_jupyter_finds_the_provisioner_by_its_name() -> None:
    code = "from jupyter_client.provisioning import KernelProvisionerFactory as F; print(F.instance().get_provisioner_entries()['bioskills-fork'])"
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)

    assert found.stdout.strip() == "bioskills.fork_server.provisioner:ForkProvisioner"
