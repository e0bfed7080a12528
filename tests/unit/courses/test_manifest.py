"""Reading `course.yml` and its neighbours: every fault at once, in words."""

import copy
from typing import Any

import pytest
import yaml

from bioskills.courses.faults import CourseError, Fault
from bioskills.courses.grading_notes import message_ids
from bioskills.courses.manifest import Manifest, parse_manifest
from bioskills.courses.notebooks import parse_notebook, region_of_lines, unbalanced_mark
from bioskills.courses.typed_yaml import parse_yaml


def _faults(manifest: object) -> dict[str, Fault]:
    with pytest.raises(CourseError) as refused:
        parse_manifest(yaml.safe_dump(manifest))
    return {fault.key: fault for fault in refused.value.faults}


def _parsed(course: Any) -> Manifest:
    return parse_manifest(yaml.safe_dump(course.manifest))


def test_a_right_manifest_is_frozen(course: Any) -> None:
    manifest = _parsed(course)

    with pytest.raises(ValueError, match="frozen"):
        setattr(manifest, "title", "Another")  # noqa: B010 - what no checker would let pass


def test_every_fault_is_told_at_once(course: Any) -> None:
    bent = copy.deepcopy(course.manifest)
    bent.pop("title")
    bent["level"]["eqf"] = 9
    bent["lessons"][0]["minutes"] = "long"
    bent["assignments"][0]["release"] = "never"

    keys = {"title", "level.eqf", "lessons[0].minutes", "assignments[0].release"}
    assert set(_faults(bent)) == keys


def test_an_unknown_key_is_refused_with_the_nearest_known_one(course: Any) -> None:
    bent = copy.deepcopy(course.manifest)
    bent["lessons"][0]["keypoints"] = []

    assert _faults(bent)["lessons[0].keypoints"].next == "Did you mean key_points?"


def test_a_fault_holds_file_key_and_value(course: Any) -> None:
    fault = _faults({**course.manifest, "version": "1.0"})["version"]

    assert (fault.file, fault.key, fault.value) == ("course.yml", "version", "1.0")


def test_a_share_without_quotes_is_refused_because_floats_are_not_exact(course: Any) -> None:
    bent = copy.deepcopy(course.manifest)
    bent["assignments"][0]["pass_share"] = 0.6

    assert "in quotes" in _faults(bent)["assignments[0].pass_share"].message


def test_a_key_written_twice_is_refused() -> None:
    with pytest.raises(CourseError, match=r"title.*twice"):
        parse_manifest("title: a\ntitle: b\n")


def test_aliases_are_refused_because_they_can_explode() -> None:
    with pytest.raises(CourseError, match="aliases"):
        parse_yaml("a.yml", "a: &x [1]\nb: *x\n")


def test_deep_nesting_is_refused_with_a_sentence() -> None:
    with pytest.raises(CourseError):
        parse_yaml("a.yml", "[" * 5000)


def test_a_list_is_no_manifest() -> None:
    with pytest.raises(CourseError, match="keys and values"):
        parse_manifest("- a\n")


def test_message_ids_are_read_from_messages_only() -> None:
    source = 'assert table[name] == 1, "[first_row] x"\nassert b, f"[other] {c}"\n'

    assert message_ids(source) == ["first_row", "other"]


def test_lines_know_their_region() -> None:
    source = "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc"

    assert [region for region, _line in region_of_lines(source)] == [
        "",
        "mark",
        "SOLUTION",
        "mark",
        "",
    ]


@pytest.mark.parametrize(
    ("source", "mark"),
    [
        ("### BEGIN SOLUTION\n### END SOLUTION", ""),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("### END SOLUTION", "### END SOLUTION"),
        ("### BEGIN SOLUTION\n### END HIDDEN TESTS", "### END HIDDEN TESTS"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION", "### BEGIN SOLUTION"),
    ],
)
def test_a_mark_without_partner_is_found(source: str, mark: str) -> None:
    assert unbalanced_mark(source) == mark


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"cells": 1}', b"\xff", b'{"cells": [1]}']
)
def test_what_is_no_notebook_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(CourseError, match="not a notebook"):
        parse_notebook("a.ipynb", content)
