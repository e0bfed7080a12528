"""Each role asks each address, of its own cohort and of another: exactly the table answers.

A cell is one request. What opens may still say that something is missing in a form; what
is closed says 401, 403 or 404, or leads to sign-in. A wrong cell is printed whole.
"""

from collections.abc import Iterator

import httpx
import pytest
from bioskills_cast import COHORTS, OURS, Cast, Persona, seats_of_all

from bioskills.hub.role_routes import (
    CAMPUS_ROUTES,
    HUB_ROUTES,
    Opening,
    opens_to_person,
    opens_to_program,
)

pytestmark = pytest.mark.integration

CLOSED = {401, 403, 404}
LAST = "sign-out"
EVERYBODY = [*seats_of_all(), "nobody"]
OWNERS = {"submission_id": "lea", "token_id": "ina"}
"""Whose thing an address names: the end of the owner's name."""


def opened(answer: httpx.Response) -> bool:
    """Say whether an address was opened; being sent to sign in is not."""
    return answer.status_code not in CLOSED and "/sign-in" not in answer.headers.get("location", "")


def cells(openings: tuple[Opening, ...], own: str) -> Iterator[tuple[Opening, str]]:
    """Yield each address with the cohort it is about; without things of others once."""
    for opening in openings:
        for cohort in COHORTS if opening.has_others else [own]:
            yield opening, cohort


def owns(who: Persona, opening: Opening, cohort: str) -> bool:
    """Say whether the thing that an address names is this person's."""
    return any(
        f"{{{mark}}}" in opening.path and who.name == f"{cohort}-{owner}"
        for mark, owner in OWNERS.items()
    )


def wrong(cell: str, expected: bool, answer: httpx.Response) -> list[str]:
    """Return the cell where it is not as the table says."""
    if opened(answer) == expected:
        return []
    said = {True: "open", False: "closed"}
    return [f"{cell}: the table says {said[expected]}, the answer was {answer.status_code}"]


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_person_opens_exactly_what_the_table_says(cast: Cast, name: str) -> None:
    who, faults = cast.people[name], []
    own = who.seat.cohort if who.seat and who.seat.cohort in COHORTS else COHORTS[0]
    for opening, cohort in cells(CAMPUS_ROUTES, own):
        if opening.path == LAST:
            continue
        answer = cast.ask(who, opening.method, cast.things[cohort].path(opening.path))
        mine = owns(who, opening, cohort)
        expected = opens_to_person(opening, who.seats, cohort, owns=mine)
        faults += wrong(f"{name} {opening.method} {opening.path} of {cohort}", expected, answer)

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_person_opens_exactly_what_the_table_says_at_the_hub(cast: Cast, name: str) -> None:
    who, faults = cast.people[name], []
    for opening, cohort in cells(HUB_ROUTES, COHORTS[0]):
        path = cast.things[cohort].path(opening.path)
        if path.startswith(OURS):
            assert cast.lab_runs(cohort)
            answer = cast.hub(who, opening.method, path)
        else:
            address = f"{cast.product.url}/hub/{path}"
            answer = who.browser.request(opening.method, address, follow_redirects=False)
        expected = opens_to_person(opening, who.seats, cohort, owns=False)
        told = httpx.Response(401) if "/hub/login" in answer.headers.get("location", "") else answer
        faults += wrong(f"{name} {opening.method} {opening.path} of {cohort}", expected, told)

    assert not faults, "\n".join(faults)


def test_a_token_opens_exactly_what_the_table_says(cast: Cast) -> None:
    faults = []
    for name, (kind, own, token) in cast.programs().items():
        for opening, cohort in cells(CAMPUS_ROUTES, own or COHORTS[0]):
            if "lab of" in name and opening.has_others:
                continue  # what an instructor's own lab may see is in the next test
            answer = cast.call(token, opening.method, cast.things[cohort].path(opening.path))
            expected = opens_to_program(opening, kind or "lab", own=cohort == own)
            faults += wrong(f"{name} {opening.method} {opening.path} of {cohort}", expected, answer)

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("cohort", COHORTS)
def test_the_lab_of_an_instructor_is_lent_nothing_of_learners(cast: Cast, cohort: str) -> None:
    token = cast.programs()[f"{cohort} lab of ina"][2]
    about_learners = [
        opening
        for opening in CAMPUS_ROUTES
        if "{submission_id}" in opening.path or opening.method != "GET"
    ]
    faults = []
    for opening in about_learners:
        hands_in = opening.programs == ("lab",) and opening.method == "POST"
        answer = cast.call(token, opening.method, cast.things[cohort].path(opening.path))
        faults += wrong(f"{opening.method} {opening.path}", hands_in and opened(answer), answer)

    assert not faults, "\n".join(faults)


def test_a_session_opens_nothing_that_is_meant_for_programs(cast: Cast) -> None:
    teacher, faults = cast.people["red-ina"], []
    for opening in CAMPUS_ROUTES:
        if opening.reach == "programs":
            answer = cast.ask(teacher, opening.method, cast.things["red"].path(opening.path))
            faults += wrong(f"session {opening.method} {opening.path}", False, answer)

    assert not faults, "\n".join(faults)


def test_everybody_can_sign_out_and_nobody_else_can(cast: Cast) -> None:
    assert cast.ask(cast.people["nobody"], "POST", LAST).status_code == 401
    who = cast.people["blue-fun"]

    assert cast.ask(who, "POST", LAST).status_code == 303
    assert not opened(cast.ask(who, "GET", "passport"))
