"""Groups and hub roles come from the role table and nothing else."""

import re

import pytest

from bioskills.base.tables import PLATFORM, ROLES
from bioskills.base.wire import LAB_SCOPE
from bioskills.hub.membership import Seat
from bioskills.hub.roles import EVERYBODY, ROLE_TABLE, groups_of, hub_role_of

COHORT_ROLES = [name for name in ROLES if name != "admin"]


def test_every_role_of_the_database_is_in_the_table() -> None:
    assert set(ROLE_TABLE) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_seat_means_one_group_of_its_cohort(role: str) -> None:
    assert groups_of([Seat("spring", role)]) == [f"{role}s-spring"]


@pytest.mark.parametrize("role", COHORT_ROLES)
def test_no_scope_of_a_cohorts_role_reaches_beyond_the_cohort(role: str) -> None:
    found = hub_role_of(Seat("spring", role))

    scopes = found["scopes"] if found else []
    assert isinstance(scopes, list)
    assert [scope for scope in scopes if not re.fullmatch(r"[a-z:]+!group=\w+-spring", scope)] == []


def test_hub_roles_are_named_after_seat_and_hold_exactly_the_tables_scopes() -> None:
    assert hub_role_of(Seat("spring", "instructor")) == {
        "name": "instructor-spring",
        "description": "Instructor of spring",
        "scopes": ["list:users!group=learners-spring", "read:users:name!group=learners-spring"],
    }


def test_an_admin_is_one_on_the_platform_alone() -> None:
    assert hub_role_of(Seat("spring", "admin")) is None
    assert hub_role_of(Seat(PLATFORM, "admin")) is not None


def test_no_role_may_open_a_lab_of_another_person() -> None:
    every = [scope for rule in ROLE_TABLE.values() for scope in rule.scopes]

    assert [
        s for s in every if s.startswith(("access:servers", "admin:", "tokens", "shares"))
    ] == []


def test_everybody_has_the_own_lab_the_campus_and_the_labs_verbs() -> None:
    assert EVERYBODY == ("self", "access:services!service=campus", LAB_SCOPE)


def test_the_roles_of_a_person_in_two_cohorts_do_not_mix() -> None:
    held = [Seat("autumn", "learner"), Seat("spring", "instructor")]

    assert groups_of(held) == ["instructors-spring", "learners-autumn"]
    assert hub_role_of(held[0]) is None
