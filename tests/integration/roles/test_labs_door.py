"""An admin sees, starts and stops labs; why one does not start is told in words; all is noted."""

import os
import re

import pytest
from bioskills_cast import Cast, sqlite_of
from bioskills_http import end_lab, rest, server_of
from bioskills_waiting import eventually

from bioskills.base.wire import RUN_LABS_SCOPE

pytestmark = pytest.mark.integration


def door(cast: Cast, name: str, method: str, path: str = ""):
    """Ask the door with everything that this person may do."""
    return cast.hub(cast.people[name], method, f"bioskills/labs{path}")


def post(cast: Cast, path: str, **data: str):
    """Send a form of the admin's."""
    who = cast.people["ada"]
    form = {"_csrf": who.csrf, **data}
    headers = {"Origin": cast.origin}
    return who.browser.post(cast.product.campus + path, data=form, headers=headers)


def test_the_list_says_who_since_when_and_how_much_and_nothing_of_what_is_in_it(cast: Cast) -> None:
    assert cast.lab_runs("red")
    found = door(cast, "ada", "GET").raise_for_status().json()
    lab = next(one for one in found["labs"] if one["name"] == "red-lea")

    assert (lab["state"], lab["failure"]) == ("running", "")
    assert lab["started"].endswith("Z")
    assert 0 < lab["memory"] < lab["memory_limit"]
    assert not re.search(r"token|url|port|pid|uid", " ".join(lab))


def test_a_list_is_given_in_parts_and_refuses_what_is_no_number(cast: Cast) -> None:
    whole = door(cast, "ada", "GET").json()
    part = door(cast, "ada", "GET", "?offset=1&limit=1").json()

    assert part["total"] == whole["total"]
    assert [lab["name"] for lab in part["labs"]] == [whole["labs"][1]["name"]]
    assert door(cast, "ada", "GET", "?limit=many").status_code == 400


def test_a_start_that_fails_is_told_in_words_and_can_be_tried_again(cast: Cast) -> None:
    product, uid = cast.product, cast.product.uid("red-mo")
    end_lab(product, "red-mo")
    home = product.data / "homes" / str(uid)
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, 0, 0)  # another account's, as the fork server sees it

    page = post(cast, "admin/labs/start", who="red-mo")
    assert page.status_code == 409
    assert "belongs to another account" in page.text
    assert "Traceback" not in page.text
    listed = door(cast, "ada", "GET").json()
    failed = next(one for one in listed["labs"] if one["name"] == "red-mo")
    assert (failed["state"], failed["reason"]) == ("failed", "home_foreign")
    assert listed["labs"][0]["state"] == "failed", "what needs somebody comes first"
    overview = cast.ask(cast.people["ada"], "GET", "admin").text
    assert "1 lab did not start." in overview

    os.chown(home, uid, uid)
    again = re.search(r'action="/services/campus/(admin/labs/[^/]+/start)"', page.text)
    assert again
    assert post(cast, again[1]).is_success
    assert eventually(lambda: server_of(product, "red-mo").get("ready"))


def test_stopping_shows_its_plan_stops_and_is_noted(cast: Cast) -> None:
    with sqlite_of(cast.product) as database:
        pseudonym = database.execute(
            "select pseudonym from person where name = 'red-mo'"
        ).fetchone()[0]
    plan = cast.ask(cast.people["ada"], "GET", f"admin/labs/{pseudonym}/stop")
    assert "Red-Mo Test" in plan.text
    assert server_of(cast.product, "red-mo")

    page = post(cast, f"admin/labs/{pseudonym}/stop")
    assert "was stopped. Saved files are safe." in page.text or "is being stopped" in page.text
    assert eventually(lambda: not server_of(cast.product, "red-mo"))
    with sqlite_of(cast.product) as database:
        rows = database.execute(
            "select action, subject from audit_entry where subject = ? order by id",
            (f"lab/{pseudonym}",),
        ).fetchall()
    assert ("started lab", f"lab/{pseudonym}") in rows
    assert ("tried to start lab", f"lab/{pseudonym}") in rows, "the one that failed"
    assert rows[-1] == ("stopped lab", f"lab/{pseudonym}")


def test_starting_what_runs_changes_nothing_and_is_no_fault(cast: Cast) -> None:
    assert cast.lab_runs("red")
    before = server_of(cast.product, "red-lea")["started"]

    page = post(cast, "admin/labs/start", who="red-lea")
    assert page.is_success
    assert "The lab of Red-Lea Test runs already; nothing was changed." in page.text
    assert server_of(cast.product, "red-lea")["started"] == before


def test_the_door_has_no_other_verbs(cast: Cast) -> None:
    """It stands on the hub's own handler, whose verbs are not all ours."""
    assert {door(cast, "ada", m).status_code for m in ("POST", "PUT", "PATCH", "DELETE")} == {405}
    assert {door(cast, "ada", m, "/red-lea").status_code for m in ("PUT", "PATCH")} == {405}


def test_nobody_without_a_seat_gets_a_lab(cast: Cast) -> None:
    rest(cast.product, "POST", "users/stranger")

    answer = door(cast, "ada", "POST", "/stranger")
    assert answer.status_code == 409
    assert "no seat" in answer.json()["message"]
    assert door(cast, "ada", "POST", "/grading-red-run").status_code == 409


def test_no_token_but_an_admins_own_carries_the_scope(cast: Cast) -> None:
    """The campus's token, the provisioner's, and a learner's session at the campus."""
    for name, who in cast.people.items():
        if who.token:
            scopes = cast.hub(who, "GET", "user").json()["scopes"]
            assert (RUN_LABS_SCOPE in scopes) == (name == "ada"), name
    campus = (cast.product.data / "state/campus/hub_token").read_text().strip()
    who = type(cast.people["ada"])("campus", None, cast.people["ada"].browser, token=campus)
    cast.people["the campus itself"] = who
    try:
        assert door(cast, "the campus itself", "GET").status_code == 403
        assert door(cast, "the campus itself", "DELETE", "/red-lea").status_code == 403
    finally:
        del cast.people["the campus itself"]


def test_who_is_no_admin_any_more_runs_no_labs_with_the_old_session(cast: Cast) -> None:
    """The hub takes the person's scopes as they are now, whatever the token was given."""
    assert door(cast, "max", "GET").status_code == 403
    assert door(cast, "red-adm", "GET").status_code == 403, "an admin of a cohort is none"
