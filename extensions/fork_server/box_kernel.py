"""An IPython kernel that answers over one socket: no ports, no ZeroMQ, one notebook.

Law: made in the warm parent (`prepare`), which has one thread and no event loop;
what needs a thread, a descriptor or chance is made in the child (`serve`). It
runs cells as ipykernel runs them and says the same messages, one JSON object a
line. What it says is a learner's word: the reader believes none of it.
"""

import asyncio
import io
import json
import linecache
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from ipykernel import kernelapp
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session
from tornado import ioloop

from bioskills.fork_server import guard

STREAM_CHARS = 1_000_000
"""Most characters that one cell prints; what comes after is dropped here, not carried away first."""
FLUSH_CHARS = 1 << 15
CHUNK = 1 << 16
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


class IPKernelApp(kernelapp.IPKernelApp):  # type: ignore[misc]  # the same name: a section of configuration
    """The kernel's application without sockets, files and signals."""

    streams: list[BoxStream]
    baseline: guard.Baseline
    veil: Callable[[bool], None]

    def heard(self, code: str, detail: str) -> None:
        """Tell at once what the guard hears: later, somebody may have silenced it."""
        session = self.session
        if session.line is not None and os.getpid() == session.pid:
            text = json.dumps({"t": "heard", "c": {"code": code, "detail": detail}})
            with session.lock:
                session.line.sendall(text.encode() + b"\n")

    def _nothing(self, *_args: object) -> None:
        """Leave out a step that is another's here."""

    init_connection_file = init_poller = init_sockets = init_heartbeat = _nothing
    write_connection_file = log_connection_info = init_blackhole = init_signal = _nothing
    init_crash_handler = configure_tornado_logger = _nothing

    def init_io(self) -> None:
        """Make what displays results; streams come in the child."""
        self.iopub_thread = BoxPub(self.session)
        self.iopub_socket = self.iopub_thread
        factory = kernelapp.import_item(str(self.displayhook_class))
        self.displayhook = factory(self.session, self.iopub_socket)
        sys.displayhook = self.displayhook
        self.patch_io()

    def init_kernel(self) -> None:
        """Make the kernel itself."""
        self.kernel = IPythonKernel.instance(
            parent=self,
            session=self.session,
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        kernel = self.kernel
        self.displayhook.get_execution_count = lambda: kernel.execution_count


def prepare(folder: str) -> IPKernelApp:
    """Make a kernel that has run nothing yet, in the warm parent.

    Args:
        folder: An empty folder for IPython's profile.
    """
    os.environ["IPYTHONDIR"] = folder
    app: IPKernelApp = IPKernelApp.instance()
    app.session = BoxSession(parent=app)
    app.config.HistoryManager.enabled = False
    app.config.InteractiveShell.cache_size = 1000
    app.initialize([])
    del os.environ["IPYTHONDIR"]
    # Who waits for a cell that runs on the loop asks which thread may be interrupted.
    app.kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.current_thread())
    own = sys.stdout, sys.stderr
    app.streams = [
        BoxStream(app.session, app.iopub_thread, name, watchfd=False)
        for name in ("stdout", "stderr")
    ]
    _use(app)
    # Before the guard looks: IPython leaves its own marks on streams with the first cell.
    _rehearse(app.shell)
    for stream in app.streams:
        stream.flush()
    app.veil = guard.veil(app.shell)
    app.baseline = guard.take(app.shell, app.heard)
    sys.stdout, sys.stderr = own
    return app


def _use(app: "IPKernelApp") -> None:
    sys.stdout, sys.stderr = app.streams
    app.kernel._stdout, app.kernel._stderr = app.streams  # noqa: SLF001 - as ipykernel itself does


REHEARSED = {
    "IPython": "1 / 0",
    "pandas": "import pandas\npandas.DataFrame({'a': [1.5]})",
    "matplotlib.pyplot": "import matplotlib.pyplot\nmatplotlib.pyplot.plot([1])",
}
"""Cells that load what each notebook's first error, table and figure would load anew, by module."""


