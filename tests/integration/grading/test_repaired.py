"""Damaged hand-ins through the repair and stock nbgrader with real kernels: each has its score and a sentence."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from bioskills_tiny import FILE, NOTEBOOK, Book, Tiny, by, changed, packed

from bioskills.graders.repair import Repaired, repair

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FULL = (2.0, 3.0)
Change = Callable[[Book], object]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return Tiny(tmp_path_factory.mktemp("tiny"))


def ours(tiny: Tiny, files: dict[str, bytes]) -> tuple[tuple[float | None, ...], Repaired]:
    """Repair and grade; return the points of both tests."""
    repaired = repair(files, tiny.expected)
    error, scores = tiny.stock(repaired.files)
    assert error == "", repaired.mended
    return (scores["add"][0], scores["multiply"][0]), repaired


def without(name: str) -> Change:
    return lambda book: book["cells"].remove(by(book, name))


def marked(name: str, **marks: Any) -> Change:
    return lambda book: by(book, name)["metadata"]["nbgrader"].update(marks)


def twice(name: str) -> Change:
    return lambda book: book["cells"].append(copy.deepcopy(by(book, name)))


def split(name: str, first: str, second: str) -> Change:
    def change(book: Book) -> None:
        cell = by(book, name)
        rest = {**copy.deepcopy(cell), "id": "rest", "source": second}
        cell["source"] = first
        book["cells"].insert(book["cells"].index(cell) + 1, rest)

    return change


def retyped_without_ids(book: Book) -> None:
    book["nbformat_minor"] = 4
    for cell in book["cells"]:
        del cell["id"]
    cell = by(book, "add")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def stripped(book: Book) -> None:
    for number, cell in enumerate(book["cells"]):
        cell["metadata"].pop("nbgrader", None)
        cell["id"] = f"new{number}"


def moved_up(book: Book) -> None:
    book["cells"].insert(0, book["cells"].pop(3))


def set_in(name: str, **values: Any) -> Change:
    return lambda book: by(book, name).update(values)


CHANGES: dict[str, tuple[Change, str]] = {
    "deleted test": (without("add"), "put_back"),
    "deleted locked cell that others need": (without("setup"), "put_back"),
    "test copied": (twice("add"), "duplicate"),
    "answer copied": (twice("add_answer"), "duplicate"),
    "written answer split": (split("why", "Because a.", "And b."), "joined"),
    "test split": (split("add", "assert add(1, 2) == 3", "assert True"), "duplicate"),
    "test above its answer": (moved_up, "moved"),
    "test turned into text, old format": (retyped_without_ids, "retyped"),
    "test says it is an answer": (marked("add", solution=True, locked=False), "flags"),
    "answer says it is graded": (marked("add_answer", grade=True, points=9), "flags"),
    "unknown name": (marked("add", grade_id="other"), "recognised"),
    "older marks": (marked("multiply", schema_version=2), "marks"),
    "all marks gone": (stripped, "recognised"),
    "no text at all": (set_in("draw", source=None), "shape"),
    "outputs are null": (set_in("add", outputs=None), "shape"),
    "half a character": (set_in("draw", source="# \ud83d"), "shape"),
    "kernel without a title": (lambda b: b["metadata"].update(kernelspec={"name": "x"}), "shape"),
    "language without a name": (lambda b: b["metadata"].update(language_info={}), "shape"),
    "a cell that is none": (lambda b: b["cells"].append("text"), "shape"),
    "test not to be run": (
        lambda b: by(b, "add")["metadata"].update(tags=["skip-execution"]),
        "skip",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_damaged_notebook_of_right_answers_has_all_points(tiny: Tiny, kind: str) -> None:
    change, code = CHANGES[kind]
    points, repaired = ours(tiny, {FILE: packed(changed(tiny.solved(), change))})

    assert (points, code) == (FULL, next(m.code for m in repaired.mended if m.code == code))
    assert all(m.sentence for m in repaired.mended)


def test_damaged_files_have_all_points(tiny: Tiny) -> None:
    text = json.dumps(tiny.solved(), indent=1)
    files = {
        "utf-16": text.encode("utf-16"),
        "byte order mark": text.encode("utf-8-sig"),
        "comma": text.replace('"nbformat": 4', '"nbformat": 4,').replace(",,", ",").encode()
        + b"\0",
    }

    for data in files.values():
        repaired = repair({f"Copy of {FILE}": data}, tiny.expected)
        (same,) = {json.dumps(json.loads(repaired.files[FILE]), sort_keys=True)}
        assert "Copy of sums.ipynb was graded as sums.ipynb." in repaired.sentences
        assert [cell["source"] for cell in json.loads(same)["cells"]] == [
            "".join(cell["source"]) for cell in tiny.solved()["cells"]
        ]
    assert tiny.stock(repaired.files)[0] == ""


HARMLESS: dict[str, Change] = {
    "untouched": lambda _book: None,
    "deleted answer": without("add_answer"),
    "points raised": marked("add", points=200),
    "test changed": set_in("add", source="assert True"),
    "foreign kernel": lambda b: b["metadata"].update(
        kernelspec={"name": "ir", "display_name": "R"}
    ),
    "same cell ids": lambda b: [cell.update(id="same") for cell in b["cells"]],
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_nbgrader_grades_keeps_its_bytes(tiny: Tiny, kind: str) -> None:
    files = {FILE: packed(changed(tiny.empty(), HARMLESS[kind]))}

    assert repair(files, tiny.expected).files == files


def test_a_deleted_test_is_said_to_change_the_score(tiny: Tiny) -> None:
    files = {FILE: packed(changed(tiny.solved(), without("add")))}
    _error, stock = tiny.stock(files)
    points, repaired = ours(tiny, files)

    assert (stock["add"][:2], points) == ((None, True), FULL)
    assert [(m.code, m.cell, m.changes_score) for m in repaired.mended] == [
        ("put_back", "add", True)
    ]
    assert repair(files, tiny.expected, restore=False).files == files


@pytest.mark.parametrize(
    "change",
    [
        without("add"),
        marked("add", solution=True, locked=False),
        lambda b: by(b, "add")["metadata"].update(tags=["skip-execution"]),
        marked("draw", solution=False),
    ],
    ids=["deleted", "says it is an answer", "not to be run", "answer says it is a test"],
)
def test_damage_wins_no_points(tiny: Tiny, change: Change) -> None:
    points, repaired = ours(tiny, {FILE: packed(changed(tiny.empty(), change))})

    assert points == (0.0, 0.0)
    assert repaired.mended


def test_stock_gives_all_points_to_a_test_that_says_it_shall_not_be_run(tiny: Tiny) -> None:
    change = CHANGES["test not to be run"][0]
    files = {FILE: packed(changed(tiny.empty(), change))}

    assert tiny.stock(files)[1]["add"][0] == FULL[0]
    assert repair(files, tiny.expected).needs_person


def test_what_cannot_be_read_is_for_a_person_and_never_an_error(tiny: Tiny) -> None:
    book = json.dumps(tiny.solved(), indent=1)
    conflict = '<<<<<<< HEAD\n"source": "a"\n=======\n"source": "b"\n>>>>>>> theirs'
    files = {
        "empty": b"",
        "cut": book.encode()[:900],
        "picture": b"\x89PNG\r\n\x1a\n\0\0",
        "page": b"<!DOCTYPE html><title>Sign in</title>",
        "deep": b"[" * 200_000,
        "conflict": book.replace('"source": "Because."', conflict).encode(),
        "two": book.encode() * 2,
        "list": b"[]",
    }

    for kind, data in files.items():
        repaired = repair({FILE: data}, tiny.expected)
        assert (kind, repaired.files, list(repaired.unreadable)) == (kind, {}, [NOTEBOOK])
        assert repaired.needs_person
        assert repaired.nothing_to_grade
        assert FILE in repaired.reason
