"""JSON lines over the socket between a box's kernel and the grader."""

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any


class Lines:
    """One end of the line, for a process that does one thing after the other."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one message; what JSON does not know is sent as text."""
        self._line.sendall(json.dumps(message, default=str).encode() + b"\n")

    def heard(self) -> Iterator[dict[str, Any]]:
        """Yield requests until the other end hangs up."""
        with self._line.makefile("rb") as file:
            for line in file:
                yield json.loads(line)
