"""Make guessing slow, and leave each person a way in.

Law: only failures count. A person's own browser (it signed in before, and holds a signed
mark) is counted for itself, so nobody else can hold that person up there; a new browser can
be held up while others fail, and a link never is. A delay grows to a
minute and no further, and what failed is forgotten after a quarter of an hour. One
address may fail often before it waits: a class of thirty sits behind one.

State: in the hub's memory, shared by all its handlers. A restart of the hub forgets it;
marks of browsers outlive a restart.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

FORGET_S = 900.0
LONGEST_S = 60.0
MOST_KEPT = 20_000


class Rule(NamedTuple):
    """How many failures are free, and how the delay grows after them."""

    free: int
    first_s: float = 1.0


PERSON_HERE = Rule(5)
"""One person at one address (or in one known browser)."""
PERSON = Rule(20)
"""One person from anywhere, known browsers left out."""
ADDRESS = Rule(120)
"""One address, whoever is meant: thirty people may each mistype four times."""
LINKS = Rule(30)
"""One address with links that nobody issued."""


@dataclass
class _Count:
    failures: int
    last: float


class Attempts:
    """Failures of the last quarter of an hour."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._counts: dict[str, _Count] = {}

    def wait_s(self, keys: Iterable[tuple[str, Rule]]) -> int:
        """Return how many seconds are left to wait; 0 for go on."""
        return max((self._left(key, rule) for key, rule in keys), default=0)

    def failed(self, keys: Iterable[tuple[str, Rule]]) -> None:
        """Count a failure."""
        now = self._timer()
        if len(self._counts) >= MOST_KEPT:
            self._forget(now)
        for key, _rule in keys:
            count = self._live(key, now) or _Count(0, now)
            self._counts[key] = _Count(count.failures + 1, now)

    def forgive(self, keys: Iterable[tuple[str, Rule]]) -> None:
        """Take back what was counted for a try that was right.

        The first key is the person where they are: there, all failures are forgotten.
        """
        for number, (key, _rule) in enumerate(keys):
            count = self._counts.get(key)
            if count and number and count.failures > 1:
                self._counts[key] = _Count(count.failures - 1, count.last)
            elif count:
                del self._counts[key]

    def _left(self, key: str, rule: Rule) -> int:
        now = self._timer()
        count = self._live(key, now)
        over = count.failures - rule.free if count else -1
        if count is None or over < 0:
            return 0
        delay = min(LONGEST_S, rule.first_s * 2.0 ** min(over, 10))
        return max(0, math.ceil(count.last + delay - now))

    def _live(self, key: str, now: float) -> _Count | None:
        count = self._counts.get(key)
        return count if count and now - count.last < FORGET_S else None

    def _forget(self, now: float) -> None:
        self._counts = {k: c for k, c in self._counts.items() if now - c.last < FORGET_S}
        if len(self._counts) >= MOST_KEPT:
            # A flood of invented names: the oldest go first.
            newest = sorted(self._counts.items(), key=lambda item: item[1].last)[MOST_KEPT // 2 :]
            self._counts = dict(newest)


def sign_in_keys(name: str, address: str, browser: str) -> list[tuple[str, Rule]]:
    """Return what a try to sign in is counted under.

    Args:
        name: Whom somebody wants to be.
        address: Where the request came from.
        browser: Mark of a browser in which this person signed in before; empty without.
    """
    if browser:
        return [(f"browser {browser}", PERSON_HERE)]
    return [
        (f"person {name} at {address}", PERSON_HERE),
        (f"person {name}", PERSON),
        (f"address {address}", ADDRESS),
    ]


def code_keys(name: str) -> list[tuple[str, Rule]]:
    """Return what a try with a code of the second factor is counted under, from anywhere."""
    return [(f"code {name}", PERSON_HERE)]


def link_keys(address: str) -> list[tuple[str, Rule]]:
    """Return what a try with a link is counted under."""
    return [(f"links {address}", LINKS)]


def client_address(forwarded: str, *, front: bool) -> str:
    """Return the address of the browser, of what our own proxy handed on.

    Each proxy appends whom it heard to `X-Forwarded-For`: ours stands last, and whatever a
    client wrote there itself stands further left.

    Args:
        forwarded: All of `X-Forwarded-For`.
        front: Whether a front on this machine was named; it wrote the last but one.
    """
    heard = [part.strip() for part in forwarded.split(",") if part.strip()] or [""]
    if not front:
        return heard[-1]
    return next((one for one in reversed(heard) if not _is_here(one)), heard[-1])


def _is_here(address: str) -> bool:
    return address.removeprefix("::ffff:").startswith("127.") or address in {"::1", ""}
