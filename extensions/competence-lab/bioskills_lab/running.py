"""Run a notebook in a fresh kernel and keep what went wrong, cell by cell.

Law: the learner's code runs in a kernel process, never in this one; whatever
it prints is dropped, so that endless printing cannot fill this server; the
kernel is gone when this ends, however it ends.
"""

import asyncio
import contextlib
import math
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from bioskills_lab.notebook import Cell
from bioskills_lab.problems import Refused
from bioskills_lab.words import _

CELL_S = 60
TOTAL_S = 180
LONGEST_TEXT = 20_000
LONGEST_SOCKET = 90  # a path of a socket may have 107 bytes
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

    def stop(self, index: int, name: str, sentence: str) -> None:
        """Note that the run ended in a cell."""
        self.stopped = sentence
        self.faults[index] = Fault(name, sentence, "")


class _ErrorsOnly(NotebookClient):  # type: ignore[misc]  # nbclient's traits are untyped
    """A client that keeps error outputs and drops all others."""

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str, cell_index: int
    ) -> Any:  # as in nbclient
        if msg["msg_type"] != "error":
            return None
        return super().output(outs, msg, display_id, cell_index)


async def run_cells(
    cells: list[Cell],
    cwd: Path,
    *,
    kernel_spec_manager: Any = None,  # Jupyter's own type
    config: Any = None,
    cell_s: int = CELL_S,
    total_s: float = TOTAL_S,
) -> Run:
    """Run every code cell in order, also after an error, as the grader does.

    Args:
        cells: The cells of the notebook, in order; those that are not code are passed over.
        cwd: Folder the kernel works in.
        kernel_spec_manager: The server's own, so that the same kernels are found.
        config: The server's configuration.
        cell_s: Longest time of one cell, in seconds.
        total_s: Longest time of all, in seconds.
    """
    run = Run()
    # Own nodes, so that no tag of a cell and no odd file changes what is run.
    code = {cell.index: new_code_cell(cell.source) for cell in cells if cell.kind == "code"}
    notebook = new_notebook(cells=list(code.values()))
    limits = _Limits(cell_s, total_s)
    async with _kernel(cwd, kernel_spec_manager, config) as manager:
        # Not `async_execute`: it would take over the server's signal handlers.
        client = _ErrorsOnly(notebook, km=manager, allow_errors=True)
        await client.async_start_new_kernel_client()
        try:
            await _run_each(client, code, run, limits)
        finally:
            client.kc.stop_channels()
    return run


class _Limits:
    """How long a cell may run now: its own limit or what is left of the whole."""

    def __init__(self, cell_s: int, total_s: float) -> None:
        self._cell_s = cell_s
        self._total_s = total_s
        self._end = time.monotonic() + total_s

    def now(self) -> int:
        """Seconds for the next cell; 0 when the time of the whole is over."""
        return max(0, min(self._cell_s, math.ceil(self._end - time.monotonic())))

    def sentence(self, allowed: int) -> str:
        """Say which limit ended a cell that was allowed so many seconds."""
        if allowed < self._cell_s:
            return _("The whole notebook ran longer than {s} seconds and was stopped.").format(
                s=round(self._total_s)
            )
        return _(
            "A cell ran longer than {s} seconds and was stopped. Is there a loop that never ends?"
        ).format(s=self._cell_s)


async def _run_each(
    client: NotebookClient, code: dict[int, Any], run: Run, limits: _Limits
) -> None:
    for place, (index, cell) in enumerate(code.items()):
        client.timeout = limits.now()
        if not client.timeout:
            run.stopped = limits.sentence(0)
            return
        try:
            await client.async_execute_cell(cell, place)
        except CellTimeoutError:
            run.stop(index, "Timeout", limits.sentence(client.timeout))
            return
        except DeadKernelError:
            text = _("The kernel stopped while a cell ran. Often the memory was full.")
            run.stop(index, "DeadKernel", text)
            return
        run.reached = index
        _keep_fault(run, index, cell)


def _keep_fault(run: Run, index: int, cell: Any) -> None:  # a notebook node
    for output in cell.get("outputs", []):
        if output.get("output_type") == "error":
            trace = _ANSI.sub("", "\n".join(output.get("traceback", [])))
            run.faults[index] = Fault(
                str(output.get("ename", ""))[:200],
                str(output.get("evalue", ""))[:LONGEST_TEXT],
                trace[-LONGEST_TEXT:],
            )


@contextlib.asynccontextmanager
async def _kernel(cwd: Path, spec_manager: Any, config: Any) -> AsyncIterator[AsyncKernelManager]:
    more = {} if spec_manager is None else {"kernel_spec_manager": spec_manager}
    # With ipc sockets, the manager and the kernel must agree on an absolute path.
    file = Path(jupyter_runtime_dir()) / f"bioskills-check-{uuid.uuid4().hex[:12]}.json"
    transport = "ipc" if len(str(file)) < LONGEST_SOCKET else "tcp"
    try:
        await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
        manager = AsyncKernelManager(
            kernel_name="python3",
            connection_file=str(file),
            transport=transport,
            config=config,
            **more,
        )
        await manager.start_kernel(cwd=str(cwd))
    except (OSError, RuntimeError, NoSuchKernel) as error:
        raise _no_kernel(error) from None
    try:
        yield manager
    except RuntimeError as error:  # so nbclient says that a kernel did not become ready
        raise _no_kernel(error) from None
    finally:
        await manager.shutdown_kernel(now=True)


def _no_kernel(error: Exception) -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "no_kernel",
        _("No kernel could be started to check your work ({why}). Your work is saved.").format(
            why=error
        ),
        _("Stop kernels that you do not need in the list of running kernels, then try again."),
    )
