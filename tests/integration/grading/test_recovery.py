"""kill -9 at every step of a grading: nothing is lost, nothing is doubled."""

import io
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bioskills.base.tables import Evidence, Job, Result, Run, Submission
from bioskills.base.wire import VERSION_HEADER
from bioskills.graders.workshop import TIMESTAMP
from bioskills.hub.campus import jobs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

RUN = "sequences-spring-27"
LEARNER = "p-000001"
STEPS = ("claimed", "fetched", "graded", "recorded", "kept", "delivered")

GRADER = """
import bioskills.graders.warm
import logging, os, signal, sys
from pathlib import Path
from bioskills.graders.__main__ import serve
from bioskills.graders.campus_client import Campus
from bioskills.graders.daemon import Grader
from bioskills.graders.grading import Bench
from bioskills.graders.pool import Pool

root, url, token, lab, course, last = sys.argv[1:]

def reached(step):
    print(step, flush=True)
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

bench = Bench(Path(lab), Path(course), 30, 300, "course:test")
logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
start = lambda say: Pool(bench, 2, say)
grader = Grader(Path(root), Campus(url, token), "course:test", start, wait_s=0.2, reached=reached)
serve(grader, lambda: grader.is_idle)
"""


@dataclass
class Place:
    """A campus with one run, and a grader that can be started as a process."""

    exchange: Any
    class_: Any
    root: Path
    hand_ins: int = 0

    def grader(self, last: str = "") -> "subprocess.Popen[str]":
        """Start the grader; it ends itself where nothing waits, or dies after the step `last`."""
        settings = self.exchange.site.settings
        bench = self.class_.bench
        token = (Path(settings.paths.data_dir) / "state/campus/grader_token").read_text()
        words = [str(self.root), self.exchange.url, token, str(bench.lab), str(bench.course), last]
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", GRADER, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def work(self, last: str = "") -> tuple[list[str], str]:
        """Run the grader to its end; return the steps it reached and what it logged."""
        process = self.grader(last)
        steps, log = process.communicate(timeout=120)
        assert process.returncode == (-signal.SIGKILL if last else 0), log
        return steps.split(), log

    def hand_in(self, answers: Mapping[str, str] | None = None) -> int:
        """Hand in p1 as lea does from her Lab; each time other bytes."""
        self.hand_ins += 1
        given = self.class_.solution("p1") if answers is None else dict(answers)
        given["cut_out_answer"] = given.get("cut_out_answer", "") + f"\n# {self.hand_ins}"
        tree = self.class_.work("p1", given)
        answer = self.exchange.call(
            "POST",
            self.exchange.assignment("p1", "submissions"),
            self.exchange.lab("lea"),
            content=_tar(tree),
            headers={VERSION_HEADER: "1"},
        )
        return int(answer.raise_for_status().json()["submission_id"])

    def rows(self, table: Any, **where: Any) -> list[Any]:
        with self.exchange.site.store.reading() as session:
            return list(session.query(table).filter_by(**where))

    def job_of(self, submission: int) -> Any:
        return self.rows(Job, submission_id=submission)[-1]

    def gradebook(self, question: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.root / "runs" / RUN / "gradebook.db") as database:
            return database.execute(question).fetchall()


def _tar(files: Mapping[str, bytes]) -> bytes:

    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


@pytest.fixture(scope="module")
def grader_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("state") / "grader"
    root.mkdir(mode=0o700)
    return root


@pytest.fixture
def place(exchange: Any, class_: Any, grader_root: Path) -> Iterator[Place]:
    found = Place(exchange, class_, grader_root)
    if not (grader_root / "runs").exists():
        with exchange.site.store.transaction() as session:
            jobs.ensure_release(session, session.query(Run).one())
        assert found.work()[0] == ["claimed", "delivered"]
    found.hand_ins = 100 * len(found.rows(Submission))
    yield found
    assert not list(grader_root.glob("runs/*/slots/*"))
    assert not list(grader_root.glob("spool/*"))


