"""The verbs, from the learner's files to the campus and back."""

import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from bioskills_lab.campus import Campus
from bioskills_lab.fields import Asked
from bioskills_lab.notebook import Cell
from bioskills_lab.problems import Refused
from bioskills_lab.running import Run
from bioskills_lab.work import Desk

from .conftest import LittleCampus

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a file system is mounted")
P1 = Asked(run="spring", item="p1")
SUBMISSIONS = "exchange/v1/runs/spring/assignments/p1/submissions"


async def nothing_goes_wrong(cells: list[Cell], _: Path) -> Run:
    return Run(reached=len(cells))


@pytest_asyncio.fixture
async def desk(campus: LittleCampus, tmp_path: Path) -> AsyncIterator[Desk]:
    client = Campus(campus.address, "secret")
    yield Desk(client, tmp_path, nothing_goes_wrong)
    await client.close()


def write_answers(home: Path) -> None:
    path = home / "sequences" / "p1" / "p1.ipynb"
    found = json.loads(path.read_text())
    found["cells"][1]["source"] = ["def gc(seq):\n", "    return 100"]
    found["cells"][4]["source"] = "It is on the disk."
    path.write_text(json.dumps(found))


async def test_start_brings_the_assignment_once(
    desk: Desk, campus: LittleCampus, tmp_path: Path
) -> None:
    path = {"path": "sequences/p1/p1.ipynb"}
    assert await desk.start(P1) == {**path, "fetched": True}
    (tmp_path / "sequences/p1/p1.ipynb").write_text('{"cells": []}')
    assert await desk.start(P1) == {**path, "fetched": False}
    assert (tmp_path / "sequences/p1/p1.ipynb").read_text() == '{"cells": []}'
    assert [seen.path.rsplit("/", 1)[-1] for seen in campus.seen] == ["overview", "release"]


async def test_where_a_grading_is_comes_from_the_campus_as_it_says_it(
    desk: Desk, campus: LittleCampus
) -> None:
    found = {"submission_id": 7, "state": "queued", "place": 3, "seconds": 20, "done": 0, "of": 0}
    campus.gives_json("GET", "api/v1/lab/progress/7", found)

    assert await desk.progress(7) == found


async def test_a_run_of_others_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="not in the course run"):
        await desk.start(Asked(run="autumn", item="p1"))


async def test_untouched_answers_stop_the_hand_in_until_confirmed(
    desk: Desk, campus: LittleCampus
) -> None:
    campus.gives_json("POST", SUBMISSIONS, {"receipt": "7KQ2-91", "submission_id": 1}, status=201)
    await desk.start(P1)

    asked = await desk.hand_in(P1)
    assert asked["receipt"] is None
    assert [place["title"] for place in asked["untouched"]] == [
        "GC percentage",
        "Why the file survives",
    ]
    assert not [seen for seen in campus.seen if seen.method == "POST"]

    sent = await desk.hand_in(Asked(run="spring", item="p1", anyway=True))
    assert sent["receipt"]["receipt"] == "7KQ2-91"


async def test_a_receipt_is_kept_beside_the_work(
    desk: Desk, campus: LittleCampus, tmp_path: Path
) -> None:
    campus.gives_json("POST", SUBMISSIONS, {"receipt": "7KQ2-91", "submission_id": 1}, status=201)
    await desk.start(P1)
    write_answers(tmp_path)
    await desk.hand_in(P1)

    kept = json.loads((tmp_path / "sequences/p1/.bioskills/receipts.json").read_text())
    assert [receipt["receipt"] for receipt in kept["receipts"]] == ["7KQ2-91"]
    sent = next(seen for seen in campus.seen if seen.method == "POST")
    assert sent.headers["X-Bioskills-Version"] == "3"
    assert b".bioskills" not in sent.body


async def test_a_passed_check_is_remembered_until_the_work_changes(
    desk: Desk, tmp_path: Path
) -> None:
    async def checked() -> object:
        return (await desk.overview())["runs"][0]["assignments"][0]["local"]["checked"]

    await desk.start(P1)
    write_answers(tmp_path)
    assert await checked() is None
    assert (await desk.check(P1))["passed"]
    assert await checked() is True
    path = tmp_path / "sequences/p1/p1.ipynb"
    path.write_text(path.read_text().replace("100", "99"))
    assert await checked() is None


