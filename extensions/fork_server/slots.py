"""A grading slot: one program, with a uid of its own, for as long as its caller stays.

Law: only the grader may ask. No two programs have one uid at one time, and a uid
is given again only when everything that ran as it has ended. The program's one
way out is the caller's own connection; the last line on it is always ours, said
after everything in the slot has ended, so nothing inside can speak after it.
"""

import fcntl
import os
import select
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bioskills.fork_server import cgroups, child, drop, killing, wire
from bioskills.fork_server.config import Config
from bioskills.fork_server.door import Caller

CHANNEL = 3
"""Descriptor of the connection in the program."""

NO_FILE_LIMIT = (-1, -1)
BOX_S = 30.0
"""How long the warm parent may take to make a box."""


class NoSlotError(OSError):
    """All slots are in use."""


class NoParentError(OSError):
    """The warm parent is not there: it begins, learns, or begins again."""


def serve(config: Config, caller: Caller, request: wire.Request) -> None:
    """Run one program or box in a slot, as long as the caller stays; this process keeps the slot."""
    limits = {**config.limits, **request.limits}
    if request.mode == "fork":
        _serve_box(config, caller, limits)
        return
    with _free_slot(config) as uid:
        cgroups.ensure(config.mark, uid, limits)
        try:
            worker = os.fork()
            if worker == 0:
                child.run(lambda: _become(config, caller, uid, limits))
            caller.answer({"slot": uid, "pid": worker})
            status = _until_the_end(caller, worker)
        finally:
            clear(config, uid)
        caller.connection.setblocking(True)
        caller.answer({"exit": status})


def _serve_box(config: Config, caller: Caller, limits: Mapping[str, int]) -> None:
    """Have the warm parent fork a box; give the caller both its lines, and stay until it goes."""
    with _free_slot(config) as uid:
        cgroups.ensure(config.mark, uid, limits)
        try:
            caller.answer({"slot": uid})
            ours = make_box(config, uid, limits, child.read_line(caller.connection))
            socket.send_fds(
                caller.connection,
                [wire.line_of({"ready": True})],
                [each.fileno() for each in ours],
            )
            for each in ours:
                each.close()
            _until_gone(caller)
        finally:
            clear(config, uid)


def make_box(
    config: Config, uid: int, limits: Mapping[str, int], payload: bytes
) -> tuple[socket.socket, socket.socket]:
    """Return the kernel's line and the control line of a new box.

    Args:
        config: The installation.
        uid: The slot's; its control group is there.
        limits: What the box may use.
        payload: The line with its environment; not looked into.

    Raises:
        NoParentError: The warm parent is away.
        OSError: It did not make one; the text says what it said.
    """
    with socket.socket(socket.AF_UNIX) as parent:
        parent.settimeout(BOX_S)
        try:
            parent.connect(str(config.socket("boxes")))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoParentError("the process that makes boxes is not there yet") from error
        parent.sendall(wire.line_of({"op": "box", "uid": uid, "limits": dict(limits)}))
        _told(parent, "pid")
        line, control = socket.socketpair(), socket.socketpair()
        with line[1], control[1]:
            socket.send_fds(parent, [payload], [line[1].fileno(), control[1].fileno()])
            _told(parent, "ready")
    return line[0], control[0]


def _told(parent: socket.socket, what: str) -> None:
    heard = child.read_line(parent)
    if f'"{what}"'.encode() not in heard:
        raise OSError(f"no box was made: {heard.decode('utf-8', 'replace').strip()}")


def _until_gone(caller: Caller) -> None:
    poll = select.poll()
    poll.register(caller.connection, 0)
    poll.poll()


def _become(config: Config, caller: Caller, uid: int, limits: dict[str, int]) -> None:
    os.setsid()
    connection = caller.connection
    cgroups.join(config.mark, uid)
    drop.become(uid, limits, NO_FILE_LIMIT)
    payload = child.read_payload(connection)
    if not payload.args or not payload.args[0].startswith("/"):
        raise wire.BadRequestError("a program with its whole path is expected")
    connection.settimeout(None)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(CHANNEL):
        os.dup2(nothing, number)
    os.dup2(connection.fileno(), CHANNEL, inheritable=True)
    os.closerange(CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
    os.chdir(payload.cwd or "/")
    os.execve(payload.args[0], payload.args, dict(payload.env))  # noqa: S606 - no shell is wanted


def _until_the_end(caller: Caller, worker: int) -> int:
    """Wait for the program, or for the caller to go away, which ends the program."""
    handle = os.pidfd_open(worker)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    # POLLHUP alone: that the caller has said all (POLLRDHUP) is not that it went away.
    poll.register(caller.connection, 0)
    try:
        poll.poll()
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])


def clear(config: Config, uid: int) -> None:
    """End everything that runs in a slot.

    All of it is in the slot's control group: it joined before it became the uid. So only a
    group that could not be emptied makes us look at every process of the machine.
    """
    if not cgroups.kill_all(config.mark, uid):
        killing.of_uid(uid, within_s=5.0)
    cgroups.remove(config.mark, uid)


@contextmanager
def _free_slot(config: Config) -> Iterator[int]:
    """Hold a slot's uid that nobody holds; it is free again when this process ends.

    Raises:
        NoSlotError: There is none.
    """
    folder = Path(config.slot_locks) if config.slot_locks else config.run_dir / "locks"
    folder.mkdir(mode=0o700, exist_ok=True)
    for uid in range(config.first_slot_uid, config.first_slot_uid + config.slots):
        lock = os.open(folder / f"slot-{uid}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        try:
            yield uid
        finally:
            os.close(lock)
        return
    raise NoSlotError
