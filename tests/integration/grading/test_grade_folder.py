"""`bioskills grade folder`: a plain nbgrader course folder and nothing else."""

import csv
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from bioskills_corpus import Corpus, answer, book, change, check, essay, fill, read_book, write_book
from bioskills_postgresql import running_postgresql
from bioskills_product import ENVIRONMENTS
from bioskills_stock import Stock, ours, standing
from bioskills_waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
STUDENTS = ("ada", "=cmd|x", "zoë")


def small() -> object:
    """Return a notebook that is graded in a moment."""
    return book(
        [
            answer("one", "### BEGIN SOLUTION\none = 1\n### END SOLUTION"),
            check("one_test", 2, "assert one == 1"),
            essay("why", 3, "Why?"),
        ]
    )


def make(root: Path) -> None:
    write_book(root / "source" / "ps1" / "p.ipynb", small())


def hand_in(root: Path) -> None:
    released = read_book(root / "release" / "ps1" / "p.ipynb")
    for number, student in enumerate(STUDENTS):
        folder = root / "submitted" / student / "ps1"
        write_book(folder / "p.ipynb", fill(released, {"one": f"one = {number}"}))
        (folder / "timestamp.txt").write_text(f"2026-11-20 10:0{number}:00.000000 UTC")


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with three hand-ins: wrong, right, wrong."""
    folder = tmp_path_factory.mktemp("folder")
    Stock(folder).build(Corpus("small", ("ps1",), make, hand_in), folder / "course")
    return folder / "course"


@pytest.fixture
def course(handed_in: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(handed_in, tmp_path / "course"))


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def grade(course: Path, *words: str, at_once: int = 2) -> "subprocess.CompletedProcess[str]":
    return ours(course, "ps1", course / "scores.csv", *words, at_once=at_once)


def configure(course: Path, *lines: str) -> None:
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "\n".join(lines) + "\n")


def test_one_row_for_each_graded_cell_and_no_formula(course: Path) -> None:
    done = grade(course)
    found = rows(course / "scores.csv")

    assert done.returncode == 0, done.stderr
    assert "ps1: 3 graded, 0 for a person, 0 unchanged." in done.stdout
    assert [(row["student"], row["grade_id"], row["auto_score"]) for row in found] == [
        ("'=cmd|x", "one_test", "2"),
        ("'=cmd|x", "why", "0"),
        ("ada", "one_test", "0"),
        ("ada", "why", "0"),
        ("zoë", "one_test", "0"),
        ("zoë", "why", "0"),
    ]
    assert {(row["assignment"], row["notebook"], row["verdict"]) for row in found} == {
        ("ps1", "p", "graded")
    }
    assert {row["max_score"] for row in found} == {"2", "3"}


def test_a_second_run_does_nothing_and_a_changed_hand_in_alone_is_graded_again(
    course: Path,
) -> None:
    grade(course)
    before = standing(course, ["ps1"])
    again = grade(course)
    path = course / "submitted" / "ada" / "ps1" / "p.ipynb"
    write_book(path, fill(read_book(path), {"one": "one = 1"}))
    changed = grade(course)

    assert "0 graded, 0 for a person, 3 unchanged" in again.stdout
    assert "1 graded, 0 for a person, 2 unchanged" in changed.stdout
    after = standing(course, ["ps1"])
    assert {path for path in before if before[path] != after[path]} == {
        "ps1/ada/p/one_test auto_score"
    }


@pytest.mark.slow
def test_force_grades_what_is_unchanged(course: Path) -> None:
    grade(course, "--student", "ada")
    forced = grade(course, "--student", "ada", "--force")

    assert "1 graded, 0 for a person, 0 unchanged" in forced.stdout
    assert {row["student"] for row in rows(course / "scores.csv")} == {"ada"}


@pytest.mark.slow
def test_points_by_hand_stay_and_ask_again(course: Path) -> None:
    grade(course, "--student", "ada")
    change(course, "update grade set manual_score = 1.5 where auto_score is not null")
    grade(course, "--student", "ada", "--force")

    assert {
        (row["manual_score"], row["needs_manual_grade"]) for row in rows(course / "scores.csv")
    } == {("1.5", "true")}


@pytest.mark.slow
def test_what_nbgrader_has_graded_stands_as_nbgrader_lets_it_stand(course: Path) -> None:
    assert Stock(course.parent).run(course, "autograde", "ps1", "--student", "ada") == 0
    done = grade(course, "--student", "ada")

    assert "1 unchanged" in done.stdout


def test_bad_submissions_get_a_verdict_and_stop_nobody(course: Path) -> None:
    submitted = course / "submitted"
    (submitted / "ada" / "ps1" / "p.ipynb").write_bytes(b"\x89PNG no notebook")
    (submitted / "zoë" / "ps1" / "timestamp.txt").write_text("when I was ready")
    link = submitted / "linked" / "ps1" / "p.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(course / "source" / "ps1" / "p.ipynb")
    done = grade(course)

    verdicts = {row["student"]: row["verdict"] for row in rows(course / "scores.csv")}
    assert verdicts == {
        "ada": "needs_person",
        "'=cmd|x": "graded",
        "zoë": "needs_person",
        "linked": "needs_person",
    }
    assert "zoë: timestamp.txt says 'when I was ready', which is no time." in done.stdout
    assert "linked: 1 entries are no regular files" in done.stdout
    assert done.returncode == 0


def test_the_configuration_is_read_and_never_run(course: Path) -> None:
    configure(
        course,
        f"open({str(course / 'was-run')!r}, 'w')",
        "c.ExecutePreprocessor.timeout = 20",
        "c.SaveAutoGrades.enabled = 1 + 1",
        "c.Exchange.root = '/srv/exchange'",
    )
    done = grade(course, "--student", "ada")

    assert not (course / "was-run").exists()
    assert "These count: CourseDirectory.course_id, ExecutePreprocessor.timeout" in done.stdout
    assert "could change scores: nbgrader_config.py:5: c.SaveAutoGrades.enabled" in done.stdout
    assert "Not used here: nbgrader_config.py:6: c.Exchange.root" in done.stdout


def test_a_configuration_that_leads_away_is_refused(course: Path) -> None:
    configure(course, "c.CourseDirectory.autograded_directory = '../elsewhere'")
    done = grade(course)

    assert done.returncode == 2
    assert "leads out of the folder" in done.stderr
    assert not (course / "autograded").exists()


@pytest.mark.slow
def test_other_folder_names_count(course: Path) -> None:
    configure(
        course,
        "c.CourseDirectory.submitted_directory = 'handed in'",
        "c.CourseDirectory.autograded_directory = 'done'",
        "c.CourseDirectory.directory_structure = '{nbgrader_step}/{assignment_id}/{student_id}'",
    )
    target = course / "handed in" / "ps1" / "ada"
    target.parent.mkdir(parents=True)
    (course / "submitted" / "ada" / "ps1").rename(target)
    (course / "source" / "ps1").rename(course / "source" / "x")
    done = grade(course)

    assert "1 graded" in done.stdout, done.stderr
    assert (course / "done" / "ps1" / "ada" / "p.ipynb").is_file()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_without_rights_can_grade_their_own_folder(handed_in: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(shutil.copytree(handed_in, Path(name) / "course"))
        for path in (Path(name), *Path(name).rglob("*")):
            os.chown(path, 54321, 54321)
        program = ENVIRONMENTS / "hub" / "bin" / "bioskills"
        drop = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
        words = ["grade", "folder", str(root), "ps1", "--scores", str(root / "scores.csv")]
        environ = {"PATH": "/usr/bin:/bin", "HOME": name, "LANG": "C.UTF-8"}
        done = subprocess.run(
            [*drop, str(program), *words], env=environ, capture_output=True, text=True
        )

        assert "3 graded" in done.stdout, done.stderr
        assert (root / "scores.csv").stat().st_uid == 54321


@pytest.mark.slow
def test_a_gradebook_in_postgresql_gets_the_same_scores(course: Path) -> None:
    with running_postgresql() as server:
        url = server.new_database()
        assert (
            Stock(course.parent).run(course, "generate_assignment", "ps1", "--force", f"--db={url}")
            == 0
        )
        (course / "gradebook.db").unlink()
        done = grade(course, "--gradebook", url)

    assert "3 graded" in done.stdout, done.stderr
    found = {
        (row["student"], row["grade_id"]): row["auto_score"] for row in rows(course / "scores.csv")
    }
    assert found["'=cmd|x", "one_test"] == "2"
    assert found["ada", "one_test"] == "0"
    assert not (course / "gradebook.db").exists()


def test_an_assignment_that_was_not_generated_names_the_next_command(course: Path) -> None:
    done = ours(course, "ps2", course / "scores.csv")
    (course / "submitted" / "ada" / "ps2").mkdir()
    unknown = ours(course, "ps2", course / "scores.csv")
    (course / "gradebook.db").unlink()
    without = grade(course)

    assert (done.returncode, unknown.returncode, without.returncode) == (2, 2, 2)
    assert "there is nothing handed in" in done.stderr
    assert "nbgrader generate_assignment ps2" in unknown.stderr
    assert "nbgrader generate_assignment ps1" in without.stderr
    assert not (course / "gradebook.db").exists()


def test_a_gradebook_of_another_nbgrader_is_refused_as_it_is(course: Path) -> None:
    change(course, "update alembic_version set version_num = 'older'")
    before = (course / "gradebook.db").read_bytes()
    done = grade(course)

    assert done.returncode == 2
    assert "nbgrader db upgrade" in done.stderr
    assert (course / "gradebook.db").read_bytes() == before


def test_a_gradebook_that_is_none_ends_in_a_sentence(course: Path) -> None:
    (course / "gradebook.db").write_bytes(b"no database" * 100)
    done = grade(course)

    assert done.returncode == 2
    assert "The gradebook cannot be used: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_unknown_learner_is_named_with_the_nearest(course: Path) -> None:
    done = grade(course, "--student", "adda")

    assert done.returncode == 2
    assert "Did you mean ada?" in done.stderr


def waiting_for(course: Path, students: int) -> bool:
    """Wait until so many are recorded."""
    record = course / ".bioskills" / "graded" / "ps1.json"
    return eventually(lambda: len(json.loads(record.read_text())) >= students, 200, step=0.05)


def scratch_of(course: Path) -> list[Path]:
    """Return the working folders of this course's runs."""
    mark = hashlib.sha256(str(course).encode()).hexdigest()[:12]
    return list(Path(tempfile.gettempdir()).glob(f"bioskills-grade-*-{mark}"))


