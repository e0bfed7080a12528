"""When a kept session ends, and whose labs are meant."""

from datetime import UTC, datetime

import pytest

from bioskills.base.problems import InputError
from bioskills.hub.session_command import end_of

NINE = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)  # nine o'clock in Berlin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:30", datetime(2027, 3, 1, 8, 30, tzinfo=UTC)),
        ("08:00", datetime(2027, 3, 2, 7, 0, tzinfo=UTC)),
        ("09:00", datetime(2027, 3, 2, 8, 0, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_session_ends_when_the_sites_clock_shows_the_time(
    text: str | None, expected: datetime | None
) -> None:
    assert end_of(text, "Europe/Berlin", NINE) == expected


@pytest.mark.parametrize("text", ["9", "25:00", "nine", ""])
def test_what_is_no_time_is_refused_with_the_form_it_should_have(text: str) -> None:
    with pytest.raises(InputError, match="09:30"):
        end_of(text, "Europe/Berlin", NINE)
