"""What a cohort file wants.

Vocabulary: the *wish* is what the file wants a cohort to be, whole: who is not named in it
has no seat from it. A *fault* is a problem that knows its line, column and value.
"""

from dataclasses import dataclass, field
from datetime import datetime

from bioskills.base.problems import Problem
from bioskills.base.tables import PLATFORM
from bioskills.base.text import _
from bioskills.hub.cohort_limits import Limits

SHOWN_CHARS = 100
PLATFORM_ROLES = ("admin", "manager")


@dataclass(frozen=True)
class Fault(Problem):
    """A problem of one value of a file.

    Attributes:
        line: Line of the text or row of the sheet, from 1; 0 where it is the whole file's.
    """

    line: int = 0
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class WantedPerson:
    """A person as the file wants them; `since` and `until` are those of their seats.

    Attributes:
        returns: Whether somebody who has left the cohort takes part again.
    """

    name: str
    display_name: str
    email: str | None
    roles: tuple[str, ...]
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    pseudonym: str = ""
    returns: bool = False
    where: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    def fault(self, column: str, value: str, what: str, step: str) -> Fault:
        """Return a fault in this person's row."""
        return Fault(self.where or self.name, what, "", step, self.line, column, value)


@dataclass(frozen=True)
class WantedRun:
    """A delivery of a course as the file wants it."""

    slug: str
    course: str
    version: str
    opens_at: datetime
    closes_at: datetime
    time_zone: str


@dataclass(frozen=True)
class Wish:
    """A cohort as the file wants it."""

    cohort: str
    title: str
    people: tuple[WantedPerson, ...]
    runs: tuple[WantedRun, ...]
    limits: Limits = field(default_factory=dict)
    seats: int | None = None
    environment: str = ""

    def seats_of(self, person: WantedPerson) -> list[tuple[str, str]]:
        """Return the (cohort, role) pairs; admins and managers serve the whole platform."""
        return [
            (PLATFORM if role in PLATFORM_ROLES else self.cohort, role) for role in person.roles
        ]


def bad(where: str, key: str, value: str, rule: str, line: int = 0) -> Fault:
    """Return the fault of a value that breaks a rule."""
    what = _("{key} is {value!r}.").format(key=key, value=shortened(value))
    return Fault(where, what, rule, "", line, key, shortened(value))


def shortened(value: str) -> str:
    """Return as much of a value as a message can show."""
    return value if len(value) <= SHOWN_CHARS else f"{value[:SHOWN_CHARS]}…"
