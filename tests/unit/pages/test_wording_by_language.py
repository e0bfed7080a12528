"""Times and numbers are written as the reader's language writes them, in the reader's zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from bioskills.base.text import begin_reader
from bioskills.hub.campus.wording import (
    day,
    distance,
    moment,
    number,
    percent,
    plain_number,
    shown_zone,
    tenths,
    time_tag,
)

NOW = datetime(2027, 3, 18, 12, tzinfo=UTC)
AT = datetime(2027, 3, 19, 17, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    begin_reader("en")


def test_a_german_date_has_its_points_and_its_zone() -> None:
    begin_reader("de")

    assert moment(AT, "Europe/Berlin", NOW) == "Fr., 19. März, 18:00 MEZ"
    assert moment(AT, "Europe/Berlin", NOW, relative=True).endswith("(in 29 Stunden)")
    assert moment(AT + timedelta(days=90), "Europe/Berlin", NOW) == "17. Juni, 19:00 MESZ"
    assert day(AT, "Europe/Berlin") == "19. März 2027"


def test_a_german_number_has_a_comma() -> None:
    begin_reader("de")

    assert [number("7.50"), number(Fraction(2201, 2)), percent("0.84"), tenths(1.04)] == [
        "7,5",
        "1.100,5",
        "84\u00a0%",
        "1,0",
    ]


def test_programs_read_numbers_that_no_language_changes() -> None:
    begin_reader("de")

    assert [plain_number("7.50"), plain_number(1100)] == ["7.5", "1100"]


@pytest.mark.parametrize(
    ("days", "english", "german"),
    [(3, "in 3 days", "in 3 Tagen"), (-3, "3 days ago", "vor 3 Tagen")],
)
def test_how_far_away_it_is(days: int, english: str, german: str) -> None:
    said = []
    for language in ("en", "de"):
        begin_reader(language)
        said.append(distance(NOW + timedelta(days=days), NOW))

    assert said == [english, german]


def test_the_zone_that_the_reader_chose_counts_more_than_the_course_s() -> None:
    begin_reader("en", "America/New_York")

    assert moment(AT, "Europe/Berlin", NOW) == "Fri 19 March, 13:00 EDT"
    assert shown_zone("Europe/Berlin") == "America/New_York"


def test_machines_always_read_utc() -> None:
    begin_reader("de", "Asia/Kolkata")

    assert 'datetime="2027-03-19T17:00:00Z"' in time_tag(AT, "Europe/Berlin", NOW)
