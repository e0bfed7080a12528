"""Say in which words the table of addresses is written: one opening, and short ways to write it.

Law: pure; an opening says who opens an address and nothing about who asks.
"""

from dataclasses import dataclass
from typing import Literal

Reach = Literal["everybody", "signed_in", "held", "cohort", "platform", "programs"]
Program = Literal["lab", "instructor", "grader", "formgrader", "campus"]

TEACHING = ("instructor", "assessor")
INSTRUCTOR = ("instructor",)
ASSESSOR = ("assessor",)
CERTIFIER = ("certifier",)
MANAGER = ("manager",)
FUNDER = ("funder",)
ADMIN = ("admin",)


_OWNED = (
    *("{run}", "{cohort}", "{pseudonym}", "{submission_id}", "{token_id}"),
    "instructors/{name}",
)
"""What an address names that belongs to a cohort or a person."""


@dataclass(frozen=True)
class Opening:
    """Who opens one address.

    Attributes:
        method: HTTP method.
        path: Below the prefix of the campus, or of the hub; as the route is written.
        reach: How a role must be held; *programs* where no person opens it.
        roles: Which roles, where the reach asks for one.
        owner: Whether who owns the thing opens it, too.
        programs: Tokens that open it, each for its own run and its owner's things.
        page: Whether it is a page that a person must reach by clicks.
        when: When there is a link to it, where there is not always one.
    """

    method: str
    path: str
    reach: Reach
    roles: tuple[str, ...] = ()
    owner: bool = False
    programs: tuple[Program, ...] = ()
    page: bool = False
    when: str = ""

    @property
    def has_others(self) -> bool:
        """Whether it is about one thing of somebody, so that there are things of others."""
        return any(mark in self.path for mark in _OWNED)


def page(path: str, reach: Reach, *roles: str, owner: bool = False, when: str = "") -> Opening:
    """Return a page that a person must reach by clicks."""
    return Opening("GET", path, reach, roles, owner, page=True, when=when)


def file(path: str, reach: Reach, *roles: str, owner: bool = False) -> Opening:
    """Return something a page loads or a person saves."""
    return Opening("GET", path, reach, roles, owner)


def form(path: str, reach: Reach, *roles: str) -> Opening:
    """Return an address that a form sends to."""
    return Opening("POST", path, reach, roles)


def api(method: str, path: str, *programs: Program) -> Opening:
    """Return an address for programs alone."""
    return Opening(method, path, "programs", programs=programs)
