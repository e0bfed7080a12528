"""Plain nbgrader and ours over the same course folder, and what then differs.

The reference is `nbgrader autograde` itself, run twice: what differs between two
runs of it says nothing about us, is listed and left out. A reference is made once
for each content of a corpus and session.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills_corpus import Corpus
from bioskills_product import ENVIRONMENTS

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = {name!r}\n{more}"
SCORES = """
select submitted_assignment.student_id, notebook.name, base_cell.name, grade.auto_score,
  grade.manual_score, grade.extra_credit, grade.needs_manual_grade
from grade join base_cell on base_cell.id = grade.cell_id
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join notebook on notebook.id = submitted_notebook.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join assignment on assignment.id = submitted_assignment.assignment_id where assignment.name = ?
"""
COMMENTS = """
select submitted_assignment.student_id, notebook.name, base_cell.name, comment.auto_comment,
  comment.manual_comment
from comment join base_cell on base_cell.id = comment.cell_id
join submitted_notebook on submitted_notebook.id = comment.notebook_id
join notebook on notebook.id = submitted_notebook.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join assignment on assignment.id = submitted_assignment.assignment_id where assignment.name = ?
"""
NOTEBOOKS = """
select submitted_assignment.student_id, notebook.name, submitted_notebook.late_submission_penalty,
  submitted_notebook.flagged