def check_one_of_each(place: Place, submission: int) -> None:
    """One result, evidence for each outcome once, one row in the gradebook, and the folders."""
    (result,) = place.rows(Result, submission_id=submission)
    assert result.verdict == "graded"
    (handed_in,) = place.rows(Submission, id=submission)
    rows = place.rows(Evidence, task="p1", submitted_at=handed_in.submitted_at)
    assert len({row.outcome for row in rows}) == len(rows)
    assert rows
    assert [row.supersedes for row in rows] == [None] * len(rows)
    (moment,) = place.gradebook("select timestamp from submitted_assignment")[0]
    assert moment == handed_in.submitted_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    for kind in ("submitted", "autograded"):
        folder = place.root / "runs" / RUN / kind / LEARNER / "p1"
        assert (folder / TIMESTAMP).read_text().startswith(moment)


@pytest.mark.parametrize(
    "step", [pytest.param(s, marks=[] if s == "recorded" else [pytest.mark.slow]) for s in STEPS]
)
def test_a_grader_that_dies_after_a_step_does_the_job_again(place: Place, step: str) -> None:
    submission = place.hand_in()
    reached, _log = place.work(step)
    assert reached[-1] == step
    assert place.job_of(submission).state == ("done" if step == "delivered" else "running")

    reached, log = place.work()

    assert reached == ([] if step == "delivered" else list(STEPS))
    assert ("Took back 1 jobs" in log) == (step != "delivered")
    assert place.job_of(submission).state == "done"
    check_one_of_each(place, submission)


def test_a_grader_that_is_asked_to_end_puts_its_job_back(place: Place) -> None:
    submission = place.hand_in()
    process = place.grader()
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "fetched":
            process.terminate()
    _out, log = process.communicate(timeout=60)

    job = place.job_of(submission)
    assert (process.returncode, job.state, job.tries) == (0, "queued", 0), log
    assert place.work()[0] == list(STEPS)
    check_one_of_each(place, submission)


def test_manual_grades_survive_a_regrade(place: Place) -> None:
    first = place.hand_in()
    place.work()
    with sqlite3.connect(place.root / "runs" / RUN / "gradebook.db") as database:
        database.execute(
            "update grade set manual_score = 1.5, needs_manual_grade = 0 "
            "where cell_id = (select id from base_cell where name = 'cut_out')"
        )
    with place.exchange.site.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, first), 1)
    place.work()

    question = "select manual_score, auto_score, needs_manual_grade from grade join base_cell on base_cell.id = cell_id where name = 'cut_out'"
    assert place.gradebook(question) == [(1.5, 3.0, 1)]
    cells = {cell["cell"]: cell for cell in place.rows(Result, submission_id=first)[-1].cells}
    assert (cells["p1/cut_out"]["manual_points"], cells["p1/cut_out"]["needs_person"]) == (
        "1.5",
        True,
    )
    with sqlite3.connect(place.root / "runs" / RUN / "gradebook.db") as database:
        database.execute("update grade set manual_score = null")


@pytest.mark.slow
def test_an_earlier_hand_in_that_is_graded_late_replaces_nothing(place: Place) -> None:
    first, second = place.hand_in({}), place.hand_in()
    place.work()
    with place.exchange.site.store.transaction() as session:
        jobs.grade_again(session, session.get_one(Submission, first), 1)
    place.work()

    check_one_of_each(place, second)
    assert {
        row[0] for row in place.gradebook("select auto_score from grade where auto_score > 0")
    } == {2.0, 3.0}
    assert [row.cells[0]["auto_points"] for row in place.rows(Result, submission_id=first)] == [
        "0",
        "0",
    ]


def test_gradebooks_hold_pseudonyms_and_the_pristine_one_nobody(place: Place) -> None:
    place.hand_in()
    place.work()

    assert place.gradebook("select id, first_name, last_name, email from student") == [
        (LEARNER, None, None, None)
    ]
    with sqlite3.connect(place.root / "runs" / RUN / "pristine.db") as database:
        assert database.execute("select count(*) from student").fetchone() == (0,)
        assert database.execute("select count(*) from submitted_assignment").fetchone() == (0,)
    assert {path.stat().st_mode & 0o077 for path in (place.root / "runs").iterdir()} == {0}


def test_the_log_says_what_happened_and_quotes_nothing(place: Place) -> None:
    place.hand_in({"count_records_answer": "raise ValueError('my secret answer')"})
    _steps, log = place.work()

    lines = log.strip().splitlines()
    assert any(
        "of sequences-spring-27, submission" in line and ": graded in" in line for line in lines
    ), log
    assert len(lines) < 8, log
    for quoted in ("my secret answer", "ValueError", "assert", "Unwritable", "arrow_in_header"):
        assert quoted not in log
