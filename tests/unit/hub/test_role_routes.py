"""What the table of addresses says for one person or one token."""

import pytest

from bioskills.base.tables import PLATFORM
from bioskills.hub.membership import Seat
from bioskills.hub.role_routes import (
    CAMPUS_ROUTES,
    Opening,
    opens_to_person,
    opens_to_program,
)
from bioskills.hub.role_words import words_of

COHORT_PAGE = Opening("GET", "cohorts/{cohort}", "cohort", ("instructor",))
OWN_THING = Opening("GET", "feedback/{submission_id}", "cohort", ("instructor",), owner=True)
ADMINS_PAGE = Opening("GET", "admin", "platform", ("admin",))
FIGURES = Opening("GET", "figures/{cohort}", "cohort", ("manager",))
ANY_COURSE = Opening("GET", "courses", "held", ("instructor",))
OPEN = Opening("GET", "healthz", "everybody")
TOKENS = Opening("GET", "runs/{run}/files", "programs", programs=("instructor", "grader"))


@pytest.mark.parametrize(
    ("opening", "seat", "owns", "expected"),
    [
        (COHORT_PAGE, Seat("red", "instructor"), False, True),
        (COHORT_PAGE, Seat("blue", "instructor"), False, False),
        (COHORT_PAGE, Seat("red", "learner"), False, False),
        (OWN_THING, Seat("red", "learner"), True, True),
        (OWN_THING, Seat("red", "learner"), False, False),
        (ADMINS_PAGE, Seat(PLATFORM, "admin"), False, True),
        (ADMINS_PAGE, Seat("red", "admin"), False, False),
        (ANY_COURSE, Seat("blue", "instructor"), False, True),
        (ANY_COURSE, Seat("blue", "funder"), False, False),
        (TOKENS, Seat("red", "instructor"), True, False),
        (FIGURES, Seat("red", "manager"), False, True),
        (FIGURES, Seat("blue", "manager"), False, False),
        (FIGURES, Seat(PLATFORM, "manager"), False, True),
        (COHORT_PAGE, Seat(PLATFORM, "manager"), False, False),
    ],
)
def test_a_seat_opens_what_its_role_opens_where_it_is_held(
    opening: Opening, seat: Seat, owns: bool, expected: bool
) -> None:
    assert opens_to_person(opening, [seat], "red", owns=owns) is expected


def test_who_has_not_signed_in_opens_what_is_open_to_everybody_alone() -> None:
    found = [o for o in CAMPUS_ROUTES if opens_to_person(o, [], "red", owns=False)]

    assert {o.reach for o in found} == {"everybody"}
    assert OPEN.path in {o.path for o in found}


@pytest.mark.parametrize(
    ("program", "own", "expected"),
    [
        ("instructor", True, True),
        ("instructor", False, False),
        ("grader", False, True),
        ("lab", True, False),
    ],
)
def test_a_token_is_kept_to_its_own_run_and_the_grader_is_not(
    program: str, own: bool, expected: bool
) -> None:
    assert opens_to_program(TOKENS, program, own=own) is expected


def test_a_row_says_in_words_who_opens_it() -> None:
    assert words_of(OWN_THING) == "instructor of the cohort, who owns it"
    assert words_of(TOKENS) == "token:instructor token:grader"
    assert words_of(OPEN) == "everybody, signed in or not"


def test_admins_open_no_address_about_the_work_of_a_learner() -> None:
    about_work = ("passport/", "feedback/", "runs/", "cohorts/", "exchange/", "api/")
    found = [o.path for o in CAMPUS_ROUTES if "admin" in o.roles]

    assert [path for path in found if path.startswith(about_work)] == []
