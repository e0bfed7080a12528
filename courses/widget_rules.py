"""Rules about interactives: a label for every control, and a form that needs no kernel.

Law: pure; the code of a cell is parsed, never run.
"""

import ast
from collections.abc import Iterator

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.notebooks import Cell, Notebook
from bioskills.courses.reading import Course

# Controls of ipywidgets that a learner operates; a box or an output needs no label.
_CONTROLS = {
    "BoundedFloatText",
    "BoundedIntText",
    "Button",
    "Checkbox",
    "Combobox",
    "DatePicker",
    "Dropdown",
    "FloatLogSlider",
    "FloatRangeSlider",
    "FloatSlider",
    "FloatText",
    "IntRangeSlider",
    "IntSlider",
    "IntText",
    "RadioButtons",
    "Select",
    "SelectMultiple",
    "SelectionRangeSlider",
    "SelectionSlider",
    "Text",
    "Textarea",
    "ToggleButton",
    "ToggleButtons",
}
FALLBACK_TAG = "static-fallback"
_CELLS_TO_FALLBACK = 3


def controls_labelled(course: Course) -> Iterator[Fault]:
    """Every control of an interactive has a description."""
    for book in course.notebooks.values():
        for cell in book.code():
            for call in _control_calls(cell):
                if all(keyword.arg not in {"description", None} for keyword in call.keywords):
                    message = _("line {line}: the control has no description")
                    text = message.format(line=call.lineno)
                    yield Fault(book.path, cell.name, ast.unparse(call.func), text)


def interactives_have_fallback(course: Course) -> Iterator[Fault]:
    """Near every interactive a picture or table shows the same without a kernel."""
    for book in course.notebooks.values():
        for cell in book.code():
            if any(_control_calls(cell)) and not _fallback_near(book, cell):
                message = _("the interactive has no static form within {n} cells")
                yield Fault(book.path, cell.name, "", message.format(n=_CELLS_TO_FALLBACK))


def _control_calls(cell: Cell) -> Iterator[ast.Call]:
    if not any(f"{name}(" in cell.source for name in _CONTROLS):
        return
    try:
        tree = ast.parse(_without_magics(cell.source))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _CONTROLS:
            yield node


def _name(function: ast.expr) -> str:
    """Return the class a call makes, where it is written as `widgets.Class` or `Class`."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id in {"widgets", "ipywidgets", "w"} else ""
    return function.id if isinstance(function, ast.Name) else ""


def _without_magics(source: str) -> str:
    lines = source.splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _fallback_near(book: Notebook, cell: Cell) -> bool:
    near = book.cells[
        max(0, cell.number - 1 - _CELLS_TO_FALLBACK) : cell.number + _CELLS_TO_FALLBACK
    ]
    return any(
        FALLBACK_TAG in other.tags
        or (other.kind == "markdown" and ("![" in other.source or "|--" in other.source))
        for other in near
    )


def labelled_with_fallback(course: Course) -> Iterator[Fault]:
    """Controls have labels, interactives a static form."""
    yield from controls_labelled(course)
    yield from interactives_have_fallback(course)
