"""Which hand-ins are repaired, how, and that nothing a learner can write stops it."""

import copy
import json
from collections import Counter
from typing import Any

import pytest
from bioskills_tiny import (
    ADD,
    FILE,
    MULTIPLY,
    NOTEBOOK,
    Book,
    by,
    changed,
    expected,
    packed,
    released_book,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bioskills.graders.repair import Expected, Repaired, repair
from bioskills.graders.repair.names import plain_name
from bioskills.graders.repair.reading import read
from bioskills.graders.repair.stock import grades

ASKED = {NOTEBOOK: expected()}
Json = Any


def solved() -> Book:
    book = released_book()
    by(book, "add_answer")["source"] = ADD
    by(book, "multiply_answer")["source"] = MULTIPLY
    by(book, "why")["source"] = "Because."
    by(book, "draw")["source"] = "drawn = True"
    return book


def mend(change: Any, asked: Expected = ASKED[NOTEBOOK]) -> tuple[Book, Repaired]:
    """Repair a right notebook with something changed; return it and what was done."""
    repaired = repair({FILE: packed(changed(solved(), change))}, {NOTEBOOK: asked})
    return dict(json.loads(repaired.files[FILE])), repaired


def names(book: Book) -> list[str]:
    return [c["metadata"].get("nbgrader", {}).get("grade_id", "") for c in book["cells"]]


def codes(repaired: Repaired) -> list[tuple[str, str]]:
    return [(mend.code, mend.cell) for mend in repaired.mended]


ORDER = ["", "setup", "add_answer", "add", "multiply_answer", "multiply", "why", "draw", "case"]


def test_a_notebook_as_it_should_be_keeps_its_bytes() -> None:
    files = {FILE: packed(solved()), "data.csv": b"1", "other.ipynb": b"?"}
    repaired = repair(files, ASKED)

    assert repaired.files == files
    assert not repaired.mended
    assert not repaired.needs_person


@pytest.mark.parametrize("name", ["setup", "add", "multiply", "case"])
@pytest.mark.parametrize("asked", [expected(), expected(released=False)], ids=["released", "bare"])
def test_a_locked_cell_comes_back_to_its_place(name: str, asked: Expected) -> None:
    book, repaired = mend(lambda b: b["cells"].remove(by(b, name)), asked)

    assert (names(book), codes(repaired)) == (ORDER, [("put_back", name)])
    assert "HIDDEN" not in by(book, name)["source"]


def test_a_test_comes_back_behind_what_the_learner_wrote_in_its_place() -> None:
    extra = {**released_book()["cells"][1], "id": "mine", "metadata": {}, "source": "mine = 1"}

    def change(book: Book) -> None:
        book["cells"][3] = copy.deepcopy(extra)

    book, _repaired = mend(change)

    assert [cell["source"] for cell in book["cells"]][3:5] == [
        "mine = 1",
        "assert add(1, 2) == 3",
    ]


def test_an_answer_that_is_not_there_is_for_a_person_and_changes_no_byte() -> None:
    files = {FILE: packed(changed(solved(), lambda b: b["cells"].remove(by(b, "why"))))}
    repaired = repair(files, ASKED)

    assert (repaired.files, codes(repaired)) == (files, [("not_found", "why")])
    assert repaired.needs_person


def test_of_two_answers_the_last_one_with_work_in_it_counts() -> None:
    def change(book: Book) -> None:
        empty = copy.deepcopy(by(released_book(), "multiply_answer"))
        book["cells"].append(empty | {"id": "again"})

    book, repaired = mend(change)

    assert by(book, "multiply_answer")["source"] == MULTIPLY
    assert len(book["cells"]) == len(ORDER) + 1
    assert codes(repaired) == [("duplicate", "multiply_answer")]


def test_a_written_answer_in_pieces_is_put_together() -> None:
    def change(book: Book) -> None:
        second = copy.deepcopy(by(book, "why")) | {"id": "second", "source": "And more."}
        book["cells"].insert(7, second)

    book, repaired = mend(change)

    assert by(book, "why")["source"] == "Because.\nAnd more."
    assert (names(book), codes(repaired)) == (ORDER, [("joined", "why")])


def test_marks_come_back_to_cells_that_lost_all_of_them() -> None:
    def change(book: Book) -> None:
        for number, cell in enumerate(book["cells"]):
            cell["metadata"] = {}
            cell["id"] = f"n{number}"

    book, repaired = mend(change)

    assert names(book) == ORDER
    assert {code for code, _name in codes(repaired)} == {"recognised"}
    assert len(repaired.sentences) == 1
    assert "multiply_answer, multiply, why" in repaired.sentences[0]


def test_a_cell_that_could_be_two_answers_gets_no_marks() -> None:
    def change(book: Book) -> None:
        place = book["cells"].index(by(book, "why"))
        book["cells"][place] = {**book["cells"][0], "id": "a", "source": "Perhaps."}
        book["cells"].insert(place, {**book["cells"][0], "id": "b", "source": "Or this."})

    _book, repaired = mend(change)

    assert codes(repaired) == [("not_found", "why")]


def test_the_order_of_the_gradebook_moves_nothing_where_it_is_not_the_notebooks() -> None:
    bare = expected(released=False)
    shuffled = Expected(bare.cells[::-1], bare.kernelspec, in_order=False)
    files = {FILE: packed(solved())}

    assert repair(files, {NOTEBOOK: shuffled}).files == files


def test_a_test_below_any_of_its_answers_stays_where_it_is() -> None:
    def change(book: Book) -> None:
        book["cells"].append(book["cells"].pop(1))

    files = {FILE: packed(changed(solved(), change))}

    assert repair(files, ASKED).files == files


def test_without_restoring_nothing_is_put_back_moved_or_recognised() -> None:
    def change(book: Book) -> None:
        del book["cells"][3]
        book["cells"][0]["source"] = None

    repaired = repair({FILE: packed(changed(solved(), change))}, ASKED, restore=False)

    assert codes(repaired) == [("shape", "")]
    assert "add" not in names(json.loads(repaired.files[FILE]))


def test_a_tag_that_the_release_has_stays() -> None:
    book = released_book()
    by(book, "setup")["metadata"]["tags"] = ["skip-execution"]
    asked = expected()
    asked = Expected(asked.cells, asked.kernelspec, packed(book))
    files = {FILE: packed(book)}

    assert repair(files, {NOTEBOOK: asked}).files == files


@pytest.mark.parametrize(
    ("path", "is_it"),
    [
        ("Copy of ps1.ipynb", True),
        ("ps1 (12).ipynb", True),
        ("PS1-Copy2.ipynb", True),
        ("ps1.ipynb.txt", True),
        ("ps1.ipynb.ipynb", True),
        ("ps1.json", True),
        ("ps1-checkpoint.ipynb", True),
        ("a/b/ps1.ipynb", True),
        ("ps1 - Kopie.ipynb", True),
        ("ps11.ipynb", False),
        ("ps2.ipynb", False),
        ("ps1 final version.ipynb", False),
    ],
)
def test_names_with_what_systems_add_are_the_same(path: str, is_it: bool) -> None:
    assert (plain_name(path) == plain_name("ps1.ipynb")) is is_it


def test_accents_are_the_same_however_they_are_written() -> None:
    assert plain_name("U\u0308bung \u00e9.ipynb") == plain_name("\u00dcbung e\u0301.ipynb")


def test_the_file_of_the_right_name_is_taken_whatever_else_is_there() -> None:
    files = {FILE: packed(solved()), "sums (1).ipynb": packed(released_book())}

    assert repair(files, ASKED).files == files


def test_of_several_copies_the_newest_is_graded_and_the_others_are_named() -> None:
    files = {
        "sums (1).ipynb": packed(released_book()),
        "sums (10).ipynb": packed(solved()),
        ".ipynb_checkpoints/sums-checkpoint.ipynb": packed(released_book()),
    }
    repaired = repair(files, ASKED)

    assert repaired.files[FILE] == files["sums (10).ipynb"]
    assert "sums (1).ipynb" in repaired.sentences[0]
    assert repaired.needs_person


def test_a_file_of_any_name_with_the_cells_of_the_notebook_is_it() -> None:
    repaired = repair({"lea.ipynb": packed(solved())}, ASKED)

    assert (codes(repaired), repaired.found) == ([("renamed", "")], 1)


def test_no_file_is_taken_for_two_notebooks() -> None:
    repaired = repair({"lea.ipynb": packed(solved())}, ASKED | {"other": expected()})

    assert list(repaired.missing) == ["other"]
    assert "other.ipynb" not in repaired.files


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "is not among the files"),
        ({"timestamp.txt": b"now"}, "is not among the files"),
        ({"sums.py": b"1"}, "a Python file"),
        ({"sums.html": b"1", "x.csv": b""}, "a document"),
    ],
)
def test_what_came_instead_of_a_notebook_is_named(files: dict[str, bytes], said: str) -> None:
    repaired = repair(files, ASKED)

    assert said in repaired.reason
    assert repaired.nothing_to_grade


