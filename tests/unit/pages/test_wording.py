"""Times, shares and lists in the words of the house."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import get_args

import pytest

from bioskills.base.wire import OutcomeStatus, WorkState
from bioskills.hub.campus import wording

NOW = datetime(2027, 3, 18, 13, 5, tzinfo=UTC)
BERLIN = "Europe/Berlin"

MOMENTS = {
    "tomorrow": (NOW + timedelta(hours=28), "Fri 19 March, 18:05 CET (in 28 hours)"),
    "two weeks is near": (NOW + timedelta(days=14), "Thu 1 April, 15:05 CEST (in 14 days)"),
    "later has no weekday": (NOW + timedelta(days=15), "2 April, 15:05 CEST (in 15 days)"),
    "another year is said": (
        datetime(2028, 1, 2, 11, tzinfo=UTC),
        "2 January 2028, 12:00 CET (in 290 days)",
    ),
    "yesterday": (NOW - timedelta(days=1), "Wed 17 March, 14:05 CET (24 hours ago)"),
    "the year where the reader is": (
        datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
        "1 January, 00:30 CET (77 days ago)",
    ),
    "one minute": (NOW + timedelta(minutes=1), "Thu 18 March, 14:06 CET (in 1 minute)"),
}


@pytest.mark.parametrize(("at", "words"), MOMENTS.values(), ids=MOMENTS)
def test_a_moment_is_local_with_its_distance(at: datetime, words: str) -> None:
    assert words == wording.moment(at, BERLIN, NOW, relative=True)


def test_a_zone_without_a_name_shows_its_offset() -> None:
    assert wording.moment(NOW, "Europe/Istanbul", NOW) == "Thu 18 March, 16:05 +03"


def test_a_date_in_a_table_is_short() -> None:
    assert wording.day(NOW, BERLIN) == "18 Mar 2027"


def test_machines_read_utc() -> None:
    assert (
        wording.day_tag(NOW, BERLIN) == '<time datetime="2027-03-18T13:05:00Z">18 Mar 2027</time>'
    )


SHARES = {
    "whole": ("0.8400", None, "84"),
    "half to even": ("0.6250", None, "62"),
    "a limit is not reached by rounding": ("0.6960", Fraction(7, 10), "69"),
    "a limit that is reached": ("0.7000", Fraction(7, 10), "70"),
    "nothing": ("0.0000", Fraction(7, 10), "0"),
    "all": ("1.0000", None, "100"),
}


@pytest.mark.parametrize(("share", "needed", "words"), SHARES.values(), ids=SHARES)
def test_a_share_is_whole_percent(share: str, needed: Fraction | None, words: str) -> None:
    assert f"{words}\u00a0%" == wording.percent(share, needed)


def test_no_share_is_no_text() -> None:
    assert wording.percent(None) == ""


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ("7.5000", "7.5"),
        ("11", "11"),
        (Fraction(0), "0"),
        (8.0, "8"),
        ("10.00", "10"),
        ("100", "100"),
        (Fraction(1, 3), "0.33"),
    ],
)
def test_points_have_no_needless_zeros(points: str | Fraction | float, words: str) -> None:
    assert words == wording.number(points)


@pytest.mark.parametrize(
    ("items", "words"),
    [([], ""), (["S1"], "S1"), (["S1", "S2"], "S1 and S2"), (["K1", "S1", "A1"], "K1, S1 and A1")],
)
def test_a_list_reads_as_people_say_it(items: list[str], words: str) -> None:
    assert words == wording.listed(items)


def test_a_code_is_said_without_its_framework() -> None:
    assert [wording.code("BSH-U04-S1"), wording.code("BSH-U04")] == ["U04 S1", "U04"]


def test_every_status_has_its_own_fill_icon_and_words() -> None:
    signs = [wording.status_sign(status) for status in get_args(OutcomeStatus)]

    for kind in ("css", "icon", "words"):
        assert len({getattr(sign, kind) for sign in signs}) == 9


def test_every_work_state_has_its_own_words() -> None:
    words = {wording.work_sign(state).words for state in get_args(WorkState)}

    assert len(get_args(WorkState)) == len(words)
