"""Points given in formgrader stay, and *Autograde* is the platform's grader."""

import sqlite3
from contextlib import closing

import pytest
from bioskills_formgrader import FIRST, Formgrader
from bioskills_waiting import eventually, halted

pytestmark = pytest.mark.integration

AUTOGRADE = "formgrader/api/submission/p1/p-000001/autograde"
GRADED_S = 240


def state(ina: Formgrader) -> str:
    told = ina.send("GET", "formgrader/api/assignment/p1/gradings").json()
    return str(told["p-000001"]["state"])


def autograde(ina: Formgrader, path: str = AUTOGRADE) -> None:
    """Press the button and wait for the grader."""
    told = ina.send("POST", path).json()
    assert told["success"], told
    assert eventually(lambda: state(ina) == "done", GRADED_S)


def test_autograde_answers_at_once_and_the_grader_does_the_work(ina: Formgrader) -> None:
    before = len(ina.results())

    with halted(ina.grader):  # an answer that waited for a grading would never come
        told = ina.send("POST", AUTOGRADE).json()
        seen = state(ina)
        page = ina.get("formgrader/manage_submissions/p1")  # the server is free meanwhile
    assert eventually(lambda: state(ina) == "done", GRADED_S)

    assert told["success"]
    assert page.is_success
    assert seen in {"queued", "running"}
    assert before + 1 == len(ina.results())


def test_pressing_twice_asks_once(ina: Formgrader) -> None:
    before = len(ina.results())
    with halted(ina.grader):  # so that the first is not done before the second is asked
        first, second = (ina.send("POST", AUTOGRADE).json() for _n in range(2))
    assert eventually(lambda: state(ina) == "done", GRADED_S)

    assert first["success"]
    assert second["success"]
    assert before + 1 == len(ina.results())


def test_all_hand_ins_can_be_asked_for_at_once(ina: Formgrader) -> None:
    before = len(ina.results())
    autograde(ina, "formgrader/api/assignment/p1/autograde")

    assert before + 1 == len(ina.results())


def test_an_unknown_learner_is_a_sentence(ina: Formgrader) -> None:
    told = ina.send("POST", "formgrader/api/submission/p1/p-000777/autograde").json()

    assert told["success"] is False
    assert "no hand-in of p-000777" in told["log"]


def test_points_of_a_person_stay_when_the_work_is_graded_again(ina: Formgrader) -> None:
    mine, comment = ina.grades()[0], ina.comments()[0]
    answer = ina.save(f"grade/{mine['id']}", {"manual_score": 1.5, "extra_credit": None})
    written = ina.save(f"comment/{comment['id']}", {"manual_comment": "Nearly."})

    autograde(ina)

    assert (answer.status_code, written.status_code) == (200, 200)
    assert ina.rows("select manual_score from grade where id = ?", mine["id"]) == [(1.5,)]
    assert ina.rows("select manual_comment from comment where id = ?", comment["id"]) == [
        ("Nearly.",)
    ]
    # Nobody has put them into the result: the machine alone cannot.
    found = ina.results(FIRST)[-1][f"p1/{mine['name']}"]
    assert (found["manual_points"], found["needs_person"]) == (None, True)


def test_the_page_of_a_hand_in_shows_what_the_grader_wrote_last(ina: Formgrader) -> None:
    query = "select g.auto_score, g.id from grade g where g.auto_score is not null"
    with closing(sqlite3.connect(ina.gradebook, timeout=30)) as database:
        score, grade = database.execute(query).fetchone()
        seen = ina.send("GET", f"formgrader/api/grade/{grade}").json()["auto_score"]
        with database:
            database.execute("update grade set auto_score = ? where id = ?", (score + 1, grade))
        after = ina.send("GET", f"formgrader/api/grade/{grade}").json()["auto_score"]
        with database:
            database.execute("update grade set auto_score = ? where id = ?", (score, grade))

    assert (score, score + 1) == (seen, after)


@pytest.mark.parametrize(
    "body",
    [
        {"manual_score": 99, "extra_credit": None},
        {"manual_score": -1, "extra_credit": None},
        {"manual_score": "1e999", "extra_credit": None},
        {"manual_score": "much", "extra_credit": None},
        {"manual_score": 1, "extra_credit": -3},
        ["manual_score"],
    ],
    ids=str,
)
def test_points_that_the_cell_cannot_have_are_refused(ina: Formgrader, body: object) -> None:
    ((grade, before),) = ina.rows("select id, manual_score from grade limit 1")
    answer = ina.save(f"grade/{grade}", body)

    assert answer.status_code == 400
    assert ina.rows("select manual_score from grade where id = ?", grade) == [(before,)]


def test_points_of_nothing_are_not_found(ina: Formgrader) -> None:
    body = {"manual_score": 1, "extra_credit": None}

    assert ina.save("grade/nothing", body).status_code == 404
