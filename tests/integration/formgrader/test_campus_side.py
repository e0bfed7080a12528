"""What the campus gives a formgrader's token, on a real hub and campus."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bioskills.base.run_tokens import LIFETIME, run_token
from bioskills.base.tables import (
    AuditEntry,
    Job,
    Judgement,
    Membership,
    Person,
    Result,
    Run,
    Submission,
    now,
)
from bioskills.base.tables_teaching import Look
from bioskills.base.wire import VERSION_HEADER

pytestmark = pytest.mark.integration

GRADER_TOKEN = "grader-token-0123456789abcdef012"
RUN = "sequences-spring-27"
KEY = hashlib.sha256(GRADER_TOKEN.encode()).hexdigest()
GRADINGS = "api/v1/formgrader/assignments/p1/gradings"
BODY = {"by": "ina", "learner": ""}


@pytest.fixture(scope="module", autouse=True)
def _handed_in(exchange: Any, tar: Any) -> None:
    body = tar({"p1.ipynb": b'{"cells": []}'})
    path = exchange.assignment("p1", "release")
    assert exchange.call("PUT", path, GRADER_TOKEN, content=body).status_code == 200
    answer = exchange.call(
        "POST",
        exchange.assignment("p1", "submissions"),
        exchange.lab("lea"),
        content=body,
        headers={VERSION_HEADER: "1"},
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def token() -> str:
    return run_token(KEY, RUN, now())


def test_it_learns_who_teaches_its_run(exchange: Any, token: str) -> None:
    known = {"ina": 204, "lea": 403, "nobody": 403}

    assert known == {
        name: exchange.call("GET", f"api/v1/formgrader/instructors/{name}", token).status_code
        for name in known
    }


def test_an_assessor_comes_in_and_asks_for_no_grading(exchange: Any, token: str) -> None:
    with exchange.site.store.transaction() as session:
        cohort = session.query(Run).filter_by(slug=RUN).one().cohort_id
        asta = Person(name="asta", pseudonym="p-asta", display_name="Asta")
        session.add(asta)
        session.flush()
        seat = {"person_id": asta.id, "cohort_id": cohort, "role": "assessor", "source": "test"}
        session.add(Membership(**seat))
    comes_in = exchange.call("GET", "api/v1/formgrader/instructors/asta", token)
    asks = exchange.call("POST", GRADINGS, token, json={**BODY, "by": "asta"})

    assert (comes_in.status_code, asks.status_code) == (204, 403)
    assert "no instructor" in asks.json()["message"]


def test_a_wish_queues_a_grading_once_and_is_noted(exchange: Any, token: str) -> None:
    with exchange.site.store.transaction() as session:
        for job in session.query(Job).all():
            job.state, job.ended_at = "done", now()
    first = exchange.call("POST", GRADINGS, token, json=BODY).json()
    second = exchange.call("POST", GRADINGS, token, json=BODY).json()
    with exchange.site.store.reading() as session:
        queued = session.query(Job).filter_by(state="queued").count()
        noted = session.query(AuditEntry).filter_by(action="asked to grade again").first()

    assert [g["state"] for g in first["gradings"]] == ["queued"]
    assert first == second == exchange.call("GET", GRADINGS, token).json()
    assert queued == 1
    assert noted.subject == f"run/{RUN}"
    assert noted.detail["from"] == "formgrader"


@pytest.mark.parametrize("by", ["lea", "max", "nobody", ""])
def test_who_does_not_teach_the_run_gets_nothing_graded(exchange: Any, token: str, by: str) -> None:
    assert exchange.call("POST", GRADINGS, token, json={**BODY, "by": by}).status_code == 403


def test_another_run_s_or_an_old_or_a_false_token_gets_nothing(exchange: Any) -> None:
    tokens = {
        run_token(KEY, "another-run", now()): 404,
        run_token(KEY, RUN, now() - LIFETIME - timedelta(seconds=1)): 403,
        run_token("0" * 64, RUN, now()): 403,
        GRADER_TOKEN: 403,
        exchange.lab("ina"): 403,
        exchange.named("list"): 403,
    }

    assert list(tokens.values()) == [
        exchange.call("GET", GRADINGS, token).status_code for token in tokens
    ]


@pytest.mark.parametrize(
    "call",
    [
        ("POST", "api/v1/grader/jobs/claim"),
        ("POST", "api/v1/grader/jobs/1/result"),
        ("GET", f"exchange/v1/runs/{RUN}/submissions/1/files"),
        ("GET", f"exchange/v1/runs/{RUN}/assignments"),
        ("PUT", f"exchange/v1/runs/{RUN}/assignments/p1/release"),
        ("GET", "api/v1/lab/overview"),
    ],
    ids=" ".join,
)
def test_it_opens_nothing_else(exchange: Any, token: str, call: tuple[str, str]) -> None:
    assert exchange.call(*call, token).status_code in {401, 403, 404}


def test_a_body_that_says_something_else_is_refused_in_words(exchange: Any, token: str) -> None:
    answer = exchange.call("POST", GRADINGS, token, content=b"{}")

    assert answer.status_code == 422
    assert "was not understood" in answer.json()["message"]


JUDGEMENTS = "api/v1/formgrader/assignments/p1/judgements"
JUDGEMENT = {
    "by": "ina",
    "learner": "p-000001",
    "submitted_at": "2027-03-01T12:00:00Z",
    "kind": "points",
    "cell": "p1/count",
    "points": "1",
}


def judge(exchange: Any, token: str, **more: object) -> tuple[int, str]:
    with exchange.site.store.reading() as session:
        work = session.query(Submission).first()
        lea = session.get_one(Person, work.person_id)
    known = {"learner": lea.pseudonym, "submitted_at": work.submitted_at.isoformat()}
    body = {**JUDGEMENT, **known, **more}
    answer = exchange.call("POST", JUDGEMENTS, token, json=body)
    return answer.status_code, answer.json()["error"] if answer.status_code >= 400 else ""


@pytest.fixture
def _graded(exchange: Any) -> None:
    with exchange.site.store.transaction() as session:
        work = session.query(Submission).first()
        cell = {"cell": "p1/count", "max_points": "2", "auto_points": "1", "needs_person": False}
        session.add(
            Result(
                submission_id=work.id, verdict="graded", cells=[cell], hashes={}, state="published"
            )
        )


@pytest.mark.usefixtures("_graded")
def test_a_judgement_is_written_down_with_who_gave_it_and_for_which_hand_in(
    exchange: Any, token: str
) -> None:
    assert judge(exchange, token) == (204, "")

    with exchange.site.store.reading() as session:
        row = session.query(Judgement).order_by(Judgement.id.desc()).first()
        ina = session.query(Person).filter_by(name="ina").one()
        work = session.query(Submission).first()
    assert (row.by, row.submission_id, row.points) == (ina.pseudonym, work.id, "1")
    assert (row.settled_at, row.result_id) == (None, None)


# What is told, and how it is refused.
REFUSED: dict[str, tuple[dict[str, object], tuple[int, str]]] = {
    "by a learner": ({"by": "lea"}, (403, "forbidden")),
    "by nobody": ({"by": ""}, (403, "forbidden")),
    "for another hand-in": (
        {"submitted_at": "2027-01-01T00:00:00Z"},
        (409, "moved_on"),
    ),
    "for another person": ({"learner": "p-000099"}, (409, "moved_on")),
    "more than there is": ({"points": "2.5"}, (422, "impossible_points")),
    "a time of no zone": ({"submitted_at": "2027-01-01T00:00:00"}, (422, "not_understood")),
    "another kind": ({"kind": "praise"}, (422, "not_understood")),
    "a book": ({"comment": "x" * 20_001}, (422, "not_understood")),
}


@pytest.mark.usefixtures("_graded")
@pytest.mark.parametrize(("told", "how"), REFUSED.values(), ids=REFUSED)
def test_a_judgement_that_cannot_be_is_refused(
    exchange: Any, token: str, told: dict[str, object], how: tuple[int, str]
) -> None:
    with exchange.site.store.reading() as session:
        before = session.query(Judgement).count()

    assert judge(exchange, token, **told) == how
    with exchange.site.store.reading() as session:
        assert session.query(Judgement).count() == before


def test_only_a_formgraders_token_of_the_run_may_tell_a_judgement(exchange: Any) -> None:
    tokens = {
        run_token(KEY, "another-run", now()): 404,
        GRADER_TOKEN: 403,
        exchange.lab("ina"): 403,
        exchange.named("list"): 403,
    }

    assert list(tokens.values()) == [judge(exchange, token)[0] for token in tokens]


LOOKS = "api/v1/formgrader/looks"


def looked(exchange: Any, what: str) -> list[tuple[str, str]]:
    """Return the learner and the subject of each look of this kind."""
    with exchange.site.store.reading() as session:
        rows = session.query(Look, Person.name).join(Person, Person.id == Look.person_id)
        return [(name, row.subject) for row, name in rows.filter(Look.what == what)]


def test_whose_points_are_seen_is_noted_for_those_alone_who_handed_in(
    exchange: Any, token: str
) -> None:
    for told in ({}, {}, {"assignment": "s1"}, {"learner": "p-nobody"}):
        assert exchange.call("POST", LOOKS, token, json={"by": "ina", **told}).status_code == 204

    assert looked(exchange, "formgrader_points") == [("lea", RUN)], "once an hour and thing"


def test_a_hand_in_that_is_read_is_noted_with_its_assignment(exchange: Any, token: str) -> None:
    with exchange.site.store.reading() as session:
        lea = session.query(Person).filter_by(name="lea").one().pseudonym
    told = {"by": "ina", "assignment": "p1", "learner": lea, "work": True}

    assert exchange.call("POST", LOOKS, token, json=told).status_code == 204
    assert looked(exchange, "formgrader_work") == [("lea", f"{RUN}/p1")]


def test_a_look_of_who_does_not_teach_or_with_another_token_is_refused(
    exchange: Any, token: str
) -> None:
    tokens = {token: "lea", run_token(KEY, "another-run", now()): "ina", GRADER_TOKEN: "ina"}

    assert [
        exchange.call("POST", LOOKS, key, json={"by": by}).status_code for key, by in tokens.items()
    ] == [403, 404, 403]
