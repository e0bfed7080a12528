"""The control loop: take requests, never wait for anybody.

Law: no read, write or accept here blocks; who does not finish a request costs
nobody else anything. Callers are known by SO_PEERCRED alone. Each uid has a
quota of open requests; over it, its own oldest unfinished one is dropped.
One thread, no event loop of anybody else: this process forks.
"""

import os
import selectors
import signal
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bioskills.fork_server import wire
from bioskills.fork_server.linux import peer_of

ACCEPTS_A_TURN = 64
BACKLOG = 4096
WAKE_BYTES = 4096
SO_PASSRIGHTS = 83  # <asm-generic/socket.h>
REQUEST_S = 5.0
"""How long a request may take to arrive."""


@dataclass(eq=False)
class Caller:
    """An open connection.

    Attributes:
        connection: The socket; non-blocking.
        pid: Whose it is, as the kernel says.
        uid: The same.
        since: Monotonic seconds when it was accepted.
        received: What came so far of a request.
    """

    connection: socket.socket
    pid: int
    uid: int
    since: float
    received: bytearray = field(default_factory=bytearray)

    def answer(self, message: Mapping[str, object]) -> None:
        """Send one line; a caller that does not read loses it."""
        try:
            self.connection.send(wire.line_of(message))
        except OSError:
            return


Handler = Callable[[Caller, wire.Request], bool]
"""Acts on a request; returns whether it keeps the connection and closes it itself (`dismiss`).

Nothing more is read from a connection here: what follows a request is for the child."""


@dataclass
class Door:
    """One listening unix socket and what is behind it.

    Attributes:
        path: Where it lies, in a folder of root.
        mode: Its permission bits.
        owner: Whose it is.
        rate: Requests a second that are acted on for one uid, after a first burst of `quota`;
            0 for any number. Root and the owner are not counted.
        admits: Whether a uid may ask at all.
        takes_descriptors: Whether callers, who then are trusted, may attach descriptors.
        quota: Open requests of one uid at a time.
        handle: What acts on a request.
    """

    path: Path
    mode: int
    admits: Callable[[int], bool]
    quota: int
    handle: Handler
    owner: int = 0
    rate: float = 0.0
    takes_descriptors: bool = False


