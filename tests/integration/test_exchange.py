"""The exchange over real HTTP: a real campus, a real hub, real SQLite."""

import io
import json
import os
import socket
import tarfile
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from bioskills_waiting import eventually
from fastapi import FastAPI

from bioskills.base.tables import ApiToken, Evidence, Job, Result, Submission, now
from bioskills.base.wire import VERSION_HEADER
from bioskills.hub.campus import grader_routes
from bioskills.hub.campus.app import create_app

pytestmark = pytest.mark.integration

RUN = "sequences-spring-27"
GRADER_TOKEN = "grader-token-0123456789abcdef012"
SAFE = {"GET", "HEAD", "OPTIONS"}
CELLS = {
    "p1": ("count_records", "other_strand", "cut_out"),
}


@pytest.fixture(scope="module", autouse=True)
def _released(exchange: Any, tar: Any) -> None:
    for name in ("p1", "s1"):
        body = tar({f"{name}.ipynb": b'{"cells": []}', "data/a.fasta": b">a\nACGT\n"})
        answer = exchange.call(
            "PUT", exchange.assignment(name, "release"), GRADER_TOKEN, content=body
        )
        assert answer.status_code == 200, answer.text


def hand_in(exchange: Any, body: Any, who: str = "lea", version: str = "1") -> httpx.Response:
    return exchange.call(
        "POST",
        exchange.assignment("p1", "submissions"),
        exchange.lab(who),
        content=body,
        headers={VERSION_HEADER: version},
    )


def claim(exchange: Any) -> dict[str, Any] | None:
    answer = exchange.call("POST", "api/v1/grader/jobs/claim", GRADER_TOKEN, json={})
    return next(iter(answer.raise_for_status().json()["jobs"]), None)


def progress(exchange: Any, job: int) -> httpx.Response:
    how = {"step": "running", "done": 1, "of": 4}
    return exchange.call("POST", f"api/v1/grader/jobs/{job}/progress", GRADER_TOKEN, json=how)


def grade() -> dict[str, Any]:
    cells = [
        {"cell": f"p1/{name}", "max_points": "2", "auto_points": "1", "needs_person": False}
        for name in CELLS["p1"]
    ]
    return {"verdict": "graded", "cells": cells}


def test_the_way_of_one_piece_of_work(exchange: Any, tar: Any) -> None:
    lab = exchange.lab("lea")
    listed = exchange.call("GET", f"exchange/v1/runs/{RUN}/assignments", lab).json()
    fetched = exchange.call("GET", exchange.assignment("p1", "release"), lab)
    with tarfile.open(fileobj=io.BytesIO(fetched.content)) as tree:
        names = tree.getnames()
    receipt = hand_in(exchange, tar({"p1.ipynb": b'{"cells": [1]}'})).json()
    job = claim(exchange)
    assert job is not None
    files = exchange.call(
        "GET", f"exchange/v1/runs/{RUN}/submissions/{job['submission_id']}/files", GRADER_TOKEN
    )
    begun = progress(exchange, job["id"])
    done = exchange.call(
        "POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade()
    )
    seen = exchange.call("GET", exchange.assignment("p1", "submissions"), lab).json()

    assert [a["name"] for a in listed["assignments"]] == ["p1", "s1"]
    assert fetched.headers[VERSION_HEADER] == "1"
    assert names == ["data/a.fasta", "p1.ipynb"]
    assert job["submission_id"] == receipt["submission_id"]
    assert job["learner"] == "p-000001"
    with tarfile.open(fileobj=io.BytesIO(files.content)) as tree:
        assert tree.getnames() == ["p1.ipynb"]
    assert (begun.status_code, done.status_code) == (204, 204)
    assert [(s["state"], s["learner"]) for s in seen["submissions"]] == [("published", "lea")]


