"""What the campus gives a formgrader's token, on a real hub and campus."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bioskills.base.run_tokens import LIFETIME, run_token
from bioskills.base.tables import AuditEntry, Job, now
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
