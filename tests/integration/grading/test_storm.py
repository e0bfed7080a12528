"""A whole class hands in at once, while campus and grader are killed again and again."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from bioskills_grader import RUN, Campus, Place, tar_of
from sqlalchemy import func, select

from bioskills.base.tables import Cohort, Evidence, Job, Membership, Person, Result, Submission
from bioskills.base.wire import VERSION_HEADER, Receipt

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

LEARNERS = 200
AT_ONCE = 50
CAMPUS_DIES_AFTER = (40, 90, 150)  # hand-ins
GRADER_DIES_AFTER = (30, 100)  # gradings; one fewer than a job has tries
BOSS_TOKEN = "boss-token-0123456789abcdef012345"


@pytest.fixture
def tokens(exchange: Any) -> list[str]:
    """Seat 200 learners; return the tokens of their labs."""
    names = [f"storm{n:03}" for n in range(LEARNERS)]
    with exchange.site.store.transaction() as session:
        cohort = session.query(Cohort).one()
        for number, name in enumerate(names, start=1000):
            person = Person(name=name, pseudonym=f"p-{number:06}", display_name=name)
            session.add(person)
            session.flush()
            session.add(
                Membership(person_id=person.id, cohort_id=cohort.id, role="learner", source="test")
            )
    port = exchange.site.settings.network.hub_port
    httpx.post(
        f"http://127.0.0.1:{port}/hub/api/users",
        json={"usernames": names},
        headers={"Authorization": f"token {BOSS_TOKEN}"},
        trust_env=False,
        timeout=120,
    ).raise_for_status()
    return [exchange.lab(name) for name in names]


def hand_in(labs: httpx.Client, campus: Campus, token: str, tree: bytes) -> Receipt:
    """Hand in as a Lab does: again and again until there is an answer."""
    url = f"{campus.url}exchange/v1/runs/{RUN}/assignments/p1/submissions"
    headers = {"Authorization": f"Bearer {token}", VERSION_HEADER: "1"}
    end = time.monotonic() + 600
    while time.monotonic() < end:
        try:
            answer = labs.post(url, content=tree, headers=headers)
        except httpx.TransportError:
            time.sleep(1)
            continue
        if answer.status_code < 500:
            return Receipt.model_validate_json(answer.raise_for_status().content)
        time.sleep(1)
    raise AssertionError("no answer in ten minutes")


def count(place: Place, table: Any) -> int:
    with place.exchange.site.store.reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def under_way(place: Place) -> int:
    with place.exchange.site.store.reading() as session:
        return len(session.scalars(select(Job.id).where(Job.state != "done")).all())


@dataclass
class Storm:
    """What is killed when."""

    place: Place
    campus: Campus
    grader: "subprocess.Popen[str]"
    campus_dies: list[int]
    grader_dies: list[int]

    def blow(self, over: Callable[[], bool]) -> None:
        """Kill and start again, until it is over."""
        end = time.monotonic() + 700
        while not over():
            assert time.monotonic() < end, Counter(job.state for job in self.place.rows(Job))
            if self.campus_dies and count(self.place, Submission) >= self.campus_dies[0]:
                self.campus_dies.pop(0)
                self.campus.kill()
                self.campus.start()
            if self.grader_dies and count(self.place, Result) >= self.grader_dies[0]:
                self.grader_dies.pop(0)
                end_grader(self.grader, signal.SIGKILL)
                self.grader = self.place.grader(until_idle=False)
            time.sleep(0.5)


def end_grader(process: "subprocess.Popen[str]", by: signal.Signals) -> str:
    process.send_signal(by)
    return process.communicate(timeout=60)[1]


def test_nothing_is_lost_and_nothing_is_doubled_when_everything_is_killed(
    place: Place, campus: Campus, tokens: list[str], class_: Any
) -> None:
    place.quick, place.url, place.grading = True, campus.url, {"at_once": 3}
    work = class_.released("p1")
    trees = [tar_of({**work, "mine.txt": str(n).encode()}) for n in range(LEARNERS)]
    storm = Storm(
        place,
        campus,
        place.grader(until_idle=False),
        list(CAMPUS_DIES_AFTER),
        list(GRADER_DIES_AFTER),
    )
    try:
        patient = httpx.Client(
            timeout=60, trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE)
        )
        with patient as labs, ThreadPoolExecutor(AT_ONCE) as pool:
            promised: list[Future[Receipt]] = [
                pool.submit(hand_in, labs, campus, token, tree)
                for token, tree in zip(tokens, trees, strict=True)
            ]
            storm.blow(lambda: all(one.done() for one in promised))
        storm.blow(lambda: not storm.grader_dies and under_way(place) == 0)
    finally:
        log = end_grader(storm.grader, signal.SIGTERM)

    assert storm.campus_dies == [], log
    submissions = {row.id: row for row in place.rows(Submission)}
    for receipt in (one.result() for one in promised):
        row = submissions[receipt.submission_id]
        assert (row.receipt, row.tree_sha256) == (receipt.receipt, receipt.tree_sha256)
        assert row.submitted_at == receipt.submitted_at
    assert len({row.person_id for row in submissions.values()}) == LEARNERS
    results = Counter(row.submission_id for row in place.rows(Result))
    assert results == dict.fromkeys(submissions, 1)
    assert {row.verdict for row in place.rows(Result)} == {"graded"}
    evidence = Counter((row.learner, row.attempt, row.outcome) for row in place.rows(Evidence))
    assert set(evidence.values()) == {1}
    assert len({key[:2] for key in evidence}) == len(submissions)
    check_folders(place)


def check_folders(place: Place) -> None:
    """One row for each learner in the gradebook, and a folder with the same time."""
    rows = place.gradebook("select student_id, timestamp from submitted_assignment")
    assert len(rows) == LEARNERS
    for learner, moment in rows:
        for kind in ("submitted", "autograded"):
            folder: Path = place.root / "runs" / RUN / kind / learner / "p1"
            assert (folder / "timestamp.txt").read_text().startswith(moment)
    ungraded = "select count(*) from grade where auto_score is null and needs_manual_grade = 0"
    assert place.gradebook(ungraded) == [(0,)]
