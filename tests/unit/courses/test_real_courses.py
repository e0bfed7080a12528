"""Every course of this repository, read but not run."""

from pathlib import Path

import pytest

from bioskills.courses.checks import check_course
from bioskills.courses.package import read_course

COURSES = sorted(path.parent for path in Path(__file__).parents[3].glob("courses/*/course.yml"))


@pytest.mark.parametrize("folder", COURSES, ids=lambda folder: folder.name)
def test_a_course_of_ours_breaks_no_rule(folder: Path) -> None:
    report = check_course(read_course(folder))

    assert [(f.rule.id, f.fault.where, f.fault.message) for f in report.errors] == []
