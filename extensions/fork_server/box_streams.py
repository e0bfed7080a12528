"""How a kernel in a box speaks: messages as lines over a socket, printed text up to a size.

Law: no thread and no descriptor before the child attaches; a copy of the kernel
(a fork) sends no messages, and prints into the pipe that its kernel watches.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream
from jupyter_client.session import Session

STREAM_CHARS = 1_000_000
"""Most characters that one cell prints; what comes after is dropped here, not carried away first."""
FLUSH_CHARS = 1 << 15
DRAIN_S = 0.2
ENDED_HERE = "\n… the output ends here: a cell may print at most {most:,} characters\n"


class BoxSession(Session):  # type: ignore[misc]
    """Sends messages as lines over a socket."""

    line: socket.socket | None = None
    lock = threading.RLock()

    def send(self, _stream: object, msg_or_type: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one message; a copy of this process (a fork) sends none, as elsewhere."""
        if self.line is None or os.getpid() != self.pid:
            return None
        msg, buffers = self._whole(msg_or_type, *args, **kwargs)
        head = json.dumps({"t": msg["msg_type"], "p": msg["parent_header"].get("msg_id")})
        parts = [head[:-1].encode(), b',"c":', self.pack(msg["content"])]
        parts += [b',"m":', self.pack(msg["metadata"])]
        if buffers:
            parts += [b',"b":', json.dumps([bytes(each).hex() for each in buffers]).encode()]
        with self.lock:
            self.line.sendall(b"".join([*parts, b"}\n"]))
        return msg

    def _whole(  # noqa: PLR0917 - the order is jupyter_client's
        self,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        _ident: Any = None,
        buffers: Any = None,
        _track: bool = False,
        header: Any = None,
        metadata: Any = None,
        **_named: Any,
    ) -> tuple[dict[str, Any], Any]:
        if isinstance(msg_or_type, Mapping):
            return dict(msg_or_type), buffers or msg_or_type.get("buffers")
        made = self.msg(
            msg_or_type, content=content, parent=parent, header=header, metadata=metadata
        )
        return made, buffers


class BoxPub(IOPubThread):  # type: ignore[misc]
    """The publisher without a thread: what is scheduled is done at once."""

    def __init__(self, session: Session) -> None:
        self.socket, self.session = self, session
        self.thread, self.io_loop = None, None
        self.background_socket = self

    def schedule(self, act: Any) -> None:
        """Do it now."""
        act()


class BoxStream(OutStream):  # type: ignore[misc]
    """Standard output or errors of a cell; a cell that prints too much is cut here."""

    printed = 0
    most = STREAM_CHARS

    def attach(self) -> None:
        """Take over the descriptor in a child: what programs print there is printed here."""
        self._master_pid, self._should_watch = os.getpid(), True
        self._original_stdstream_fd = {"stdout": 1, "stderr": 2}[self.name]
        self._original_stdstream_copy = os.dup(self._original_stdstream_fd)
        self._fid, into = os.pipe()
        os.dup2(into, self._original_stdstream_fd)
        os.close(into)
        self._exc = None
        self.watch_fd_thread = threading.Thread(target=self._watch_pipe_fd, daemon=True)
        self.watch_fd_thread.start()

    def write(self, string: str) -> int | None:
        """Keep text for the next message; a forked child writes into the pipe that is watched."""
        if not isinstance(string, str):
            return super().write(string)  # type: ignore[unreachable]  # which says what is wrong
        if not self._is_master_process():
            os.write(self._original_stdstream_fd, string.encode("utf-8", "replace"))
            return len(string)
        if self.printed > self.most:
            return len(string)
        before, self.printed = self.printed, self.printed + len(string)
        if self.printed > self.most:
            end = ENDED_HERE.format(most=self.most) if self.name == "stdout" else ""
            string = string[: self.most - before] + end
        return super().write(string)  # type: ignore[no-any-return]

    def _schedule_flush(self) -> None:
        with self._buffer_lock:
            held = sum(buffer.tell() for buffer in self._buffers.values())
        if held > FLUSH_CHARS:
            self._flush()

    def drain(self) -> None:
        """Take in what lies in the watched pipe, so that it belongs to the cell that wrote it."""
        limit = time.monotonic() + DRAIN_S
        while self._should_watch and _waiting(self._fid) and time.monotonic() < limit:
            time.sleep(0.001)
        self.flush()


def _waiting(descriptor: int) -> bool:
    import select  # noqa: PLC0415 - the learner's modules are as they were

    return bool(select.select([descriptor], [], [], 0)[0])
