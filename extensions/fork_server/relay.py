"""Carry connections out of learners' closed networks to the few ports they may reach.

Law: holds no right at all (it refuses to run as root), decides nothing and reads nothing of
what it carries. Each learner has a fixed number of connections and each connection two small
buffers; whoever fills his own waits for himself alone. It ends when the warden's socket closes.

Run by the warden: `python -I -m bioskills.fork_server.relay FD`, FD being its end of
the channel. The warden says `hand_over` and `forget`; nothing is answered.
"""

import asyncio
import json
import os
import resource
import socket
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from bioskills.fork_server import linux

HOST = "127.0.0.1"
MOST_CONNECTIONS = 64
BUFFER_BYTES = 16 * 1024
MESSAGE_BYTES = 1024
SAY_S = 2.0
CONNECT_S = 10.0
HALF_CLOSED_S = 60.0
PAUSE_S = 0.2
PACE_S = 0.005  # the least time between two connections of one learner
MOST_FILES = 4


def channel() -> tuple[socket.socket, socket.socket]:
    """Make the pair of sockets between the warden (first) and the relay."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(SAY_S)
    return ours, theirs


def hand_over(control: socket.socket, uid: int, port: int, listener: socket.socket) -> None:
    """Let the relay answer on this listening socket for the port of the same number outside.

    Raises:
        OSError: The relay is gone, or does not listen.
    """
    message = json.dumps({"uid": uid, "port": port}).encode("ascii")
    socket.send_fds(control, [message], [listener.fileno()])


def forget(control: socket.socket, uid: int) -> None:
    """Let the relay close everything of a learner.

    Raises:
        OSError: The relay is gone, or does not listen.
    """
    control.send(json.dumps({"forget": uid}).encode("ascii"))


class Learner:
    """The doors and the open connections of one learner."""

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self._free = asyncio.Semaphore(most)
        self._doors: dict[int, asyncio.Task[None]] = {}
        self._open: set[asyncio.Task[None]] = set()

    def open_door(self, port: int, listener: socket.socket) -> None:
        """Answer on this socket from now on, instead of an older one for the port."""
        if (old := self._doors.pop(port, None)) is not None:
            old.cancel()
        self._doors[port] = asyncio.create_task(self._answer(port, listener))

    def close(self) -> None:
        """Close every door and cut every connection."""
        for task in (*self._doors.values(), *self._open):
            task.cancel()
        self._doors.clear()

    async def _answer(self, port: int, listener: socket.socket) -> None:
        with listener:
            while True:
                await self._free.acquire()
                try:
                    inside = await _accepted(listener)
                except BaseException:
                    self._free.release()
                    raise
                self._start(_carry(inside, port))
                await asyncio.sleep(PACE_S)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._open.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        self._free.release()


async def _accepted(listener: socket.socket) -> socket.socket:
    """Give the next connection; one that went wrong is passed over."""
    while True:
        try:
            return (await asyncio.get_running_loop().sock_accept(listener))[0]
        except OSError:  # the peer is gone again, or no descriptor is left for now
            await asyncio.sleep(PAUSE_S)


async def _carry(inside: socket.socket, port: int) -> None:
    """Carry one connection to the port outside; what a peer does wrong ends it and no more."""
    with inside, socket.socket() as outside:
        outside.setblocking(False)
        with suppress(OSError, ExceptionGroup):  # a timeout is an OSError too
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().sock_connect(outside, (HOST, port))
            await Connection(inside, outside).carry()


class Connection:
    """Two sockets, each of whose bytes go to the other."""

    def __init__(self, inside: socket.socket, outside: socket.socket) -> None:
        self._pair = inside, outside
        self._half = False
        self._patience = asyncio.timeout(None)

    async def carry(self) -> None:
        """Carry until both sides have ended, or one fails, or half of it stays silent."""
        inside, outside = self._pair
        async with self._patience, asyncio.TaskGroup() as ways:
            ways.create_task(self._one_way(inside, outside))
            ways.create_task(self._one_way(outside, inside))

    async def _one_way(self, source: socket.socket, target: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while chunk := await loop.sock_recv(source, BUFFER_BYTES):
            await loop.sock_sendall(target, chunk)
            self._go_on()
            await asyncio.sleep(0)  # a peer that never pauses waits for its turn
        target.shutdown(socket.SHUT_WR)
        self._half = True
        self._go_on()

    def _go_on(self) -> None:
        if self._half:
            self._patience.reschedule(asyncio.get_running_loop().time() + HALF_CLOSED_S)


class Relay:
    """All learners, and the warden's socket."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._learners: dict[int, Learner] = {}
        self._over = asyncio.Event()

    async def serve(self) -> None:
        """Do what the warden says until its socket closes."""
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        loop.add_reader(self._control, self._hear)
        await self._over.wait()
        loop.remove_reader(self._control)
        for learner in self._learners.values():
            learner.close()

    def _hear(self) -> None:
        try:
            text, files, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, MOST_FILES)
        except BlockingIOError:
            return
        except OSError:
            text, files = b"", []
        listeners = [socket.socket(fileno=file) for file in files]
        if not text:
            self._over.set()
        else:
            self._obey(json.loads(text), listeners)

    def _obey(self, message: dict[str, int], listeners: list[socket.socket]) -> None:
        if (gone := self._learners.pop(message.get("forget", 0), None)) is not None:
            gone.close()
        for listener in listeners:
            listener.setblocking(False)
            learner = self._learners.setdefault(message["uid"], Learner())
            learner.open_door(message["port"], listener)


def main(words: list[str]) -> None:
    """Serve on the descriptor that the warden names."""
    if os.geteuid() == 0:
        raise SystemExit("relay: must not run as root")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    with socket.socket(fileno=int(words[0])) as control, suppress(KeyboardInterrupt):
        asyncio.run(_serve(control))


async def _serve(control: socket.socket) -> None:
    await Relay(control).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
