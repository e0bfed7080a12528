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
from collections.abc import Iterator
from contextlib import contextmanager

from bioskills.fork_server import cgroups, child, drop, killing, wire
from bioskills.fork_server.config import Config
from bioskills.fork_server.door import Caller

CHANNEL = 3
"""Descriptor of the connection in the program."""

NO_FILE_LIMIT = (-1, -1)


class NoSlotError(OSError):
    """All slots are in use."""


def serve(config: Config, caller: Caller, request: wire.Request) -> None:
    """Run one program in a slot and tell how it ended; the calling process is the slot's keeper."""
    limits = {**config.limits, **request.limits}
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
    """End everything that runs in a slot."""
    cgroups.kill_all(config.mark, uid)
    killing.of_uid(uid, within_s=5.0)
    cgroups.remove(config.mark, uid)


@contextmanager
def _free_slot(config: Config) -> Iterator[int]:
    """Hold a slot's uid that nobody holds; it is free again when this process ends.

    Raises:
        NoSlotError: There is none.
    """
    folder = config.run_dir / "locks"
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
