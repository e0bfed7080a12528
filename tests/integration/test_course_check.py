"""`bioskills course check` with real kernels and real nbgrader, behind the real fence."""

import hashlib
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioskills.courses.package import read_course
from bioskills.courses.reading import view_of
from bioskills.graders.course_trial import try_course
from bioskills.graders.trial_fence import refusing_in_python, strongest_fence

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

REAL = Path(__file__).parents[2] / "courses" / "sequences-first-steps"

Findings = list[tuple[str, str, str]]


def _notebook(*cells: tuple[str, str, dict[str, Any]]) -> bytes:
    made = []
    for number, (kind, source, nbgrader) in enumerate(cells):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"c{number}", "source": source}
        cell["metadata"] = {}
        if nbgrader:
            common = {"schema_version": 3, "grade": False, "solution": False, "locked": True}
            cell["metadata"]["nbgrader"] = {**common, "task": False, **nbgrader}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        made.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made}
    return json.dumps(whole).encode()


def _answer(name: str, body: str) -> tuple[str, str, dict[str, Any]]:
    source = f"def {name}(x):\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION\n"
    return "code", source, {"grade_id": f"{name}_answer", "solution": True, "locked": False}


def _test(name: str, visible: str, hidden: str) -> tuple[str, str, dict[str, Any]]:
    source = (
        f'assert {visible}, "[seen] x"\n'
        f'### BEGIN HIDDEN TESTS\nassert {hidden}, "[unseen] x"\n### END HIDDEN TESTS\n'
    )
    return "code", source, {"grade_id": name, "grade": True, "points": 1}


def _variant(cell: str, source: str, fails: list[str], *, passes_visible: bool) -> bytes:
    content = {"cell": cell, "source": source, "fails": fails, "passes_visible": passes_visible}
    return yaml.safe_dump(content).encode()


DOUBLE = [
    _answer("double", "return x + x"),
    _test("double", "double(2) == 4", "double('ab') == 'abab'"),
]


def _found(files: dict[str, bytes]) -> Findings:
    course = view_of({"course.yml": b"", **files})
    return [(f.rule.id, f.fault.file, f.fault.key) for f in try_course(course, lambda _: None)]


def test_a_right_course_passes_its_trial(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    table = b"a,b\n"
    entry = {
        "path": "assignments/p1/data/t.csv",
        "sha256": hashlib.sha256(table).hexdigest(),
        "source": "made here",
        "license": "CC0-1.0",
        "changes": "none",
    }
    look = f"import os\nprint(open('../data/t.csv').read(), os.path.exists({str(secret)!r}))"
    found = _found(
        {
            "data.yml": yaml.safe_dump({"files": [entry]}).encode(),
            "data/t.csv": table,
            "lessons/01.ipynb": _notebook(
                ("code", look, {}), ("code", f"assert not os.path.exists({str(secret)!r})", {})
            ),
            "assignments/p1/p1.ipynb": _notebook(*DOUBLE),
            "assignments/p1/data/t.csv": table,
            "variants/p1/numbers-only.yml": _variant(
                "double_answer",
                "def double(x):\n    return int(x) * 2",
                ["double"],
                passes_visible=True,
            ),
            "variants/p1/square.yml": _variant(
                "double_answer",
                "def double(x):\n    return x + 1",
                ["double"],
                passes_visible=False,
            ),
        }
    )

    assert found == []


def test_what_only_a_run_can_show_is_found() -> None:
    cells = [
        *DOUBLE,
        _answer("wrong", "return x + 1"),
        _test("wrong", "wrong(1) == 2", "wrong(1) == 3"),
        _answer("weak", "return x + x + x"),
        _test("weak", "weak is not None", "callable(weak)"),
        ("code", "import random", {}),
    ]
    variant = "def double(x):\n    return x * 2"
    p1 = {
        "assignments/p1/p1.ipynb": _notebook(*cells),
        "assignments/p1/key.txt": b"1",
        "variants/p1/right.yml": _variant(
            "double_answer", variant, ["double"], passes_visible=True
        ),
    }
    found = _found(
        {
            "lessons/01-chance.ipynb": _notebook(
                ("code", "import random", {}), ("code", "print(random.random())", {})
            ),
            "lessons/02-breaks.ipynb": _notebook(("code", "1 / 0", {})),
            **p1,
        }
    )

    assert found == [
        ("L12", "lessons/01-chance.ipynb", "cell 2"),
        ("L12", "lessons/02-breaks.ipynb", "cell 1"),
        ("L24", "assignments/p1/key.txt", ""),
        ("L20", "assignments/p1/p1.ipynb", "wrong"),
        ("L21", "assignments/p1/p1.ipynb", "weak"),
        ("L22", "variants/p1/right.yml", "fails"),
        ("L22", "variants/p1/right.yml", "fails"),
        *((("L22w", "assignments/p1/p1.ipynb", name)) for name in ("double", "weak")),
    ]


def test_what_nbgrader_refuses_is_told_in_its_words() -> None:
    found = _found({"assignments/p1/p1.ipynb": _notebook(*DOUBLE, DOUBLE[1])})

    assert found == [("L37", "assignments/p1/p1.ipynb", "")]


def test_a_lesson_reaches_no_server_of_this_machine(tmp_path: Path) -> None:
    if not strongest_fence(tmp_path).prefix:
        pytest.skip("this machine allows no namespaces; only Python's own connections are refused")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        call = f"import socket\nsocket.create_connection({server.getsockname()!r}, timeout=5)"
        found = _found({"lessons/01.ipynb": _notebook(("code", call, {}))})

        assert found == [("L12", "lessons/01.ipynb", "cell 1")]
        with pytest.raises(BlockingIOError):
            server.accept()


def test_without_namespaces_connections_that_leave_the_machine_are_refused(tmp_path: Path) -> None:
    fence = refusing_in_python(tmp_path)
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=5)"
    command = [*fence.prefix, sys.executable, "-c", code]
    done = subprocess.run(
        command, env=fence.environment(tmp_path), capture_output=True, text=True, check=False
    )

    assert "checked without a network" in done.stderr


def test_no_kernel_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = try_course(
        view_of({"course.yml": b"", "lessons/01.ipynb": _notebook(("code", "print(1)", {}))}),
        lambda _: None,
    )
    assert list(found) == []

    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(tmp_path) not in running.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_first_course_passes_its_trial() -> None:
    course = view_of(read_course(REAL))

    errors = [f for f in try_course(course, print) if f.rule.severity == "error"]
    assert [(f.rule.id, f.fault.where, f.fault.message) for f in errors] == []
