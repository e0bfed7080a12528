"""Odd lists of people end in sentences, whatever is in them: never an error of ours."""

import io
import string
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bioskills.base.problems import InputError
from bioskills.hub.cohort_columns import CSV_KEYS
from bioskills.hub.cohort_file import parse_content
from bioskills.hub.cohort_rows import tidy
from bioskills.hub.cohort_wish import Wish
from bioskills.hub.formula_guard import FORMULA, guarded, unguarded

EAST, WEST = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")
TOML = '[cohort]\nslug = "red"\n[[people]]\nname = "kim"\nroles = "learner"\n'
MOST_SAID = 400
ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59", "9" * 5000, "\0", "x" * 9000]
    ),
    st.integers().map(str),
    st.datetimes().map(lambda at: at.isoformat()),
)


def read(content: bytes, name: str) -> Wish | list[str]:
    """Return the wish, or every fault as it is said."""
    try:
        return parse_content(content, name, "Europe/Berlin")
    except InputError as error:
        return [f"{p.where} {p.what} {p.rule} {p.next}" for p in error.problems]


def as_row(values: dict[str, str]) -> bytes:
    cells = {"cohort": "red", "name": "kim", "roles": "learner"} | values
    row = ",".join('"' + cells.get(key, "").replace('"', '""') + '"' for key in CSV_KEYS)
    return f"{','.join(CSV_KEYS)}\n{row}\n".encode("utf-8", "surrogatepass")


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(CSV_KEYS), ODD, max_size=5))
@example({"from": "0001-01-01", "to": "9999-12-31"})
@example({"course": "x", "opens": "0001-01-01", "closes": "9999-12-31", "time_zone": "Asia/Tokyo"})
@example({"seats": "9" * 5000, "memory_mb": "9" * 5000})
def test_a_row_of_anything_is_read_or_told_in_short_sentences(values: dict[str, str]) -> None:
    found = read(as_row(values), "list.csv")

    if isinstance(found, Wish):
        moments = [at for person in found.people for at in (person.since, person.until) if at]
        moments += [at for run in found.runs for at in (run.opens_at, run.closes_at)]
        for at in moments:
            assert at.astimezone(EAST) == at.astimezone(WEST)
    else:
        assert found
        assert all(len(said) < MOST_SAID for said in found), found


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(max_size=300), st.text(alphabet="[]{}=.\"'\n ab1#", max_size=300)))
def test_a_toml_text_of_anything_is_read_or_told(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")

    read(content, "list.toml")
    read(TOML.encode() + content, "list.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=" + "[" * 20_000, "nested too deeply"),
        ("a=" + "{b=" * 3_000, "nested too deeply"),
        (".".join("a" * 20_000) + "=1", "nested too deeply"),
        ("a={" + " . ".join(["'a'"] * 20_000) + "=1}", "nested too deeply"),
        ("a=" + "9" * 6_000, "is not TOML"),
        (TOML + "from = 0001-01-01\nto = 9999-12-31\n", "A year lies between 2000 and 2199."),
        (TOML + "tags = 0x" + "f" * 6_000, "tags is"),
        (TOML + '[[runs]]\ncourse = "a"\nversion = "\\u0000"\nopens = 2027-01-01\ncloses = 2027-02-01\n', "version is"),
    ],
)  # fmt: skip
def test_what_a_toml_file_can_be_made_of_costs_a_sentence_and_no_time(text: str, said: str) -> None:
    begun = time.process_time()

    found = read(text.encode(), "list.toml")

    assert time.process_time() - begun < 5
    assert isinstance(found, list)
    assert said in " ".join(found)
    assert all(len(one) < MOST_SAID for one in found)


def test_every_fault_of_a_row_is_said_at_once() -> None:
    found = read(
        as_row({"from": "0001-01-01", "to": "9999-12-31", "seats": "x", "email": "y"}), "a.csv"
    )

    assert isinstance(found, list)
    assert len(found) == 4


@pytest.mark.parametrize("text", ["2027-06-30", "20270630", "2027-W26-3"])
def test_an_end_without_a_time_counts_to_the_end_of_its_day_however_it_is_written(
    text: str,
) -> None:
    found = read(as_row({"to": text}), "a.csv")

    assert isinstance(found, Wish)
    assert found.people[0].until == datetime(2027, 6, 30, 21, 59, 59, tzinfo=UTC)


def workbook(rows: int, last: int = 0) -> bytes:
    """Return a list of one person with so many blank formatted rows, and a cell far below."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet, bold = book.add_worksheet("list"), book.add_format({"bold": True})
    sheet.write_row(0, 0, ["cohort", "name", "roles"])
    sheet.write_row(1, 0, ["red", "kim", "learner"])
    for number in range(2, 2 + rows):
        sheet.write_blank(number, 0, None, bold)
    if last:
        sheet.write_row(last - 1, 0, ["red", "lee", "learner"])
    book.close()
    return target.getvalue()


def test_blank_rows_cost_nothing_and_the_line_of_a_person_is_the_sheets() -> None:
    found = read(workbook(100_000, last=1_048_576), "list.xlsx")

    assert isinstance(found, Wish), found
    assert [(person.name, person.line) for person in found.people] == [
        ("kim", 2),
        ("lee", 1_048_576),
    ]


@given(st.text(alphabet=[*string.printable, "é", "=", "'", "+"], max_size=12))
@example("'=1")
@example("''=1")
@example("' =1")
def test_what_is_guarded_is_read_back_exactly(text: str) -> None:
    plain = tidy(text)

    assert unguarded(guarded(plain)) == plain
    assert not guarded(plain).startswith(FORMULA)
