"""R1: a course's mapping is refused with all its faults, or it is right."""

from fractions import Fraction

import pytest

from bioskills.base.problems import InputError
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import (
    CellInfo,
    Mapping,
    MappingError,
    lint_mapping,
    parse_mapping,
)


def faults_of(text: str) -> dict[str, str]:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_a_mapping_reads_back_as_it_was_written(mapping: Mapping) -> None:
    task = mapping.task("s1")

    assert (mapping.framework, mapping.version, mapping.ref) == ("BSH@1.0.0", 3, "seq@3")
    assert (task.attempts.max, task.attempts.cooldown_hours) == (3, 24)
    assert task.cells[2].outcomes == {"BSH-U04-S1": Fraction(1)}
    assert dict(mapping.critical) == {"BSH-U04-S2": ("s3",)}
    assert mapping.task_of("s1-resit") is task


def test_a_mapping_cannot_be_changed(mapping: Mapping) -> None:
    with pytest.raises(TypeError):
        mapping.cells[0].outcomes["BSH-U04-S1"] = Fraction(9)  # type: ignore[index]


FAULTS = {  # what replaces what in the good mapping -> path and words of the fault
    "unknown key": ("kind: quiz", "kind: quiz\n    knd: x", "tasks[1].knd", "not a key"),
    "missing kind": ("    kind: quiz\n", "", "tasks[1].kind", "kind is missing"),
    "unknown kind": ("kind: quiz", "kind: exam", "tasks[1].kind", "exam"),
    "unquoted weight": (
        'q1/a, outcomes: {BSH-U04-K1: "1.0"}', "q1/a, outcomes: {BSH-U04-K1: 1.0}",
        "tasks[1].cells[0].outcomes.BSH-U04-K1", "not an exact number"),
    "cell without notebook": ("cell: q1/a", "cell: a", "tasks[1].cells[0].cell", "a"),
    "no assignments": ("assignments: [q1]", "assignments: []", "tasks[1].assignments", "1 item"),
    "attempts of nought": ("max: 3", "max: 0", "tasks[2].attempts.max", "greater"),
    "framework without version": ("BSH@1.0.0", "BSH", "framework", "BSH"),
    "version as text": ("_version: 3", '_version: "3"', "mapping_version", "integer"),
    "task named twice": ("id: q1", "id: p1", "tasks[1].id", "twice"),
    "assignment in two tasks": (
        "assignments: [q1]", "assignments: [p1]", "tasks[1].assignments[0]", "two places"),
    "cell mapped twice": ("cell: q1/a", "cell: p1/a", "tasks[1].cells[0].cell", "twice"),
    "critical task unknown": ("[s3]}", "[s4]}", "critical.BSH-U04-S2", "not among the tasks"),
    "repeated YAML key": ("kind: quiz", "kind: quiz\n    kind: quiz", "competence.yaml", "twice"),
    "YAML alias": ("[q1]", "&x [q1]\n    title: *x", "competence.yaml", "aliases"),
    "broken YAML": ("tasks:", "tasks: [", "competence.yaml", "not YAML"),
    "gate above all": (
        "kind: quiz", 'kind: quiz\n    gates: [{cell: q1/a, min: "1.5", outcomes: [BSH-U04-K1]}]',
        "tasks[1].gates[0].min", "less than or equal to 1"),
    "gate for another outcome": (
        "kind: quiz", 'kind: quiz\n    gates: [{cell: q1/a, min: "1.0", outcomes: [BSH-U04-S1]}]',
        "tasks[1].gates[0].outcomes", "no cell"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "path", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_place(
    old: str, new: str, path: str, words: str, mapping_text: str
) -> None:
    found = faults_of(mapping_text.replace(old, new))

    assert list(found) == [path]
    assert words in found[path]


def test_all_faults_are_reported_at_once(mapping_text: str) -> None:
    text = mapping_text.replace("kind: quiz", "kind: exam").replace("max: 3", "max: 0")
    text = text.replace("_version: 3", "_version: 0").replace("[s3]}", "[s4]}")

    assert set(faults_of(text)) == {
        "tasks[1].kind", "tasks[2].attempts.max", "mapping_version", "critical.BSH-U04-S2",
    }  # fmt: skip


def test_a_wrong_key_is_told_its_nearest_name(mapping_text: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(mapping_text.replace("kind: quiz", "kind: quiz\n    asignments: []"))

    assert "Did you mean assignments?" in caught.value.faults[0].next


NOT_MAPPINGS = {
    "nothing": "",
    "a list": "- a",
    "a word": "competence",
    "deep": "[" * 20_000,
    "long": "#" * 300_000,
    "a date as key": "2027-01-01: x",
    "a python object": "!!python/object/apply:os.getcwd []",
    "a list as key": "? [a]\n: b",
    "control characters": "\x00",
}


@pytest.mark.parametrize("text", NOT_MAPPINGS.values(), ids=NOT_MAPPINGS)
def test_what_is_no_mapping_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_mapping(text)

    assert "bioskills course check" in str(caught.value)


CELLS = {
    key: CellInfo("5", manual=key in ("s1/because", "c1/a"))
    for key in ("p1/a", "q1/a", "s1/a", "s1/because", "s1-resit/a", "s2/a", "s3/a", "c1/a", "o1/a")
}


def test_a_sound_mapping_has_no_errors(mapping: Mapping, framework: Framework) -> None:
    assert [f for f in lint_mapping(mapping, framework, CELLS) if f.kind == "error"] == []


LINT = {  # what replaces what -> code, kind, value
    "unknown cell": ("cell: q1/a", "cell: q1/aa", "unknown_cell", "error", "q1/aa"),
    "unknown outcome": (
        "q1/a, outcomes: {BSH-U04-K1", "q1/a, outcomes: {BSH-U04-K9",
        "unknown_outcome", "error", "BSH-U04-K9"),
    "weight of nought": (
        'q1/a, outcomes: {BSH-U04-K1: "1.0"', 'q1/a, outcomes: {BSH-U04-K1: "0"',
        "weight", "error", "0"),
    "negative weight": (
        'q1/a, outcomes: {BSH-U04-K1: "1.0"', 'q1/a, outcomes: {BSH-U04-K1: "-1"',
        "weight", "error", "-1"),
    "autonomy on an autograded cell": (
        "s2/a, outcomes: {", 's2/a, outcomes: {BSH-U05-A1: "1", ',
        "autonomy_automatic", "error", "s2/a"),
    "another framework": ("BSH@1.0.0", "BSH@2.0.0", "other_framework", "error", "BSH@2.0.0"),
    "critical on practice": (
        "{BSH-U04-S2: [s3]}", "{BSH-U04-S1: [p1]}", "critical_impossible", "error", "p1"),
    "critical that does not map the outcome": (
        "{BSH-U04-S2: [s3]}", "{BSH-U04-S2: [c1]}", "critical_impossible", "error", "c1"),
    "gate on an unknown cell": (
        "kind: quiz", 'kind: quiz\n    gates: [{cell: q1/z, min: "1", outcomes: [BSH-U04-K1]}]',
        "unknown_cell", "error", "q1/z"),
    "too few tasks for a skill": (
        "s2/a, outcomes: {", 's2/a, outcomes: {BSH-U04-S3: "1", ',
        "too_few_tasks", "warning", "BSH-U04-S3"),
    "resit without cells": (
        "[s1, s1-resit]", "[s1, s1-resit, s1-again]", "assignment_unmapped", "warning", "s1-again"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINT.values(), ids=LINT)
def test_lint_finds_what_would_spoil_a_verdict(
    case: tuple[str, str, str, str, str],
    mapping_text: str,
    framework: Framework,
) -> None:
    old, new, *expected = case
    changed = parse_mapping(mapping_text.replace(old, new, 1))
    found = lint_mapping(changed, framework, CELLS)

    assert [(f.code, f.kind, f.value) for f in found] == [tuple(expected)]
    assert all(f.message and f.next and f.path for f in found)


def test_autonomy_in_an_observation_may_use_any_cell(
    mapping_text: str, framework: Framework
) -> None:
    changed = mapping_text.replace("o1/a, outcomes: {", 'o1/a, outcomes: {BSH-U05-A1: "1", ')

    assert lint_mapping(parse_mapping(changed), framework, CELLS) == ()


def test_a_mapped_cell_without_points_is_an_error(mapping: Mapping, framework: Framework) -> None:
    cells = CELLS | {"s2/a": CellInfo("0", manual=False)}

    assert [f.code for f in lint_mapping(mapping, framework, cells)] == ["no_points"]
