"""The roles as a table of data.

Law: a role gives what this table says and nothing else; every scope that can
be filtered by cohort is. The hub's roles are derived from here for each person
when they sign in and at each refresh; the reference page is made from it.
"""

from dataclasses import dataclass

from bioskills.base.tables import PLATFORM
from bioskills.base.wire import LAB_SCOPE, RUN_LABS_SCOPE
from bioskills.hub.membership import Seat

CAMPUS_ACCESS = "access:services!service=campus"


@dataclass(frozen=True)
class RoleRule:
    """What one role means.

    Attributes:
        title: The word on pages.
        purpose: One sentence for the reference.
        group: Name of the hub group, with ``{cohort}``.
        scopes: Hub scopes, with ``{cohort}``; never unfiltered for a cohort's role.
    """

    title: str
    purpose: str
    group: str
    scopes: tuple[str, ...] = ()


ROLE_TABLE: dict[str, RoleRule] = {
    "learner": RoleRule(
        "Learner",
        "Works on lessons and assignments, hands in, reads feedback.",
        "learners-{cohort}",
    ),
    "instructor": RoleRule(
        "Instructor",
        "Opens assignments, gives extensions, returns feedback, sees the cohort's progress.",
        "instructors-{cohort}",
        ("list:users!group=learners-{cohort}", "read:users:name!group=learners-{cohort}"),
    ),
    "assessor": RoleRule(
        "Assessor",
        "Judges what only a person can judge; an instructor puts it into results.",
        "assessors-{cohort}",
    ),
    "certifier": RoleRule(
        "Certifier",
        "Sees who has reached which unit, with the evidence it rests on; reads nobody's work.",
        "certifiers-{cohort}",
    ),
    "admin": RoleRule(
        "Admin",
        "Provisions people and cohorts, starts and stops labs; reads nobody's work.",
        "admins-{cohort}",
        (
            *("admin-ui", "list:users", "read:users", "servers", "list:services", "read:hub"),
            RUN_LABS_SCOPE,
        ),
    ),
    "manager": RoleRule(
        "Manager",
        "Sees figures about courses and cohorts, on the platform about all; no person by name.",
        "managers-{cohort}",
    ),
    "funder": RoleRule(
        "Funder",
        "Sees the figures of what they fund added up; none that is about fewer than five people.",
        "funders-{cohort}",
    ),
}

EVERYBODY: tuple[str, ...] = ("self", CAMPUS_ACCESS, LAB_SCOPE)
"""Scopes of the hub's default role `user`: own lab, the campus, the lab verbs."""


def groups_of(held: list[Seat]) -> list[str]:
    """Return the names of the hub groups that these seats mean."""
    return sorted({ROLE_TABLE[seat.role].group.format(cohort=seat.cohort) for seat in held})


def hub_role_of(seat: Seat) -> dict[str, object] | None:
    """Return the hub role of a seat, or None where the default role is enough."""
    rule = ROLE_TABLE[seat.role]
    if not rule.scopes or (seat.role == "admin" and seat.cohort != PLATFORM):
        return None
    return {
        "name": f"{seat.role}-{seat.cohort}",
        "description": f"{rule.title} of {seat.cohort}",
        "scopes": [scope.format(cohort=seat.cohort) for scope in rule.scopes],
    }