def test_the_grader_reads_the_course_it_grades(exchange: Any) -> None:
    answer = exchange.call("GET", "api/v1/grader/courses/sequences-first-steps/0.1.0", GRADER_TOKEN)

    assert answer.status_code == 200
    assert answer.content[:2] == b"PK"


def test_all_faults_of_a_tree_come_in_one_answer(exchange: Any, tar: Any) -> None:
    answer = hand_in(exchange, tar({"../up": b"", "a\\b": b"", "p1.ipynb": b"{}"}))

    assert answer.status_code == 422
    assert answer.json()["error"] == "tree"
    assert "../up: the name leaves the folder" in answer.json()["message"]
    assert "a\\b: the name holds a backslash" in answer.json()["message"]


def test_nothing_is_stored_of_work_without_its_notebook(exchange: Any, tar: Any) -> None:
    def stored() -> int:
        return len([path for path in exchange.site.objects.root.rglob("*") if path.is_file()])

    before = stored()
    answer = hand_in(exchange, tar({"mine.ipynb": b"{}", "large.bin": b"1" * 500_000}))

    assert (answer.status_code, answer.json()["error"]) == (422, "no_notebook")
    assert stored() == before


def test_a_body_above_the_limit_is_refused_with_a_sentence(exchange: Any) -> None:
    def endless() -> Iterator[bytes]:
        for _n in range(16):
            yield b"0" * 1_000_000

    answer = hand_in(exchange, endless())

    assert answer.status_code == 413
    assert "10 MB" in answer.json()["message"]


def test_the_campus_holds_no_tree_in_memory(exchange: Any, tar: Any) -> None:
    body = io.BytesIO(tar({"p1.ipynb": b"{}", "large.bin": b"0" * 9_900_000}))
    exchange.lab("max")
    tracemalloc.start()
    answer = hand_in(exchange, iter(lambda: body.read(65_536), b""), "max")
    # The campus answers in a thread of this process.
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer.status_code == 201
    assert peak < 3_000_000


def test_a_connection_that_breaks_leaves_nothing(exchange: Any, tar: Any) -> None:
    with exchange.site.store.reading() as session:
        before = session.query(Submission).count()
    port = exchange.site.settings.network.campus_port
    head = (
        f"POST /services/campus/{exchange.assignment('p1', 'submissions')} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {exchange.lab('lea')}\r\n"
        f"{VERSION_HEADER}: 1\r\nContent-Length: 100000\r\n\r\n"
    )
    begun = tar({"p1.ipynb": b"0" * 50_000})[:40_000]
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(head.encode() + begun)
        assert eventually(lambda: spooled(exchange)), "the campus reads it"

    assert eventually(lambda: not spooled(exchange))
    assert not list(exchange.site.objects.root.glob("*.part"))
    with exchange.site.store.reading() as session:
        assert session.query(Submission).count() == before


def spooled(exchange: Any) -> list[str]:
    """Return the bodies that the campus, a thread of this process, is reading."""
    held = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [path for path in held if path.startswith(f"{exchange.site.objects.root}/")]


