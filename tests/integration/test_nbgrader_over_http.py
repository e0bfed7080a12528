"""Stock nbgrader commands over our exchange: nothing but an address and a token."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioskills.base.tables import AssignmentVersion, Submission

pytestmark = pytest.mark.integration

COURSE = Path(__file__).parents[2] / "courses" / "sequences-first-steps"
RUN = "sequences-spring-27"
CONFIG = """
from bioskills.graders.exchange import configure

c = get_config()
c.CourseDirectory.course_id = "{run}"
c.CourseDirectory.source_directory = "assignments"
configure(c)
"""

Nbgrader = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def nbgrader(exchange: Any) -> Nbgrader:
    """Return a function that runs one nbgrader command as one person in one folder."""

    def run(
        folder: Path, *arguments: str, token: str = "", lab: str = "", url: str = ""
    ) -> subprocess.CompletedProcess[str]:
        # nbgrader calls `alembic` by name.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environ = {"PATH": path, "LANG": "C.UTF-8", "HOME": str(folder)}
        environ["BIOSKILLS_CAMPUS_URL"] = url or exchange.url
        environ |= {"BIOSKILLS_TOKEN": token} if token else {}
        environ |= {"JUPYTERHUB_API_TOKEN": lab} if lab else {}
        return subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def teacher(exchange: Any) -> Path:
    """Return the course folder on the instructor's own computer."""
    folder = exchange.folder / "teacher"
    shutil.copytree(COURSE, folder)
    (folder / "nbgrader_config.py").write_text(CONFIG.format(run=RUN))
    return folder


@pytest.fixture(scope="module")
def home(exchange: Any) -> Callable[[str], Path]:
    """Return a function that gives a person's home."""

    def of(name: str) -> Path:
        folder = exchange.folder / "homes" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nbgrader_config.py").write_text(CONFIG.format(run=RUN))
        return folder

    return of


@pytest.fixture(scope="module")
def released(exchange: Any, nbgrader: Nbgrader, teacher: Path) -> str:
    """Release p1 as an instructor does, and return what nbgrader said."""
    made = nbgrader(teacher, "generate_assignment", "p1", "--create")
    assert made.returncode == 0, made.stderr
    done = nbgrader(teacher, "release_assignment", "p1", token=exchange.named("release", "list"))
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def fetched(exchange: Any, nbgrader: Nbgrader, home: Any, released: str) -> Path:
    done = nbgrader(home("lea"), "fetch_assignment", "p1", lab=exchange.lab("lea"))
    assert done.returncode == 0, done.stderr
    return home("lea") / "p1"


@pytest.fixture(scope="module")
def submitted(exchange: Any, nbgrader: Nbgrader, home: Any, fetched: Path) -> str:
    done = nbgrader(home("lea"), "submit", "p1", lab=exchange.lab("lea"))
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def collected(exchange: Any, nbgrader: Nbgrader, teacher: Path, submitted: str) -> Path:
    done = nbgrader(teacher, "collect", "p1", token=exchange.named("collect"))
    assert done.returncode == 0, done.stderr
    return teacher / "submitted" / "lea" / "p1"


def test_a_release_becomes_version_one(exchange: Any, released: str) -> None:
    assert f"Released as: {RUN} p1, version 1" in released
    with exchange.site.store.reading() as session:
        version = session.query(AssignmentVersion).one()
    paths = [entry["path"] for entry in version.files]
    assert paths == ["data/ls_orchid.fasta", "data/opuntia.fasta", "p1.ipynb"]


@pytest.mark.slow
def test_a_second_release_asks_for_force(
    exchange: Any, nbgrader: Nbgrader, teacher: Path, released: str
) -> None:
    token = exchange.named("release", "list")
    refused = nbgrader(teacher, "release_assignment", "p1", token=token)
    forced = nbgrader(teacher, "release_assignment", "p1", "--force", token=token)

    assert refused.returncode == 1
    assert "is released as version 1" in refused.stderr
    assert "--force" in refused.stderr
    assert forced.returncode == 0
    assert "stays version 1" in forced.stderr


