"""The line to a kernel in a box: requests out, messages in, as JSON up to a size.

Law: what comes in is a learner's word; too much of it, or what is no JSON, ends the box.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bioskills.graders.box_line import Lines
from bioskills.graders.box_messages import MOST_BYTES, MOST_HEARD, pairs

CHUNK = 1 << 16
MOST_LINE = 32 << 20
LOOK_S = 0.25
START_S = 120.0


class BoxEndedError(Exception):
    """The kernel in a box ended, or was ended.

    Attributes:
        why: *died*, *flood*, *late* (a cell cannot be stopped), *crowd* (nor among its many processes)
            or *spent* (no time is left for more).
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


Lender = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers what a kernel asks while a cell runs; may raise BoxEndedError."""


class BoxTalk:
    """What is said and heard over a box's line.

    Attributes:
        received: What was heard and is no whole message yet.
        total: Bytes that were heard in all.
        heard: What the guard told at once: codes and names of things.
        lender: Answers what the kernel asks; None where it may ask nothing.
        most_bytes: How much is heard in all; more ends the box.
    """

    most_bytes = MOST_BYTES

    def __init__(self, lines: Lines) -> None:
        """Begin with nothing heard."""
        self.lines = lines
        self.received = bytearray()
        self.total = 0
        self.heard: list[tuple[str, str]] = []
        self.lender: Lender | None = None

    def send(self, request: Mapping[str, Any]) -> None:
        """Send one request.

        Raises:
            BoxEndedError: Nobody reads it.
        """
        try:
            self.lines.kernel.settimeout(START_S)
            self.lines.kernel.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise BoxEndedError("died") from error

    def next(self, is_over: Callable[[], bool]) -> dict[str, Any] | None:
        """Return the next message; None when the time is over."""
        self.lines.kernel.settimeout(LOOK_S)
        seen = 0
        while (end := self.received.find(b"\n", seen)) < 0:
            if is_over():
                return None
            seen = len(self.received)
            self._receive()
        line = bytes(self.received[:end])
        del self.received[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BoxEndedError("flood") from error
        if isinstance(message, dict) and message.get("t") == "heard":
            self._hear(message)
        elif isinstance(message, dict) and message.get("t") == "borrow" and self.lender:
            self.send({"lent": message.get("n"), "c": self.lender(message["c"])})
        return message if isinstance(message, dict) else {}

    def _hear(self, message: Mapping[str, Any]) -> None:
        content = message.get("c")
        if isinstance(content, dict) and len(self.heard) < MOST_HEARD:
            self.heard += pairs([[content.get("code"), content.get("detail")]])

    def _receive(self) -> None:
        try:
            chunk = self.lines.kernel.recv(CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            raise BoxEndedError("died") from error
        if not chunk:
            raise BoxEndedError("died")
        self.total += len(chunk)
        self.received += chunk
        if self.total > self.most_bytes or len(self.received) > MOST_LINE:
            raise BoxEndedError("flood")
