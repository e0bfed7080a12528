"""A small assignment with hidden tests, and a submission that tries every way to carry them out.

Told apart from the tests that use it: what is here runs in the sandbox.
"""

import json
from typing import Any

MARK = "ZEBRA{n}QUAGGA"
"""A word that only the hidden tests hold; `n` makes two assignments that differ in nothing else."""

TEST = """\
assert count("abc") == 3, "[plain] three letters"
### BEGIN HIDDEN TESTS
assert count("{mark}") == {number}, "[stripes] {mark}"
### END HIDDEN TESTS
"""

PARTIAL = """\
### BEGIN HIDDEN TESTS
given = part("{mark}")
### END HIDDEN TESTS
given
"""

# Runs before any hidden test: arms every way that later goes off, and prints what may be shown.
ARMED = """\
import base64, codecs, os, sys, threading, time, warnings
from IPython.display import HTML, display
import ipywidgets
shell = get_ipython()
seen = []
shell.events.register("pre_run_cell", lambda info: seen.append(info.raw_cell))
def hidden():
    return next((text for text in seen if "BEGIN " + "HIDDEN" in text), "nothing seen")
handle = display("a start", display_id=True)
early = shell.kernel.get_parent("shell")
box = ipywidgets.Output()
display(box)
def send(kind, content, parent):
    kernel = shell.kernel
    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
print("seen before: \\x1b[31mred\\x1b[0m", hidden())
calls = []
def count(text):
    calls.append(text)
    if len(calls) > 2:
        raise type("".join(filter(str.isalnum, hidden())), (Exception,), {})(hidden())
    warnings.warn(hidden())
    print(hidden())
    send("stream", {"name": "stdout", "text": hidden()}, early)
    return len(text)
def part(text):
    return PART
"""

# One way each, in a cell of its own, after the hidden tests were in the process.
WAYS = {
    "plain": "print(hidden())",
    "base64": "print(base64.b64encode(hidden().encode()))",
    "rot13": "print(codecs.encode(hidden(), 'rot13'))",
    "reversed": "print(hidden()[::-1])",
    "one_a_line": "print('\\n'.join(hidden()))",
    "zero_width": "print('\\u200b'.join(hidden()))",
    "numbers": "print([ord(letter) for letter in hidden()])",
    "every_other_letter": "print(hidden()[::2])",
    "the_other_letters": "print(hidden()[1::2])",
    "error_message": "raise ValueError(hidden())",
    "check_message": "raise AssertionError('[' + hidden()[:40] + '] ' + hidden())",
    "error_class": "raise type(''.join(filter(str.isalnum, hidden())), (Exception,), {})()",
    "known_base_class": "raise type('ValueError', (ValueError,), {'__str__': lambda self: hidden()})()",
    "exit_message": "sys.exit(hidden())",
    "repr": "class Told:\n    def __repr__(self): return hidden()\nTold()",
    "figure": "display({'image/png': base64.b64encode(hidden().encode()).decode()}, raw=True)",
    "kind_of_figure": "display({'image/' + hidden()[-80:]: 'x', 'text/plain': 'x'}, raw=True)",
    "file_name": "open(''.join(filter(str.isalnum, hidden()))[-60:] + '.txt', 'w').close()",
    "file": "open('note.txt', 'w').write(hidden())",
    "own_notebook": "for name in os.listdir('.'):\n    if name.endswith('.ipynb'):\n        text = open(name).read().replace('handed in', hidden())\n        open(name, 'w').write(text)",
    "warning": "warnings.warn(hidden())",
    "warning_class": "warnings.warn('x', type(''.join(filter(str.isalnum, hidden())), (UserWarning,), {}))",
    "html": "display(HTML('<b>' + hidden() + '</b>'))",
    "widget": "display(ipywidgets.HTML(value=hidden()))",
    "captured": "with box:\n    print(hidden())\n    display(hidden())",
    "an_earlier_output": "handle.update(HTML(hidden()))",
    "an_earlier_kind": "send('update_display_data', {'data': {'image/png': hidden(), 'text/plain': hidden()}, 'metadata': {}, 'transient': {'display_id': handle.display_id}}, shell.kernel.get_parent('shell'))",
    "an_earlier_cell": "send('stream', {'name': 'stdout', 'text': hidden()}, early)\nsend('display_data', {'data': {'text/plain': hidden()}, 'metadata': {}}, early)",
    "a_thread": "def later():\n    send('stream', {'name': 'stdout', 'text': hidden()}, early)\n    print(hidden())\nthreading.Thread(target=later).start()\ntime.sleep(0.2)",
    "descriptor": "os.write(1, hidden().encode()); os.write(2, hidden().encode())",
    "execution_count": "shell.execution_count = sum(map(ord, hidden()))",
    "time": "time.sleep(sum(map(ord, hidden())) % 7 / 10)",
    "metadata": "send('execute_result', {'data': {'text/plain': '1'}, 'metadata': {hidden(): hidden()}, 'execution_count': 1}, shell.kernel.get_parent('shell'))",
    "page": "shell.set_next_input(hidden())",
}


