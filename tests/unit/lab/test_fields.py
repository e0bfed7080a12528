"""What the verbs accept."""

import json

import pytest
from bioskills_lab.fields import Asked, read_asked, read_id
from bioskills_lab.problems import Refused


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_a_good_request_is_read() -> None:
    asked = read_asked(body(run="spring-27", assignment="p1", attempt=2, anyway=True), "assignment")
    assert asked == Asked(run="spring-27", item="p1", attempt=2, anyway=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"run": "spring"},  # nothing named
        {"run": "../x", "assignment": "p1"},
        {"run": "spring", "assignment": "P1"},
        {"run": "spring", "assignment": "-p1"},
        {"run": "spring", "assignment": "p1\n"},
        {"run": "spring", "assignment": "a" * 101},
        {"run": "spring", "assignment": "lessons"},  # a folder of the course
        {"run": "spring", "assignment": ["p1"]},
        {"run": "spring", "assignment": "p1", "attempt": -1},
        {"run": "spring", "assignment": "p1", "attempt": True},
        {"run": "spring", "assignment": "p1", "anyway": 1},
    ],
    ids=str,
)
def test_an_odd_field_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        read_asked(body(**fields), "assignment")
    assert refused.value.status == 400


@pytest.mark.parametrize("text", [b"", b"[]", b"nothing", b"\xff"])
def test_a_body_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(Refused, match="JSON"):
        read_asked(text, "assignment")


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read_asked(body(run="", assignment="A", anyway="yes"), "assignment")
    assert all(word in refused.value.message for word in ("run", "assignment", "anyway"))


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "1" * 30, "../1"])
def test_an_odd_number_of_a_submission_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="whole number"):
        read_id(text)