def test_one_missing_notebook_of_two_is_said_and_needs_nobody() -> None:
    repaired = repair({FILE: packed(solved())}, ASKED | {"other": expected()})

    assert list(repaired.missing) == ["other"]
    assert not repaired.needs_person


def test_one_unreadable_notebook_of_two_leaves_the_other_alone() -> None:
    files = {FILE: packed(solved()), "other.ipynb": b"\x00\xff"}
    repaired = repair(files, ASKED | {"other": expected()})

    assert repaired.files == {FILE: files[FILE]}
    assert list(repaired.unreadable) == ["other"]
    assert repaired.needs_person


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "empty"),
        (b" \0\n", "empty"),
        (b"PK\x03\x04", "archive"),
        (b"<!doctype HTML>", "page"),
        (b'{"cells": [', "cut"),
        (b"[" * 100_000, "deep"),
        (b'{"a": 1}', "cells"),
        (b"null", "cells"),
        (b"\xff\xfe", "text"),
        (b"hello", "text"),
    ],
)
def test_what_is_wrong_with_a_file_has_a_name(text: bytes, fault: str) -> None:
    assert read(text).fault == fault


@pytest.mark.parametrize(
    ("ours", "theirs", "fault"),
    [('"tags": ["a"]', '"tags": ["b"]', ""), ('"nbgrader": {}', '"nbgrader": 1', "conflict")],
    ids=["of no weight", "of weight"],
)
def test_a_conflict_is_solved_where_both_sides_are_the_same_notebook(
    ours: str, theirs: str, fault: str
) -> None:
    sides = f"{{\n<<<<<<< HEAD\n{ours}\n||||||| base\n=======\n{theirs}\n>>>>>>> other\n}}"
    text = json.dumps(solved()).replace('"metadata": {}', f'"metadata": {sides}', 1)
    reading = read(text.encode())

    assert (reading.mended, reading.fault) == ((), fault) if fault else (("conflict",), "")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"2026-11-20 10:02:00.000000 UTC", True),
        (b"2026-11-20 10:02:00 +0100", True),
        (b"", True),
        (b"yesterday evening", False),
        (b"2026-11-20 10:02:00 /etc/localtime", False),
        (b"\xff\xfe", False),
    ],
)
def test_a_time_that_stops_nbgrader_is_left_out_and_said(text: bytes, kept: bool) -> None:
    files = {FILE: packed(solved()), "timestamp.txt": text}
    repaired = repair(files, ASKED)

    assert ("timestamp.txt" in repaired.files) is kept
    assert repaired.needs_person is not kept


