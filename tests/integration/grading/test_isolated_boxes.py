"""In isolated mode honest work scores as ever, and no trick with objects, code or files gains."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from bioskills.base.wire import GradeResult

pytestmark = [
    pytest.mark.integration,
    # A gradebook in memory, with a pool that SQLAlchemy 2.1 chooses otherwise one day.
    pytest.mark.filterwarnings("ignore:Selection of the SingletonThreadPool"),
]

NAMES = ("count_records", "other_strand", "cut_out")
WRONG = """
def count_records(path): return -1
def other_strand(seq): return -1
def cut_out(seq, first, last): return -1
"""
SAME = """
count_records = other_strand = cut_out = lambda *given: same()
"""
"""Every function returns what `same` makes."""

TRICKS = {
    "equals_anything": "class Right:\n    def __eq__(self, other): return True\nsame = Right\n"
    + SAME,
    "mock_any": "from unittest.mock import ANY\nsame = lambda: ANY\n" + SAME,
    "text_that_equals_anything": "class Right(str):\n    def __eq__(self, other): return True\n"
    "    __hash__ = str.__hash__\nsame = Right\n" + SAME,
    "transformer": WRONG
    + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
""",
    "patched_helpers": WRONG
    + """
import builtins, numpy.testing
for name in ("assert_equal", "assert_allclose", "assert_array_equal"):
    setattr(numpy.testing, name, lambda *a, **k: None)
builtins.AssertionError = ZeroDivisionError
get_ipython().showtraceback = lambda *a, **k: None
get_ipython()._showtraceback = lambda *a, **k: None
""",
    "trace": WRONG
    + """
import sys
def trace(frame, event, arg):
    frame.f_trace_lines = True
    for name in ("count_records", "other_strand", "cut_out"):
        if name in frame.f_globals: frame.f_globals["_call"] = lambda *a: ANY
    return trace
class Any_:
    def __eq__(self, other): return True
ANY = Any_()
sys.settrace(trace)
""",
    "frames": """
import sys
class Right:
    def __eq__(self, other): return True
def same():
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if getattr(value, "__name__", "") == "_call":
                frame.f_globals["_call"] = lambda *a: Right()
        if frame.f_globals["__name__"] == "__main__": frame.f_globals["isinstance"] = same
        frame = frame.f_back
    return -1
"""
    + SAME,
    "lies_in_the_line": WRONG
    + """
from bioskills.fork_server import borrowing, plain_data, box_lending
said = {"value": {"int": "7"}, "printed": "x" * 10, "raised": None, "module": "__main__",
        "function": 1, "files": {"/box/work/numpy.py": "cHJpbnQoMSk="}}
borrowing.answer = lambda names, asked: dict(said)
plain_data.pack = borrowing.pack = lambda value: {"x": "y"}
""",
    "code_in_the_tests_folder": WRONG
    + """
from pathlib import Path
patch = "import builtins\\nbuiltins.isinstance = lambda *a: True\\nraise SystemExit"
for name in ("tempfile", "random", "sitecustomize", "IPython", "shutil"):
    Path(name + ".py").write_text(patch)
""",
}


@pytest.fixture
def apart(class_: Any) -> Any:
    """The class, with an assignment that asks for isolated mode."""
    job = class_.job

    def isolated(assignment: str, learner: str = "") -> Any:
        made = job(assignment, learner)
        made.notes[assignment]["isolated"] = True
        return made

    class_.job = isolated
    return class_


def points(result: GradeResult) -> dict[str, float]:
    return {cell.cell.partition("/")[2]: float(cell.auto_points or 0) for cell in result.cells}


def codes(result: GradeResult) -> set[str]:
    return {flag.code for flag in result.flags}


def told(result: GradeResult) -> list[Any]:
    """Return what must not depend on the mode."""
    return [
        (cell.cell, cell.auto_points, cell.failed_checks, cell.comment) for cell in result.cells
    ]


