"""A list of people is read as a spreadsheet program writes it, and a hostile one costs a sentence."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from bioskills.base.problems import InputError
from bioskills.hub import cohort_book
from bioskills.hub.cohort_book import template_book, template_csv
from bioskills.hub.cohort_file import parse_content
from bioskills.hub.cohort_wish import Fault, Wish

ZONE = "Europe/Berlin"


def book(**sheets: list[list[Any]]) -> bytes:
    """Write a workbook; a datetime becomes a cell that is typed as one."""
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {"default_date_format": "yyyy-mm-dd hh:mm"})
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    made.close()
    return target.getvalue()


def read(content: bytes, name: str = "people.xlsx") -> Wish:
    return parse_content(content, name, ZONE)


def faults(content: bytes, name: str = "people.xlsx") -> list[Fault]:
    with pytest.raises(InputError) as caught:
        read(content, name)
    return [problem for problem in caught.value.problems if isinstance(problem, Fault)]


PEOPLE = [
    ["name", "display_name", "email", "roles"],
    ["zo\u00eb.k".replace("\u00eb", "e"), "Zo\u00eb K\u0142os", "", "learner"],
]
COHORT = [["slug", "title", "seats", "memory_mb"], ["spring", "Spring", 24, 2048]]


def test_a_workbook_of_three_sheets_is_read_with_typed_dates_and_numbers() -> None:
    runs = [
        ["slug", "course", "opens", "closes"],
        ["spring-1", "first", datetime(2027, 3, 22, 9), datetime(2027, 5, 31)],  # noqa: DTZ001 - as a cell has them
    ]

    wish = read(book(people=PEOPLE, cohort=COHORT, runs=runs))

    assert (wish.cohort, wish.seats, wish.limits) == ("spring", 24, {"memory_mb": 2048})
    assert wish.people[0].display_name == "Zo\u00eb K\u0142os"
    (run,) = wish.runs
    assert run.opens_at == datetime(2027, 3, 22, 8, tzinfo=UTC)
    assert run.closes_at == datetime(2027, 5, 31, 21, 59, 59, tzinfo=UTC), "to the end of the 31st"


def test_a_workbook_of_one_sheet_is_read_as_a_csv_file_is() -> None:
    rows = [["name", "roles", "cohort", "memory_mb"], ["lea", "learner", "spring", 512]]

    wish = read(book(Sheet1=[*rows, ["max", "learner", "spring", ""]]))

    assert [person.name for person in wish.people] == ["lea", "max"]
    assert wish.limits == {"memory_mb": 512}


def test_a_fault_in_a_workbook_names_sheet_row_column_and_value() -> None:
    people = [*PEOPLE, ["max", "Max", "max@example", "teacher"]]

    found = faults(book(people=people, cohort=COHORT))

    assert [(f.line, f.column, f.value) for f in found] == [
        (3, "email", "max@example"),
        (3, "roles", "teacher"),
    ]
    assert str(found[0]).startswith("people.xlsx, people, line 3: email is 'max@example'.")
    assert "Did you mean instructor?" in str(found[1])


def test_a_formula_is_read_as_its_value() -> None:
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target)
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["name", "roles", "cohort"])
    sheet.write_row(1, 0, ["", "learner", "spring"])
    sheet.write_formula(1, 0, '=LOWER("LEA")', None, "lea")
    made.close()

    assert read(target.getvalue()).people[0].name == "lea"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_is_read_with_each_separator_and_encoding(separator: str, encoding: str) -> None:
    lines = [
        ["name", "display_name", "roles", "cohort"],
        ["asta", "Asta Nystr\u00f6m", "learner", "s"],
    ]
    text = "".join(separator.join(line) + "\r\n" for line in lines)

    wish = read(text.encode(encoding), "people.csv")

    assert wish.people[0].display_name == "Asta Nystr\u00f6m"


def test_accents_are_written_one_way_whatever_the_program_wrote() -> None:
    content = "name,display_name,roles,cohort\nzoe,Zoe\u0308,learner,s\n".encode()

    assert read(content, "p.csv").people[0].display_name == "Zo\u00eb"


def csv(*rows: str, header: str = "name,email,roles,cohort,from,to,tags,seats") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def test_dates_and_tags_of_a_seat_are_read() -> None:
    wish = read(csv("lea,,learner,s,2027-03-01,2027-06-30,evening;b2,"), "p.csv")

    lea = wish.people[0]
    assert lea.since == datetime(2027, 2, 28, 23, tzinfo=UTC)
    assert lea.until == datetime(2027, 6, 30, 21, 59, 59, tzinfo=UTC)
    assert lea.tags == ("b2", "evening")


@pytest.mark.parametrize(
    ("rows", "column", "told"),
    [
        (
            ["lea,a@b.cd,learner,s,,,,", "max,A@B.cd,learner,s,,,,"],
            "email",
            "lea in an earlier row",
        ),
        (["lea,,learner,s,2027-03-01,2027-02-01,,"], "to", "ends after it begins"),
        (["lea,,learner,s,soon,,,"], "from", "A date looks like"),
        (["lea,,learner,s,,,<b>,"], "tags", "Tags are at most"),
        (["lea,,learner,s,,,,1", "max,,learner,s,,,,1"], "seats", "2 learners are in the list"),
        (["lea,,learner,s,,,,1", "max,,learner,s,,,,2"], "seats", "'1' in an earlier row"),
        (["lea,,learner,s,,,,many"], "seats", "whole number"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_column(
    rows: list[str], column: str, told: str
) -> None:
    found = faults(csv(*rows), "p.csv")

    assert any(fault.column == column and told in str(fault) for fault in found), found


def test_an_environment_that_is_not_offered_is_told_with_those_that_are() -> None:
    (fault,) = faults(csv("lea,learner,s,gpu", header="name,roles,cohort,environment"), "p.csv")

    assert str(fault).endswith("there is no environment gpu. Environments here: course.")


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40 * 1024 * 1024)
    return target.getvalue()


def lying() -> bytes:
    """Return a small bomb whose directory says that it is one byte."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 1000)
    return target.getvalue().replace((1000).to_bytes(4, "little"), (1).to_bytes(4, "little"))


