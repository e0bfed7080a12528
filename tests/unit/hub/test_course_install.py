"""A version of a course is installed whole, once, and never changes."""

import shutil
import zipfile
from pathlib import Path

import pytest
from bioskills_tests import COURSE
from sqlalchemy import select

from bioskills.base.problems import InputError
from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, CourseVersion
from bioskills.hub.campus.objects import Objects
from bioskills.hub.course_install import install, read_for_install


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COURSE, tmp_path / COURSE.name))


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "objects")


def change(course: Path, name: str, old: str, new: str) -> None:
    file = course / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def installed(store: Store, objects: Objects, source: Path) -> bool:
    content, version = read_for_install(source)
    return install(store, objects, content, version, "test")


def versions(store: Store) -> list[CourseVersion]:
    with store.reading() as session:
        return list(session.scalars(select(CourseVersion)))


def test_a_course_is_stored_by_its_hash_with_all_that_grading_needs(
    store: Store, objects: Objects, course: Path
) -> None:
    assert installed(store, objects, course)

    (found,) = versions(store)
    assert objects.has(found.sha256)
    assert found.course == COURSE.name
    assert set(found.notes) == {entry["id"] for entry in found.manifest["assignments"]}
    assert found.mapping["mapping_version"] == 1


def test_the_same_content_again_does_nothing(store: Store, objects: Objects, course: Path) -> None:
    installed(store, objects, course)

    assert not installed(store, objects, course)
    with store.reading() as session:
        assert len(list(session.scalars(select(AuditEntry)))) == 1


def test_a_zip_of_the_folder_is_the_same_version(
    store: Store, objects: Objects, course: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "course.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(course.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(course).as_posix())
    installed(store, objects, course)

    assert not installed(store, objects, packed)


def test_other_content_under_the_same_version_is_refused(
    store: Store, objects: Objects, course: Path
) -> None:
    installed(store, objects, course)
    change(course, "README.md", "# ", "# New: ")

    with pytest.raises(InputError, match=r"Raise `version` in course.yml"):
        installed(store, objects, course)
    assert len(versions(store)) == 1


def test_a_course_with_broken_rules_is_refused_with_all_of_them(
    store: Store, objects: Objects, course: Path
) -> None:
    change(course, "course.yml", "language: en", "language: xx-nope-\nsurprise: 1")
    (course / "CHANGELOG.md").unlink()
    (course / "competence.yaml").write_text("framework: [", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        installed(store, objects, course)

    told = str(caught.value)
    assert len(caught.value.problems) >= 3
    for part in ("surprise", "CHANGELOG.md", "competence.yaml"):
        assert part in told
    assert versions(store) == []
    assert not objects.root.exists()


def test_a_changed_mapping_needs_a_new_mapping_version(
    store: Store, objects: Objects, course: Path
) -> None:
    installed(store, objects, course)
    change(course, "course.yml", "version: 0.1.0", "version: 0.2.0")
    change(course, "competence.yaml", 'BSH-U04-S1: "1.0", BSH', 'BSH-U04-S1: "0.5", BSH')

    with pytest.raises(InputError, match=r"Raise `mapping_version` in competence.yaml"):
        installed(store, objects, course)

    change(course, "competence.yaml", "mapping_version: 1", "mapping_version: 2")
    assert installed(store, objects, course)


def test_a_new_version_with_the_same_mapping_needs_no_new_number(
    store: Store, objects: Objects, course: Path
) -> None:
    installed(store, objects, course)
    change(course, "course.yml", "version: 0.1.0", "version: 0.2.0")

    assert installed(store, objects, course)