async def test_to_try_again_keeps_the_work_and_forgets_the_check(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.start(P1)
    write_answers(tmp_path)
    await desk.check(P1)
    before = (tmp_path / "sequences/p1/p1.ipynb").read_bytes()

    await desk.start(Asked(run="spring", item="p1", attempt=1))

    assert (tmp_path / "sequences/p1/p1.ipynb").read_bytes() == before
    local = (await desk.overview())["runs"][0]["assignments"][0]["local"]
    assert local["checked"] is None


async def test_a_lesson_is_fetched_once_and_counts_as_opened(
    desk: Desk, campus: LittleCampus, tmp_path: Path
) -> None:
    lesson = Asked(run="spring", item="l1")
    assert await desk.open_lesson(lesson) == {"path": "sequences/lessons/01.ipynb"}
    (tmp_path / "sequences/lessons/01.ipynb").write_text("mine")
    await desk.open_lesson(lesson)

    assert (tmp_path / "sequences/lessons/01.ipynb").read_text() == "mine"
    assert (await desk.overview())["runs"][0]["lessons"][0]["opened"]
    assert sum(seen.path.endswith("materials") for seen in campus.seen) == 1


async def test_a_lesson_whose_path_leaves_the_course_is_unknown(desk: Desk) -> None:
    with pytest.raises(Refused, match="no lesson"):
        await desk.open_lesson(Asked(run="spring", item="l2"))


async def test_damaged_notes_are_read_as_empty(desk: Desk, tmp_path: Path) -> None:
    await desk.start(P1)
    for note in ("released.json", "checked.json", "receipts.json", "again.json"):
        (tmp_path / "sequences/p1/.bioskills" / note).write_text("[1, {")
    local = (await desk.overview())["runs"][0]["assignments"][0]["local"]
    assert local == {
        "started": True,
        "path": "sequences/p1/p1.ipynb",
        "again": False,
        "checked": None,
        "receipt": None,
        "version": None,
    }


async def test_a_notebook_that_was_deleted_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    await desk.start(P1)
    (tmp_path / "sequences/p1/p1.ipynb").unlink()
    with pytest.raises(Refused) as refused:
        await desk.start(P1)
    assert "Rename the folder" in refused.value.next_step


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a file system of 256 KB that also holds what is temporary."""
    home = tmp_path / "small"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", home], check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    yield home
    subprocess.run(["umount", home], check=True)


@pytest_asyncio.fixture
async def small_home(campus: LittleCampus, small: Path) -> AsyncIterator[tuple[Desk, Path]]:
    client = Campus(campus.address, "secret")
    yield Desk(client, small, nothing_goes_wrong), small
    await client.close()


def fill(home: Path) -> None:
    with suppress(OSError), (home / "fill").open("wb", 0) as file:
        while True:
            file.write(bytes(512))


@as_root
async def test_with_a_full_home_work_is_checked_and_handed_in_with_a_receipt(
    small_home: tuple[Desk, Path], campus: LittleCampus
) -> None:
    desk, home = small_home
    campus.gives_json("POST", SUBMISSIONS, {"receipt": "7KQ2-91", "submission_id": 1}, status=201)
    await desk.start(P1)
    write_answers(home)
    fill(home)

    checked = await desk.check(P1)
    sent = await desk.hand_in(P1)

    assert checked["passed"]
    assert sent["receipt"]["receipt"] == "7KQ2-91"
    assert sent["skipped"] == ["The receipt could not be saved in your files; the campus keeps it."]
    assert list((home / "sequences/p1/.bioskills").glob("receipts*")) == []


@as_root
async def test_with_a_full_home_nothing_is_fetched_and_the_reason_is_said(
    small_home: tuple[Desk, Path],
) -> None:
    desk, home = small_home
    fill(home)

    for verb, asked in ((desk.start, P1), (desk.open_lesson, Asked(run="spring", item="l1"))):
        with pytest.raises(Refused, match="Your space for files is full") as refused:
            await verb(asked)
        assert "Delete what you do not need" in refused.value.next_step