TEXTS = st.text(max_size=30)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
CELL_KEYS = st.sampled_from(
    ["cell_type", "source", "metadata", "outputs", "id", "execution_count", "attachments", "input"]
)
MARKS = st.dictionaries(
    st.sampled_from(["grade", "solution", "locked", "task", "points", "schema_version", "x"]),
    st.booleans() | st.just(3) | JSON,
).flatmap(lambda marks: st.sampled_from(ORDER).map(lambda name: {**marks, "grade_id": name}))
CELLS = st.sampled_from(solved()["cells"]).flatmap(
    lambda cell: (
        st.just(cell)
        | st.dictionaries(CELL_KEYS, JSON, max_size=2).map(lambda more: {**cell, **more})
        | MARKS.map(lambda marks: {**cell, "metadata": {"nbgrader": marks}})
        | TEXTS.map(lambda text: {**cell, "source": text})
        | JSON
    )
)
BOOKS = st.builds(
    lambda cells, more: {**solved(), "cells": cells, **more},
    st.lists(CELLS, max_size=12),
    st.dictionaries(st.sampled_from(["metadata", "nbformat", "nbformat_minor"]), JSON, max_size=1),
)


@given(st.binary(max_size=400))
def test_no_bytes_are_an_error(data: bytes) -> None:
    files = {FILE: data, "x.ipynb": data, f"copy of {FILE}": data, "timestamp.txt": data}
    repaired = repair(files, ASKED)

    assert repaired.unreadable or repaired.files


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_to_a_real_notebook_is_an_error(data: st.DataObject) -> None:
    text = bytearray(json.dumps(solved(), indent=1).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = start + data.draw(st.integers(0, 40))
        text[start:end] = data.draw(st.binary(max_size=8))
        text = text or bytearray(b"{}")
    repaired = repair({FILE: bytes(text)}, ASKED)

    assert repaired.unreadable or grades(json.loads(repaired.files[FILE]), ASKED[NOTEBOOK])


@given(BOOKS)
@settings(max_examples=150, deadline=None)
def test_what_is_repaired_is_gradable_and_breaks_nothing_new(book: Json) -> None:
    repaired = repair({FILE: packed(book)}, ASKED)
    if repaired.unreadable:
        return
    again = repair({FILE: repaired.files[FILE]}, ASKED)

    assert grades(json.loads(repaired.files[FILE]), ASKED[NOTEBOOK])
    assert {code for code, _name in codes(again)} <= {"not_found", "recognised"}


@given(st.lists(CELLS, max_size=12))
@settings(max_examples=100, deadline=None)
def test_what_a_learner_wrote_stays(cells: list[Json]) -> None:
    written = [c for c in cells if isinstance(c, dict) and isinstance(c.get("source"), str)]
    repaired = repair({FILE: packed({**solved(), "cells": cells})}, ASKED)
    after = json.loads(repaired.files[FILE])["cells"]
    text = "\n".join("".join(cell["source"]) for cell in after)
    said = [cell["source"] for cell in written if max(cell["source"], default="a") < "\ud800"]

    assert [source for source in said if source not in text] == []


@given(st.lists(CELLS, max_size=12))
@settings(max_examples=100, deadline=None)
def test_every_test_is_there_once_and_is_run(cells: list[Json]) -> None:
    repaired = repair({FILE: packed({**solved(), "cells": cells})}, ASKED)
    after = json.loads(repaired.files[FILE])
    counts = Counter(names(after))

    assert {name: counts[name] for name in ("setup", "add", "multiply")} == dict.fromkeys(
        ("setup", "add", "multiply"), 1
    )
    assert "skip-execution" not in json.dumps([by(after, n)["metadata"] for n in ("add", "setup")])
