"""What a learner may see again of what their code printed: nothing from after the first hidden test."""

from typing import Any

import pytest

from bioskills.graders.showing import ALL_BYTES, CELL_BYTES, MOST_CELLS, plain, shown

HIDDEN = "assert gc('A')\n### BEGIN HIDDEN TESTS\nassert gc('N')\n### END HIDDEN TESTS"
VISIBLE = "assert gc('A')"


def cell(source: str, *outputs: Any, name: str = "", count: int = 1) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"nbgrader": {"grade_id": name}} if name else {},
        "outputs": list(outputs),
        "execution_count": count,
    }


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def value(**data: Any) -> dict[str, Any]:
    kinds = {kind.replace("_", "/"): content for kind, content in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def raised(name: str, message: str, *traceback: str) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": message,
        "traceback": list(traceback),
    }


def of(*cells: dict[str, Any], handed_in: Any = None, **more: Any) -> dict[str, str]:
    """Return what is shown of one notebook; it was handed in as it ran unless said otherwise."""
    theirs = [cell(source) for source in handed_in] if handed_in is not None else list(cells)
    sources = more.pop("sources", {})
    return shown({"p1": {"cells": list(cells)}}, {"p1": {"cells": theirs}}, sources, **more)


def test_output_is_named_by_its_cell() -> None:
    found = of(cell("a", printed("one")), cell("b"), cell("c", printed("two"), name="gc_answer"))

    assert found == {"p1/#1": "one", "p1/gc_answer": "two"}


def test_nothing_is_shown_from_the_first_hidden_test_on() -> None:
    cells = [
        cell("a", printed("before")),
        cell(HIDDEN, printed("at it"), name="gc"),
        cell("b", printed("after it")),
    ]

    assert of(*cells, handed_in=["a", VISIBLE, "b"]) == {"p1/#1": "before"}


# Sources of the cell that runs, of the cell that was handed in, and of the gradebook.
SECRETS = {
    "a marker in what runs": (HIDDEN, HIDDEN, ""),
    "a marker in the gradebook": (VISIBLE, VISIBLE, HIDDEN),
    "text of another marker, which the learner's file lacks": ("x = 1\nx == 2", "x = 1", ""),
    "a cell that the learner deleted": (VISIBLE, "", VISIBLE),
}


@pytest.mark.parametrize(("runs", "theirs", "kept"), SECRETS.values(), ids=SECRETS)
def test_a_cell_that_tells_more_than_the_learner_has_ends_it(
    runs: str, theirs: str, kept: str
) -> None:
    tests = cell(runs, printed("at it"), name="gc")

    assert of(tests, handed_in=[theirs], sources={"p1/gc": kept}) == {}


def test_a_visible_test_ends_nothing_whatever_an_editor_did_to_its_spaces() -> None:
    cells = [cell("assert gc('A')\nassert gc('B')", printed("fine"), name="gc")]

    assert of(*cells, handed_in=["\nassert gc('A')  \r\nassert gc('B')\r\n"]) == {"p1/gc": "fine"}


def test_a_hidden_test_in_one_notebook_ends_what_is_shown_of_the_next() -> None:
    books = {"a": {"cells": [cell(HIDDEN)]}, "b": {"cells": [cell("x", printed("from a file"))]}}
    theirs = {"a": {"cells": [cell(VISIBLE)]}, "b": {"cells": [cell("x")]}}

    assert shown(books, theirs, {}) == {}
    assert shown(dict(reversed(books.items())), theirs, {}) == {"b/#1": "from a file"}


def test_a_notebook_that_ran_and_was_lost_ends_it_too() -> None:
    book = {"b": {"cells": [cell("x", printed("from a file"))]}}

    assert shown(book, book, {"a/gc": HIDDEN}) == {}


def test_a_notebook_that_was_not_handed_in_shows_nothing() -> None:
    assert shown({"p1": {"cells": [cell("x", printed("?"))]}}, {}, {}) == {}


def test_what_a_later_cell_can_write_anew_is_counted_only() -> None:
    outputs = [value(image_png="hidden"), value(text_html="hidden")]
    (found,) = of(cell("a", *outputs)).values()

    assert found == "\n".join(["[a figure or a value: run the cell in your lab to see it]"] * 2)