@pytest.mark.parametrize("version", ["x", "-1", "1" * 40, "\u0661".encode()])
def test_a_version_that_is_no_number_is_refused(exchange: Any, tar: Any, version: Any) -> None:
    answer = exchange.call(
        "POST",
        exchange.assignment("p1", "submissions"),
        exchange.lab("lea"),
        content=tar({"p1.ipynb": b"{}"}),
        headers={VERSION_HEADER: version},
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "version"


def test_nobody_reads_the_work_of_another(exchange: Any, tar: Any) -> None:
    theirs = hand_in(exchange, tar({"p1.ipynb": b'"max"'}), "max").json()["submission_id"]
    lab = exchange.lab("lea")
    files = exchange.call("GET", f"exchange/v1/runs/{RUN}/submissions/{theirs}/files", lab)
    pages = exchange.call("GET", f"exchange/v1/runs/{RUN}/submissions/{theirs}/feedback-html", lab)
    listed = exchange.call("GET", exchange.assignment("p1", "submissions"), lab).json()

    assert (files.status_code, pages.status_code) == (403, 404)
    assert {s["learner"] for s in listed["submissions"]} <= {"lea"}


def test_one_verb_of_a_token_is_not_another(exchange: Any, tar: Any) -> None:
    release = exchange.call(
        "PUT",
        exchange.assignment("p1", "release"),
        exchange.named("collect"),
        content=tar({"p1.ipynb": b"{}"}),
    )
    collect = exchange.call(
        "GET", exchange.assignment("p1", "submissions"), exchange.named("release")
    )

    assert (release.status_code, collect.status_code) == (403, 403)
    assert "may do: collect" in release.json()["message"]


def test_an_instructors_token_hands_nothing_in(exchange: Any, tar: Any) -> None:
    answer = exchange.call(
        "POST",
        exchange.assignment("p1", "submissions"),
        exchange.named("list", "release", "collect", "feedback"),
        content=tar({"p1.ipynb": b"{}"}),
    )

    assert answer.status_code == 403


def test_a_revoked_token_opens_nothing(exchange: Any) -> None:
    token = exchange.named("collect")
    path = exchange.assignment("p1", "submissions")
    assert exchange.call("GET", path, token).status_code == 200
    with exchange.site.store.transaction() as session:
        for row in session.query(ApiToken):
            row.revoked_at = now()

    assert exchange.call("GET", path, token).status_code == 401


def test_a_token_is_stored_as_a_hash(exchange: Any) -> None:
    token = exchange.named("collect")
    with exchange.site.store.reading() as session:
        rows = [vars(row) for row in session.query(ApiToken)]

    assert token not in repr(rows)


def all_routes(app: FastAPI) -> Iterator[Any]:
    for route in app.routes:
        # An included router keeps its routes to itself and says what they amount to.
        amounts = getattr(route, "effective_route_contexts", None)
        yield from amounts() if amounts else [route]


def unsafe_routes(exchange: Any) -> list[tuple[str, str]]:
    return [
        (method, route.path.format_map(_Filled()))
        for route in all_routes(create_app(exchange.site))
        for method in sorted((getattr(route, "methods", None) or set()) - SAFE)
    ]


class _Filled(dict[str, str]):
    """Real values for the parts of a path."""

    def __missing__(self, key: str) -> str:
        known = {"run": RUN, "slug": RUN, "name": "p1", "assignment": "p1", "cohort": "spring-27"}
        return known.get(key, "1")


def test_a_lab_changes_nothing_but_hands_in_even_an_instructors(exchange: Any) -> None:
    routes = unsafe_routes(exchange)
    handing_in = ("POST", f"/services/campus/{exchange.assignment('p1', 'submissions')}")
    assert handing_in in routes
    assert len(routes) > 8

    prefix = "/services/campus/"
    answers = {
        (method, path): exchange.call(
            method, path.removeprefix(prefix), exchange.lab("ina"), headers=_host(exchange, path)
        ).status_code
        for method, path in routes
        if (method, path) != handing_in
    }

    assert set(answers.values()) == {403}, answers


def _host(exchange: Any, path: str) -> dict[str, str]:
    """Call pages as a program in a lab would, by their public name."""
    programs = ("/services/campus/api/", "/services/campus/exchange/")
    if path.startswith(programs):
        return {}
    return {"Host": urlsplit(exchange.site.url).netloc, "Origin": exchange.site.origin}


@pytest.mark.parametrize("lost", ["claim", "progress", "result"])
def test_a_grader_that_dies_between_two_steps_doubles_nothing(
    exchange: Any, tar: Any, lost: str
) -> None:
    while job := claim(exchange):
        exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())
    receipt = hand_in(exchange, tar({"p1.ipynb": json.dumps(lost).encode()})).json()

    first = claim(exchange)
    assert first is not None
    if lost != "claim":
        progress(exchange, first["id"])
    if lost == "result":
        exchange.call(
            "POST", f"api/v1/grader/jobs/{first['id']}/result", GRADER_TOKEN, json=grade()
        )
    # The answer was lost and the worker is gone; the time of its lease passes.
    with exchange.site.store.transaction() as session:
        row = session.get_one(Job, first["id"])
        row.lease_until = row.lease_until and now()
    second = claim(exchange)
    for job in filter(None, (second, first)):
        exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())

    assert (second is None) == (lost == "result")
    with exchange.site.store.reading() as session:
        results = session.query(Result).filter_by(submission_id=receipt["submission_id"]).all()
        evidence = session.query(Evidence).filter_by(result_id=results[0].id).all()
    assert len(results) == 1
    assert sorted(row.outcome for row in evidence) == ["BSH-U04-K2", "BSH-U04-S1"]