def test_the_release_is_listed(exchange: Any, nbgrader: Nbgrader, home: Any, released: str) -> None:
    done = nbgrader(home("max"), "list", lab=exchange.lab("max"))

    assert done.returncode == 0
    assert f"{RUN} p1" in done.stderr
    assert f"{RUN} s1" not in done.stderr


@pytest.mark.slow
def test_all_runs_are_listed_where_no_course_is_named(
    exchange: Any, nbgrader: Nbgrader, home: Any, released: str
) -> None:
    done = nbgrader(home("max"), "list", "--course=", lab=exchange.lab("max"))

    assert f"{RUN} p1" in done.stderr


def test_a_fetched_folder_is_what_was_released(fetched: Path) -> None:
    found = {p.relative_to(fetched).as_posix() for p in fetched.rglob("*") if p.is_file()}

    assert found == {
        "p1.ipynb",
        "data/ls_orchid.fasta",
        "data/opuntia.fasta",
        ".bioskills/released.json",
    }
    assert json.loads((fetched / ".bioskills/released.json").read_text())["version"] == 1
    assert "HIDDEN" not in (fetched / "p1.ipynb").read_text()


@pytest.mark.slow
def test_fetching_again_overwrites_nothing(
    exchange: Any, nbgrader: Nbgrader, home: Any, fetched: Path
) -> None:
    notebook = fetched / "p1.ipynb"
    before = notebook.read_text()
    notebook.write_text(before + " ")
    (fetched / "data/opuntia.fasta").unlink()

    refused = nbgrader(home("lea"), "fetch_assignment", "p1", lab=exchange.lab("lea"))
    replaced = nbgrader(home("lea"), "fetch_assignment", "p1", "--replace", lab=exchange.lab("lea"))

    assert refused.returncode == 1
    assert "You already have a copy" in refused.stderr
    assert replaced.returncode == 0
    assert (fetched / "data/opuntia.fasta").is_file()
    assert notebook.read_text() == before + " "


def test_a_hand_in_shows_its_receipt(exchange: Any, submitted: str) -> None:
    with exchange.site.store.reading() as session:
        submission = session.query(Submission).filter_by(attempt=1).first()

    assert f"Submitted as: {RUN} p1" in submitted
    assert f"Receipt {submission.receipt}: attempt 1, 3 files, in time" in submitted
    assert ".bioskills" not in json.dumps(submission.files)


@pytest.mark.slow
def test_a_learner_sees_own_hand_ins_alone(
    exchange: Any, nbgrader: Nbgrader, home: Any, submitted: str
) -> None:
    own = nbgrader(home("lea"), "list", "--cached", lab=exchange.lab("lea"))
    other = nbgrader(home("max"), "list", "--cached", lab=exchange.lab("max"))

    assert f"{RUN} lea p1" in own.stderr
    assert "lea" not in other.stderr.replace(str(home("lea")), "")


@pytest.mark.slow
def test_an_instructor_sees_all_hand_ins(
    exchange: Any, nbgrader: Nbgrader, teacher: Path, submitted: str
) -> None:
    done = nbgrader(teacher, "list", "--inbound", token=exchange.named("list", "collect"))

    assert f"{RUN} lea p1" in done.stderr


def test_collected_work_lies_where_nbgrader_grades_it(collected: Path) -> None:
    assert (collected / "p1.ipynb").is_file()
    assert (collected / "timestamp.txt").read_text().endswith(" UTC")


@pytest.mark.slow
def test_collecting_again_takes_only_what_is_newer(
    exchange: Any, nbgrader: Nbgrader, home: Any, teacher: Path, collected: Path
) -> None:
    token = exchange.named("collect")
    same = nbgrader(teacher, "collect", "p1", token=token)
    mine = home("lea") / "p1" / "p1.ipynb"
    mine.write_text(mine.read_text() + "\n")
    (home("lea") / "p1" / "timestamp.txt").write_text("1999-01-01 00:00:00.0 UTC")
    nbgrader(home("lea"), "submit", "p1", lab=exchange.lab("lea"))
    kept = nbgrader(teacher, "collect", "p1", token=token)
    before = (collected / "timestamp.txt").read_text()
    newer = nbgrader(teacher, "collect", "p1", "--update", token=token)

    assert "No newer submission" in same.stderr
    assert "use --update" in kept.stderr
    assert "Updating submission: lea p1" in newer.stderr
    assert before < (collected / "timestamp.txt").read_text()
    assert len(list((teacher / ".replaced" / "lea" / "p1").iterdir())) == 1


