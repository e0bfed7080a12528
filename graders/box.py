"""Run cells in a box: a kernel behind walls that the fork server made for one notebook.

Law: what comes from a box is a learner's word. It is read as JSON lines up to a
size, and used as messages of a kernel and nothing else. A cell's time is its own
time: what it waited for the processor is not counted, so that a loaded machine
takes nobody's points. Closing a box ends everything in it.
"""

import io
import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.graders.box_line import Door, Lines, variables
from bioskills.graders.box_messages import MOST_BYTES, MOST_HEARD, as_jupyter, pairs, take_files
from bioskills.graders.cell_clock import Clock
from bioskills.graders.intake import pack_into
from bioskills.graders.sandbox import SandboxError

CHUNK = 1 << 16
CHECK_S = 10.0
MOST_LINE = 32 << 20
LOOK_S = 0.25
START_S = 120.0
END_S = 5.0
GRACE_S = 10.0
"""Own seconds that an interrupted cell has to end."""
COLD = "BIOSKILLS_COLD_KERNEL"


class BoxEndedError(Exception):
    """The kernel in a box ended, or was ended.

    Attributes:
        why: *died*, *flood*, *late* (a cell cannot be stopped) or *spent* (no time is left for more).
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Ran:
    """How one cell ended.

    Attributes:
        reply: The content of the kernel's reply; None where its time was over first.
    """

    reply: dict[str, Any] | None = None


class BoxKernel:
    """A kernel in a box, from its files to its end."""

    def __init__(self, lines: Lines, folder: Path, submitted: Path | None = None) -> None:
        """Send the files of a folder and wait until the kernel is there.

        It is taken for a forked Python kernel, with a guard, until somebody knows better.

        Args:
            lines: The ways into the box.
            folder: Its files.
            submitted: Where notebooks are taken from instead, which hold no hidden test.

        Raises:
            SandboxError: It did not come.
        """
        self._lines = lines
        self._received = bytearray()
        self._total = 0
        self._number = 0
        self.pid = 0
        self.cpu_s = 0.0
        self.is_guarded = self.is_python = True
        self.heard: list[tuple[str, str]] = []
        lines.kernel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            self._give(folder, submitted)
            self.language_info = self._ready()
        except (OSError, BoxEndedError) as error:
            lines.close()
            raise SandboxError(_("The kernel of the course environment did not start.")) from error

    def _give(self, folder: Path, submitted: Path | None) -> None:
        spool = io.BytesIO()
        pack_into(folder, spool, submitted)
        self._lines.kernel.settimeout(START_S)
        self._lines.kernel.sendall(json.dumps({"bytes": spool.tell()}).encode() + b"\n")
        self._lines.kernel.sendall(spool.getbuffer())

    def _ready(self) -> dict[str, Any]:
        room = socket.CMSG_SPACE(struct.calcsize("3i"))
        chunk, extra, _flags, _address = self._lines.kernel.recvmsg(CHUNK, room)
        for _level, kind, data in extra:
            if kind == socket.SCM_CREDENTIALS:
                self.pid = struct.unpack("3i", data[: struct.calcsize("3i")])[0]
        self._received += chunk
        limit = time.monotonic() + START_S
        message = self._next(lambda: time.monotonic() > limit)
        if message is None or message.get("t") != "ready":
            raise BoxEndedError("died")
        return dict(message["c"]["language_info"])

    def run(
        self,
        code: str,
        timeout_s: float | None,
        take: Callable[[dict[str, Any]], None],
        **how: bool,
    ) -> Ran:
        """Run one cell; `take` gets each message of it, in the form of Jupyter's protocol.

        Args:
            code: The cell's source.
            timeout_s: Its time; None for no limit.
            take: Receives status, stream, error... messages until idle.
            how: `silent` for a cell that leaves no trace, `brief` for short error messages.

        Raises:
            BoxEndedError: The kernel ended, said too much, or could not be stopped.
        """
        self._number += 1
        name = f"cell-{self._number}"
        self._send({"id": name, "code": code, **how})
        clock, ran = Clock(self.pid, timeout_s), Ran()
        while (message := self._next(clock.is_over)) is not None:
            if message.get("p") != name:
                continue
            kind, content = str(message.get("t")), message.get("c")
            if not isinstance(content, dict):
                raise BoxEndedError("flood")
            if kind == "execute_reply":
                ran.reply = content
            elif kind == "cpu":
                self._count(content)
                return ran
            else:
                take(as_jupyter(kind, name, content, message))
        self._stop(name)
        return Ran()

    def _stop(self, name: str) -> None:
        """Interrupt a cell whose time is over, and wait for its end.

        Raises:
            BoxEndedError: It does not end.
        """
        with suppress(OSError):
            self._lines.control.sendall(b"I")
        clock = Clock(self.pid, GRACE_S)
        while (message := self._next(clock.is_over)) is not None:
            if message.get("p") == name and message.get("t") == "cpu":
                return
        raise BoxEndedError("late")

    def check(self, *, veil: bool = False) -> list[tuple[str, str]]:
        """Return what the guard in the kernel finds changed; codes and names of things.

        Args:
            veil: Whether the text of the cells that come is kept out of the history.

        Raises:
            BoxEndedError: The kernel ended, or does not answer.
        """
        self._number += 1
        name = f"check-{self._number}"
        self._send({"id": name, "check": True, "veil": veil})
        clock = Clock(self.pid, CHECK_S)
        while (message := self._next(clock.is_over)) is not None:
            if message.get("t") == "found" and message.get("p") == name:
                content = message.get("c")
                self._count(content if isinstance(content, dict) else {})
                return pairs(content.get("found") if isinstance(content, dict) else None)
        raise BoxEndedError("late")

    def _count(self, content: Mapping[str, Any]) -> None:
        """Note how many processor seconds the kernel has used, by its own word."""
        try:
            self.cpu_s = float(content.get("cpu", 0.0))
        except (TypeError, ValueError) as error:
            raise BoxEndedError("flood") from error

    def comm(self, message: Mapping[str, Any]) -> None:
        """Say something to a widget in the kernel; nothing comes back for it."""
        self._send({"id": "comm", "comm": message["msg_type"], "content": message["content"]})

    def _send(self, request: Mapping[str, Any]) -> None:
        try:
            self._lines.kernel.settimeout(START_S)
            self._lines.kernel.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise BoxEndedError("died") from error

    def _next(self, is_over: Callable[[], bool]) -> dict[str, Any] | None:
        """Return the next message; None when the time is over."""
        self._lines.kernel.settimeout(LOOK_S)
        seen = 0
        while (end := self._received.find(b"\n", seen)) < 0:
            if is_over():
                return None
            seen = len(self._received)
            self._receive()
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BoxEndedError("flood") from error
        if isinstance(message, dict) and message.get("t") == "heard":
            self._hear(message)
        return message if isinstance(message, dict) else {}

    def _hear(self, message: Mapping[str, Any]) -> None:
        content = message.get("c")
        if isinstance(content, dict) and len(self.heard) < MOST_HEARD:
            self.heard += pairs([[content.get("code"), content.get("detail")]])

    def _receive(self) -> None:
        try:
            chunk = self._lines.kernel.recv(CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            raise BoxEndedError("died") from error
        if not chunk:
            raise BoxEndedError("died")
        self._total += len(chunk)
        self._received += chunk
        if self._total > MOST_BYTES or len(self._received) > MOST_LINE:
            raise BoxEndedError("flood")

    def files_into(self, folder: Path) -> int:
        """End the kernel and write what lies in its folder over this one: regular files, no notebook.

        Returns:
            How many entries were left behind.
        """
        with suppress(OSError):
            self._lines.kernel.close()
            self._lines.control.sendall(b"K")
            self._lines.control.settimeout(END_S)
            with self._lines.control.makefile("rb") as file:
                json.loads(file.readline(CHUNK))
                self._lines.control.sendall(b"F")
                head = json.loads(file.readline(CHUNK))
                return take_files(file, head, folder)
        return 0

    def close(self) -> None:
        """End the box with everything in it."""
        self._lines.close()


def open_box(
    door: Door,
    course: Path,
    limits: Mapping[str, int],
    folder: Path,
    *,
    submitted: Path | None = None,
    cold: str = "",
) -> BoxKernel:
    """Return a kernel in a new box, with a folder's files in its working folder.

    Args:
        door: Makes boxes.
        course: The course environment.
        limits: What the box may use.
        folder: What its working folder holds.
        submitted: Where its notebooks are taken from instead.
        cold: Name of a kernel to start anew; empty for one forked from the warm parent.

    Raises:
        SandboxError: The box or its kernel could not be made.
    """
    env = variables(course) | ({COLD: cold} if cold else {})
    kernel = BoxKernel(door(env, limits), folder, submitted)
    kernel.is_guarded = not cold
    kernel.is_python = kernel.language_info.get("name") == "python"
    return kernel
