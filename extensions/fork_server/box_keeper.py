"""The first process in a box: interrupts the kernel, hands its files out, ends all.

Law: alone of the box's processes it has the control line; it has the slot's
rights and no more, and the kernel and what it starts can neither read it nor
signal it (it is first in its namespace, and not dumpable). When the line ends,
it ends, and with it everything in the box. Files leave as a stream of regular
files that the reader checks again.

Control line, from the caller: `I` interrupt, `K` kill the kernel, `F` send files
(only when the kernel has ended). To the caller, one JSON object a line: `exit`,
then after `F` `bytes` and so many bytes of tar.
"""

import io
import json
import os
import select
import signal
import socket
import stat
import tarfile
from collections.abc import Iterator
from contextlib import suppress

from bioskills.fork_server import box_walls, linux

MOST_FILES = 2000
MOST_BYTES = 1 << 12
KILLED = b'{"exit": -9}'
TURN_MS = 1000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def keep(control: socket.socket, box: socket.socket, kernel: int, most_bytes: int) -> None:
    """Serve the control line, end with it.

    Args:
        control: The control line.
        box: Where the kernel's end is told, by who forked it.
        kernel: The kernel's process.
        most_bytes: How large the files may be in all that are handed out.
    """
    # A signal that this process handles would reach it even from inside.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    _Keeper(control, box, kernel, most_bytes).serve()


class _Keeper:
    def __init__(
        self, control: socket.socket, box: socket.socket, kernel: int, most_bytes: int
    ) -> None:
        self.control, self.box, self.kernel = control, box, kernel
        self.most_bytes = most_bytes
        self.ended = False

    def serve(self) -> None:
        """Obey until the control line ends."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.box, select.POLLIN)
        while True:
            for descriptor, _event in poll.poll(TURN_MS):
                if descriptor == self.box.fileno():
                    poll.unregister(self.box)
                    self._end()
                elif not self._obey(self.control.recv(1)):
                    return
            self._reap()

    def _obey(self, order: bytes) -> bool:
        if order == b"I" and not self.ended:
            with suppress(ProcessLookupError):
                os.killpg(self.kernel, signal.SIGINT)
        elif order == b"K" and not self.ended:
            with suppress(ProcessLookupError):
                os.kill(self.kernel, signal.SIGKILL)
        elif order == b"F" and self.ended:
            self._send_files()
        return bool(order)

    def _end(self) -> None:
        """Tell how the kernel ended, after everything that it left behind was ended."""
        self.ended = True
        # Nothing is heard where the warm parent ended: then all its kernels were killed.
        told = json.loads(self.box.recv(MOST_BYTES) or KILLED)
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        self._say({"exit": told["exit"]})

    def _reap(self) -> None:
        """Wait for what was left to us; the kernel is another's child."""
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _say(self, message: dict[str, object]) -> None:
        with suppress(OSError):
            self.control.sendall(json.dumps(message).encode() + b"\n")

    def _send_files(self) -> None:
        # In memory: the box's disk may be full.
        spool = io.BytesIO()
        left_out = pack(box_walls.WORK, spool, self.most_bytes)
        self._say({"bytes": spool.tell(), "left_out": left_out})
        self.control.sendall(spool.getbuffer())


def pack(root: str, spool: io.BytesIO, most: int) -> int:
    """Write a folder's regular files into a tar, through descriptors that follow no link.

    Returns:
        How many entries were left out: no regular files, too many, or too large in all.
    """
    left_out = files = used = 0
    with tarfile.open(fileobj=spool, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, handle, size in _regular(root):
            if handle < 0 or files >= MOST_FILES or used + size > most:
                left_out += 1
                continue
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = size, 0o600
            with os.fdopen(os.dup(handle), "rb") as file:
                archive.addfile(entry, io.BytesIO(file.read(size).ljust(size, b"\0")))
            files, used = files + 1, used + size
    return left_out


def _regular(root: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, open descriptor and size of each file; descriptor -1 for what is none."""
    top = os.open(root, _FOLDER)
    try:
        yield from _walk(top, "")
    finally:
        os.close(top)


def _walk(folder: int, prefix: str) -> Iterator[tuple[str, int, int]]:
    for name in sorted(os.listdir(folder)):
        kind = os.lstat(name, dir_fd=folder).st_mode
        wanted = _FOLDER if stat.S_ISDIR(kind) else _FILE if stat.S_ISREG(kind) else None
        handle = _open(name, folder, wanted)
        if handle < 0:
            yield f"{prefix}{name}", -1, 0
            continue
        try:
            if stat.S_ISDIR(kind):
                yield from _walk(handle, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", handle, os.fstat(handle).st_size
        finally:
            os.close(handle)


def _open(name: str, folder: int, flags: int | None) -> int:
    """Open an entry; -1 where it is no file or folder, or may not be read."""
    if flags is None:
        return -1
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError:
        return -1
