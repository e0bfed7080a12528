"""What a tar of the campus may and may not do in a learner's home."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from bioskills_lab.problems import Refused
from bioskills_lab.unpacking import add_missing, lay_out_new

from .conftest import tar_of


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def test_a_release_becomes_the_assignment_folder(tmp_path: Path) -> None:
    tree = io.BytesIO(tar_of({"p1.ipynb": b"{}", "data/a.fasta": b">a"}))

    assert lay_out_new(tree, tmp_path, "sequences", "p1")
    assert everything_below(tmp_path / "sequences") == {
        "p1",
        "p1/p1.ipynb",
        "p1/data",
        "p1/data/a.fasta",
    }


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "sequences" / "p1" / "p1.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("my work")

    assert not lay_out_new(io.BytesIO(tar_of({"p1.ipynb": b"new"})), tmp_path, "sequences", "p1")
    assert mine.read_text() == "my work"


def test_materials_add_only_what_is_missing(tmp_path: Path) -> None:
    mine = tmp_path / "sequences" / "lessons" / "01.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("my notes")
    tree = io.BytesIO(tar_of({"lessons/01.ipynb": b"new", "lessons/02.ipynb": b"two"}))

    assert add_missing(tree, tmp_path, "sequences") == ["lessons/02.ipynb"]
    assert mine.read_text() == "my notes"


@pytest.mark.parametrize(
    "entry",
    [
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "p1.ipynb"),
        special("pipe", tarfile.FIFOTYPE),
        special("device", tarfile.CHRTYPE),
        special("../outside", tarfile.REGTYPE),
        special("/absolute", tarfile.REGTYPE),
        special("a/../../outside", tarfile.REGTYPE),
        special("back\\slash", tarfile.REGTYPE),
        special("new\nline", tarfile.REGTYPE),
        special(".bioskills/released.json", tarfile.REGTYPE),
        special("/".join("d" * 13), tarfile.REGTYPE),
        special("n" * 201, tarfile.REGTYPE),
        special("p1.ipynb", tarfile.REGTYPE),  # twice
    ],
    ids=lambda entry: repr(entry.name[:20]),
)
def test_an_odd_entry_refuses_the_whole_tar(tmp_path: Path, entry: Any) -> None:
    tree = io.BytesIO(tar_of({"p1.ipynb": b"{}"}, entry))

    with pytest.raises(Refused, match="cannot be used"):
        lay_out_new(tree, tmp_path, "sequences", "p1")
    assert everything_below(tmp_path) == {"sequences"}


def test_bytes_that_are_no_tar_end_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no tar file"):
        lay_out_new(io.BytesIO(b"<html>" * 200), tmp_path, "sequences", "p1")


def test_a_symbolic_link_on_the_way_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "sequences").symlink_to(outside)

    with pytest.raises(Refused, match="not an ordinary folder"):
        lay_out_new(io.BytesIO(tar_of({"p1.ipynb": b"{}"})), home, "sequences", "p1")
    assert not list(outside.iterdir())


def test_a_link_inside_the_folder_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    course = tmp_path / "home" / "sequences"
    course.mkdir(parents=True)
    (course / "lessons").symlink_to(outside)

    with pytest.raises(Refused, match="not an ordinary folder"):
        add_missing(io.BytesIO(tar_of({"lessons/01.ipynb": b"x"})), tmp_path / "home", "sequences")
    assert not list(outside.iterdir())
