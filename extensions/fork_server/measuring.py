"""Measure a folder that belongs to somebody who may not wish it.

Law: read with its owner's rights and no others, through directory descriptors that follow no
link and cross no file system, for a bounded time on the processor and on the clock. The
process is not the owner's, so the owner cannot end it or make it lie.
"""

import os
import resource
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LEAST_BYTES = 4096
BLOCK = 512  # what st_blocks counts, whatever the file system
CPU_S = 5
WALL_S = 20.0
DEEPEST = 200
TOLD_AFTER = 256  # folders
LINE_BYTES = 4096
READ = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Found(NamedTuple):
    """What a folder holds."""

    used: int
    """Bytes on the disk; at least this many where `whole` is false."""
    whole: bool
    cpu_s: float


def measure(home: Path, uid: int, nobody: int) -> Found:
    """Add up what a home holds, in a process that has given up every right.

    Args:
        home: The learner's folder.
        uid: The learner, with whose rights it is read.
        nobody: A uid of no learner, to which the process belongs.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _measure_and_exit(home, uid, nobody, writer)
    os.close(writer)
    used, state = _last_line(reader, time.monotonic() + WALL_S)
    os.close(reader)
    os.kill(child, signal.SIGKILL)
    spent = os.wait4(child, 0)[2]
    return Found(int(used), state == b"whole", spent.ru_utime + spent.ru_stime)


def _measure_and_exit(home: Path, uid: int, nobody: int, writer: int) -> None:
    try:
        os.nice(19)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        os.setgroups([])
        os.setresgid(nobody, uid, nobody)
        # Files are reached as the learner; signals and ptrace look at the other two.
        os.setresuid(nobody, uid, nobody)
        tell(Walk(), home, writer)
    finally:
        os._exit(0)


def tell(walk: "Walk", home: Path, writer: int) -> None:
    """Write the sum so far every now and then, and at the end."""
    for count, _ in enumerate(walk.through(home), 1):
        if count % TOLD_AFTER == 0:
            os.write(writer, b"%d part\n" % walk.total)
    state = b"part" if walk.hidden else b"whole"
    os.write(writer, b"%d %s\n" % (walk.total, state))


def _last_line(reader: int, ends: float) -> tuple[bytes, bytes]:
    """Give the last whole line that comes before the end, or before the time is over."""
    received = b"\n0 part\n"
    while select.select([reader], [], [], max(0.0, ends - time.monotonic()))[0]:
        chunk = os.read(reader, LINE_BYTES)
        if not chunk:
            break
        received = (received + chunk)[-LINE_BYTES:]
    used, state = received.split(b"\n")[-2].split()
    return used, state


class Walk:
    """A walk through a folder.

    Attributes:
        total: Bytes found so far; a file with many names counts once.
        hidden: Folders that could not be looked into.
    """

    def __init__(self) -> None:
        self.total = 0
        self.hidden = 0
        self._seen: set[int] = set()
        self._device = 0

    def through(self, home: Path) -> Iterator[None]:
        """Add up folder by folder; pause after each."""
        top = os.open(home, READ)
        self._device = os.fstat(top).st_dev
        way = [(top, self._inside(top))]
        while way:
            folder, names = way[-1]
            if not names:
                os.close(way.pop()[0])
                continue
            if (below := self._below(folder, names.pop(), len(way))) is not None:
                way.append((below, self._inside(below)))
            yield

    def _below(self, folder: int, name: str, depth: int) -> int | None:
        """Open a folder in a folder; None where it is not for us."""
        try:
            below = os.open(name, READ, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):  # it went away, or became a link
            return None
        except OSError:
            self.hidden += 1
            return None
        if os.fstat(below).st_dev != self._device or depth >= DEEPEST:
            self.hidden += depth >= DEEPEST
            os.close(below)
            return None
        return below

    def _inside(self, folder: int) -> list[str]:
        """Add up what lies in a folder; give the names of the folders in it."""
        names = []
        self._add(os.fstat(folder))
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        names.append(entry.name)
                    else:
                        self._add(os.stat(entry.name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:  # somebody deletes meanwhile: the next look counts it
            return names
        except OSError:
            self.hidden += 1
        return names

    def _add(self, found: os.stat_result) -> None:
        if found.st_nlink > 1:
            if found.st_ino in self._seen:
                return
            self._seen.add(found.st_ino)
        # An entry without content takes room as well: a disk without inodes is full for everybody.
        self.total += max(found.st_blocks * BLOCK, LEAST_BYTES)
