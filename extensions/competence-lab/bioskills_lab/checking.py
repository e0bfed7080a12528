"""Say what *Check my work* found, in the words of the course's own checks.

Law: pure. A learner reads a sentence first; the technical text comes with it
and never alone. Only checks that are in the released notebook are known here.
"""

import re
from typing import Any

from bioskills_lab.notebook import Cell, untouched
from bioskills_lab.running import Fault, Run
from bioskills_lab.words import _

# `assert cond, "[lower_case] a lower-case sequence gave a wrong value"`
_CHECK = re.compile(r"^\s*\[([A-Za-z0-9_.-]+)\]\s*(.*)$", re.DOTALL)

Released = dict[str, dict[str, object]]


def check_result(cells: list[Cell], released: Released, run: Run) -> dict[str, Any]:
    """Give the answer of the verb *check*.

    Args:
        cells: The learner's cells, in order.
        released: What is known of the released cells, by grade id.
        run: What running them gave.
    """
    tests = [_test(cell, released, run) for cell in cells if cell.is_test]
    tests += _missing(cells, released)
    failed = [test for test in tests if not test["passed"]]
    return {
        "passed": not failed and not run.stopped,
        "tests": tests,
        "failed": len(failed),
        "faults": [_answer_fault(cell, run.faults[cell.index]) for cell in _broken(cells, run)],
        "untouched": untouched(cells, released),
        "stopped": run.stopped,
        "read_by_person": sum(1 for cell in cells if _by_person(cell)),
    }


def _test(cell: Cell, released: Released, run: Run) -> dict[str, Any]:
    fault = run.faults.get(cell.index)
    was = released.get(cell.grade_id, {}).get("sha256")
    changed = was is not None and was != cell.digest
    reached = cell.index <= run.reached
    message, check = ("", "") if reached else (_("It did not come to run."), "")
    if fault is not None:
        message, check = _sentence(fault)
    return _line(cell, fault, message) | {
        "check": check,
        "passed": reached and fault is None and not changed,
        "unwritten": fault is not None and fault.name == "NotImplementedError",
        "note": _("You changed this test. The grader uses the original.") if changed else "",
    }


def _missing(cells: list[Cell], released: Released) -> list[dict[str, Any]]:
    """Name tests that were deleted, and marked cells that are there twice."""
    there = [cell.grade_id for cell in cells if cell.grade_id]
    lines = [
        _nowhere(name, _("This test is missing from your notebook. The grader puts it back."))
        for name, was in released.items()
        if was.get("test") and name not in there
    ]
    lines += [
        _nowhere(name, _("The cell for this answer is missing from your notebook."))
        for name, was in released.items()
        if was.get("answer") and name not in there
    ]
    twice = sorted({name for name in there if there.count(name) > 1})
    return lines + [
        _nowhere(name, _("This cell is in your notebook twice. Delete the copy.")) for name in twice
    ]


def _nowhere(name: str, message: str) -> dict[str, Any]:
    return {"cell": name, "index": -1, "title": name, "message": message, "traceback": "",
            "check": "", "passed": False, "unwritten": False, "note": ""}  # fmt: skip


def _broken(cells: list[Cell], run: Run) -> list[Cell]:
    """Give the cells other than tests that ended with an error, unwritten answers aside."""
    return [
        cell
        for cell in cells
        if cell.index in run.faults
        and not cell.is_test
        and run.faults[cell.index].name != "NotImplementedError"
    ]


def _answer_fault(cell: Cell, fault: Fault) -> dict[str, Any]:
    return _line(cell, fault, _sentence(fault)[0])


def _line(cell: Cell, fault: Fault | None, message: str) -> dict[str, Any]:
    return {
        "cell": cell.grade_id,
        "index": cell.index,
        "title": cell.title or cell.grade_id,
        "message": message,
        "traceback": fault.traceback if fault else "",
    }


def _sentence(fault: Fault) -> tuple[str, str]:
    """Give the sentence for an error, and the id of the check where there is one."""
    named = _CHECK.match(fault.text) if fault.name == "AssertionError" else None
    if named:
        text = named.group(2).strip()
        return (
            text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else "."),
            named.group(1),
        )
    return (_plain(fault), "")


def _plain(fault: Fault) -> str:
    first = fault.text.strip().splitlines()[0] if fault.text.strip() else ""
    if fault.name in {"Timeout", "DeadKernel"}:
        return fault.text
    if fault.name == "NotImplementedError":
        return _("The answer that this test looks at is not written yet.")
    if fault.name == "AssertionError":
        return first or _("A check of this test did not hold.")
    if fault.name == "NameError":
        return _(
            "A name is used before it is defined ({text}). Does the cell that defines it run without an error?"
        ).format(text=first)
    if fault.name in {"SyntaxError", "IndentationError", "TabError"}:
        return _("Python cannot read this cell ({name}: {text}).").format(
            name=fault.name, text=first
        )
    return _("The code ended with {name}: {text}").format(name=fault.name, text=first)


def _by_person(cell: Cell) -> bool:
    return cell.is_answer and cell.kind == "markdown"