from submitted_notebook join notebook on notebook.id = submitted_notebook.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
join assignment on assignment.id = submitted_assignment.assignment_id where assignment.name = ?
"""
SUBMISSIONS = """
select student_id, timestamp, extension from submitted_assignment
join assignment on assignment.id = submitted_assignment.assignment_id where assignment.name = ?
"""
Standing = dict[str, Any]
"""Everything that grading leaves, by a path such as `student/notebook/cell score`."""


@dataclass
class Reference:
    """A course as it was handed in, and what plain nbgrader made of it.

    Attributes:
        root: The course before anything was graded.
        graded: What both runs of nbgrader left.
        unsteady: What differed between them.
        lost: Submissions that nbgrader left without a grade, as `assignment/student`.
    """

    root: Path
    graded: Standing
    unsteady: list[str]
    lost: list[str]


@dataclass
class Difference:
    """Ours beside plain nbgrader.

    Attributes:
        compared: How many facts were compared.
        scores: How many of them are scores.
        wrong: What differs, as `path: stock, ours`.
        unsteady: What differs between two runs of nbgrader; not compared.
        lost: Submissions that nbgrader lost; ours has a verdict on each.
        said: What our command printed.
    """

    compared: int
    scores: int
    wrong: list[str]
    unsteady: list[str]
    lost: list[str]
    said: str = ""


@dataclass
class Stock:
    """The lab environment's nbgrader, with the course environment's kernel.

    Attributes:
        home: A folder for whatever it keeps.
        environments: Where the environments lie.
        references: What was made in this session.
    """

    home: Path
    environments: Path = ENVIRONMENTS
    references: dict[str, Reference] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        """Return the variables that somebody has who opens a terminal."""
        return {
            "PATH": f"{self.environments / 'lab' / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "JUPYTER_PATH": str(self.environments / "course" / "share" / "jupyter"),
        }

    def start(self, root: Path, *words: str) -> "subprocess.Popen[str]":
        """Start an nbgrader command in a folder."""
        command = [str(self.environments / "lab" / "bin" / "python"), "-m", "nbgrader", *words]
        with (root / "nbgrader.log").open("a") as log:
            return subprocess.Popen(
                command, cwd=root, env=self.environ(), stdout=log, stderr=log, text=True
            )

    def run(self, root: Path, *words: str) -> int:
        """Run one to its end; return its exit code."""
        return self.start(root, *words).wait()

    def build(self, corpus: Corpus, root: Path) -> None:
        """Write a corpus into a folder, ready to be graded."""
        root.mkdir(parents=True)
        corpus.make(root)
        config = root / "nbgrader_config.py"
        if not config.exists():
            config.write_text(CONFIG.format(name=corpus.name, more=corpus.config))
        update = [("update", ".")] if corpus.updated else []
        for words in [*update, *(("generate_assignment", name) for name in corpus.assignments)]:
            code = self.run(root, *words)
            assert code == 0, (root / "nbgrader.log").read_text()[-3000:]
        corpus.hand_in(root)
        for words in update:
            assert self.run(root, *words) == 0
        corpus.settle(root)

    def reference(self, corpus: Corpus, folder: Path) -> Reference:
        """Return what nbgrader makes of a corpus, twice."""
        root = folder / "handed-in"
        self.build(corpus, root)
        key = content_key(root)
        if key not in self.references:
            self.references[key] = self._graded(corpus, root, folder)
        return self.references[key]

    def _graded(self, corpus: Corpus, root: Path, folder: Path) -> Reference:
        both = [Path(shutil.copytree(root, folder / f"stock{round_}")) for round_ in (1, 2)]
        for assignment in corpus.assignments:
            running = [self.start(each, "autograde", assignment) for each in both]
            for process in running:
                process.wait()
        first, second = (standing(each, corpus.assignments) for each in both)
        unsteady = sorted(path for path in first if first[path] != second.get(path))
        lost = [
            f"{assignment}/{student.name}"
            for assignment in corpus.assignments
            for student in sorted((root / "submitted").iterdir())
            if (student / assignment).is_dir()
            and not (both[0] / "autograded" / student.name / assignment).is_dir()
        ]
        return Reference(root, first, unsteady, lost)


def standing(root: Path, assignments: Sequence[str]) -> Standing:
    """Return everything that grading left in a folder."""
    found: Standing = {}
    with closing(sqlite3.connect(root / "gradebook.db")) as database:
        for assignment in assignments:
            for query, keys in ((SCORES, 3), (COMMENTS, 3), (NOTEBOOKS, 2), (SUBMISSIONS, 1)):
                cursor = database.execute(query, (assignment,))
                columns = [about[0] for about in cursor.description][keys:]
                for row in cursor:
                    path = "/".join((assignment, *row[:keys]))
                    found |= {
                        f"{path} {name}": value
                        for name, value in zip(columns, row[keys:], strict=True)
                    }
    return found | _files(root)


def _files(root: Path) -> Standing:
    graded = root / "autograded"
    found: Standing = {}
    for path in sorted(graded.rglob("*")):
        if path.is_file():
            name = path.relative_to(graded)
            student, assignment, *rest = name.parts
            where = f"{assignment}/{student} file {'/'.join(rest)}"
            # The notebooks' outputs hold counts and addresses of objects: their presence counts.
            content = b"" if path.suffix == ".ipynb" else path.read_bytes()
            found[where] = (oct(path.stat().st_mode), hashlib.sha256(content).hexdigest()[:8])
    return found


def ours(
    root: Path,
    assignment: str,
    scores: Path,
    *words: str,
    at_once: int = 2,
    environments: Path = ENVIRONMENTS,
) -> "subprocess.CompletedProcess[str]":
    """Run `bioskills grade folder`."""
    program = Path(sys.executable).with_name("bioskills")
    more = ["--scores", str(scores), "--at-once", str(at_once), *words]
    environ = {**os.environ, "BIOSKILLS_PATHS_ENVIRONMENTS_DIR": str(environments)}
    return subprocess.run(
        [str(program), "grade", "folder", str(root), assignment, *more],
        env=environ,
        capture_output=True,
        text=True,
    )


def compared(
    reference: Reference,
    corpus: Corpus,
    folder: Path,
    at_once: int = 2,
    environments: Path = ENVIRONMENTS,
) -> Difference:
    """Grade the same folder with ours and say what differs."""
    root = Path(shutil.copytree(reference.root, folder))
    said = []
    for assignment in corpus.assignments:
        done = ours(
            root, assignment, root / f"{assignment}.csv", at_once=at_once, environments=environments
        )
        said.append(done.stdout + done.stderr)
        assert done.returncode == 0, said[-1]
    return differences(reference, standing(root, corpus.assignments), "".join(said))


def differences(reference: Reference, found: Mapping[str, Any], said: str) -> Difference:
    """Compare every fact but those that nbgrader itself is not sure of, or lost."""
    out = set(reference.unsteady)
    lost = tuple(f"{name}{end}" for name in reference.lost for end in ("/", " "))
    paths = sorted((reference.graded.keys() | found.keys()) - out)
    fair = [path for path in paths if not path.startswith(lost)]
    wrong = [
        f"{path}: stock {reference.graded.get(path, 'has none')!r}, ours {found.get(path, 'has none')!r}"
        for path in fair
        if reference.graded.get(path, "-") != found.get(path, "-")
    ]
    scores = sum(path.endswith(" auto_score") for path in fair)
    return Difference(len(fair), scores, wrong, reference.unsteady, reference.lost, said)


def content_key(root: Path) -> str:
    """Return a hash of a course as it was handed in; the gradebook's own ids differ each time."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name not in {"gradebook.db", "nbgrader.log"}:
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
