"""Run a lesson as a learner would, and say what came out of every cell.

Law: the same lesson gives the same outputs; what a computer makes up anew each
time (addresses, widget ids) is left out of the comparison, nothing else is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from bioskills.base.text import _

_CELL_SECONDS = 120
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_WIDGET = "application/vnd.jupyter.widget-view+json"


class LessonRun(NamedTuple):
    """What a run of a lesson gave.

    Attributes:
        outputs: Comparable outputs, one entry per code cell.
        problem: Why it stopped, empty when it ran to its end.
        cell: Number of the cell it stopped at, from 1; 0 when it ran to its end.
    """

    outputs: tuple[object, ...]
    problem: str = ""
    cell: int = 0


def run_lesson(path: Path) -> LessonRun:
    """Run a notebook in its own folder with a fresh kernel."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=_CELL_SECONDS,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return LessonRun((), f"{error.ename}: {error.evalue}", _stopped(notebook))
    except CellTimeoutError:
        message = _("a cell takes longer than {n} s").format(n=_CELL_SECONDS)
        return LessonRun((), message, _stopped(notebook))
    except DeadKernelError:
        return LessonRun((), _("the kernel died"), _stopped(notebook))
    return LessonRun(tuple(_comparable(cell) for cell in notebook.cells))


def first_difference(one: LessonRun, other: LessonRun) -> int:
    """Return the number of the first cell whose outputs differ, from 1; 0 for none."""
    pairs = zip(one.outputs, other.outputs, strict=True)
    return next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), 0)


def _stopped(notebook: nbformat.NotebookNode) -> int:
    """Return the number of the last cell that was started."""
    started = [n for n, cell in enumerate(notebook.cells, start=1) if cell.get("execution_count")]
    return max(started, default=1)


def _comparable(cell: Mapping[str, Any]) -> object:
    return tuple(_merged(cell.get("outputs", ())))


def _merged(outputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield outputs with neighbouring pieces of one stream joined: where they split is chance."""
    stream, text = "", ""
    for output in outputs:
        name = str(output.get("name", "")) if output["output_type"] == "stream" else ""
        if stream and name != stream:
            yield stream, _ADDRESS.sub("0x", text)
            stream, text = "", ""
        if name:
            stream, text = name, text + str(output["text"])
        else:
            yield output["output_type"], _ADDRESS.sub("0x", _data_of(output))
    if stream:
        yield stream, _ADDRESS.sub("0x", text)


def _data_of(output: Mapping[str, Any]) -> str:
    data = output.get("data")
    if data is None:
        return f"{output.get('ename')}: {output.get('evalue')}"
    return repr(sorted((kind, str(value)) for kind, value in data.items() if kind != _WIDGET))
