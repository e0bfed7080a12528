"""A campus with one run of the real course, and graders that tests start, kill and start again."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.tables import Evidence, Job, Result, Submission
from bioskills.base.wire import VERSION_HEADER
from bioskills.graders.workshop import TIMESTAMP

RUN = "sequences-spring-27"
LEARNER = "p-000001"
STEPS = ("claimed", "fetched", "graded", "recorded", "kept", "delivered")

GRADER = """
import bioskills.graders.warm
import json, logging, os, signal, sys
from dataclasses import replace
from pathlib import Path
from bioskills.base.settings import Grading
from bioskills.graders.__main__ import serve
from bioskills.graders.campus_client import Campus
from bioskills.graders.daemon import Grader
from bioskills.graders import own_parent
from bioskills.graders.grading import Bench
from bioskills.graders.start import executor_of
from bioskills.base.settings import Settings

given = json.loads(sys.argv[1])

def reached(step):
    print(step, flush=True)
    if step == given["last"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if step == given["pause_at"]:
        sys.stdin.readline()

bench = Bench(Path(given["lab"]), Path(given["course"]), 30, 300, given["key"])
logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
settings = Settings(grading=Grading(**given["grading"]))
if not given["quick"] and settings.grading.executor == "pool":
    # As in an installation: boxes of one fork server, which outlives every grader.
    bench = replace(bench, door=getattr(own_parent, given["door"][0])(Path(given["door"][1])))
start = executor_of(settings, bench)
if given["quick"]:
    sys.path.append(given["quick"])
    from bioskills_quick_grading import grade_quickly
    from bioskills.graders.pool import Pool
    start = lambda say: Pool(bench, settings.grading.at_once, say, grade_quickly)
grader = Grader(
    Path(given["root"]), Campus(given["url"], given["token"]), bench.key, start,
    gradebooks=settings.grading.gradebook_url, wait_s=0.3 if given["until_idle"] else 10, reached=reached,
)
serve(grader, lambda: given["until_idle"] and grader.is_idle)
"""


@dataclass
class Campus:
    """The campus as a process that can be killed, beside the one in the tests' own process."""

    exchange: Any
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/campus/"

    def start(self) -> None:
        network = self.exchange.site.settings.network
        file = self.exchange.folder / "storm.toml"
        file.write_text(
            f"[network]\nport = {network.port}\nhub_port = {network.hub_port}\n"
            f'campus_port = {self.port}\n[paths]\ndata_dir = "{self.exchange.folder}/data"\n'
        )
        environ = {**os.environ, "BIOSKILLS_SETTINGS": str(file)}
        with (self.exchange.folder / "storm.log").open("ab") as log:
            command = [sys.executable, "-m", "bioskills.hub.campus"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)


def end_own_parent(starter: int) -> None:
    """End the warm parent that a process started for itself and, killed, could not end."""
    for folder in Path("/run").glob(f"bsh-own-{starter}-*"):
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "cmdline").read_text().split("\0")
                if "bioskills.fork_server" in words and str(folder / "fork.json") in words:
                    os.kill(int(process.name), signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Place:
    """A campus with one run, and a grader that can be started as a process."""

    exchange: Any
    class_: Any
    root: Path
    hand_ins: int = 0
    key: str = "course:test"
    quick: bool = False
    url: str = ""
    grading: dict[str, Any] = field(default_factory=lambda: {"at_once": 2})
    pids: list[int] = field(default_factory=list)

    def grader(
        self, last: str = "", *, until_idle: bool = True, pause_at: str = ""
    ) -> "subprocess.Popen[str]":
        """Start the grader; it ends itself where nothing waits, or dies after the step `last`.

        After the step `pause_at` it waits for a line.
        """
        settings = self.exchange.site.settings
        bench = self.class_.bench
        door = bench.way_in()
        token = (Path(settings.paths.data_dir) / "state/campus/grader_token").read_text()
        given = {
            "root": str(self.root),
            "url": self.url or self.exchange.url,
            "token": token,
            "lab": str(bench.lab),
            "course": str(bench.course),
            "key": self.key,
            "last": last,
            "pause_at": pause_at,
            "until_idle": until_idle,
            "grading": self.grading,
            "door": [type(door).__name__, str(door.path)],
            "quick": str(Path(__file__).parent) if self.quick else "",
        }
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", GRADER, json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pids.append(process.pid)
        return process

    def work(self, last: str = "") -> tuple[list[str], str]:
        """Run the grader to its end; return the steps it reached and what it logged."""
        process = self.grader(last)
        steps, log = process.communicate(timeout=400)
        assert process.returncode == (-signal.SIGKILL if last else 0), log
        return steps.split(), log

    def hand_in(
        self,
        answers: Mapping[str, str] | None = None,
        who: str = "lea",
        more: Mapping[str, bytes] | None = None,
    ) -> int:
        """Hand in p1 as this learner does from a Lab; each time other bytes."""
        self.hand_ins += 1
        given = self.class_.solution("p1") if answers is None else dict(answers)
        given["cut_out_answer"] = given.get("cut_out_answer", "") + f"\n# {self.hand_ins}"
        tree = self.class_.work("p1", given)
        answer = self.exchange.call(
            "POST",
            self.exchange.assignment("p1", "submissions"),
            self.exchange.lab(who),
            content=tar_of({**tree, **(more or {})}),
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


def tar_of(files: Mapping[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


def check_one_of_each(place: Place, submission: int) -> None:
    """One result, evidence for each outcome once, one row in the gradebook, and the folders."""
    (result,) = place.rows(Result, submission_id=submission)
    assert result.verdict == "graded"
    (handed_in,) = place.rows(Submission, id=submission)
    rows = place.rows(Evidence, task="p1", submitted_at=handed_in.submitted_at)
    assert len({row.outcome for row in rows}) == len(rows)
    assert rows
    assert [row.supersedes for row in rows] == [None] * len(rows)
    whose = f"where student_id = '{LEARNER}'"
    ((moment,),) = place.gradebook(f"select timestamp from submitted_assignment {whose}")
    assert moment == handed_in.submitted_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    for kind in ("submitted", "autograded"):
        folder = place.root / "runs" / RUN / kind / LEARNER / "p1"
        assert (folder / TIMESTAMP).read_text().startswith(moment)
