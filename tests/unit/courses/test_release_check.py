"""Nothing that grades reaches a learner: the search itself."""

import json
from typing import Any

from bioskills.courses.reading import view_of
from bioskills.courses.release_check import release_faults, secrets_of


def _released(course: Any) -> dict[str, Any]:
    book = json.loads(json.dumps(course.p1))
    answer, test = book["cells"][1], book["cells"][2]
    answer["source"] = "def letters(text):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
    test["source"] = test["source"].split("### BEGIN")[0]
    book["cells"][3]["source"] = "YOUR ANSWER HERE"
    return book  # type: ignore[no-any-return]


def _messages(course: Any, book: object, **files: bytes) -> list[str]:
    tree = {"p1.ipynb": json.dumps(book).encode(), **files}
    return [fault.message for fault in release_faults(view_of(course.files()), "p1", tree)]


def test_a_cleared_release_is_clean(course: Any) -> None:
    assert _messages(course, _released(course)) == []


def test_the_source_itself_is_full_of_secrets(course: Any) -> None:
    messages = " ".join(_messages(course, course.p1))

    for secret in (
        'letters("A--") == 1',
        "lowered = text.lower()",
        "Because upper",
        "BEGIN HIDDEN TESTS",
    ):
        assert secret in messages


def test_a_secret_in_an_output_is_found(course: Any) -> None:
    book = _released(course)
    traceback = [
        '----> 1 assert letters("A--") == 1, "[gaps] a word with gaps was counted wrongly"'
    ]
    book["cells"][2]["outputs"] = [
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": traceback}
    ]

    assert len(_messages(course, book)) == 1


def test_a_secret_in_metadata_is_found(course: Any) -> None:
    book = _released(course)
    book["metadata"]["old"] = 'return len(set(lowered) - {"-"})'

    assert len(_messages(course, book)) == 1


def test_a_secret_split_over_stored_lines_is_found(course: Any) -> None:
    book = _released(course)
    book["cells"][0]["source"] = ["    lowered = ", "text.lower()\n"]

    assert len(_messages(course, book)) == 1


def test_a_file_that_is_not_listed_is_found(course: Any) -> None:
    assert _messages(course, _released(course), **{"key.txt": b"1"}) == [
        "learners would receive this file"
    ]


def test_lines_that_learners_see_anyway_are_no_secrets(course: Any) -> None:
    lines = {secret.line for secret in secrets_of(view_of(course.files()))}

    assert not any("upper-case word" in line for line in lines)
    assert "lowered = text.lower()" in lines
