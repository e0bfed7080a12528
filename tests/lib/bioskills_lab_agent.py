"""Stand in for a learner's lab: start kernels through the real provisioner, and say what came out.

Runs as the learner, in the learner's room. Commands and answers are JSON lines.
"""

import asyncio
import json
import logging
import os
import queue
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

SOCKET = "BIOSKILLS_KERNELS_SOCKET"
CELL_S = 120
ANSWERS = 3


class Agent:
    """Kernels by name."""

    def __init__(self) -> None:
        self.kernels: dict[str, tuple[Any, Any]] = {}
        self.socket = os.environ.get(SOCKET, "")

    async def start(
        self, name: str, mode: str = "forked", env: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        """Start a kernel; return what its provisioner says of it."""
        runtime = os.environ["JUPYTER_RUNTIME_DIR"]
        manager = AsyncKernelManager(
            kernel_name=options.pop("kernel", "python3"),
            transport="ipc",
            connection_file=f"{runtime}/kernel-{name}.json",
        )
        # A loaded machine must not make a polite end an impolite one.
        manager.shutdown_wait_time = 2 * CELL_S
        os.environ[SOCKET] = self.socket if mode == "forked" else ""
        began = time.monotonic()
        options.setdefault("cwd", os.environ["HOME"])
        await manager.start_kernel(env={**os.environ, **(env or {})}, **options)
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(CELL_S)
        self.kernels[name] = manager, client
        info = await manager.provisioner.get_provisioner_info()
        return {**info, "seconds": time.monotonic() - began, "connection_info": None}

    async def run(self, name: str, code: str, answers: list[str] | None = None) -> Any:
        """Run a cell; return its outputs and its status."""
        _manager, client = self.kernels[name]
        asked = client.execute(code, allow_stdin=True, stop_on_error=False)
        outputs: list[Any] = []
        pending = list(answers or ())
        while not await _idle(client, asked, outputs):
            await _answer(client, pending)
        reply = await client.get_shell_msg(timeout=CELL_S)
        while reply["parent_header"].get("msg_id") != asked:
            reply = await client.get_shell_msg(timeout=CELL_S)
        return {"outputs": outputs, "status": reply["content"]["status"]}

    async def begin(self, name: str, code: str) -> None:
        """Send a cell and wait for its first output only, or for the kernel's end."""
        manager, client = self.kernels[name]
        # Otherwise an interrupted cell has the next request aborted for a moment.
        asked = client.execute(code, stop_on_error=False)
        outputs: list[Any] = []
        while not outputs and await manager.is_alive():
            await _idle(client, asked, outputs)

    async def interrupt(self, name: str) -> Any:
        """Interrupt; return what the running cell said at its end."""
        manager, client = self.kernels[name]
        await manager.interrupt_kernel()
        reply = await client.get_shell_msg(timeout=CELL_S)
        return {key: reply["content"].get(key) for key in ("status", "ename")}

    async def restart(self, name: str, now: bool = False) -> Any:
        """Restart; return the provisioner's info."""
        manager, client = self.kernels[name]
        await manager.restart_kernel(now=now)
        await client.wait_for_ready(CELL_S)
        return {**await manager.provisioner.get_provisioner_info(), "connection_info": None}

    async def shutdown(self, name: str, now: bool = False) -> Any:
        """End the kernel; return whether it lives."""
        manager, client = self.kernels.pop(name)
        client.stop_channels()
        process = manager.provisioner.process
        await manager.shutdown_kernel(now=now)
        return {"alive": await manager.is_alive(), "status": process.returncode}

    async def alive(self, name: str) -> Any:
        """Say whether the kernel lives, as the lab would ask."""
        return await self.kernels[name][0].is_alive()

    async def signal(self, name: str, number: int) -> None:
        """Send a signal to the kernel's process alone."""
        os.kill(self.kernels[name][0].provisioner.pid, number)

    async def start_all(self, names: list[str]) -> Any:
        """Start several kernels at the same time."""
        return await asyncio.gather(*map(self.start, names))

    async def debugger(
        self, name: str, command: str, arguments: dict[str, Any] | None = None, seq: int = 1
    ) -> Any:
        """Send a debugger's request; return whether it was granted."""
        _manager, client = self.kernels[name]
        content = {"type": "request", "command": command, "seq": seq, "arguments": arguments or {}}
        client.control_channel.send(client.session.msg("debug_request", content))
        reply = await client.get_control_msg(timeout=CELL_S)
        return reply["content"].get("success")

    async def lessons(self, course: str, folder: str, mode: str) -> Any:
        """Run a course's lessons as its check does; return what every cell gave."""
        os.environ[SOCKET] = self.socket if mode == "forked" else ""
        return await asyncio.to_thread(_lessons, Path(course), Path(folder))

    async def env(self, name: str, value: str) -> None:
        """Set a variable of the lab itself."""
        os.environ[name] = value

    async def adopted(self, name: str, started_differs: bool = False) -> Any:
        """Load the provisioner's info into a new one; return whether it sees the kernel living."""
        manager, _client = self.kernels[name]
        info = await manager.provisioner.get_provisioner_info()
        info["started"] += started_differs
        other = type(manager.provisioner)(kernel_spec=manager.kernel_spec, parent=manager)
        await other.load_provisioner_info(info)
        if started_differs:
            await other.send_signal(signal.SIGKILL)
        return await other.poll() is None


def _lessons(archive: Path, folder: Path) -> dict[str, Any]:
    # Heavy; most tests need none of it.
    from bioskills.courses.package import materials, read_zip, write_tree  # noqa: PLC0415
    from bioskills.courses.reading import view_of  # noqa: PLC0415
    from bioskills.graders.lesson_run import run_lesson  # noqa: PLC0415

    course = view_of(read_zip(archive.read_bytes()))
    write_tree(materials(course.files), folder)
    return {lesson.path: run_lesson(folder / lesson.path)._asdict() for lesson in course.lessons}


async def _idle(client: Any, asked: str, outputs: list[Any]) -> bool:
    try:
        message = await client.get_iopub_msg(timeout=0.05)
    except queue.Empty:
        return False
    if message["parent_header"].get("msg_id") != asked:
        return False
    kind, content = message["msg_type"], message["content"]
    if kind == "status":
        return bool(content["execution_state"] == "idle")
    if kind != "execute_input":
        outputs.append([kind, content])
    return False


async def _answer(client: Any, pending: list[str]) -> None:
    if pending and await client.stdin_channel.msg_ready():
        await client.get_stdin_msg(timeout=1)
        client.input(pending.pop(0))


async def _main() -> None:
    logging.basicConfig(level=logging.INFO)
    agent = Agent()
    os.set_inheritable(ANSWERS, False)
    answers = os.fdopen(ANSWERS, "w", encoding="utf-8")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            answer = await getattr(agent, asked.pop("do"))(**asked)
            said = {"answer": answer}
        except Exception as error:  # noqa: BLE001 - told to the test, which fails with it
            said = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(said, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    asyncio.run(_main())
