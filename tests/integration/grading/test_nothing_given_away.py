"""Nothing that a learner reads depends on what the hidden tests hold.

One submission tries every way of `leaks.py` at once, against two assignments
that differ in the text of their hidden tests alone. It is graded as in
service, delivered to a campus, and read as its learner: if any way worked,
in whatever code, the two readings would differ.
"""

import asyncio
import base64
import codecs
import importlib.util
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from bioskills_tests import ROOT

from bioskills.base import tables, wire
from bioskills.base.settings import Grading
from bioskills.base.wire import CAMPUS_PREFIX, ODD_POINTS, Feedback, GradeResult, Job
from bioskills.graders.exchange.feedback_page import feedback_page
from bioskills.graders.gradebook import record
from bioskills.graders.grading import Bench, grade
from bioskills.graders.workshop import Workshop, stamp, submitted_folder
from bioskills.hub.campus import jobs

sys.path.insert(0, str(ROOT / "extensions" / "competence-lab"))
from bioskills_lab.campus import Campus


def _load(name: str, path: Path) -> ModuleType:
    """Load what tests share by its path: test folders are no packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


leaks = _load("grading_leaks", Path(__file__).parent / "leaks.py")
builders = _load("grading_pages_builders", ROOT / "tests" / "unit" / "pages" / "builders.py")

pytestmark = [
    pytest.mark.integration,
    # nbgrader's own way to make a submission's rows.
    pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning"),
]

NOTES = {
    "p1": {
        "cells": {
            name: {
                "title": f"Task {name}",
                "graded": "automatic",
                "answer": "count_answer",
                "checks": [
                    {"id": "plain", "visible": True, "label": "three letters"},
                    {"id": "stripes", "visible": False, "label": "stripes"},
                ],
                "hints": ["Count the letters."],
            }
            for name in ("count", "part", "again")
        }
    }
}


@dataclass
class Reading:
    """Everything that one learner can read of one hand-in.

    Attributes:
        result: What the grader said.
        graded: The notebook as it was after the run; the grader keeps it to itself.
        texts: Every answer to the learner, by where it was read.
    """

    result: GradeResult
    graded: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def feedback(self) -> Feedback:
        return Feedback.model_validate_json(self.texts["api/v1/lab/feedback/1"])


@dataclass
class Classroom:
    """One run of the small assignment: a workshop for the grader, a campus for its learner."""

    shop: Workshop
    bench: Bench
    world: Any

    def released(self, name: str = "p1") -> bytes:
        return (self.shop.root / "release" / "p1" / f"{name}.ipynb").read_bytes()

    def read(self, work: bytes) -> Reading:
        """Hand this notebook in, grade and deliver it, and read what came back."""
        submission = self.world.hand_in("kim", 1, "p1")
        with self.world.store.transaction() as session:
            (job,) = jobs.claim(session, wire.Claim(), builders.NOW, Grading())
        result, graded = self._graded(job, work)
        with self.world.store.transaction() as session:
            jobs.finish(session, job.id, result, builders.NOW)
        return Reading(result, graded, dict(self._answers(submission)))

    def _graded(self, job: Job, work: bytes) -> tuple[GradeResult, dict[str, Any]]:
        with self.shop.slot(job) as slot:
            folder = submitted_folder(slot, job)
            (folder / "p1.ipynb").write_bytes(work)
            (folder / "q1.ipynb").write_bytes(leaks.armed_second(self.released("q1")))
            stamp(folder, job)
            result = grade(job, slot, self.bench)
            (path,) = (slot / "autograded").rglob("p1.ipynb")
            graded = json.loads(path.read_bytes())
        recorded = record(self.shop.gradebook_url, job, result)
        # As it travels: whatever is no plain data is lost here.
        return GradeResult.model_validate_json((recorded or result).model_dump_json()), graded

    def _answers(self, submission: int) -> Iterator[tuple[str, str]]:
        for page in ("", f"feedback/{submission}", "passport"):
            yield page, self.world.browser("kim").get(CAMPUS_PREFIX + page).text
        lab = self.world.lab("kim")
        for path in (f"api/v1/lab/feedback/{submission}", "api/v1/lab/overview"):
            yield path, lab.get(CAMPUS_PREFIX + path).text
        answer = lab.get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")
        if answer.status_code == httpx.codes.OK:
            yield "fetch_feedback", feedback_page(Feedback.model_validate_json(answer.content))
            yield "panel", json.dumps(asyncio.run(self._in_the_panel(submission)))

    async def _in_the_panel(self, submission: int) -> dict[str, Any]:
        """Ask through the panel's own client; only its socket is replaced by the campus itself."""
        campus = Campus(f"{self.world.site.origin}{CAMPUS_PREFIX}", "token")
        await campus.close()
        campus._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.world.app, client=("127.0.0.1", 50000)),
            base_url=f"{self.world.site.origin}{CAMPUS_PREFIX}",
        )
        try:
            return await campus.feedback(submission)
        finally:
            await campus.close()


