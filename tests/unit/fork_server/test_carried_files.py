"""Two folders follow each other, and nothing is written outside them."""

import base64
from pathlib import Path

import pytest

from bioskills.fork_server.carried_files import MOST_BYTES, MOST_FILES, Files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "work"
    made.mkdir()
    return made


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_what_was_there_at_the_start_is_known(root: Path) -> None:
    (root / "a.txt").write_text("a")

    assert Files((str(root),)).changed() == {}


def test_each_change_is_told_once(root: Path) -> None:
    files = Files((str(root),))
    (root / "out").mkdir()
    (root / "out" / "a.txt").write_text("one")
    assert files.changed() == {f"{root}/out/": "", f"{root}/out/a.txt": coded("one")}
    assert files.changed() == {}

    (root / "out" / "a.txt").write_text("two")  # as long, and perhaps in the same tick
    assert files.changed() == {f"{root}/out/a.txt": coded("two")}

    (root / "out" / "a.txt").unlink()
    (root / "out").rmdir()
    assert list(files.changed().items()) == [(f"{root}/out/a.txt", None), (f"{root}/out/", None)]


def test_what_was_taken_is_not_told_back(root: Path) -> None:
    files = Files((str(root),))
    files.take({f"{root}/new/a.txt": coded("a"), f"{root}/empty/": ""})

    assert (root / "new" / "a.txt").read_text() == "a"
    assert (root / "empty").is_dir()
    assert f"{root}/new/a.txt" not in files.changed()

    files.take({f"{root}/new/a.txt": None})
    assert not (root / "new" / "a.txt").exists()


def test_nothing_is_written_outside_or_through_links(root: Path, tmp_path: Path) -> None:
    outside = tmp_path.resolve() / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "kept.txt")
    files = Files((str(root),))
    bad = (f"{outside}/x", f"{root}/../outside/x", f"{root}/link/x", f"{root}/file", "x", "")
    files.take(dict.fromkeys(bad, coded("bad")) | {f"{root}/odd": 5, f"{root}": None})

    assert [path.name for path in outside.iterdir()] == ["kept.txt"]
    assert (outside / "kept.txt").read_text() == "kept"


def test_links_and_large_files_stay_where_they_are(root: Path) -> None:
    files = Files((str(root),))
    (root / "link").symlink_to("/etc/passwd")
    with (root / "large").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for number in range(MOST_FILES + 5):
        (root / f"{number:03}.txt").write_text("x")

    first = files.changed()

    assert len(first) == MOST_FILES
    assert {f"{root}/link", f"{root}/large"} & first.keys() == set()
