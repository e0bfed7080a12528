"""The same work has the same fingerprint."""

import hashlib
from typing import Any

import pytest

from bioskills.competence.hashes import (
    NotANotebookError,
    NotCanonicalError,
    canonical_json,
    cells_sha256,
    notebook_src_sha256,
)
from bioskills.competence.scores import GradeCell

CANONICAL = {
    "keys are sorted, no spaces": ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
    "order is by UTF-16 units": ({"\ufb33": 1, "\U0001f600": 2}, '{"😀":2,"\ufb33":1}'.encode()),
    "control characters": ('\x00\x1f\n"\\', b'"\\u0000\\u001f\\n\\"\\\\"'),
    "other text as it is": ("é/\u2028<", '"é/\u2028<"'.encode()),
    "numbers that every reader knows": (2**53 - 1, b"9007199254740991"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "text"), CANONICAL.values(), ids=CANONICAL)
def test_json_has_one_form(value: object, text: bytes) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize(
    "value", [0.5, {"a": [1.0]}, 2**53, {1: "a"}, "\ud800", {"\ud800": 1}, b"x", {1, 2}], ids=repr
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical_json(value)


def notebook(**changes: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {"nbgrader": {"grade_id": "gc"}},
        "source": "a = 1\nb = 2",
        "outputs": [],
        "execution_count": None,
    }
    return {"nbformat": 4, "metadata": {}, "cells": [cell | changes]}


def test_a_notebook_is_hashed_as_documented() -> None:
    expected = hashlib.sha256(b'[["gc","code","a = 1\\nb = 2"]]').hexdigest()

    assert notebook_src_sha256(notebook()) == expected


SAME = {
    "outputs": {"outputs": [{"output_type": "stream", "text": "3"}]},
    "execution count": {"execution_count": 7},
    "source as lines": {"source": ["a = 1\n", "b = 2"]},
    "other metadata": {"metadata": {"nbgrader": {"grade_id": "gc"}, "collapsed": True}},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_output_noise_does_not_change_the_hash(changes: dict[str, Any]) -> None:
    assert notebook_src_sha256(notebook(**changes)) == notebook_src_sha256(notebook())


OTHER = {
    "source": {"source": "a = 2"},
    "type": {"cell_type": "markdown"},
    "grade id": {"metadata": {"nbgrader": {"grade_id": "gc2"}}},
    "no grade id": {"metadata": {}},
    "broken text": {"source": "\ud800"},
    "odd metadata": {"metadata": []},
}


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_other_work_has_another_hash(changes: dict[str, Any]) -> None:
    assert notebook_src_sha256(notebook(**changes)) != notebook_src_sha256(notebook())


@pytest.mark.parametrize("document", [{}, {"cells": {}}, {"cells": [1]}], ids=repr)
def test_what_is_no_notebook_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(NotANotebookError):
        notebook_src_sha256(document)


def test_grades_hash_alike_in_any_order_and_spelling() -> None:
    one = [GradeCell("n/a", "code", "5", "5"), GradeCell("n/b", "code", "2.50", None, "2")]
    two = [GradeCell("n/b", "code", "2.5", None, "2.0"), GradeCell("n/a", "code", "5.0", "5.0000")]

    assert cells_sha256(one) == cells_sha256(two)


def test_one_point_more_is_another_hash() -> None:
    assert cells_sha256([GradeCell("n/a", "code", "5", "4")]) != cells_sha256(
        [GradeCell("n/a", "code", "5", "5")]
    )
