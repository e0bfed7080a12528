"""`bioskills course check`: what an author reads, and the exit code."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioskills.courses.commands import add_check
from bioskills.courses.faults import CourseError
from bioskills.courses.package import canonical_zip, write_tree

Check = Callable[..., int]


@pytest.fixture
def check(course: Any, tmp_path: Path) -> Check:
    def run(*options: str) -> int:
        write_tree(course.files(), tmp_path / "small-course")
        parser = argparse.ArgumentParser()
        add_check(parser.add_subparsers(), lambda _course, _progress: [])
        parsed = parser.parse_args(["check", str(tmp_path / "small-course"), *options])
        return int(parsed.act(parsed))

    return run


def test_a_right_course_is_told_how_to_go_on(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check() == 0
    assert "bioskills course install" in capsys.readouterr().out


def test_a_quick_check_does_not_claim_that_the_course_was_run(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--quick") == 0
    assert "read, not run" in capsys.readouterr().out


def test_an_error_is_told_with_rule_file_and_next_command(
    check: Check, course: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    course.lesson["nbformat_minor"] = 4

    assert check() == 1
    told = capsys.readouterr().out
    for part in ("L10", "lessons/01-letters.ipynb", "no cell ids", "bioskills course check"):
        assert part in told


def test_json_holds_the_same(check: Check, course: Any, capsys: pytest.CaptureFixture[str]) -> None:
    course.lesson["nbformat_minor"] = 4

    assert check("--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is False
    assert [f["rule"] for f in told["findings"]] == ["L10", "L35"]


def test_a_zip_is_checked_like_a_folder(
    course: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.zip").write_bytes(canonical_zip(course.files()))
    parser = argparse.ArgumentParser()
    add_check(parser.add_subparsers(), lambda _course, _progress: [])
    parsed = parser.parse_args(["check", str(tmp_path / "c.zip")])

    assert parsed.act(parsed) == 0


def test_a_path_without_course_is_refused(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_check(parser.add_subparsers(), lambda _course, _progress: [])
    parsed = parser.parse_args(["check", str(tmp_path)])

    with pytest.raises(CourseError):
        parsed.act(parsed)