def left_of(course: Path) -> list[str]:
    """Return the processes that outlived their command: they have its mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"TEST_MARK={course}".encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    "how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)]
)
def test_ended_half_way_nothing_is_half_written_and_the_next_run_completes_it(
    course: Path, how: signal.Signals
) -> None:
    looper = course / "submitted" / "zoë" / "ps1" / "p.ipynb"
    write_book(looper, fill(read_book(looper), {"one": "while True: pass"}))
    configure(course, "c.Execute.timeout = 3000")  # it is under way for as long as anybody looks
    program = Path(sys.executable).with_name("bioskills")
    words = ["grade", "folder", str(course), "ps1", "--scores", str(course / "scores.csv")]
    environ = {**os.environ, "BIOSKILLS_PATHS_ENVIRONMENTS_DIR": str(ENVIRONMENTS)}
    environ["TEST_MARK"] = str(course)
    running = subprocess.Popen([str(program), *words], env=environ, start_new_session=True)
    assert waiting_for(course, 2)
    running.send_signal(how)
    code = running.wait(120)

    assert code in {130, -signal.SIGKILL}
    assert not (course / "scores.csv").exists()
    with closing(sqlite3.connect(course / "gradebook.db")) as database:
        graded = {
            name for (name,) in database.execute("select student_id from submitted_assignment")
        }
    assert graded == {"ada", "=cmd|x"}
    assert {path.name for path in (course / "autograded").iterdir()} == graded
    assert eventually(lambda: not left_of(course)), left_of(course)
    configure(course, "c.Execute.timeout = 2")
    done = grade(course)
    assert done.returncode == 0
    assert scratch_of(course) == []
    assert len(rows(course / "scores.csv")) == 6
