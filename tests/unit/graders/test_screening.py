"""What the screen reads in a learner's cells, and what it lets pass."""

import json

import pytest
import yaml
from bioskills_gaming import HONEST, HOSTILE, STATIC
from bioskills_tests import COURSE

from bioskills.graders.flag_words import flag, flags
from bioskills.graders.screening import Written, by_cell, screen


def codes(source: str, given: str = "", **known: list[str]) -> list[str]:
    return [one.code for one in screen([Written("p1/a", source, given)], **known)]


@pytest.mark.parametrize("case", [h for h in HOSTILE if STATIC in h.layers], ids=lambda h: h.name)
def test_an_attack_is_read(case: object) -> None:
    assert codes(case.source) != []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_let_pass(name: str) -> None:
    assert codes(HONEST[name]) == []


def test_what_the_released_cell_held_is_the_instructors() -> None:
    source = "import threading\nx = 1"

    assert codes(source, given="import threading\n") == []


def test_code_in_texts_is_read_as_code() -> None:
    assert codes("exec(\"exec('import gc')\")") == ["memory_search"]


def test_a_function_that_the_assignment_gave_is_not_to_be_replaced() -> None:
    provided = ["def shell(command, path):\n    return 1"]

    assert codes("def shell(command, path):\n    return 2", provided=provided) == [
        "helper_redefined"
    ]


def test_a_name_that_stands_in_hidden_tests_alone_gives_away_who_read_them() -> None:
    tests = ["hidden_values = [1, 2]\nassert f(hidden_values) == 3"]

    assert codes("def f(x):\n    return hidden_values[0]", tests=tests) == ["knows_tests"]


def test_modules_are_followed_from_cell_to_cell() -> None:
    cells = [
        Written("p1/a", "import numpy.testing as t"),
        Written("p1/b", "t.assert_equal = print"),
    ]

    assert {c: [f.code for f in fs] for c, fs in by_cell(screen(cells)).items()} == {
        "p1/b": ["test_helper_changed"]
    }


def test_an_attack_that_python_cannot_read_is_read_as_words() -> None:
    assert codes("get_ipython().ast_transformers.append(\n") == ["hidden_name"]


def test_a_formula_that_begins_with_a_percent_sign_hides_nothing() -> None:
    source = "%matplotlib inline\nx = ('a'\n    % 1)\nimport gc\n"

    assert "memory_search" in codes(source)


def test_a_flag_holds_no_more_than_a_name() -> None:
    assert flag("ast_transformer", "p1/a", "x" * 200).message == flag("ast_transformer").message
    assert [f.code for f in flags([("a", "1"), ("a", "2"), ("b", "")], "p1/a")] == ["a", "b"]


def test_the_real_courses_own_answers_and_wrong_answers_are_let_pass() -> None:
    cells: list[Written] = []
    variants = sorted(COURSE.glob("variants/*/*.yml"))
    wrong = [Written(p.stem, yaml.safe_load(p.read_text())["source"]) for p in variants]
    for path in sorted(COURSE.glob("assignments/*/*.ipynb")):
        book = json.loads(path.read_text())
        code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
        cells += [Written(f"{path.stem}/{n}", "".join(c["source"])) for n, c in enumerate(code)]

    assert len(cells) > 20
    assert len(wrong) > 10
    assert screen(cells) == []
    assert screen(wrong) == []
