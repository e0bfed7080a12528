"""What comes back from a box: the folder then holds what the box held, or is as it was."""

import io
import tarfile
from pathlib import Path

import pytest

from bioskills.graders.box_messages import take_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A graded folder before its files come back."""
    for name in ("p1.ipynb", "given.csv", "old/gone.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    return tmp_path


def sent(**files: str) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return spool.getvalue()


def taken(folder: Path, content: bytes, left_out: int = 0) -> dict[str, str]:
    head = {"bytes": len(content), "left_out": left_out}
    assert take_files(io.BytesIO(content), head, folder, ()) == left_out
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_files_are_changed_made_and_removed_and_notebooks_stay(folder: Path) -> None:
    content = sent(given_csv="after", made_txt="new", p1_ipynb="forged", old="a file now")

    found = taken(folder, content)

    assert found == {
        "p1.ipynb": "before",
        "given.csv": "after",
        "made.txt": "new",
        "old": "a file now",
    }


def test_where_something_stayed_behind_nothing_is_removed(folder: Path) -> None:
    found = taken(folder, sent(made_txt="new"), left_out=1)

    assert found == {
        "p1.ipynb": "before",
        "given.csv": "before",
        "made.txt": "new",
        "old/gone.txt": "before",
    }


@pytest.mark.parametrize("content", [b"", b"no archive", sent(given_csv="after" * 500)[:600]])
def test_what_is_no_whole_archive_takes_nothing_away(folder: Path, content: bytes) -> None:
    found = taken(folder, content)

    assert found == dict.fromkeys(("given.csv", "old/gone.txt", "p1.ipynb"), "before")