class Loop:
    """Serves one door, and tells when children end."""

    def __init__(self, door: Door, on_child: Callable[[int, int], None]) -> None:
        self.door = door
        self.on_child = on_child
        self.on_turn: Callable[[], None] | None = None
        self.turn_s = 1.0
        self.selector = selectors.DefaultSelector()
        self.waiting: dict[int, OrderedDict[int, Caller]] = {}
        self.kept: set[Caller] = set()
        self.paid: dict[int, float] = {}
        self.ended = False
        self._wake_r, self._wake_w = _wake_pipe()
        self._listener = _listen(door)
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.selector.register(self._wake_r, selectors.EVENT_READ, self._reap)

    def serve(self) -> None:
        """Run until SIGTERM."""
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self.ended:
            for key, _events in self.selector.select(self.turn_s):
                key.data(key.fileobj)
            self._drop_late()
            if self.on_turn:
                self.on_turn()

    def end_with_input(self) -> None:
        """End when standard input does; what is forked from here gets none."""
        leash, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self.selector.register(leash, selectors.EVENT_READ, lambda _leash: self._end(0, None))

    def close_in_child(self) -> None:
        """Close everything of this loop in a forked child; its parent's stay open."""
        signal.set_wakeup_fd(-1)
        self.selector.close()
        self._listener.close()
        os.close(self._wake_r)
        os.close(self._wake_w)
        for caller in self.callers():
            caller.connection.close()

    def callers(self) -> list[Caller]:
        """Return everybody with an open connection."""
        unfinished = [caller for some in self.waiting.values() for caller in some.values()]
        return [*unfinished, *self.kept]

    def dismiss(self, caller: Caller) -> None:
        """Close a kept connection."""
        self.kept.discard(caller)
        caller.connection.close()

    def _end(self, _signal: int, _frame: object) -> None:
        self.ended = True

    def _accept(self, listener: socket.socket) -> None:
        for _number in range(ACCEPTS_A_TURN):
            try:
                connection, _address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                # Out of descriptors: the oldest of whoever holds most goes first.
                self._drop_of_greediest()
                return
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        pid, uid, _gid = peer_of(connection)
        caller = Caller(connection, pid, uid, time.monotonic())
        if not self.door.admits(uid):
            caller.answer({"failed": wire.NOT_ALLOWED})
            connection.close()
            return
        mine = self.waiting.setdefault(uid, OrderedDict())
        if len(mine) >= self.door.quota:
            self._drop(next(iter(mine.values())), wire.BUSY)
        self.waiting.setdefault(uid, OrderedDict())[id(caller)] = caller
        self.selector.register(connection, selectors.EVENT_READ, lambda _c: self._read(caller))

    def _read(self, caller: Caller) -> None:
        try:
            # Never more than a request may hold: a payload that came too early is not read here.
            chunk = caller.connection.recv(wire.MOST_REQUEST_BYTES - len(caller.received))
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(caller)
            return
        caller.received += chunk
        if b"\n" in chunk or len(caller.received) >= wire.MOST_REQUEST_BYTES:
            self._act(caller)

    def _act(self, caller: Caller) -> None:
        try:
            request = wire.parse_request(_one_line(caller.received))
        except wire.BadRequestError:
            self._drop(caller, wire.BAD_REQUEST)
            return
        if self._too_often(caller.uid):
            self._drop(caller, wire.BUSY)
            return
        self._forget(caller)
        self.kept.add(caller)
        if not self.door.handle(caller, request):
            self.dismiss(caller)

    def _too_often(self, uid: int) -> bool:
        """Count a request; say whether this uid has used up what it may ask at this moment."""
        if not self.door.rate or uid in (0, self.door.owner):
            return False
        now = time.monotonic()
        # The moment at which all earlier requests are paid off (a leaky bucket).
        due = max(self.paid.get(uid, 0.0), now) + 1 / self.door.rate
        if due > now + self.door.quota / self.door.rate:
            return True
        self.paid[uid] = due
        return False

    def _leave_queue(self, caller: Caller) -> None:
        mine = self.waiting.get(caller.uid)
        if mine and mine.pop(id(caller), None) and not mine:
            del self.waiting[caller.uid]

    def _forget(self, caller: Caller) -> None:
        self._leave_queue(caller)
        try:
            self.selector.unregister(caller.connection)
        except (KeyError, ValueError):
            return

    def _drop(self, caller: Caller, code: str = "") -> None:
        if code:
            caller.answer({"failed": code})
        self._forget(caller)
        caller.connection.close()

    def _drop_late(self) -> None:
        limit = time.monotonic() - REQUEST_S
        late = [c for some in self.waiting.values() for c in some.values() if c.since < limit]
        for caller in late:
            self._drop(caller)

    def _drop_of_greediest(self) -> None:
        if self.waiting:
            greediest = max(self.waiting.values(), key=len)
            self._drop(next(iter(greediest.values())), wire.BUSY)

    def _reap(self, reader: int) -> None:
        with suppress(BlockingIOError):
            os.read(reader, WAKE_BYTES)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.on_child(pid, os.waitstatus_to_exitcode(status))


def _one_line(received: bytearray) -> bytes:
    line, newline, rest = bytes(received).partition(b"\n")
    if not newline or rest:
        raise wire.BadRequestError("one line, then wait")
    return line


def _listen(door: Door) -> socket.socket:
    """Bind beside, then rename: the path never leads to a socket that is not ready."""
    staged = door.path.with_name(f".{door.path.name}.new")
    staged.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(staged))
    staged.chmod(door.mode)
    # Without root there is one account, and no group but its own to give.
    os.chown(staged, door.owner, 0 if os.geteuid() == 0 else -1)
    if not door.takes_descriptors:
        # Linux 6.16: nobody can attach descriptors that block us when we close them
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    staged.rename(door.path)
    return listener


def _wake_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer
