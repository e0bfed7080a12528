"""Settle the cells that a kernel left unfinished, before nbgrader counts points.

Law: pure. nbgrader gives a test without an error all its points, and one whose
value it cannot read none and no grade to the whole hand-in. So what was not
run to its end gets an error, as nbclient would have written one, and what was
earned before stays as it is: never less, never more.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bioskills.base.text import _

DEAD = "DeadKernelError"
PYTHON = "Python"
UNSCORABLE = "UnscorableValueError"


def mark_unrun(cells: Iterable[Any], first_unrun: int, ename: str = DEAD) -> list[str]:
    """Give every code cell from an index on an error, so that it earns nothing.

    Cells before it are untouched. The cell at the index may have been half way: what
    it had printed stays to be read, its value does not.

    Args:
        cells: The notebook's cells, as dicts or NotebookNodes; changed in place.
        first_unrun: Index of the first cell of which the end was not seen.
        ename: Name of the error to write.

    Returns:
        grade_ids of the tests that earn nothing for that reason.
    """
    tests = []
    for cell in list(cells)[max(first_unrun, 0) :]:
        if cell.get("cell_type") != "code":
            continue
        printed = [o for o in cell.get("outputs") or [] if _is_printed(o)]
        cell["outputs"] = [_error(ename, _unrun()), *printed]
        cell["execution_count"] = None
        tests += _test_name(cell)
    return tests


def mark_unscorable(cells: Iterable[Any]) -> list[str]:
    """Give every test whose value stops nbgrader an error in front, so that it earns nothing.

    nbgrader takes a test's value for its points. One above the most, or one without
    a text, is an exception there, and no cell of the hand-in has a grade.

    Returns:
        grade_ids of those tests: a person should look at them.
    """
    tests = []
    for cell in cells:
        if _test_name(cell) and _stops_nbgrader(cell):
            cell["outputs"] = [_error(UNSCORABLE, _unscorable()), *cell["outputs"]]
            tests += _test_name(cell)
    return tests


def why_died(ename: str, tests: Iterable[str], language: str = PYTHON) -> str:
    """Return the sentence for learner and instructor.

    Args:
        ename: What ended the run, as nbclient or nbgrader names it.
        tests: As `mark_unrun` returns them.
        language: The kernel's, as it names it.
    """
    known = {
        DEAD: _(
            "While your notebook ran, {language} itself ended: a cell called exit, or needed more memory than is allowed."
        ).format(language=language),
        "CellTimeoutError": _(
            "A cell of your notebook could not be stopped when its time was over. Look for a loop that never ends."
        ),
        "ProcessLimitError": _(
            "A cell of your notebook started so many processes that nothing else could run. Look for one that starts copies of itself."
        ),
        "NotebookTimeoutError": _(
            "Your notebook did not finish in the time allowed for all its cells."
        ),
        "OutputLimitError": _(
            "Your notebook made more output than could be kept. Look for a cell that prints too much."
        ),
    }
    what = known.get(ename) or _("Your notebook could not be run to its end.")
    names = ", ".join(tests)
    if not names:
        return f"{what} {_('No test was left to run.')}"
    kept = _(
        "What was tested before counts; these tests were not run and have no points: {names}. A person looks at it."
    )
    return f"{what} {kept.format(names=names)}"


def _test_name(cell: Mapping[str, Any]) -> list[str]:
    marks = cell.get("metadata", {}).get("nbgrader") or {}
    is_test = cell.get("cell_type") == "code" and marks.get("grade") and not marks.get("solution")
    return [str(marks.get("grade_id", ""))] if is_test else []


def _is_printed(output: Mapping[str, Any]) -> bool:
    return output.get("output_type") in {"stream", "display_data"}


def _stops_nbgrader(cell: Mapping[str, Any]) -> bool:
    """Say whether nbgrader's `determine_grade` raises: it reads outputs in order up to the first that decides."""
    for output in cell.get("outputs") or []:
        kind = output.get("output_type")
        if kind == "error" or (kind == "stream" and output.get("name") == "stderr"):
            return False
        if kind == "execute_result":
            return not _is_scorable(output.get("data") or {}, cell["metadata"]["nbgrader"])
    return False


def _is_scorable(data: Mapping[str, Any], marks: Mapping[str, Any]) -> bool:
    text = data.get("text/plain")
    if not text:
        return False
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    try:
        value = float(text) if isinstance(text, str) else 0.0
    except ValueError:
        return True  # No number: nbgrader gives all points, with a warning in its log.
    return not value > float(marks.get("points", 0))


def _error(ename: str, evalue: str) -> Any:
    from nbformat import NotebookNode  # noqa: PLC0415 - only where a kernel ran

    return NotebookNode(
        output_type="error",
        ename=ename,
        evalue=evalue,
        traceback=[f"\x1b[0;31m{ename}\x1b[0m: {evalue}"],
    )


def _unrun() -> str:
    return _("This cell was not run to its end: Python had ended before.")


def _unscorable() -> str:
    return _("The value of this test is no number of points.")