def hand_in(class_: Any, answers: Mapping[str, str], **changes: Any) -> GradeResult:
    result: GradeResult = class_.grade(
        "p1", class_.work("p1", answers), bench=class_.quick(**changes)
    )
    return result


def with_first(class_: Any, source: str) -> dict[str, str]:
    """Return answers of which the first defines everything, and the others nothing."""
    return {
        **dict.fromkeys(class_.solution("p1"), "pass"),
        "count_records_answer": source,
    }


def outputs(class_: Any) -> str:
    return json.dumps([cell.get("outputs") for cell in class_.graded_book("p1")["cells"]])


def test_honest_work_scores_as_it_does_with_one_kernel(class_: Any, request: Any) -> None:
    answers = class_.solution("p1")
    partly = answers | {
        "cut_out_answer": "def cut_out(seq, first, last):\n    return seq[first:last]"
    }
    together = [hand_in(class_, each) for each in (answers, partly, {})]
    apart = request.getfixturevalue("apart")
    by_itself = [hand_in(apart, each) for each in (answers, partly, {})]

    assert [told(one) for one in by_itself] == [told(one) for one in together]
    assert [one.shown for one in by_itself] == [one.shown for one in together]
    assert [one.verdict for one in by_itself] == [one.verdict for one in together]
    assert sum(points(by_itself[0]).values()) == 8.0
    assert by_itself[0].flags == []


def test_records_files_and_commands_cross_too(class_: Any, request: Any) -> None:
    work = class_.work("s1", class_.solution("s1"))
    together = class_.grade("s1", work)
    by_itself = request.getfixturevalue("apart").grade("s1", work)

    assert told(by_itself) == told(together)
    assert by_itself.shown == together.shown
    assert by_itself.flags == together.flags == []


def test_wrong_answers_lose_what_their_authors_say(apart: Any) -> None:
    answers = apart.solution("p1")
    for path in sorted((apart.course / "variants" / "p1").glob("*.yml"))[::2]:
        variant = yaml.safe_load(path.read_text())
        result = hand_in(apart, answers | {variant["cell"]: variant["source"]})
        lost = {name for name, got in points(result).items() if name in NAMES and got == 0}
        assert lost == set(variant["fails"]), path.name


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_gains_nothing(name: str, apart: Any) -> None:
    result = hand_in(apart, with_first(apart, TRICKS[name]), cell_timeout_s=5)

    assert {test for test in NAMES if points(result)[test] > 0} == set(), outputs(apart)
    assert codes(result) & {"canary_passed"} == set()


def test_an_object_is_named_to_the_learner_and_flagged(apart: Any) -> None:
    result = hand_in(apart, with_first(apart, TRICKS["equals_anything"]))

    (cell,) = [cell for cell in result.cells if cell.cell == "p1/count_records"]
    assert "count_records gave an object" in cell.comment
    assert "not_plain" in codes(result)


SEARCH = """
import re, sys, gc
from pathlib import Path
hidden = re.compile(rb"[a]rrow_in_heade[r]")
def search():
    found = 0
    for line in open("/proc/self/maps"):
        span, rights = line.split()[:2]
        if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]")): continue
        first, last = (int(end, 16) for end in span.split("-"))
        if last - first > 1 << 28: continue
        try:
            with open("/proc/self/mem", "rb", 0) as memory:
                memory.seek(first)
                found += len(hidden.findall(memory.read(last - first)))
        except OSError: pass
    files = [p for p in Path(".").rglob("*") if p.is_file() and p.name != "found.txt"]
    found += sum(bool(hidden.search(p.read_bytes())) for p in files)
    with open("found.txt", "a") as file: file.write(f"{found}\\n")
def count_records(path):
    search()
    return -1
"""


