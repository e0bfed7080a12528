"""Grade one submission with stock nbgrader, inside the walls.

Law: runs only in a sandbox that holds the one submission. nbgrader's own
converter and preprocessors, unmodified, decide every score. The gradebook
comes over a socket and lives in this process's memory; kernels inherit neither,
and may not look into this process. Before a learner's code runs, this says
that it is ready; afterwards only known names, numbers and notebooks leave.

Usage: python -m bioskills.graders.slot_worker ASSIGNMENT LEARNER CELL_TIMEOUT_S SOCKET
"""

import ctypes
import json
import os
import shutil
import socket
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from bioskills.graders.engine import COURSE, configuration, convert, spare_imports

SLOT = Path("/slot")
IN_MEMORY = "file:gradebook?mode=memory&cache=shared"
GRADEBOOK_URL = f"sqlite:///{IN_MEMORY}&uri=true"
MOST_OUTPUT_CHARS = 1_000_000
MOST_PLACES = 20
_SET_DUMPABLE = 4  # <linux/prctl.h>


def main(assignment: str, learner: str, cell_timeout_s: int, line: socket.socket) -> None:
    """Autograde, and send what the gradebook then holds."""
    line.set_inheritable(False)
    # Not dumpable: processes of the same uid can open neither our memory nor our files.
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    spare_imports()
    from nbgrader.converters import Autograde  # noqa: PLC0415 - after the line above

    kept = hold(received(line))
    _say(line, {"ready": notebooks_of(assignment)})
    _mute()
    books: dict[str, str] = {}
    config = configuration(str(SLOT), GRADEBOOK_URL, cell_timeout_s)
    config.Autograde.autograde_preprocessors = steps(Autograde, books)
    outcome = convert(Autograde, config, assignment, learner)
    cells = [] if outcome.error else scores_of(assignment, learner)
    _say(line, {"error": outcome.error, "begun": bool(books), "cells": cells, "notebooks": books})
    kept.close()


def steps(autograde: Any, books: dict[str, str]) -> list[Any]:
    """Return nbgrader's own list of steps between two of ours that change no score.

    The first puts back what was handed in where nbgrader has just written the
    notebook with its hidden tests; the last keeps the graded notebook.

    Args:
        autograde: The converter class.
        books: Receives every notebook that was begun, by name; its text when it is done.
    """
    import nbformat  # noqa: PLC0415
    from nbgrader.preprocessors import NbGraderPreprocessor  # noqa: PLC0415

    class PutBack(NbGraderPreprocessor):  # type: ignore[misc]
        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            about = resources["nbgrader"]
            name = f"{about['notebook']}.ipynb"
            place = Path(resources["metadata"]["path"]) / name
            books[about["notebook"]] = ""
            place.unlink()
            shutil.copyfile(
                SLOT / "submitted" / about["student"] / about["assignment"] / name, place
            )
            return nb, resources

    class Keep(NbGraderPreprocessor):  # type: ignore[misc]
        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            for cell in nb.cells:
                if "outputs" in cell:
                    cell.outputs = [o for o in cell.outputs if len(str(o)) < MOST_OUTPUT_CHARS]
            books[resources["nbgrader"]["notebook"]] = nbformat.writes(nb)
            return nb, resources

    stock = autograde.autograde_preprocessors.default_args[0]
    return [PutBack, *stock, Keep]


def received(line: socket.socket) -> bytes:
    """Read until the other end has said all."""
    with line.makefile("rb") as file:
        return file.read()


def hold(gradebook: bytes) -> sqlite3.Connection:
    """Put a gradebook file into memory; it stays as long as the connection is open."""
    shared = sqlite3.connect(IN_MEMORY, uri=True)
    source = sqlite3.connect(":memory:")
    source.deserialize(gradebook)
    source.backup(shared)
    source.close()
    return shared


def notebooks_of(assignment: str) -> list[str]:
    """Return the names of the notebooks that the assignment has."""
    from nbgrader.api import Gradebook  # noqa: PLC0415

    with Gradebook(GRADEBOOK_URL, COURSE) as gradebook:
        return [book.name for book in gradebook.find_assignment(assignment).notebooks]


def scores_of(assignment: str, learner: str) -> list[dict[str, Any]]:
    """Return every grade cell as the gradebook holds it; numbers as decimal strings."""
    from nbgrader.api import Gradebook  # noqa: PLC0415

    with Gradebook(GRADEBOOK_URL, COURSE) as gradebook:
        submission = gradebook.find_submission(assignment, learner)
        return [_score(book.name, grade) for book in submission.notebooks for grade in book.grades]


def _score(notebook: str, grade: Any) -> dict[str, Any]:
    return {
        "cell": f"{notebook}/{grade.name}",
        "cell_type": str(grade.cell.cell_type),
        "max_points": decimal(grade.max_score),
        "auto_points": decimal(grade.auto_score),
        "manual_points": decimal(grade.manual_score),
        "extra_credit": decimal(grade.extra_credit),
        "needs_person": bool(grade.needs_manual_grade),
    }


def decimal(number: float | None) -> str | None:
    """Return the shortest decimal text that means this number."""
    if number is None:
        return None
    whole, _point, rest = format(Decimal(repr(float(number))), "f").partition(".")
    rest = rest[:MOST_PLACES].rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def _say(line: socket.socket, message: dict[str, Any]) -> None:
    line.sendall(json.dumps(message).encode() + b"\n")


def _mute() -> None:
    """Give kernels, which inherit our outputs, nowhere to print."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        os.dup2(nowhere, output)
    os.close(nowhere)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[4])) as channel:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), channel)
