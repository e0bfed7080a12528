"""An instructor brings a version of a course: report, comparison, installation."""

import io
import json
import random
import re
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from bioskills_tests import COURSE
from fastapi import Request
from pages_builders import World
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.problems import InputError
from bioskills.base.tables_uploads import CourseUpload
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.courses.package import read_course
from bioskills.hub.campus import course_uploads
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.turns import Turns
from bioskills.hub.course_reading import UPLOAD, read_upload

PAGE = f"{CAMPUS_PREFIX}course-versions"
FILES = read_course(COURSE)


@pytest.fixture
def world(empty: World) -> World:
    empty.cohort("spring-27")
    empty.person("ada", ("instructor", "spring-27"), display="Ada Berg")
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("kim", ("learner", "spring-27"))
    return empty


def changed(version: str = "", notebook: dict[str, str] | None = None) -> dict[str, bytes]:
    """Return the course as another version, with words of its practice replaced."""
    files = dict(FILES)
    if version:
        manifest = yaml.safe_load(files["course.yml"])
        manifest["version"] = version
        files["course.yml"] = yaml.safe_dump(manifest, sort_keys=False).encode()
    for old, new in (notebook or {}).items():
        text = files["assignments/p1/p1.ipynb"].decode()
        assert old in text
        files["assignments/p1/p1.ipynb"] = text.replace(old, new).encode()
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(f"my course/{path}", content)
    return buffer.getvalue()


def send(world: World, content: bytes, name: str = "ada"):
    sent = {"course": ("course.zip", content, "application/zip")}
    return world.browser(name).post(f"{PAGE}/uploads", files=sent, data={"_csrf": "csrf-1"})


def report_of(world: World, content: bytes) -> tuple[str, str]:
    answer = send(world, content)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    return address, " ".join(world.browser("ada").get(address).text.split())


def versions(world: World) -> list[str]:
    with world.store.reading() as session:
        return list(session.scalars(select(tables.CourseVersion.version)))


def install(world: World, address: str) -> int:
    return world.browser("ada").post(f"{address}/install").status_code


def test_a_new_course_is_read_shown_and_installed_by_a_second_click(world: World) -> None:
    address, report = report_of(world, zipped(FILES))

    assert "This course is new here." in report
    assert versions(world) == []
    assert install(world, address) == 303
    assert versions(world) == [yaml.safe_load(FILES["course.yml"])["version"]]
    listed = world.browser("ada").get(f"{PAGE}?done={address.rsplit('/', 1)[1]}").text
    assert "is installed." in listed
    assert "Ada Berg" in listed


