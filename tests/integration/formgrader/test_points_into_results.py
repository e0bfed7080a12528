"""From a person's points in formgrader to the learner's feedback and evidence."""

import json

import httpx
import pytest
from bioskills_formgrader import FIRST, Formgrader
from bioskills_handins import RUN, HandIns
from bioskills_http import the
from bioskills_waiting import eventually, halted

pytestmark = pytest.mark.integration

POINTS = f"runs/{RUN}/assignments/p1/points"
BOARD = f"runs/{RUN}/grading"


def feedback(lea: HandIns) -> dict[str, object]:
    """Return what lea's panel shows of her newest hand-in."""
    found = lea.call("GET", "assignments/p1/submissions").json()["submissions"][0]
    port = lea.product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"]
    url = f"http://127.0.0.1:{port}/services/campus/api/v1/lab/feedback/{found['submission_id']}"
    headers = {"Authorization": f"Bearer {lea.token}"}
    answer = httpx.get(url, headers=headers, trust_env=False, timeout=60)
    return dict(answer.raise_for_status().json())


def give(ina: Formgrader, points: float, text: str, hand_in: str | None = None) -> str:
    """Give points and a comment in formgrader for the first test; return the cell's name."""
    grade = ina.grades()[0]
    about = ina.platform("select notes from course_version")[0][0]
    answer = json.loads(about)["p1"]["cells"][grade["name"]]["answer"]
    comment = next(one for one in ina.comments() if one["name"] == answer)
    given = ina.save(
        f"grade/{grade['id']}", {"manual_score": str(points), "extra_credit": None}, hand_in
    )
    assert given.status_code == 200, given.text
    assert ina.save(f"comment/{comment['id']}", {"manual_comment": text}, hand_in).is_success
    return f"p1/{grade['name']}"


def test_points_reach_the_learner_when_an_instructor_puts_them_in(
    ina: Formgrader, lea: HandIns
) -> None:
    cell = give(ina, 0.5, "Nearly: look at the last letter.")
    before = ina.platform("select max(seq) from evidence")[0][0]
    listed, shown = ina.campus(BOARD).text, ina.campus(POINTS).text

    done = ina.press(POINTS, POINTS)

    assert "points given by hand, not in results yet" in listed
    assert "Nearly: look at the last letter." in shown
    assert "The points of" in done.text
    found = ina.results(FIRST)[-1][cell]
    assert (found["manual_points"], found["needs_person"]) == ("0.5", False)
    told = feedback(lea)
    criterion = next(one for one in told["criteria"] if one["cell"] == cell)  # type: ignore[attr-defined]
    assert (criterion["points"], criterion["comment"]) == (
        "0.5",
        "Nearly: look at the last letter.",
    )
    added = ina.platform("select actor, supersedes, pending from evidence where seq > ?", before)
    assert added
    assert all(row[1] for row in added)
    (judged,) = ina.platform("select judged from result where job_id is null order by id")[0]
    who = ina.platform("select pseudonym from person where name = 'ina'")[0][0]
    assert json.loads(judged)[cell]["by"] == who
    assert who in {row[0] for row in added}


def test_graded_again_the_result_keeps_them(ina: Formgrader) -> None:
    cell = give(ina, 1, "Better.")
    ina.press(POINTS, POINTS)
    ina.send("POST", f"formgrader/api/submission/p1/{FIRST}/autograde")

    def state() -> str:
        told = ina.send("GET", "formgrader/api/assignment/p1/gradings").json()
        return str(told[FIRST]["state"])

    assert eventually(lambda: state() == "done", 240)
    found = ina.results(FIRST)[-1][cell]
    assert (found["manual_points"], found["person_comment"], found["needs_person"]) == (
        "1",
        "Better.",
        False,
    )


def test_what_was_read_before_a_new_hand_in_is_not_saved_for_it(
    ina: Formgrader, lea: HandIns
) -> None:
    shown, grade = ina.shown(), ina.grades()[0]
    lea.hand_in("p1")
    assert lea.graded("p1")
    assert eventually(lambda: ina.shown() != shown)
    held = ina.rows("select manual_score from grade where id = ?", grade["id"])
    noted = ina.platform("select count(*) from judgement")
    body = {"manual_score": 0.25, "extra_credit": None}

    refused = [ina.save(f"grade/{grade['id']}", body, hand_in) for hand_in in (shown, "", "soon")]

    assert [answer.status_code for answer in refused] == [409] * 3
    assert "Load the page again" in refused[0].json()["message"]
    assert ina.rows("select manual_score from grade where id = ?", grade["id"]) == held
    assert ina.platform("select count(*) from judgement") == noted
    assert ina.save(f"grade/{grade['id']}", body).is_success


def test_nothing_is_saved_while_the_campus_is_away(ina: Formgrader) -> None:
    shown, grade = ina.shown(), ina.grades()[0]
    held = ina.rows("select manual_score from grade where id = ?", grade["id"])
    body = {"manual_score": 0.75, "extra_credit": None}
    with halted(the(ina.product, "bioskills.hub.campus")):
        answer = ina.save(f"grade/{grade['id']}", body, shown)

    assert answer.status_code in {409, 503}
    assert ina.rows("select manual_score from grade where id = ?", grade["id"]) == held