def far_corner() -> bytes:
    """Return a workbook with a cell in its first and one in its last corner."""
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target)
    sheet = made.add_worksheet()
    sheet.write(0, 0, "name")
    sheet.write(1048575, 16383, "x")
    made.close()
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (bomb, "unpacks to far more"),
        (lying, "is damaged"),
        (far_corner, "cannot be read as a workbook"),
        (lambda: b"PK\x03\x04" + b"\0" * 3 * 1024 * 1024, "is larger than 2 MB"),
        (lambda: b"\xd0\xcf\x11\xe0 a protected workbook", "is not a workbook"),
    ],
    ids=["bomb", "lying", "far corner", "large", "protected"],
)
def test_a_hostile_workbook_costs_a_sentence(make: Callable[[], bytes], told: str) -> None:
    (fault,) = faults(make())

    assert told in str(fault)


def test_more_rows_than_any_cohort_has_are_refused() -> None:
    rows = "".join(f"n{n},learner,s\n" for n in range(20_001))

    (fault,) = faults(f"name,roles,cohort\n{rows}".encode(), "p.csv")

    assert "more than 20,000 rows".replace(",", "") in str(fault)


def test_the_empty_templates_are_understood_and_hold_nobody(tmp_path: Path) -> None:
    for name, content in (("t.csv", template_csv().encode()), ("t.xlsx", template_book())):
        assert any("holds no people" in str(fault) for fault in faults(content, name)), name
        assert not any("no column" in str(fault) for fault in faults(content, name)), name


def test_an_ods_workbook_is_measured_like_any_other() -> None:
    assert ".ods" in cohort_book.KINDS
    (fault,) = faults(bomb(), "people.ods")
    assert "unpacks to far more" in str(fault)
