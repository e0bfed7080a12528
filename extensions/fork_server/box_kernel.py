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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from ipykernel import kernelapp
from ipykernel.ipkernel import IPythonKernel
from tornado import ioloop

from bioskills.fork_server import guard
from bioskills.fork_server.box_lending import Lending
from bioskills.fork_server.box_streams import BoxPub, BoxSession, BoxStream

CHUNK = 1 << 16


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


LENDING = {"share", "lend", "borrow", "lent"}
"""Keys of the requests of isolated mode."""
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
        self.lending = Lending(line, self.received, app.shell.user_ns, self._say)

    async def work(self) -> None:
        """Serve until the end of the line."""
        self.kernel.io_loop = ioloop.IOLoop.current()
        asyncio.get_running_loop().add_reader(self.line.fileno(), self._read)
        self._say({"t": "ready", "c": {"language_info": self.kernel.language_info}})
        while (request := await self.waiting.get()) is not None:
            if "comm" in request:
                self._tell_widget(request)
            elif LENDING & request.keys():
                self._share(request)
            elif "check" in request:
                self.app.veil(bool(request.get("veil")))
                found = guard.check(self.app.baseline, self.app.shell)
                content = {"found": found, "cpu": time.process_time()}
                self._say({"t": "found", "p": request["id"], "c": content})
            else:
                await self._execute(request)

    def _share(self, request: dict[str, Any]) -> None:
        """Do what isolated mode asks; an answer that comes too late is for nobody."""
        if "share" in request:
            self.lending.start()
            return
        self.kernel.pre_handler_hook()
        try:
            if "lend" in request:
                self.lending.lend(request)
            elif "borrow" in request:
                self.lending.borrow(request)
        except KeyboardInterrupt:
            pass  # the grader no longer waits
        finally:
            self.kernel.post_handler_hook()

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