def test_a_lab_token_releases_nothing_even_an_instructors(
    exchange: Any, nbgrader: Nbgrader, teacher: Path, released: str
) -> None:
    refused = nbgrader(teacher, "release_assignment", "p1", "--force", lab=exchange.lab("ina"))

    assert refused.returncode == 1
    assert "even when its owner is an instructor" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_a_link_is_not_handed_in(
    exchange: Any, nbgrader: Nbgrader, home: Any, submitted: str
) -> None:
    link = home("lea") / "p1" / "passwords.txt"
    link.symlink_to("/etc/passwd")
    refused = nbgrader(home("lea"), "submit", "p1", lab=exchange.lab("lea"))
    link.unlink()

    assert refused.returncode == 1
    assert "passwords.txt: this is a link" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        pytest.param({"token": "", "lab": ""}, "BIOSKILLS_TOKEN is not set", id="no token"),
        pytest.param({"lab": "wrong"}, "The hub does not know this token", id="unknown token"),
        pytest.param(
            {"lab": "x", "url": "http://127.0.0.1:9/services/campus/"},
            "cannot be reached",
            id="no campus",
        ),
    ],
)
def test_a_mistake_ends_in_a_sentence(
    nbgrader: Nbgrader, home: Any, case: dict[str, str], sentence: str
) -> None:
    done = nbgrader(home("max"), "list", **case)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_unknown_assignment_names_the_known_ones(
    exchange: Any, nbgrader: Nbgrader, home: Any, released: str
) -> None:
    done = nbgrader(home("max"), "fetch_assignment", "p9", lab=exchange.lab("max"))

    assert done.returncode == 1
    assert "has no assignment p9" in done.stderr


def test_feedback_with_hidden_tests_is_refused_and_without_them_arrives(
    exchange: Any, nbgrader: Nbgrader, home: Any, teacher: Path, collected: Path
) -> None:
    token = exchange.named("feedback", "collect")
    pages = teacher / "feedback" / "lea" / "p1"
    pages.mkdir(parents=True)
    shutil.copy(collected / "timestamp.txt", pages)
    (pages / "p1.html").write_text("<pre>### BEGIN HIDDEN TESTS assert 3</pre>")
    refused = nbgrader(teacher, "release_feedback", "p1", token=token)
    (pages / "p1.html").write_text("<p>Well done.</p>")
    taken = nbgrader(teacher, "release_feedback", "p1", token=token)
    fetched = nbgrader(home("lea"), "fetch_feedback", "p1", lab=exchange.lab("lea"))

    assert refused.returncode == 1
    assert "shows the hidden tests" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    assert fetched.returncode == 0, fetched.stderr
    found = list((home("lea") / "p1" / "feedback").rglob("p1.html"))
    assert [page.read_text() for page in found] == ["<p>Well done.</p>"]


@pytest.mark.slow
def test_the_feedback_that_nbgrader_really_makes_is_refused_for_its_hidden_tests(
    exchange: Any, nbgrader: Nbgrader, teacher: Path, collected: Path
) -> None:
    graded = nbgrader(teacher, "autograde", "p1", "--create", "--force")
    made = nbgrader(teacher, "generate_feedback", "p1", "--force")
    refused = nbgrader(
        teacher, "release_feedback", "p1", token=exchange.named("feedback", "collect")
    )

    assert graded.returncode == 0, graded.stderr
    assert made.returncode == 0, made.stderr
    assert refused.returncode == 1
    assert "shows the hidden tests" in refused.stderr