def test_the_page_makes_a_token_once_and_takes_it_back(exchange: Any) -> None:
    """A browser's way is walked in tests/integration/sign_in; here, who may not."""
    url = f"{exchange.site.url}tokens".replace(
        exchange.site.origin, f"http://127.0.0.1:{exchange.site.settings.network.campus_port}"
    )
    host = {"Host": exchange.site.url.split("/")[2]}

    assert httpx.get(url, headers=host, trust_env=False).status_code == 303
    assert httpx.post(url, headers=host, trust_env=False).status_code in {401, 403}


def test_many_requests_at_once_give_one_attempt_each(exchange: Any, tar: Any) -> None:
    exchange.lab("max")
    same = tar({"p1.ipynb": b'"same"'})
    others = [tar({"p1.ipynb": b"%d" % n}) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: hand_in(exchange, body, "max"), others))
        retries = list(pool.map(lambda body: hand_in(exchange, body, "max"), [same] * 4))

    assert {answer.status_code for answer in [*answers, *retries]} == {201}
    assert len({answer.json()["attempt"] for answer in answers}) == 4
    assert len({answer.json()["receipt"] for answer in retries}) == 1


def questions(exchange: Any) -> int:
    """Return how often a grader asked for work."""
    return int(exchange.site.bell._newest)


def test_a_grader_that_waits_is_given_work_as_it_is_handed_in(
    exchange: Any, tar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grader_routes, "LOOK_S", 60)  # so that only the hand-in itself can wake it
    while job := claim(exchange):
        exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())
    asked = questions(exchange)
    with ThreadPoolExecutor() as pool:
        ask = {"wait_s": 25, "holding": [], "environment": "course:test"}
        waits = pool.submit(
            exchange.call, "POST", "api/v1/grader/jobs/claim", GRADER_TOKEN, json=ask
        )
        assert eventually(lambda: questions(exchange) > asked)
        receipt = hand_in(exchange, tar({"p1.ipynb": b'{"cells": ["waited for"]}'})).json()
        (job,) = waits.result().json()["jobs"]

    assert job["submission_id"] == receipt["submission_id"]
    exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())


def test_a_question_that_the_grader_gave_up_takes_nothing(exchange: Any, tar: Any) -> None:
    while job := claim(exchange):
        exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())
    asked = questions(exchange)
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(
            exchange.call, "POST", "api/v1/grader/jobs/claim", GRADER_TOKEN, json={"wait_s": 25}
        )
        assert eventually(lambda: questions(exchange) > asked)
        exchange.call("POST", "api/v1/grader/jobs/claim", GRADER_TOKEN, json={"at_most": 0})
        receipt = hand_in(exchange, tar({"p1.ipynb": b'{"cells": ["given up"]}'})).json()
        assert waits.result().json()["jobs"] == []

    job = claim(exchange)
    assert job is not None
    assert job["submission_id"] == receipt["submission_id"]
    exchange.call("POST", f"api/v1/grader/jobs/{job['id']}/result", GRADER_TOKEN, json=grade())
