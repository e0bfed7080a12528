"""The two ends of isolated mode, in the kernels of two boxes.

Law: the learner's kernel answers questions between cells; the clean one asks while
a test runs, over its one line, and reads nothing but the answer to its own
question. Neither knows the other: the grader carries every message, as JSON.
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from bioskills.fork_server import borrowing, box_walls
from bioskills.fork_server.carried_files import Files
from bioskills.fork_server.plain_data import TOO_LARGE

CHUNK = 1 << 16
MOST_SAID = 24 << 20
"""Most characters of one answer, with its files; below what the grader takes for a flood."""
ROOTS = (box_walls.WORK, "/tmp")
"""Folders whose files both sides see."""
Say = Callable[[dict[str, Any]], None]


class Lending:
    """Answers about the names of a learner's kernel, or borrows them for a clean one."""

    def __init__(
        self,
        line: socket.socket,
        received: bytearray,
        names: MutableMapping[str, Any],
        say: Say,
    ) -> None:
        """Begin without files.

        Args:
            line: The kernel's line.
            received: What of it was read and is no whole message yet.
            names: The namespace of the cells.
            say: Sends a message.
        """
        self._names, self._say = names, say
        self._files: Files | None = None
        self._way = _Way(line, received, say)

    def start(self) -> None:
        """Take the files that are there now as known to both sides."""
        self._files = Files(ROOTS)
        self._way.files = self._files

    def lend(self, request: Mapping[str, Any]) -> None:
        """Answer one question, in the learner's kernel."""
        asked = request["lend"]
        files = self._files
        if files is not None:
            files.take(asked.get("files") or {})
        said = borrowing.answer(self._names, asked)
        if files is not None:
            said["files"] = files.changed()
        if len(json.dumps(said)) > MOST_SAID:
            said = {"refused": TOO_LARGE}
        self._say({"t": "lent", "p": request["id"], "c": said})

    def borrow(self, request: Mapping[str, Any]) -> None:
        """Put names into the clean kernel, and functions that ask when they are called."""
        limit = float(request["limit_s"])
        wanted = [*request["borrow"], *(n for n in request["maybe"] if n not in self._names)]
        self._way.say({"op": "look"})
        self._way.hear(limit)
        absent = borrowing.borrow(self._names, wanted, self._way, limit)
        self._say({"t": "borrowed", "p": request["id"], "c": {"absent": absent}})


class _Way:
    """Asks the learner's kernel through the grader, from inside a cell."""

    def __init__(self, line: socket.socket, received: bytearray, say: Say) -> None:
        self._line, self._received, self._say = line, received, say
        self._number = 0
        self._lock = threading.RLock()
        self.files: Files | None = None

    def say(self, message: dict[str, Any]) -> None:
        """Ask, with the files that changed; nobody else asks until the answer is there."""
        self._lock.acquire()
        try:
            self._number += 1
            files = self.files.changed() if self.files is not None else {}
            self._say({"t": "borrow", "n": self._number, "c": {**message, "files": files}})
        except BaseException:
            self._lock.release()
            raise

    def hear(self, limit_s: float) -> dict[str, Any] | None:
        """Wait for the answer; the grader keeps the time."""
        del limit_s
        try:
            said = self._answer()
        finally:
            self._lock.release()
        if said is None or said.get("ended"):
            return None
        if said.get("late"):
            raise borrowing.AnswerTooSlowError
        if self.files is not None:
            self.files.take(said.get("files") or {})
        return said

    def _answer(self) -> dict[str, Any] | None:
        """Return the content of the message with our number; others are late answers."""
        received = self._received
        while chunk := self._line.recv(CHUNK):
            received += chunk
            while b"\n" in chunk and b"\n" in received:
                text, _newline, rest = bytes(received).partition(b"\n")
                received[:] = rest
                message = json.loads(text)
                if message.get("lent") == self._number:
                    return dict(message["c"])
        return None
