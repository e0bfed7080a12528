"""Every rule that reads a course: the right course passes, one bent course does not."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from bioskills.courses.checks import Progress, check_course
from bioskills.courses.reading import Course
from bioskills.courses.rulebook import RULES
from bioskills.courses.rules import Finding

Bend = Callable[[Any], object]

# Judged by a run of the course; their bad examples stand in test_course_check.py.
RUN_ONLY = {"L12", "L20", "L21", "L22w", "L28", "L37"}


def _set(mapping: dict[str, Any], key: str, value: object) -> None:
    mapping[key] = value


def _source(book: str, name: str, old: str, new: str) -> Bend:
    def bend(course: Any) -> None:
        cell = course.cell(getattr(course, book), name)
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return bend


def _add(make: Callable[..., Any], kind: str, source: str, name: str = "extra") -> Bend:
    return lambda course: course.lesson["cells"].append(make(kind, source, name))


def _prose(source: str) -> Bend:
    return _source("lesson", "intro", "Look at the words.", source)


def _code(source: str) -> Bend:
    return _source("lesson", "look", 'print(open("../data/words.txt").read())', source)


def _isolated(course: Any) -> None:
    course.notes["isolated"] = True
    answer = course.cell(course.p1, "letters_answer")
    answer["source"] = answer["source"].replace("def letters(text)", "class letters").replace(
        "    lowered = text.lower()\n", "").replace('return len(set(lowered) - {"-"})', "pass")  # fmt: skip


BENDS: list[tuple[str, str, Bend]] = [
    ("L01", "unknown_key", lambda c: _set(c.manifest, "titel", "x")),
    ("L01", "not_yaml", lambda c: _set(c.extra, "variants/p1/broken.yml", b"a: [1")),
    ("L01", "not_a_notebook", lambda c: _set(c.extra, "lessons/02.ipynb", b"{}")),
    ("L02", "no_question", lambda c: _set(c.manifest["lessons"][0], "question", "Letters")),
    ("L02", "one_objective", lambda c: c.manifest["lessons"][0]["objectives"].pop()),
    ("L02", "unseen_verb", lambda c: c.manifest["lessons"][0]["objectives"].append("Know DNA")),
    ("L02", "no_key_points", lambda c: _set(c.manifest["lessons"][0], "key_points", [])),
    ("L03", "minutes", lambda c: _set(c.manifest["lessons"][0], "minutes", 200)),
    ("L04", "no_mapping_cell", lambda c: _set(c.mapping["tasks"][0]["cells"][0], "cell", "p1/nothing")),
    ("L04", "no_framework", lambda c: _set(c.mapping, "framework", "BSH@9.0.0")),
    ("L05", "cell_proves_nothing", lambda c: c.mapping["tasks"][0]["cells"].pop()),
    ("L05", "practice_counts", lambda c: _set(c.mapping["tasks"][0], "kind", "summative")),
    ("L05", "promise", lambda c: c.manifest["units"][0]["outcomes"].append("BSH-U04-K1")),
    ("L06", "same_id", lambda c: _set(c.manifest["lessons"][0], "id", "p1")),
    ("L07", "file_gone", lambda c: _set(c.manifest["lessons"][0], "file", "lessons/other.ipynb")),
    ("L07", "data_gone", lambda c: _set(c.manifest["lessons"][0], "uses_data", ["data/none.fa"])),
    ("L07", "elsewhere", lambda c: _set(c.manifest["assignments"][0], "file", "lessons/01-letters.ipynb")),
    ("L08", "no_readme", lambda c: c.extra.pop("README.md")),
    ("L08", "stranger", lambda c: _set(c.extra, "notes.txt", b"x")),
    ("L09", "unit_hours", lambda c: _set(c.manifest["units"][0], "hours", 50)),
    ("L09", "foreign_outcome", lambda c: _set(c.manifest["lessons"][0], "outcomes", ["BSH-U01-K1"])),
    ("L10", "old_format", lambda c: _set(c.lesson, "nbformat_minor", 4)),
    ("L10", "copied_cell", lambda c: c.lesson["cells"].append(c.lesson["cells"][0])),
    ("L10", "grade_id_twice", lambda c: c.p1["cells"].append(c.p1["cells"][2])),
    ("L11", "count", lambda c: _set(c.cell(c.lesson, "look"), "execution_count", 1)),
    ("L13", "absolute", _code('open("/home/me/words.txt")')),
    ("L13", "install", _code("%pip install biopython")),
    ("L13", "network", _code('from urllib.request import urlopen\nurlopen("x")')),
    ("L14", "two_firsts", _prose("# Again")),
    ("L14", "skipped", _prose("### Deep")),
    ("L15", "no_alt", _prose("![](../data/words.txt)")),
    ("L15", "html_alt", _prose('<img src="../data/words.txt" alt="words.txt">')),
    ("L18", "dead_link", _prose("[the words](../data/gone.txt)")),
    ("L18", "outside", _prose("[up](../../secret.txt)")),
    ("L19", "kernel", lambda c: _set(c.lesson["metadata"]["kernelspec"], "name", "ir")),
    ("L22", "no_hidden_variant", lambda c: _set(c.variant, "passes_visible", False)),
    ("L22", "unknown_cell", lambda c: _set(c.variant, "cell", "letters_answr")),
    ("L23", "open_mark", _source("p1", "letters_answer", "### END SOLUTION", "")),
    ("L23", "in_lesson", _prose("### BEGIN SOLUTION\nx\n### END SOLUTION")),
    ("L24", "hidden_in_lesson", _prose('letters("A--") == 1, "[gaps] a word with gaps was counted wrongly"')),
    ("L24", "hidden_in_readme", lambda c: _set(
        c.extra, "README.md", b'assert letters("A--") == 1, "[gaps] a word with gaps was counted wrongly"'
    )),
    ("L24", "solution_in_lesson", _code('lowered = text.lower()\nlen(set(lowered) - {"-"})')),
    ("L24", "file_beside", lambda c: _set(c.extra, "assignments/p1/solution.py", b"x = 1")),
    ("L25", "no_notes", lambda c: c.notes["cells"].pop("letters")),
    ("L25", "no_hidden", _source("p1", "letters", 'assert letters("A', '# ("A')),
    ("L25", "check_not_noted", lambda c: c.notes["cells"]["letters"]["checks"].pop()),
    ("L25", "wrong_visibility", lambda c: _set(c.notes["cells"]["letters"]["checks"][0], "visible", False)),
    ("L25", "two_hints", lambda c: c.notes["cells"]["letters"]["hints"].pop()),
    ("L25", "graded_by", lambda c: _set(c.notes["cells"]["letters"], "graded", "person")),
    ("L25", "no_answer", lambda c: _set(c.notes["cells"]["letters"], "answer", "letters")),
    ("L26", "no_message", _source("p1", "letters", ', "[gaps] a word with gaps was counted wrongly"', "")),
    ("L26", "gives_away", _source("p1", "letters", '== 1, "[gaps] a', '== 1234, "[gaps] not 1234: a')),
    ("L27", "sum", lambda c: _set(c.manifest["assignments"][0], "points", 6)),
    ("L27", "no_points", lambda c: _set(c.cell(c.p1, "letters")["metadata"]["nbgrader"], "points", 0)),
    ("L27", "no_solution", lambda c: _set(c.cell(c.p1, "letters_answer"), "source", "def letters(t): ...")),
    ("L29", "no_rubric", lambda c: c.notes["cells"]["letters_because"].pop("rubric")),
    ("L29", "rubric_short", lambda c: _set(c.notes["cells"]["letters_because"]["rubric"][0], "points", 2)),
    ("L30", "not_listed", lambda c: _set(c.data, "files", [])),
    ("L30", "changed", lambda c: _set(c.extra, "data/words.txt", b"other")),
    ("L30", "licence", lambda c: _set(c.data["files"][0], "license", "CC-BY-NC-4.0")),
    ("L31", "large", lambda c: _set(c.extra, "data/words.txt", b"A" * (2 * 2**20 + 1))),
    ("L33", "mail", _prose("Ask jane.doe@company-name.eu for help.")),
    ("L34", "other_outcome", lambda c: _set(c.notes["cells"]["letters"], "outcomes", ["BSH-U04-K2"])),
    ("L38", "class", _isolated),
    ("L41", "another_framework", lambda c: _set(c.mapping, "framework", "ACME@1.0.0")),
    ("L40", "no_label", _code("import ipywidgets as widgets\nwidgets.IntSlider(min=1)")),
    ("L40", "no_fallback", _code('import ipywidgets as widgets\nwidgets.IntSlider(description="Window")')),
]  # fmt: skip


def _broken(course: Any) -> set[str]:
    return {finding.rule.id for finding in check_course(course.files()).findings}


def test_a_right_course_breaks_no_rule_but_says_that_it_alone_is_not_enough(course: Any) -> None:
    assert _broken(course) == {"L35"}


@pytest.mark.parametrize(
    ("rule_id", "bend"),
    [pytest.param(rule_id, bend, id=f"{rule_id}-{name}") for rule_id, name, bend in BENDS],
)
def test_a_bent_course_breaks_the_rule(course: Any, rule_id: str, bend: Bend) -> None:
    bend(course)

    assert rule_id in _broken(course)


def test_four_text_cells_in_a_row_are_a_warning(course: Any, make_cell: Any) -> None:
    for number in range(4):
        _add(make_cell, "markdown", "Text.", f"text_{number}")(course)

    assert "L16" in _broken(course)


def test_a_single_line_of_a_solution_in_a_lesson_is_a_warning(course: Any) -> None:
    answer = course.cell(course.p1, "letters_answer")
    answer["source"] = answer["source"].replace(
        "    ### END", "    longest_of_the_words = max(words)\n    ### END"
    )
    _code("longest_of_the_words = max(words)")(course)

    assert _broken(course) == {"L24w", "L35"}


def test_a_notebook_without_authors_is_a_warning(course: Any) -> None:
    course.lesson["metadata"].pop("authors")

    assert "L32" in _broken(course)


def test_an_outcome_that_explains_is_not_reached_by_automatic_cells_alone(course: Any) -> None:
    course.mapping["tasks"][0] |= {
        "kind": "summative",
        "cells": [
            {"cell": "p1/letters", "outcomes": {"BSH-U01-K1": "3.0"}},
            {"cell": "p1/letters_because", "outcomes": {"BSH-U01-K1": "1.0"}},
        ],
    }

    assert "L36" in _broken(course)


def test_a_labelled_interactive_beside_a_picture_passes(course: Any, make_cell: Any) -> None:
    _code('import ipywidgets as widgets\nwidgets.IntSlider(description="Window")')(course)
    picture = "![GC content along the record, two peaks](../data/words.txt)"
    _add(make_cell, "markdown", picture)(course)

    assert "L40" not in _broken(course)


def test_every_rule_has_a_bad_example() -> None:
    elsewhere = {"L16", "L24w", "L32", "L35", "L36"}

    assert {rule_id for rule_id, _name, _bend in BENDS} | elsewhere | RUN_ONLY == {
        r.id for r in RULES
    }


def test_every_fault_says_what_to_do(course: Any) -> None:
    course.manifest["titel"] = "x"
    course.extra.pop("README.md")
    report = check_course(course.files())

    assert all(finding.next and finding.fault.message for finding in report.findings)


def test_a_course_with_errors_is_not_run(course: Any) -> None:
    course.extra.pop("README.md")

    def never(_course: Course, _progress: Progress) -> Iterable[Finding]:
        raise AssertionError("the course was run")

    report = check_course(course.files(), trial=never)

    assert (report.tried, report.passed) == (False, False)


def test_errors_come_before_warnings(course: Any) -> None:
    course.extra.pop("README.md")
    severities = [finding.rule.severity for finding in check_course(course.files()).findings]

    assert severities == ["error", "warning"]
