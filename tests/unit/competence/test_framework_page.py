"""What the page *Write your own competence framework* shows is what is read."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from bioskills.competence.framework_form import HeadForm, UnitForm
from bioskills.competence.framework_targets import COLUMNS as TARGET_COLUMNS
from bioskills.competence.framework_targets import known_targets

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-framework.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def block(start: str) -> dict[str, object]:
    [found] = [text for text in BLOCKS if text.startswith(start)]
    data = yaml.safe_load(found)
    assert isinstance(data, dict)
    return data


def test_the_unit_on_the_page_has_the_right_form() -> None:
    unit = UnitForm.model_validate(block("code:"))

    assert unit.hours == unit.points * 25


@pytest.mark.parametrize("start", ["crosswalks:", "replaces:"])
def test_the_head_on_the_page_has_the_right_form_with_each_addition(start: str) -> None:
    head = HeadForm.model_validate(block("id:") | block(start))

    assert head.issued == date(2027, 1, 20)
    assert all(set(role.units) == set(head.units) for role in head.roles)


def test_the_link_on_the_page_is_one_of_the_table() -> None:
    head = HeadForm.model_validate(block("id:") | block("crosswalks:"))

    for row in head.crosswalks:
        assert known_targets(None)[row.framework, row.version, row.code].uri == row.uri


def test_the_columns_on_the_page_are_those_that_are_read() -> None:
    assert f"`{','.join(TARGET_COLUMNS)}`" in TEXT
