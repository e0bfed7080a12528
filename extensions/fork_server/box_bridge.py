"""A kernel of any language in a box, behind the same line as a forked one.

Law: the kernel is a new program, started by Jupyter inside the box, with the
box's rights; this process only carries messages. It ends when the kernel ends.
"""

import os
import queue
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from bioskills.fork_server.box_lines import Lines
from bioskills.fork_server.box_streams import ENDED_HERE, STREAM_CHARS

READY_S = 100.0
LOOK_S = 0.5
SOCKETS = "/tmp/kernel"
NO_HISTORY = "--HistoryManager.hist_file=:memory:"


def serve(name: str, line: socket.socket) -> None:
    """Start the kernel of this name and carry messages until the other end hangs up."""
    Path(SOCKETS).mkdir(mode=0o700)
    manager = KernelManager(kernel_name=name, transport="ipc", ip=f"{SOCKETS}/k")
    arguments = [NO_HISTORY] if manager.ipykernel else []
    manager.start_kernel(extra_arguments=arguments)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=READY_S)
    signal.signal(signal.SIGINT, lambda *_: manager.interrupt_kernel())
    info = client.kernel_info(reply=True, timeout=READY_S)["content"]
    bridge = _Bridge(manager, client, Lines(line))
    bridge.lines.say({"t": "ready", "c": {"language_info": info["language_info"]}})
    for request in bridge.lines.heard():
        bridge.run(request)


class _Bridge:
    def __init__(self, manager: Any, client: Any, lines: Lines) -> None:
        self.manager, self.client, self.lines = manager, client, lines
        self.printed = 0

    def run(self, request: Mapping[str, Any]) -> None:
        """Run one cell; a message to a widget is not carried."""
        if "comm" in request:
            return
        silent = bool(request.get("silent"))
        self.printed = 0
        parent = self.client.execute(
            request["code"],
            silent=silent,
            store_history=not silent,
            allow_stdin=False,
            stop_on_error=False,
        )
        while not self._publish(request["id"], parent):
            pass
        reply = self._reply(parent)
        self.lines.say({"t": "execute_reply", "p": request["id"], "c": reply})
        self.lines.say({"t": "cpu", "p": request["id"], "c": {"cpu": sum(os.times()[:4])}})

    def _publish(self, name: str, parent: str) -> bool:
        """Carry one message; whether it was the last of this cell."""
        try:
            message = self.client.get_iopub_msg(timeout=LOOK_S)
        except queue.Empty:
            self._need_life()
            return False
        if message["parent_header"].get("msg_id") != parent:
            return False
        kind, content = message["msg_type"], message["content"]
        if kind == "stream" and not self._cut(content):
            return False
        buffers = [bytes(each).hex() for each in message.get("buffers", ())]
        head = {"t": kind, "p": name, "c": content, "m": message["metadata"], "b": buffers}
        self.lines.say(head)
        return bool(kind == "status" and content["execution_state"] == "idle")

    def _cut(self, content: dict[str, Any]) -> bool:
        """Cut what a cell prints beyond a size; say whether something of it is carried."""
        before, text = self.printed, str(content["text"])
        self.printed += len(text)
        if self.printed > STREAM_CHARS:
            end = ENDED_HERE.format(most=STREAM_CHARS)
            content["text"] = text[: STREAM_CHARS - before] + end
        return before <= STREAM_CHARS

    def _reply(self, parent: str) -> dict[str, Any]:
        while True:
            try:
                message = self.client.get_shell_msg(timeout=LOOK_S)
            except queue.Empty:
                self._need_life()
                continue
            if message["parent_header"].get("msg_id") == parent:
                return dict(message["content"])

    def _need_life(self) -> None:
        if not self.manager.is_alive():
            os._exit(1)