def test_no_text_of_a_test_is_in_the_learners_process(class_: Any, request: Any) -> None:
    def found(class_: Any) -> list[int]:
        source = SEARCH.replace("return -1", "return 7")
        hand_in(class_, with_first(class_, source))
        (path,) = class_.kept.glob("autograded/*/p1/found.txt")
        return [int(line) for line in path.read_text().split()]

    assert max(found(class_)) > 0  # the search is good enough to find it with one kernel
    seen = found(request.getfixturevalue("apart"))
    assert seen
    assert set(seen) == {0}


def test_a_function_that_ends_its_process_loses_what_comes_after(apart: Any) -> None:
    answers = apart.solution("p1")
    ends = "import os\ndef other_strand(seq):\n    os._exit(0)"
    result = hand_in(apart, answers | {"other_strand_answer": ends})

    assert [points(result)[name] for name in NAMES] == [2.0, 0.0, 0.0]
    assert result.verdict == "needs_person"
    assert "other_strand" in result.reason


def test_an_endless_call_is_stopped_and_later_tests_count(apart: Any) -> None:
    answers = apart.solution("p1")
    endless = "def other_strand(seq):\n    while True: pass"
    result = hand_in(apart, answers | {"other_strand_answer": endless}, cell_timeout_s=2)

    assert [points(result)[name] for name in NAMES] == [2.0, 0.0, 3.0]
    assert result.verdict == "graded"
    (cell,) = [cell for cell in result.cells if cell.cell == "p1/other_strand"]
    assert "took longer" in cell.comment


def test_a_huge_return_is_refused_and_later_tests_count(apart: Any) -> None:
    answers = apart.solution("p1")
    huge = "def other_strand(seq):\n    return list(range(10**6))"
    result = hand_in(apart, answers | {"other_strand_answer": huge})

    assert [points(result)[name] for name in NAMES] == [2.0, 0.0, 3.0]
    (cell,) = [cell for cell in result.cells if cell.cell == "p1/other_strand"]
    assert "more data" in cell.comment


def test_a_flood_over_the_line_ends_the_run_for_a_person(apart: Any) -> None:
    answers = apart.solution("p1")
    flood = (
        "from bioskills.fork_server import borrowing, box_lending\n"
        "box_lending.MOST_SAID = 1 << 30\n"
        "borrowing.answer = lambda names, asked: {'value': 'x' * (40 << 20)}\n"
        + answers["other_strand_answer"]
    )
    result = hand_in(apart, answers | {"other_strand_answer": flood})

    assert [points(result)[name] for name in NAMES] == [2.0, 0.0, 0.0]
    assert result.verdict == "needs_person"


def test_names_that_no_line_binds_in_plain_sight_are_found(apart: Any) -> None:
    made = "\n".join(f"globals()[{name!r}] = {name[:3]}" for name in NAMES)
    solution = apart.solution("p1")
    source = "\n".join(
        solution[f"{name}_answer"].replace(f"def {name}(", f"def {name[:3]}(") for name in NAMES
    )
    result = hand_in(apart, with_first(apart, f"%matplotlib inline\n{source}\n{made}"))

    assert [points(result)[name] for name in NAMES] == [2.0, 3.0, 3.0], outputs(apart)


def test_what_an_answer_prints_is_shown_once_and_what_it_warns_of_counts(apart: Any) -> None:
    answers = apart.solution("p1")
    warns = "import warnings\n" + answers["cut_out_answer"].replace(
        "    return", "    warnings.warn('careful')\n    return"
    )
    result = hand_in(
        apart,
        answers
        | {
            "cut_out_answer": warns,
            "other_strand_answer": "print('seen')\n" + answers["other_strand_answer"],
        },
    )

    assert [points(result)[name] for name in NAMES] == [2.0, 3.0, 0.0]
    assert outputs(apart).count("seen") == 1
    assert outputs(apart).count("letters, the first 40 are") == 1


def test_a_mark_that_skips_a_test_gains_nothing(class_: Any, request: Any) -> None:
    apart = request.getfixturevalue("apart")
    book = apart.book("p1")
    for cell in book["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    result = apart.grade("p1", apart.with_book("p1", book))

    assert sum(points(result).values()) == 0