@pytest.fixture(scope="module")
def classroom(
    tmp_path_factory: pytest.TempPathFactory, bench: Bench
) -> Iterator[Callable[[int], Classroom]]:
    """Return a class whose hidden tests are those of a variant."""
    worlds: list[Any] = []

    def make(variant: int) -> Classroom:
        root = tmp_path_factory.mktemp(f"class{variant}")
        with zipfile.ZipFile(root / "course.zip", "w") as archive:
            source = json.dumps(leaks.assignment(variant))
            archive.writestr("assignments/p1/p1.ipynb", source)
            archive.writestr("assignments/p1/q1.ipynb", json.dumps(leaks.second()))
        shop = Workshop(root / "runs" / "spring")
        shop.root.mkdir(mode=0o700, parents=True)
        shop.take_sources(root / "course.zip")
        shop.ensure_pristine()
        (root / "campus").mkdir()
        opened = builders.world_in(root / "campus")
        worlds.append(opened)
        world = opened.__enter__()
        world.run("spring", world.course(), world.cohort("spring-27"))
        world.person("kim", ("learner", "spring-27"))
        world.change(tables.CourseVersion, 1, notes=NOTES)
        return Classroom(shop, bench, world)

    yield make
    for opened in worlds:
        opened.__exit__(None, None, None)


@pytest.fixture(scope="module")
def readings(classroom: Callable[[int], Classroom]) -> list[Reading]:
    """The same hand-in, with every way in it, against two hidden tests."""
    return [room.read(leaks.armed(room.released())) for room in map(classroom, (11, 77))]


def codes(text: str) -> dict[str, str]:
    """Return a text as a learner's code may write it down."""
    raw = text.encode()
    return {
        "plain": text,
        "reversed": text[::-1],
        "rot13": codecs.encode(text, "rot13"),
        "hex": raw.hex(),
        "numbers": ", ".join(str(ord(letter)) for letter in text),
        "one a line": "\\n".join(text),
        "base64": base64.b64encode(raw).decode()[2:-4],
        "base64, one later": base64.b64encode(b"x" + raw).decode()[2:-4],
        "base64, two later": base64.b64encode(b"xx" + raw).decode()[2:-4],
        "a half": text[: len(text) // 2],
    }


def outputs_of(reading: Reading, name: str) -> str:
    """Return what a cell of the graded notebook holds after the run, by its id."""
    (found,) = (cell for cell in reading.graded["cells"] if cell["id"] == name.replace("_", "-"))
    return json.dumps([found["outputs"], found["execution_count"]])


# What leaves no trace in the output of its own cell, or leaves one in another cell.
SILENT = {
    *(
        "file_name",
        "file",
        "own_notebook",
        "captured",
        "time",
        "page",
        "descriptor",
        "execution_count",
    ),
    *("an_earlier_output", "an_earlier_kind", "an_earlier_cell", "widget", "a_thread"),
}


@pytest.mark.parametrize("way", sorted(leaks.WAYS.keys() - SILENT))
def test_every_way_carries_the_hidden_test_into_the_graded_notebook(
    readings: list[Reading], way: str
) -> None:
    first, second = (outputs_of(reading, way) for reading in readings)

    assert first != second


def test_an_output_from_before_the_hidden_test_was_written_anew_after_it(
    readings: list[Reading],
) -> None:
    first, second = (outputs_of(reading, "count_answer") for reading in readings)

    assert first != second


def test_the_ways_are_armed_and_run(readings: list[Reading]) -> None:
    points = {cell.cell: cell.auto_points for cell in readings[0].result.cells}

    # The warning and the error of the graded cells were raised by the code that saw the test.
    assert points == {"p1/count": "0", "p1/part": "1", "p1/again": "0"}
    assert "UserWarning" in readings[0].feedback.criteria[0].why


def test_what_a_learner_reads_is_the_same_whatever_the_hidden_tests_hold(
    readings: list[Reading],
) -> None:
    first, second = readings

    assert first.texts == second.texts


@pytest.mark.parametrize("code", codes("x" * 8))
def test_no_answer_to_a_learner_holds_a_hidden_test(readings: list[Reading], code: str) -> None:
    for variant, reading in zip((11, 77), readings, strict=True):
        mark = codes(leaks.MARK.format(n=variant))[code].lower()

        assert {
            w: mark in re.sub("[\u200b\\s]", "", t.lower()) for w, t in reading.texts.items()
        } == dict.fromkeys(reading.texts, False)
        assert mark not in reading.result.model_dump_json().lower()


def test_a_notebook_that_runs_after_a_hidden_test_shows_nothing(readings: list[Reading]) -> None:
    # It prints every file of the folder, and the first notebook put the hidden test into one.
    assert not any(key.startswith("q1/") for key in readings[0].result.shown)


def test_what_ran_before_the_first_hidden_test_is_shown_as_plain_text(
    readings: list[Reading],
) -> None:
    found = readings[0].feedback

    assert [(each.title, each.text) for each in found.printed] == [
        ("Code cell 1 of p1", "a free cell")
    ]
    assert "seen before: red nothing seen" in found.criteria[0].printed
    assert "What your code printed" in readings[0].texts["feedback/1"]
    assert found.withheld


def test_a_number_that_the_code_chose_waits_for_a_person(
    classroom: Callable[[int], Classroom],
) -> None:
    room = classroom(11)
    told = "int.from_bytes(hidden()[60:66].encode()) / 2**48"
    reading = room.read(leaks.armed(room.released(), part=told, ways={}))

    # Other flags name how the code reached for the hidden text.
    odd = [flag.cell for flag in reading.result.flags if flag.code == ODD_POINTS]
    assert odd == ["p1/part"]
    (points,) = (c.auto_points for c in reading.result.cells if c.cell == "p1/part")
    assert not any(str(points)[:6] in text for text in reading.texts.values())
    assert "fetch_feedback" not in reading.texts
    assert "Nothing has been returned yet" in reading.texts["feedback/1"]


def test_honest_work_on_the_real_course_raises_no_question(class_: Any) -> None:
    result = class_.grade("p1", class_.work("p1", class_.solution("p1")))

    assert (result.verdict, result.flags) == ("graded", [])
    assert all(key.startswith("p1/") for key in result.shown)
