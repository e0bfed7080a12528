"""The table of ESCO skills ships empty, and a row counts only by the official file."""

from datetime import date

import pytest

from bioskills.base.problems import InputError
from bioskills.competence.esco import (
    COLUMNS,
    EMPTY,
    esco_bytes,
    official_skills,
    read_esco,
)
from bioskills.competence.framework import Framework

DAY = date(2027, 1, 20)
URI = "http://data.europa.eu/esco/skill/00000000-0000-4000-8000-000000000001"
"""Made up for this test: no address of ESCO stands in this project."""

OFFICIAL = (
    "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels\n"
    f'KnowledgeSkillCompetence,{URI},skill,cross-sector,"align things","one\ntwo"\n'
).encode()
RIGHT = ("BSH-U04-S2", URI, "align things", "close", "A. Reader", "2027-01-19")


def table(*rows: tuple[str, ...]) -> bytes:
    return "\n".join([",".join(COLUMNS), *(",".join(row) for row in rows)]).encode()


def test_the_table_ships_empty(framework: Framework) -> None:
    assert read_esco(EMPTY.read_bytes(), framework, {}, DAY) == []
    assert EMPTY.read_text().strip() == ",".join(COLUMNS)


def test_a_row_counts_that_the_official_file_has(framework: Framework) -> None:
    rows = read_esco(table(RIGHT), framework, official_skills(OFFICIAL), DAY)

    assert [tuple(row) for row in rows] == [RIGHT]
    assert read_esco(esco_bytes(rows), framework, official_skills(OFFICIAL), DAY) == rows


WRONG = {
    "unknown address": ((1, URI.replace("1", "2")), "which the official file does not hold"),
    "no address of ESCO": ((1, "https://example.org/skill"), "which is no address of ESCO"),
    "no address": ((1, ""), "which is no address of ESCO"),
    "other label": ((2, "align"), "calls it align; the official file says align things"),
    "unknown outcome": ((0, "BSH-U99-S1"), "which is no outcome of BSH@1.0.0"),
    "other match": ((3, "narrow"), "has the match narrow"),
    "nobody": ((4, ""), "does not say who checked it"),
    "no day": ((5, "yesterday"), "does not say who checked it, and when"),
    "a day to come": ((5, "2027-01-21"), "does not say who checked it, and when"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_row_that_cannot_be_proved_is_refused(
    change: tuple[int, str], words: str, framework: Framework
) -> None:
    row = list(RIGHT)
    row[change[0]] = change[1]

    with pytest.raises(InputError, match=words):
        read_esco(table(tuple(row)), framework, official_skills(OFFICIAL), DAY)


def test_every_faulty_row_is_named_at_once(framework: Framework) -> None:
    rows = [("X", *RIGHT[1:]), RIGHT, RIGHT, RIGHT[:3]]

    with pytest.raises(InputError) as refused:
        read_esco(table(*rows), framework, official_skills(OFFICIAL), DAY)
    assert [p.where for p in refused.value.problems] == ["esco.csv:2", "esco.csv:4", "esco.csv:5"]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b'"open'])
def test_a_file_that_is_not_the_official_one_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        official_skills(content)


def test_a_table_with_other_columns_is_refused(framework: Framework) -> None:
    with pytest.raises(InputError, match="has other columns"):
        read_esco(b"outcome,uri\n", framework, {}, DAY)
