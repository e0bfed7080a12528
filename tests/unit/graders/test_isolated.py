"""What runs where when tests run apart from answers."""

import pytest

from bioskills.courses.free_names import binds, needs
from bioskills.graders.isolated import Part, Step, plan, refusal


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("assert gc('A') == 1", {"gc"}, id="a_call"),
        pytest.param("x = gc('A')\nassert x == 1", {"gc"}, id="own_name_later"),
        pytest.param("assert x == 1\nx = 2", {"x"}, id="read_before_bound"),
        pytest.param("x += 1", {"x"}, id="added_to"),
        pytest.param("def check(f):\n    return f(table)\ncheck(gc)", {"table", "gc"}, id="inside"),
        pytest.param("[s for s in words if s in rows]", {"words", "rows"}, id="comprehension"),
        pytest.param("import math\nmath.isclose(f(1), len([1]))", {"f"}, id="imports"),
        pytest.param("with open('a') as h:\n    print(h, row)", {"row"}, id="with"),
        pytest.param("for r in rows:\n    assert r", {"rows"}, id="loop"),
        pytest.param("try:\n    f()\nexcept ValueError as e:\n    e", {"f"}, id="except"),
        pytest.param("(lambda a: a + b)(1)", {"b"}, id="lambda"),
        pytest.param("class T(Base):\n    x = y", {"Base", "y"}, id="class"),
        pytest.param("def broken(", set(), id="no_python"),
    ],
)
def test_a_cell_needs(source: str, names: set[str]) -> None:
    assert needs(source) == names


def test_a_cell_binds_what_stands_at_its_top() -> None:
    source = "import numpy as np\na, b = 1, 2\ndef f(x):\n    y = 1\nfor i in []:\n    k = 1"

    assert binds(source) == {"np", "a", "b", "f", "i", "k"}


def test_tests_run_in_the_clean_process_alone_with_what_answers_gave() -> None:
    parts = [
        Part("a", "import math\nrows = [1]", "given"),
        Part("b", "def gc(s):\n    return rows", "answer"),
        Part("c", "print(gc('A'))", "given"),
        Part("d", "assert gc(rows) == math.pi", "test"),
        Part("e", "rows = [2]", "answer"),
        Part("f", "assert gc(rows) == 2", "test"),
    ]

    assert plan(parts) == [
        Step("a", "both"),
        Step("b", "learner"),
        Step("c", "both", ("gc",)),
        Step("d", "clean", ("gc",)),
        Step("e", "learner"),
        Step("f", "clean", ("gc", "rows")),
    ]


def test_commands_of_ipython_hide_no_name() -> None:
    parts = [
        Part("a", "%matplotlib inline\nfiles = !ls\nif files:\n    !ls\n", "answer"),
        Part("b", "%%time\nassert files", "test"),
    ]

    assert plan(parts)[1] == Step("b", "clean", ("files",))


def test_a_name_that_nobody_binds_in_plain_sight_may_be_an_answers() -> None:
    parts = [
        Part("a", "globals()['gc'] = len", "answer"),
        Part("b", "from helper import *", "given"),
        Part("c", "assert same(gc('A'), 1)", "test"),
    ]

    assert plan(parts)[2] == Step("c", "clean", (), ("gc", "same"))


def test_every_refusal_is_a_sentence_with_the_name() -> None:
    for code in (
        "late",
        "missing",
        "not_plain",
        "too_large",
        "categorical",
        "many_levels",
        "other",
    ):
        assert refusal(code, "table").startswith("table ")
