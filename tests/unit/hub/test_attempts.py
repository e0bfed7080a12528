"""Guessing gets slow; a class is not held up, nor a person in a browser of their own."""

import pytest

from bioskills.hub.attempts import (
    FORGET_S,
    LONGEST_S,
    MOST_KEPT,
    Attempts,
    client_address,
    sign_in_keys,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def fail(attempts: Attempts, name: str, address: str, browser: str = "") -> int:
    """Try as often as one may, without waiting; return how often that was."""
    keys, tries = sign_in_keys(name, address, browser), 0
    while not attempts.wait_s(keys):
        attempts.failed(keys)
        tries += 1
    return tries


def test_five_mistakes_are_free_and_then_the_delay_grows_to_a_minute(
    attempts: Attempts, clock: Clock
) -> None:
    keys = sign_in_keys("lea", "192.0.2.1", "")
    assert fail(attempts, "lea", "192.0.2.1") == 5
    waits = []
    for _time in range(9):
        waits.append(attempts.wait_s(keys))
        clock.now += waits[-1]
        assert attempts.wait_s(keys) == 0
        attempts.failed(keys)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_quarter_of_an_hour_later_everything_is_forgotten(
    attempts: Attempts, clock: Clock
) -> None:
    fail(attempts, "lea", "192.0.2.1")
    clock.now += FORGET_S

    assert fail(attempts, "lea", "192.0.2.1") == 5


def test_a_class_of_thirty_behind_one_address_may_mistype_four_times_each(
    attempts: Attempts,
) -> None:
    for number in range(30):
        keys = sign_in_keys(f"learner-{number}", "192.0.2.1", "")
        for _time in range(4):
            assert attempts.wait_s(keys) == 0
            attempts.failed(keys)


def test_an_attacker_elsewhere_makes_no_known_browser_wait(
    attempts: Attempts, clock: Clock
) -> None:
    for number in range(200):
        fail(attempts, "lea", f"192.0.2.{number}")
        clock.now += LONGEST_S

    assert attempts.wait_s(sign_in_keys("lea", "198.51.100.7", "")) <= LONGEST_S
    assert attempts.wait_s(sign_in_keys("lea", "198.51.100.7", "marked")) == 0
    assert attempts.wait_s(sign_in_keys("miro", "198.51.100.7", "")) == 0


def test_many_addresses_are_no_way_around_the_delay_of_one_person(attempts: Attempts) -> None:
    tries = sum(fail(attempts, "lea", f"192.0.2.{number}") for number in range(50))

    assert tries == 20


def test_one_address_that_tries_everybody_has_to_wait(attempts: Attempts) -> None:
    tries = sum(fail(attempts, f"name-{number}", "192.0.2.1") for number in range(100))

    assert tries == 120


def test_who_gets_it_right_starts_anew(attempts: Attempts) -> None:
    keys = sign_in_keys("lea", "192.0.2.1", "")
    for _time in range(5):
        attempts.failed(keys)
    attempts.forgive(keys)

    assert attempts.wait_s(keys) == 0
    assert fail(attempts, "lea", "192.0.2.1") == 5


def test_a_flood_of_invented_names_does_not_fill_the_memory(
    attempts: Attempts, clock: Clock
) -> None:
    for number in range(MOST_KEPT):
        clock.now += 0.001
        attempts.failed(sign_in_keys(f"n{number}", f"a{number}", ""))

    assert len(attempts._counts) <= MOST_KEPT + 3


@pytest.mark.parametrize(
    ("forwarded", "front", "address"),
    [
        ("198.51.100.7", False, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", False, "198.51.100.7"),
        ("203.0.113.9, 127.0.0.1", False, "127.0.0.1"),  # a lab that speaks to the proxy
        ("198.51.100.7, 127.0.0.1", True, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7, 127.0.0.1", True, "198.51.100.7"),
        ("198.51.100.7,::ffff:127.0.0.1, ::1", True, "198.51.100.7"),
        ("127.0.0.1", True, "127.0.0.1"),
        ("", False, ""),
    ],
)
def test_only_what_our_own_proxy_and_a_named_front_wrote_tells_the_address(
    forwarded: str, front: bool, address: str
) -> None:
    assert client_address(forwarded, front=front) == address
