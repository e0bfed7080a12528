"""What a forked child does first: go behind the walls and give up every right.

Law: between fork and the end of `enter_and_drop` nothing that came over a
socket is used but a uid from the learners' range. Afterwards the process is the
learner and nobody else, for good.
"""

import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path

from bioskills.fork_server import calls, cgroups, disk, linux, rooms
from bioskills.fork_server.config import Config

LOG_BYTES = 5_000_000
OPEN_FILES = 4096


def open_log(config: Config, uid: int) -> int:
    """Return the descriptor of a lab's log; a long one begins anew."""
    path = config.log_dir / f"lab-{uid}.log"
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(path, flags, 0o600)
    if os.fstat(log).st_size > LOG_BYTES:
        os.ftruncate(log, 0)
    return log


def enter_and_drop(config: Config, uid: int, output: int | None) -> None:
    """Enter the learner's room and become the learner.

    Args:
        config: The installation.
        uid: The learner; checked by the caller to be in the range.
        output: Descriptor for what is printed; None for nowhere.
    """
    os.setsid()
    default_signals()
    _standard_files(output)
    limits = rooms.limits_of(config, uid)  # cannot be seen from inside
    file_limits = disk.file_limits(disk.state_of(config, uid))
    cgroups.join(config.mark, uid)
    rooms.enter(config, uid)
    become(uid, limits, file_limits)


def become(uid: int, limits: Mapping[str, int], file_limits: tuple[int, int]) -> None:
    """Give up every right and become this uid.

    Args:
        uid: The learner.
        limits: What the room may use; those that no control group holds are set here.
        file_limits: Longest file it may write, also where it does not lie in the home: soft, hard.
    """
    _before(limits, file_limits)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # In a user namespace without uid 0 the kernel leaves them at a change of uid.
    linux.clear_capabilities()
    _after()


def stay(limits: Mapping[str, int], file_limits: tuple[int, int]) -> None:
    """Give up every right and stay the uid that this process has, which is not root's outside."""
    _before(limits, file_limits)
    linux.clear_capabilities()
    _after()


def _before(limits: Mapping[str, int], file_limits: tuple[int, int]) -> None:
    _limit(limits)
    resource.setrlimit(resource.RLIMIT_FSIZE, file_limits)
    _end_of_memory()
    linux.leave_keyring()
    linux.drop_capabilities()


def _after() -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if calls.possible():
        calls.refuse()
    # After a change of uid a process's own files in /proc belong to root: give them back.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    os.umask(0o077)


def default_signals() -> None:
    """Take back what Python and the parent made of signals."""
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    # Python itself ignores SIGPIPE and turns SIGINT into KeyboardInterrupt.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _standard_files(output: int | None) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    for number in (1, 2):
        os.dup2(nothing if output is None else output, number)
    for descriptor in {nothing, nothing if output is None else output} - {0, 1, 2}:
        os.close(descriptor)


def _end_of_memory() -> None:
    """Take back a protection that our own starter may have had: no learner is the last to go."""
    own = Path("/proc/self/oom_score_adj")
    if own.exists() and int(own.read_text("ascii")) < 0:
        own.write_text("0", "ascii")


def _limit(limits: Mapping[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    for number, value in cgroups.rlimits(limits).items():
        resource.setrlimit(number, (value, value))