def test_what_changed_for_learners_and_grades_is_told_before_it_is_installed(world: World) -> None:
    install(world, report_of(world, zipped(FILES))[0])
    book = json.loads(FILES["assignments/p1/p1.ipynb"])
    test = next(c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade"))
    name = test["metadata"]["nbgrader"]["grade_id"]
    test["source"] = "# Read again.\n" + "".join(test["source"])
    files = changed("9.0.0") | {"assignments/p1/p1.ipynb": json.dumps(book).encode()}

    _address, report = report_of(world, zipped(files))

    assert f"p1, cell {name}" in report
    assert "its text" in report
    assert "Install version 9.0.0" in report


def test_a_version_that_is_installed_keeps_its_content(world: World) -> None:
    install(world, report_of(world, zipped(FILES))[0])
    files = dict(FILES) | {"README.md": b"# Another\n"}

    address, report = report_of(world, zipped(files))

    assert "is installed with other content" in report
    assert "Raise `version`" in report
    assert install(world, address) == 422
    assert len(versions(world)) == 1


def test_installing_again_changes_nothing(world: World) -> None:
    address, _report = report_of(world, zipped(FILES))

    assert [install(world, address), install(world, address)] == [303, 303]
    assert len(versions(world)) == 1


def test_errors_are_told_all_at_once_and_nothing_is_kept(world: World) -> None:
    files = {k: v for k, v in FILES.items() if k not in {"LICENSE", "data.yml"}}

    answer = send(world, zipped(files))

    assert answer.status_code == 422
    assert len(re.findall(r"<strong>Error</strong>", answer.text)) > 1
    with world.store.reading() as session:
        assert session.scalars(select(CourseUpload)).all() == []


@pytest.mark.parametrize("content", [b"no zip at all", zipped({"notes.txt": b"x"})])
def test_what_is_no_course_is_refused_with_the_reason(world: World, content: bytes) -> None:
    answer = send(world, content)

    assert answer.status_code == 422
    assert "Nothing was taken." in answer.text


def test_no_file_is_said_so(world: World) -> None:
    answer = world.browser("ada").post(f"{PAGE}/uploads", data={"_csrf": "csrf-1"})

    assert answer.status_code == 422
    assert "no file was chosen" in answer.text


@pytest.mark.parametrize("name", ["zoe", "kim"])
def test_only_instructors_bring_courses(world: World, name: str) -> None:
    assert world.browser(name).get(PAGE).status_code == 403
    assert send(world, zipped(FILES), name).status_code == 403


def test_names_in_a_zip_lead_nowhere(world: World) -> None:
    answer = send(world, zipped({"../../out.txt": b"x", **FILES}))

    assert answer.status_code == 422
    assert "leaves the course folder" in answer.text


def test_a_course_that_eats_memory_ends_the_reader_and_not_the_campus(tmp_path: Path) -> None:
    (tmp_path / UPLOAD).write_bytes(zipped(FILES))

    with pytest.raises(InputError, match="more memory or time"):
        read_upload(tmp_path, memory_bytes=40 * 2**20)


def test_the_reader_s_environment_is_empty_and_nothing_of_a_course_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    config = f"open({str(mark)!r}, 'w')\n".encode()
    (tmp_path / UPLOAD).write_bytes(zipped(FILES | {"nbgrader_config.py": config}))

    read_upload(tmp_path)

    assert not mark.exists()


def test_a_course_larger_than_other_forms_is_let_in(world: World) -> None:
    files = dict(FILES) | {"data/large.bin": random.Random(1).randbytes(3 * 1024 * 1024)}

    answer = send(world, zipped(files))

    assert answer.status_code in {303, 422}, answer.text
    assert "are allowed" not in answer.text


@pytest.mark.parametrize("name", ["kim", "zoe"])
def test_nothing_of_an_upload_is_parsed_for_who_may_not_bring_courses(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    form = Request.form
    monkeypatch.setattr(Request, "form", lambda self, **kw: parsed.append("x") or form(self, **kw))

    assert send(world, zipped(FILES), name).status_code == 403
    assert parsed == []
    assert send(world, zipped(FILES)).status_code == 303
    assert parsed == ["x"]


def test_more_uploads_than_places_are_told_to_come_again(world: World) -> None:
    turns = Turns(2)
    with turns.one(), turns.one(), pytest.raises(Refused) as refused, turns.one():
        pass
    assert (refused.value.status, refused.value.error) == (503, "busy")
    assert "Try again in a moment" in refused.value.next
    with turns.one():
        pass


def test_the_page_of_a_third_upload_says_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two uploads are held while they are read; nothing else is changed in what is tested."""
    inside, go_on, take_in = threading.Semaphore(0), threading.Event(), course_uploads.take_in

    def held(*args: Any) -> course_uploads.Taken:
        inside.release()
        assert go_on.wait(60)
        return take_in(*args)

    monkeypatch.setattr(course_uploads, "take_in", held)
    answers: list[int] = []
    client, sent = world.browser("ada"), {"course": ("course.zip", zipped(FILES))}

    def bring() -> None:
        answers.append(
            client.post(f"{PAGE}/uploads", files=sent, data={"_csrf": "csrf-1"}).status_code
        )

    bringing = [threading.Thread(target=bring) for _n in range(2)]
    for thread in bringing:
        thread.start()
        assert inside.acquire(timeout=60)
    third = client.post(f"{PAGE}/uploads", files=sent, data={"_csrf": "csrf-1"})
    go_on.set()
    for thread in bringing:
        thread.join()

    assert third.status_code == 503
    assert third.headers["retry-after"] == "20"
    assert "Try again in a moment; your file stays where it is." in third.text
    assert answers == [303, 303]
    assert send(world, zipped(FILES)).status_code == 303


def test_a_form_of_another_session_brings_no_course(world: World) -> None:
    sent = {"course": ("course.zip", zipped(FILES), "application/zip")}
    answer = world.browser("ada").post(f"{PAGE}/uploads", files=sent, data={"_csrf": "other"})

    assert answer.status_code == 403
    assert "does not belong to your present session" in answer.text
