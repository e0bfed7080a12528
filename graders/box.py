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
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioskills.base.text import _
from bioskills.graders.box_line import Door, Lines, variables
from bioskills.graders.box_messages import as_jupyter, pairs, take_files
from bioskills.graders.box_talk import CHUNK, START_S, BoxEndedError, BoxTalk
from bioskills.graders.cell_clock import Clock, FamilyClock
from bioskills.graders.intake import pack_into
from bioskills.graders.sandbox import SandboxError

CHECK_S = 10.0
END_S = 5.0
CROWDED_GRACE_S = 3.0
"""A kernel among dozens of its own processes seldom hears; meanwhile its neighbours wait."""
MOST_NAME = 40
COLD = "BIOSKILLS_COLD_KERNEL"


@dataclass
class Ran:
    """How one cell ended.

    Attributes:
        reply: The content of the kernel's reply; None where its time was over first.
    """

    reply: dict[str, Any] | None = None


class BoxKernel(BoxTalk):
    """A kernel in a box, from its files to its end.

    Attributes:
        grace_s: Own seconds that an interrupted cell has to end.
    """

    grace_s = 10.0

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
        super().__init__(lines)
        self._number = 0
        self.pid = 0
        self.cpu_s = 0.0
        self.is_guarded = self.is_python = True
        self.clock = Clock(0, None)
        lines.kernel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            self._give(folder, submitted)
            self.language_info = self._ready()
        except (OSError, BoxEndedError) as error:
            lines.close()
            raise SandboxError(_("The kernel of the course environment did not start.")) from error

    @property
    def language(self) -> str:
        """Name of the kernel's language, for a sentence."""
        return "Python" if self.is_python else str(self.language_info.get("name"))[:MOST_NAME]

    def _give(self, folder: Path, submitted: Path | None) -> None:
        spool = io.BytesIO()
        pack_into(folder, spool, submitted)
        self.lines.kernel.settimeout(START_S)
        self.lines.kernel.sendall(json.dumps({"bytes": spool.tell()}).encode() + b"\n")
        self.lines.kernel.sendall(spool.getbuffer())

    def _ready(self) -> dict[str, Any]:
        room = socket.CMSG_SPACE(struct.calcsize("3i"))
        chunk, extra, _flags, _address = self.lines.kernel.recvmsg(CHUNK, room)
        for _level, kind, data in extra:
            if kind == socket.SCM_CREDENTIALS:
                self.pid = struct.unpack("3i", data[: struct.calcsize("3i")])[0]
        self.received += chunk
        limit = time.monotonic() + START_S
        message = self.next(lambda: time.monotonic() > limit)
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
        name = self._ask({"code": code, **how}, timeout_s)
        ran = Ran()
        while (message := self.next(self.clock.is_over)) is not None:
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
        self._stop(name, "cpu")
        return Ran()

    def _ask(self, request: Mapping[str, Any], limit_s: float | None) -> str:
        """Send a request under a new name, and let its time begin."""
        self._number += 1
        name = f"ask-{self._number}"
        self.send({"id": name, **request})
        self.clock = self._clock(limit_s)
        return name

    def _clock(self, limit_s: float | None) -> Clock:
        """Return what measures own time; a kernel that was started anew is a child of the box's."""
        return (Clock if self.is_guarded else FamilyClock)(self.pid, limit_s)

    def ask(self, request: Mapping[str, Any], answer: str, limit_s: float) -> dict[str, Any] | None:
        """Return what the kernel answers to a request that is no cell; None if it was stopped.

        Args:
            request: What is asked.
            answer: The kind of the message that answers it.
            limit_s: Own seconds it may take.

        Raises:
            BoxEndedError: The kernel ended, said too much, or could not be stopped.
        """
        before, name = self.total, self._ask(request, limit_s)
        while (message := self.next(self.clock.is_over)) is not None:
            if message.get("t") == answer and message.get("p") == name:
                content = message.get("c")
                # An answer is no output: only while it comes it counts as one.
                self.total = before
                return content if isinstance(content, dict) else {}
        self._stop(name, answer)
        return None

    def tell(self, order: str) -> None:
        """Say something that has no answer."""
        self.send({"id": order, order: True})

    def _stop(self, name: str, last: str) -> None:
        """Interrupt what has used its time, and wait for its last message.

        Raises:
            BoxEndedError: It does not end.
        """
        with suppress(OSError):
            self.lines.control.sendall(b"I")
        crowded = self.clock.is_crowded()
        clock = self._clock(CROWDED_GRACE_S if crowded else self.grace_s)
        while (message := self.next(clock.is_over)) is not None:
            if message.get("p") == name and message.get("t") == last:
                return
        raise BoxEndedError("crowd" if crowded else "late")

    def check(self, *, veil: bool = False) -> list[tuple[str, str]]:
        """Return what the guard in the kernel finds changed; codes and names of things.

        Args:
            veil: Whether the text of the cells that come is kept out of the history.

        Raises:
            BoxEndedError: The kernel ended, or does not answer.
        """
        name = self._ask({"check": True, "veil": veil}, CHECK_S)
        while (message := self.next(self.clock.is_over)) is not None:
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
        self.send({"id": "comm", "comm": message["msg_type"], "content": message["content"]})

    def files_into(self, folder: Path, kept: Collection[str] = ()) -> int:
        """End the kernel and make this folder hold what lies in its own: regular files.

        Args:
            folder: Its notebooks stay as they are.
            kept: More paths that stay as they are.

        Returns:
            How many entries were left behind.
        """
        with suppress(OSError):
            self.lines.kernel.close()
            self.lines.control.sendall(b"K")
            self.lines.control.settimeout(END_S)
            with self.lines.control.makefile("rb") as file:
                json.loads(file.readline(CHUNK))
                self.lines.control.sendall(b"F")
                head = json.loads(file.readline(CHUNK))
                return take_files(file, head, folder, kept)
        return 0

    def close(self) -> None:
        """End the box with everything in it."""
        self.lines.close()


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
