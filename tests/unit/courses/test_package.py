"""Reading a course from disk: what is refused, and what its hash depends on."""

import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bioskills.courses import package
from bioskills.courses.faults import CourseError
from bioskills.courses.package import (
    build_zip,
    canonical_zip,
    materials,
    path_fault,
    read_course,
    read_zip,
    write_tree,
)


def _zip(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _refusal(content: bytes) -> str:
    with pytest.raises(CourseError) as refused:
        read_zip(content)
    return str(refused.value)


def test_a_folder_and_its_zip_give_the_same_files(course: Any, tmp_path: Path) -> None:
    write_tree(course.files(), tmp_path / "course")
    folder = read_course(tmp_path / "course")

    assert folder == course.files() == read_zip(canonical_zip(folder))


def test_one_folder_around_the_course_is_taken_off() -> None:
    files = read_zip(_zip({"small/course.yml": b"x", "small/data/a.txt": b"y"}))

    assert files == {"course.yml": b"x", "data/a.txt": b"y"}


def test_the_same_files_give_the_same_bytes_whatever_their_order_and_time(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("two", "ba")):
        for letter in order:
            write_tree({f"data/{letter}.txt": b"x", "course.yml": b"y"}, tmp_path / name)
    os.utime(tmp_path / "two" / "course.yml", (1, 1))
    built = [build_zip(tmp_path / name, tmp_path) for name in ("one", "two")]

    assert built[0] == built[1]
    assert built[0].sha256 == hashlib.sha256(built[0].path.read_bytes()).hexdigest()


def test_a_changed_byte_gives_another_hash(tmp_path: Path) -> None:
    source = tmp_path / "course"
    write_tree({"course.yml": b"1"}, source)
    first = build_zip(source, tmp_path).sha256
    (source / "course.yml").write_bytes(b"2")

    assert build_zip(source, tmp_path).sha256 != first


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "course.yml").write_bytes(b"x")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "passwd").symlink_to("/etc/passwd")
    (tmp_path / "img").symlink_to("/etc")
    with pytest.raises(CourseError) as refused:
        read_course(tmp_path)

    assert {fault.file for fault in refused.value.faults} == {"data/passwd", "img"}


def test_a_link_in_a_zip_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("course.yml", b"x")
        link = zipfile.ZipInfo("data")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    assert "links are never followed" in _refusal(buffer.getvalue())


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/passwd",
        "data//a",
        "data/./a",
        "data\\a",
        "data/a\n",
        "data/ä.txt",
        "data/ a",
        "data/a.",
        "C:/a",
        "a" * 201,
    ],
)
def test_an_odd_path_is_refused(path: str) -> None:
    assert path_fault(path) is not None


@pytest.mark.parametrize("path", ["course.yml", "data/new delivery.fasta", "lessons/01-a_b.ipynb"])
def test_a_plain_path_is_accepted(path: str) -> None:
    assert path_fault(path) is None


def test_traversal_in_a_zip_is_refused_and_every_fault_is_told() -> None:
    text = _refusal(_zip({"course.yml": b"x", "../a": b"", "b/../../c": b""}))

    assert "../a" in text
    assert "b/../../c" in text


def test_names_that_differ_in_case_only_are_refused() -> None:
    text = _refusal(_zip({"course.yml": b"x", "data/A.txt": b"1", "data/a.txt": b"2"}))

    assert "same name" in text


def test_what_a_zip_unpacks_to_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_FILE_BYTES", 1000)
    text = _refusal(_zip({"course.yml": b"x", "data/bomb.txt": b"0" * 100_000}))

    assert "data/bomb.txt" in text


def test_the_whole_course_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_COURSE_BYTES", 1000)
    files = {f"data/{n}.txt": b"0" * 600 for n in range(9)}

    assert "more than" in _refusal(_zip({"course.yml": b"x", **files}))


def test_the_number_of_files_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_FILES", 3)
    files = {f"data/{n}.txt": b"" for n in range(9)}

    assert "more than 3 files" in _refusal(_zip({"course.yml": b"x", **files}))


def test_a_damaged_zip_is_refused_with_a_sentence() -> None:
    assert "damaged" in _refusal(b"PK\x03\x04 nothing")


def test_a_member_with_a_wrong_checksum_is_refused_with_a_sentence() -> None:
    content = bytearray(_zip({"course.yml": b"x" * 50}))
    content[45] ^= 0xFF

    assert _refusal(bytes(content))


def test_a_path_without_course_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no course folder and no ZIP"):
        read_course(tmp_path / "nothing")
    with pytest.raises(CourseError, match=r"course\.yml"):
        read_course(tmp_path)


def test_leftovers_of_editors_and_nbgrader_are_not_part_of_the_course(tmp_path: Path) -> None:
    left = (
        ".git/config",
        "lessons/.ipynb_checkpoints/a.ipynb",
        "gradebook.db",
        "release/p1/p1.ipynb",
    )
    write_tree({"course.yml": b"x", **dict.fromkeys(left, b"")}, tmp_path)

    assert set(read_course(tmp_path)) == {"course.yml"}


def test_learners_get_materials_and_nothing_that_grades(course: Any) -> None:
    assert set(materials(course.files())) == {
        "README.md",
        "LICENSE",
        "data/words.txt",
        "lessons/01-letters.ipynb",
    }
