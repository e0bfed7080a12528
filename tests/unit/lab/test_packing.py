"""What leaves the learner's folder at a hand-in."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from bioskills_lab import packing
from bioskills_lab.packing import pack
from bioskills_lab.problems import Refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sequences" / "p1"
    (folder / "data").mkdir(parents=True)
    (folder / "p1.ipynb").write_text("{}")
    (folder / "data" / "a.fasta").write_text(">a")
    return folder


def packed(home: Path) -> tuple[dict[str, bytes], list[str]]:
    tree = io.BytesIO()
    skipped = pack(home, "sequences", "p1", tree)
    tree.seek(0)
    with tarfile.open(fileobj=tree, mode="r:") as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    return files, skipped


def test_regular_files_are_handed_in(tmp_path: Path, folder: Path) -> None:
    assert packed(tmp_path) == ({"data/a.fasta": b">a", "p1.ipynb": b"{}"}, [])
    assert folder.is_dir()


def test_the_owner_of_the_files_is_not_handed_in(tmp_path: Path, folder: Path) -> None:
    tree = io.BytesIO()
    pack(tmp_path, "sequences", "p1", tree)
    tree.seek(0)
    with tarfile.open(fileobj=tree) as archive:
        assert {(m.uid, m.gid, m.uname, m.mode) for m in archive} == {(0, 0, "", 0o644)}
    assert folder.is_dir()


@pytest.mark.parametrize("name", [".bioskills", ".ipynb_checkpoints", "__pycache__"])
def test_notes_and_caches_stay_here(tmp_path: Path, folder: Path, name: str) -> None:
    (folder / "data" / name).mkdir()
    (folder / "data" / name / "x").write_text("x")

    assert set(packed(tmp_path)[0]) == {"data/a.fasta", "p1.ipynb"}


def test_a_link_is_left_out_and_named(tmp_path: Path, folder: Path) -> None:
    (folder / "secret").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")

    files, skipped = packed(tmp_path)
    assert set(files) == {"data/a.fasta", "p1.ipynb"}
    assert skipped == [
        "“pipe” was not handed in: it is not an ordinary file.",
        "“secret” was not handed in: it is a link.",
    ]


def test_a_missing_folder_says_what_to_press(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        pack(tmp_path, "sequences", "p1", io.BytesIO())
    assert refused.value.next_step == "Press Start to get it."


def test_a_folder_that_is_too_large_is_not_sent(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_BYTES", 3)
    with pytest.raises(Refused, match="Nothing was sent") as refused:
        pack(tmp_path, "sequences", "p1", io.BytesIO())
    assert refused.value.status == 413
    assert folder.is_dir()