def _rehearse(shell: Any) -> None:
    """Run a few cells whose traces are taken away; saves each notebook 0.2 CPU seconds."""
    for module, code in REHEARSED.items():
        if module in sys.modules:
            shell.run_cell(code, store_history=False)
    shell.reset(new_session=True)
    shell.execution_count = 1
    shell.compile._filename_map.clear()  # noqa: SLF001 - there is no other way to forget a cell
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    shell.last_execution_succeeded, shell.last_execution_result = True, None
    for name in [name for name in linecache.cache if "ipykernel_" in name]:
        del linecache.cache[name]


def serve(app: IPKernelApp, line: socket.socket) -> None:
    """Run cells until the other end hangs up."""
    app.session.line, app.session.pid = line, os.getpid()
    _use(app)
    for stream in app.streams:
        stream.attach()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_Desk(app, line).work())


@contextmanager
def _brief(shell: Any) -> Iterator[None]:
    """Make error messages short: nobody reads those of a cell that must fail."""
    tracebacks = shell.InteractiveTB
    mode = tracebacks.mode
    tracebacks.set_mode("Minimal")
    try:
        yield
    finally:
        tracebacks.set_mode(mode)


class _Desk:
    """Takes requests one after the other, while the loop of the learner's tasks runs."""

    def __init__(self, app: IPKernelApp, line: socket.socket) -> None:
        self.app, self.kernel, self.line = app, app.kernel, line
        self.received = bytearray()
        self.waiting: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def work(self) -> None:
        """Serve until the end of the line."""
        self.kernel.io_loop = ioloop.IOLoop.current()
        asyncio.get_running_loop().add_reader(self.line.fileno(), self._read)
        self._say({"t": "ready", "c": {"language_info": self.kernel.language_info}})
        while (request := await self.waiting.get()) is not None:
            if "comm" in request:
                self._tell_widget(request)
            elif "check" in request:
                self.app.veil(bool(request.get("veil")))
                found = guard.check(self.app.baseline, self.app.shell)
                content = {"found": found, "cpu": time.process_time()}
                self._say({"t": "found", "p": request["id"], "c": content})
            else:
                await self._execute(request)

    def _tell_widget(self, request: dict[str, Any]) -> None:
        parent = self._parent({"id": request["id"], "code": ""}) | {
            "msg_type": request["comm"],
            "content": request["content"],
        }
        handler = self.kernel.shell_handlers.get(request["comm"])
        if handler is not None:
            handler(None, [], parent)

    def _say(self, message: dict[str, Any]) -> None:
        with self.app.session.lock:
            self.line.sendall(json.dumps(message).encode() + b"\n")

    def _read(self) -> None:
        try:
            chunk = self.line.recv(CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not chunk:
            self.waiting.put_nowait(None)
            return
        self.received += chunk
        while b"\n" in chunk and b"\n" in self.received:
            whole, _newline, rest = bytes(self.received).partition(b"\n")
            self.received[:] = rest
            self.waiting.put_nowait(json.loads(whole))

    async def _execute(self, request: dict[str, Any]) -> None:
        """Run one cell as ipykernel's `dispatch_shell` does."""
        kernel, parent = self.kernel, self._parent(request)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, BoxStream):
                stream.printed = 0
        kernel.set_parent([], parent, channel="shell")
        kernel._publish_status("busy", "shell")  # noqa: SLF001 - what ipykernel itself does
        kernel.pre_handler_hook()
        try:
            with _brief(self.app.shell) if request.get("brief") else nullcontext():
                await kernel.execute_request(None, [], parent)
        except KeyboardInterrupt:
            pass  # it came after the cell had ended
        finally:
            kernel.post_handler_hook()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, BoxStream):
                stream.drain()
            elif isinstance(stream, io.TextIOBase):
                stream.flush()
        kernel._publish_status("idle", "shell")  # noqa: SLF001
        cpu = {"cpu": time.process_time()}
        self._say({"t": "cpu", "p": request["id"], "c": cpu})

    def _parent(self, request: dict[str, Any]) -> dict[str, Any]:
        header = self.app.session.msg_header("execute_request") | {"msg_id": request["id"]}
        header["date"] = str(header["date"])
        content = {
            "code": request["code"],
            "silent": request.get("silent", False),
            "store_history": not request.get("silent", False),
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return {
            "header": header,
            "msg_id": request["id"],
            "msg_type": "execute_request",
            "parent_header": {},
            "metadata": {},
            "content": content,
            "buffers": [],
        }