def cell(kind: str, source: str, grade_id: str = "", **marks: Any) -> dict[str, Any]:
    about = {"grade_id": grade_id, "schema_version": 3, "grade": False, "solution": False}
    metadata = {"nbgrader": {**about, "locked": False, **marks}} if grade_id else {}
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {
        "cell_type": kind,
        "id": (grade_id or f"c{abs(hash(source)) % 10**9}").replace("_", "-"),
        "metadata": metadata,
        "source": source,
        **more,
    }


def book(*cells: dict[str, Any]) -> dict[str, Any]:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": list(cells)}


def assignment(variant: int) -> dict[str, Any]:
    """Return the source notebook; two variants differ only in what their hidden tests hold."""
    mark = MARK.format(n=variant)
    number = len(mark)
    tested = {"grade": True, "locked": True, "points": 2}
    return book(
        cell("markdown", "# Count"),
        cell("code", "first = 'a free cell'\nprint(first)"),
        cell(
            "code",
            "### BEGIN SOLUTION\ncount = len\n### END SOLUTION",
            "count_answer",
            solution=True,
        ),
        cell("code", TEST.format(mark=mark, number=number), "count", **tested),
        cell("code", PARTIAL.format(mark=mark), "part", **tested),
        cell("code", TEST.format(mark=mark, number=number), "again", **tested),
    )


def second() -> dict[str, Any]:
    """Return the assignment's other notebook, which runs after the first and has no test."""
    return book(
        cell("code", "### BEGIN SOLUTION\npass\n### END SOLUTION", "later_answer", solution=True)
    )


READ_ALL = """\
import os
for name in sorted(os.listdir(".")):
    print(name, open(name, errors="replace").read()[:3_000])
"""


def armed_second(released: bytes) -> bytes:
    """Return the other notebook with a cell that prints whatever the first one left behind."""
    made = json.loads(released)
    made["cells"][0]["source"] = READ_ALL
    return json.dumps(made).encode()


def armed(released: bytes, part: str = "1.0", ways: dict[str, str] | None = None) -> bytes:
    """Return the released notebook with every way in a cell of its own.

    Args:
        released: The learner's copy.
        part: What the code gives as the points of the cell with partial credit.
        ways: The cells to add behind the tests.
    """
    made = json.loads(released)
    for each in made["cells"]:
        if each["metadata"].get("nbgrader", {}).get("grade_id") == "count_answer":
            each["source"] = "# handed in\n" + ARMED.replace("PART", part)
    extra = [
        cell("code", source, "") | {"id": name.replace("_", "-")}
        for name, source in (WAYS if ways is None else ways).items()
    ]
    last = made["cells"].pop()
    made["cells"] += [*extra, last]
    return json.dumps(made).encode()
