"""A course folder leads nowhere else, and what is copied from it is regular files."""

from datetime import datetime
from pathlib import Path

import pytest

from bioskills.base.problems import InputError, SetupError
from bioskills.graders.course_folder import (
    keep_graded,
    open_folder,
    stamp_in,
    tree_key,
)
from bioskills.graders.folder_record import alone
from bioskills.graders.intake import UnsafeTreeError


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c.AssignLatePenalties.plugin_class = 'mine.Plugin'", "a plugin of the course"),
        ("c.CourseDirectory.db_url = 'sqlite:////elsewhere/other.db'", "--gradebook URL"),
        ("c.CourseDirectory.db_url = 'sqlite:///../other.db'", "--gradebook URL"),
        ("c.CourseDirectory.db_url = 'postgresql://me:secret@far/db'", "me:\\*\\*\\*@far/db"),
        ("c.CourseDirectory.db_url = 'no url'", "--gradebook URL"),
        ("c.CourseDirectory.autograded_directory = '../elsewhere'", "leads out of the folder"),
        ("c.CourseDirectory.submitted_directory = '/etc'", "leads out of the folder"),
        ("c.CourseDirectory.directory_structure = '{nbgrader_step.x}'", "leads out of the folder"),
        ("c.CourseDirectory.directory_structure = 'all'", "leads out of the folder"),
        ("c.broken = (", "cannot be read"),
    ],
)
def test_a_configuration_that_leads_away_is_refused(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "nbgrader_config.py").write_text(line)

    with pytest.raises(InputError, match=said):
        open_folder(tmp_path, "ps1")


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_an_assignment_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name"):
        open_folder(tmp_path, name)


def test_a_gradebook_that_the_person_names_may_lie_anywhere(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c.CourseDirectory.db_url = 'sqlite:////far.db'")
    folder = open_folder(tmp_path, "ps1", "sqlite:////mine/grades.db")

    assert folder.gradebook_url == "sqlite:////mine/grades.db"
    assert not folder.has_gradebook


def test_a_link_out_of_the_folder_is_no_course_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "autograded").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError, match="leads out of the folder"):
        open_folder(tmp_path / "course", "ps1")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20 10:00:00.250000 UTC\n", datetime(2026, 11, 20, 10, 0, 0, 250_000)),  # noqa: DTZ001
        ("2026-11-20 02:00:00 America/Los_Angeles", datetime(2026, 11, 20, 10)),  # noqa: DTZ001
        ("2026-11-20T12:00:00+02:00", datetime(2026, 11, 20, 10)),  # noqa: DTZ001
        ("", None),
    ],
)
def test_times_are_read_as_nbgrader_reads_them(
    tmp_path: Path, text: str, moment: datetime | None
) -> None:
    (tmp_path / "timestamp.txt").write_text(text)

    assert moment == stamp_in(tmp_path)


def test_a_text_that_is_no_time_is_said(tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_text("when I was ready")

    with pytest.raises(ValueError, match="when I was ready"):
        stamp_in(tmp_path)


def test_copies_hold_what_nbgrader_would_copy(tmp_path: Path) -> None:
    handed_in = tmp_path / "submitted" / "ada" / "ps1"
    for name in ("p.ipynb", "own.csv", ".ipynb_checkpoints/old.txt", "deep/x.ipynb", "a.pyc"):
        (handed_in / name).parent.mkdir(parents=True, exist_ok=True)
        (handed_in / name).write_text(name)
    (handed_in / "link.txt").symlink_to("/etc/hostname")
    folder = open_folder(tmp_path, "ps1")
    left = folder.copy_submission("ada", tmp_path / "copy")

    assert left == 1
    assert files(tmp_path / "copy").keys() == {"p.ipynb", "own.csv", "deep/x.ipynb"}
    assert folder.students() == ["ada"]


def test_what_was_written_while_it_was_graded_stays_and_no_link(tmp_path: Path) -> None:
    graded = tmp_path / "slot"
    for name in ("p.ipynb", "made.csv", "__pycache__/helper.pyc", "feedback/made.txt"):
        (graded / name).parent.mkdir(parents=True, exist_ok=True)
        (graded / name).write_text(name)
    (graded / "link.txt").symlink_to("/etc/hostname")
    keep_graded(open_folder(tmp_path, "ps1"), graded, tmp_path / "kept")

    names = ("p.ipynb", "made.csv", "__pycache__/helper.pyc", "feedback/made.txt")
    assert files(tmp_path / "kept") == dict.fromkeys(names, 0o444)


def test_data_comes_from_inside_the_folder_alone(tmp_path: Path) -> None:
    source = tmp_path / "source" / "ps1"
    source.mkdir(parents=True)
    (tmp_path / "shared.csv").write_text("1")
    (source / "inside.csv").symlink_to(tmp_path / "shared.csv")
    (source / "outside.txt").symlink_to("/etc/hostname")
    (source / "mine.py").write_text("")
    (source / "p.ipynb").write_text("")
    (tmp_path / "nbgrader_config.py").write_text(
        "c.Autograde.exclude_overwriting = {'ps1': ['mine.py']}"
    )
    outside = open_folder(tmp_path, "ps1").copy_data(tmp_path / "data")

    assert outside == ["outside.txt"]
    assert files(tmp_path / "data").keys() == {"inside.csv"}


def test_a_tree_has_the_hash_of_its_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = tree_key(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")

    assert before != tree_key(tmp_path)


def test_a_hand_in_behind_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "far" / "ps1").mkdir(parents=True)
    (tmp_path / "course" / "submitted").mkdir(parents=True)
    (tmp_path / "course" / "submitted" / "ada").symlink_to(tmp_path / "far")
    folder = open_folder(tmp_path / "course", "ps1")

    with pytest.raises(UnsafeTreeError, match="leads out of the folder"):
        folder.copy_submission("ada", tmp_path / "copy")


@pytest.mark.parametrize("name", [".bioskills", ".bioskills/graded"])
def test_our_own_folder_is_never_behind_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "far")

    with pytest.raises(SetupError, match="no folder of its own"), alone(tmp_path / ".bioskills"):
        pass


def test_the_second_of_two_runs_at_once_is_refused(tmp_path: Path) -> None:
    with (
        alone(tmp_path / ".bioskills"),
        pytest.raises(SetupError, match="another command"),
        alone(tmp_path / ".bioskills"),
    ):
        pass


def files(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in folder.rglob("*")
        if path.is_file()
    }