def test_a_sealed_notebook_tells_values_and_the_kind_of_a_figure() -> None:
    picture = value(image_png="x" * 12_345, text_plain="<Figure>")
    (found,) = of(cell("a", value(text_plain="42"), picture), sealed=True).values()

    assert found == "42\n[a figure, image/png, about 13 kB]"


def test_an_error_names_the_learners_own_line_and_no_other() -> None:
    traceback = [
        "\x1b[31mNameError\x1b[0m Traceback",
        "File /far/away/library.py:7",
        "Cell \x1b[32mIn[3]\x1b[39m\x1b[32m, line 2\x1b[39m, in gc(seq)",
    ]
    error = raised("NameError", "name 'sq' is not defined", *traceback)
    own = cell("def gc(seq):\n    return sq", error, name="gc_answer", count=3)
    other = cell("gc('A')", error, count=4)
    found = of(own, other)

    assert found["p1/gc_answer"].splitlines() == [
        "NameError: name 'sq' is not defined",
        "line 2 of this cell: return sq",
    ]
    assert found["p1/#2"] == "NameError: name 'sq' is not defined"


# What is printed, and what of it is read.
TEXTS = {
    "colours": ("\x1b[1;31mred\x1b[0m", "red"),
    "a link": ("\x1b]8;;http://x.example\x07here\x1b]8;;\x07", "here"),
    "a bar that overwrites itself": ("10 %\r50 %\r100 %\r\ndone", "100 %\ndone"),
    "zero width": ("z\u200be\u200cb\ufeffra", "zebra"),
    "right to left": ("\u202eevil", "evil"),
    "control": ("a\x00b\x07c\x08d\x7fe\x9bf", "abcdef"),
    "half a character": ("\ud83dx", "x"),
    "tab and line": ("a\tb\nc", "a\tb\nc"),
    "a line of another kind": ("a\u2028b", "a\nb"),
    "markup": ("<script>1</script>", "<script>1</script>"),
}


@pytest.mark.parametrize(("text", "read"), TEXTS.values(), ids=TEXTS)
def test_text_is_plain(text: str, read: str) -> None:
    assert plain(text) == read


def test_much_is_cut_for_a_cell_for_all_and_in_number() -> None:
    long = of(cell("a", printed("é" * 20_000_000)))["p1/#1"]
    many = of(*(cell("a", printed("x" * 9_000)) for _ in range(100)))
    cells = of(*(cell("a", printed("x")) for _ in range(1_000)))

    assert len(long.encode()) <= CELL_BYTES
    assert long.endswith("[more was printed; the beginning is shown]")
    assert sum(len(text.encode()) for text in many.values()) <= ALL_BYTES
    assert len(cells) == MOST_CELLS


ODD: dict[str, Any] = {
    "no cells": {},
    "cells of another kind": {"cells": 7},
    "a cell of another kind": {"cells": ["x", None]},
    "outputs of another kind": {"cells": [{**cell("a"), "outputs": "x"}]},
    "an output of another kind": {"cells": [cell("a", "x", {"output_type": "stream", "text": 7})]},
    "data of another kind": {"cells": [cell("a", {"output_type": "display_data", "data": []})]},
    "a traceback of another kind": {
        "cells": [cell("a", {"output_type": "error", "traceback": {"x": 1}})]
    },
    "a line number without end": {
        "cells": [cell("a", raised("E", "", "Cell In[1], line " + "9" * 9_000))]
    },
}


@pytest.mark.parametrize("book", ODD.values(), ids=ODD)
@pytest.mark.parametrize("sealed", [True, False])
def test_an_odd_notebook_does_no_harm(book: Any, sealed: bool) -> None:
    assert isinstance(shown({"p1": book}, {"p1": book}, {}, sealed=sealed), dict)


def test_two_cells_of_one_name_keep_both_texts() -> None:
    twice = [cell("a", printed("one"), name="x"), cell("b", printed("two"), name="x")]

    assert sorted(of(*twice).values()) == ["one", "two"]
