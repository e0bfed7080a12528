"""Run a notebook in a fresh kernel and keep what went wrong, cell by cell.

Law: the learner's code runs in a kernel process, never in this one; whatever
it prints is dropped, so that endless printing cannot fill this server; the
kernel is gone when this ends, however it ends.
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from bioskills_lab.words import _

CELL_S = 60
TOTAL_S = 180
LONGEST_TEXT = 20_000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Fault:
    """An error that ended a cell."""

    name: str
    text: str
    traceback: str


@dataclass
class Run:
    """What a run of the whole notebook gave."""

    faults: dict[int, Fault] = field(default_factory=dict)
    reached: int = -1
    stopped: str = ""


class _ErrorsOnly(NotebookClient):  # type: ignore[misc]  # nbclient's traits are untyped
    """A client that keeps error outputs and drops all others."""

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str, cell_index: int
    ) -> Any:  # noqa: ANN401  # as in nbclient
        if msg["msg_type"] != "error":
            return None
        return super().output(outs, msg, display_id, cell_index)


async def run_notebook(
    notebook: dict[str, Any],
    cwd: Path,
    *,
    kernel_spec_manager: Any = None,  # noqa: ANN401  # Jupyter's own type
    config: Any = None,  # noqa: ANN401
    cell_s: int = CELL_S,
    total_s: float = TOTAL_S,
) -> Run:
    """Run every code cell in order, also after an error, as the grader does.

    Args:
        notebook: The notebook as read from disk.
        cwd: Folder the kernel works in.
        kernel_spec_manager: The server's own, so that the same kernels are found.
        config: The server's configuration.
        cell_s: Longest time of one cell, in seconds.
        total_s: Longest time of all, in seconds.
    """
    run = Run()
    # NotebookClient.async_execute would take over the server's signal handlers.
    node = nbformat.from_dict(notebook)
    try:
        async with asyncio.timeout(total_s), _kernel(cwd, kernel_spec_manager, config) as manager:
            client = _ErrorsOnly(node, km=manager, timeout=cell_s, allow_errors=True)
            await client.async_start_new_kernel_client()
            try:
                await _run_cells(client, run)
            finally:
                client.kc.stop_channels()
    except TimeoutError:
        run.stopped = _("The whole notebook ran longer than {s} seconds and was stopped.").format(
            s=round(total_s)
        )
    return run


async def _run_cells(client: NotebookClient, run: Run) -> None:
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code":
            continue
        try:
            await client.async_execute_cell(cell, index)
        except CellTimeoutError:
            run.stopped = _(
                "A cell ran longer than {s} seconds and was stopped. Is there a loop that never ends?"
            ).format(s=client.timeout)
            run.faults[index] = Fault("Timeout", run.stopped, "")
            return
        except DeadKernelError:
            run.stopped = _("The kernel stopped while a cell ran. Often the memory was full.")
            run.faults[index] = Fault("DeadKernel", run.stopped, "")
            return
        run.reached = index
        _keep_fault(run, index, cell)


def _keep_fault(run: Run, index: int, cell: Any) -> None:  # noqa: ANN401  # a notebook node
    for output in cell.get("outputs", []):
        if output.get("output_type") == "error":
            trace = _ANSI.sub("", "\n".join(output.get("traceback", [])))
            run.faults[index] = Fault(
                str(output.get("ename", ""))[:200],
                str(output.get("evalue", ""))[:LONGEST_TEXT],
                trace[-LONGEST_TEXT:],
            )


@contextlib.asynccontextmanager
async def _kernel(cwd: Path, spec_manager: Any, config: Any) -> AsyncIterator[AsyncKernelManager]:  # noqa: ANN401
    more = {} if spec_manager is None else {"kernel_spec_manager": spec_manager}
    # With ipc sockets, the manager and the kernel must agree on an absolute path.
    file = Path(jupyter_runtime_dir()) / f"bioskills-check-{uuid.uuid4().hex}.json"
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    manager = AsyncKernelManager(
        kernel_name="python3", connection_file=str(file), config=config, **more
    )
    await manager.start_kernel(cwd=str(cwd))
    try:
        yield manager
    finally:
        await asyncio.shield(manager.shutdown_kernel(now=True))
