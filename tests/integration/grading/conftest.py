"""A run's folder with the real course, and the real sandbox with lab and course environments."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from bioskills_grader import Campus, Place, end_own_parent
from bioskills_ports import free_port
from bioskills_product import ENVIRONMENTS
from bioskills_tests import COURSE

from bioskills.base.tables import Run, Submission
from bioskills.base.wire import GradeResult, Job
from bioskills.graders.grading import Bench, grade
from bioskills.graders.workshop import Workshop, stamp, submitted_folder
from bioskills.hub.campus import jobs

HANDED_IN = datetime(2027, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
Files = Mapping[str, bytes]


def answer_of(source: str) -> str:
    """Return an author's answer without the marks around it."""
    marks = ("### BEGIN", "### END")
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith(marks))


@dataclass
class Class:
    """One run of the real course, and its learners' work."""

    shop: Workshop
    bench: Bench
    course: Path
    kept: Path
    count: int = 0

    def solution(self, assignment: str) -> dict[str, str]:
        """Return the author's answers, by grade_id."""
        path = self.course / "assignments" / assignment / f"{assignment}.ipynb"
        return {
            cell["metadata"]["nbgrader"]["grade_id"]: answer_of("".join(cell["source"]))
            for cell in json.loads(path.read_text())["cells"]
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }

    def released(self, assignment: str) -> dict[str, bytes]:
        """Return the released tree, by path."""
        root = self.shop.root / "release" / assignment
        files = (path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}

    def book(self, assignment: str) -> dict[str, Any]:
        """Return the released notebook."""
        return dict(json.loads(self.released(assignment)[f"{assignment}.ipynb"]))

    def work(self, assignment: str, answers: Mapping[str, str]) -> dict[str, bytes]:
        """Return a hand-in: the release with these answers, by grade_id."""
        book = self.book(assignment)
        for cell in book["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = answers.get(name, cell["source"])
        return self.with_book(assignment, book)

    def with_book(self, assignment: str, book: Any) -> dict[str, bytes]:
        """Return a hand-in with this notebook."""
        return {**self.released(assignment), f"{assignment}.ipynb": json.dumps(book).encode()}

    def job(self, assignment: str, learner: str = "") -> Job:
        """Return a grading job as the campus hands it out."""
        self.count += 1
        notes = (self.course / "grading" / f"{assignment}.yml").read_text()
        return Job(
            id=self.count,
            kind="grade",
            run="spring",
            course="sequences-first-steps",
            course_version="1.0.0",
            assignments=[assignment],
            learner=learner or f"p-{self.count:06}",
            submission_id=self.count,
            attempt=1,
            version=1,
            submitted_at=HANDED_IN,
            notes={assignment: yaml.safe_load(notes)},
        )

    def grade(
        self, assignment: str, files: Files, learner: str = "", bench: Bench | None = None
    ) -> GradeResult:
        """Grade a hand-in through the seam; what the slot then holds is kept in `kept`."""
        job = self.job(assignment, learner)
        with self.shop.slot(job) as slot:
            folder = submitted_folder(slot, job)
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            stamp(folder, job)
            result = grade(job, slot, bench or self.bench)
            shutil.rmtree(self.kept, ignore_errors=True)
            shutil.copytree(slot, self.kept)
        return result

    def quick(self, **changes: Any) -> Bench:
        """Return the bench with other limits."""
        return replace(self.bench, **changes)

    def graded_book(self, assignment: str) -> dict[str, Any]:
        """Return the notebook that the last grading left."""
        (path,) = self.kept.glob(f"autograded/*/{assignment}/{assignment}.ipynb")
        return dict(json.loads(path.read_text()))


@pytest.fixture(scope="session")
def bench() -> Bench:
    """The environments of this machine, with the product's own limits."""
    lab, course = ENVIRONMENTS / "lab", ENVIRONMENTS / "course"
    return Bench(lab, course, cell_timeout_s=30, job_timeout_s=300, key="course:test")


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real course as it is when the tests begin."""
    return Path(shutil.copytree(COURSE, tmp_path_factory.mktemp("course") / COURSE.name))


@pytest.fixture(scope="session")
def course_zip(tmp_path_factory: pytest.TempPathFactory, course: Path) -> Path:
    path = tmp_path_factory.mktemp("zip") / "course.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((course / "assignments").rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(course).as_posix())
    return path


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, course_zip: Path) -> Workshop:
    """A run's folder whose assignments are released."""
    made = Workshop(tmp_path_factory.mktemp("grader") / "runs" / "spring")
    made.root.mkdir(mode=0o700, parents=True)
    made.take_sources(course_zip)
    made.ensure_pristine()
    return made


@pytest.fixture
def class_(shop: Workshop, bench: Bench, course: Path, tmp_path: Path) -> Class:
    return Class(shop, bench, course, tmp_path / "slot")


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
    for pid in found.pids:
        end_own_parent(pid)
    assert not list(grader_root.glob("runs/*/slots/*"))
    assert not list(grader_root.glob("spool/*"))


@pytest.fixture
def campus(exchange: Any) -> Iterator[Campus]:
    made = Campus(exchange, free_port())
    made.start()
    yield made
    made.kill()


@pytest.fixture
def probe(class_: Class) -> Callable[[str], dict[str, Any]]:
    """Run code as a learner's cell of p1; return the facts that it put into `facts`."""

    def run(code: str, **changes: Any) -> dict[str, Any]:
        told = f"facts = {{}}\n{code}\nimport json\nprint('FACTS' + json.dumps(facts))"
        answers = class_.solution("p1") | {"count_records_answer": told}
        class_.grade("p1", class_.work("p1", answers), bench=class_.quick(**changes))
        cells = class_.graded_book("p1")["cells"]
        text = "".join(
            "".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", [])
        )
        assert "FACTS" in text, [c.get("outputs") for c in cells]
        return dict(json.loads(text.partition("FACTS")[2].splitlines()[0]))

    return run
