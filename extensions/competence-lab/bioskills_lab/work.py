"""The verbs of the panel: start, check, hand in, open a lesson, look.

Law: the learner's files are never overwritten; file work happens in threads,
so that the server answers others meanwhile; what is unsent stays on disk.
"""

import asyncio
import io
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bioskills_lab import notes
from bioskills_lab.campus import Campus
from bioskills_lab.checking import check_result
from bioskills_lab.fields import Asked, is_name
from bioskills_lab.folders import FULL
from bioskills_lab.local import local_view
from bioskills_lab.notebook import (
    Cell,
    cells_of,
    read_notebook,
    released_note,
    source_digest,
    untouched,
)
from bioskills_lab.packing import not_started, pack
from bioskills_lab.problems import Refused, strange_answer
from bioskills_lab.running import Run
from bioskills_lab.unpacking import MOST_BYTES, add_missing, lay_out_new
from bioskills_lab.words import _

Runner = Callable[[list[Cell], Path], Awaitable[Run]]
Json = dict[str, Any]


class Desk:
    """One learner's place of work.

    Args:
        campus: The campus client.
        home: Root of the files that the file browser shows.
        runner: Runs cells in a folder.
    """

    def __init__(self, campus: Campus, home: Path, runner: Runner) -> None:
        self._campus = campus
        self._home = home
        self._runner = runner
        self._courses: dict[str, str] = {}
        self._lessons: dict[tuple[str, str], str] = {}
        self._checking: set[tuple[str, str]] = set()

    async def overview(self) -> Json:
        """Give what the campus knows, with what lies here added."""
        view = await self._campus.overview()
        self._remember(view)
        return await asyncio.to_thread(local_view, view, self._home)

    async def feedback(self, submission_id: int) -> Json:
        """Give what came back for one hand-in."""
        return await self._campus.feedback(submission_id)

    async def progress(self, submission_id: int) -> Json:
        """Give where the grading of one hand-in is."""
        return await self._campus.progress(submission_id)

    async def start(self, asked: Asked) -> Json:
        """Put the assignment into the learner's files once; give the notebook's path."""
        course = await self._course(asked.run)
        folder = (course, asked.item)
        fresh = not await asyncio.to_thread((self._home / course / asked.item).exists)
        if fresh:
            fresh = await self._fetch_release(asked, course)
        if not fresh and asked.attempt:
            await asyncio.to_thread(self._note_again, folder, asked.attempt)
        name = await asyncio.to_thread(notebook_name, self._home, course, asked.item)
        return {"path": f"{course}/{asked.item}/{name}", "fetched": fresh}

    async def check(self, asked: Asked) -> Json:
        """Run the learner's notebook with the checks it holds."""
        course = await self._course(asked.run)
        key = (course, asked.item)
        if key in self._checking:
            raise Refused(
                HTTPStatus.CONFLICT,
                "busy",
                _("Your work is being checked already."),
                _("Wait until the first check has ended."),
            )
        self._checking.add(key)
        try:
            return await self._checked(course, asked.item)
        finally:
            self._checking.discard(key)

    async def hand_in(self, asked: Asked) -> Json:
        """Send the folder to the campus; give the receipt.

        Where answers are untouched nothing is sent and they are listed, unless
        `anyway` was asked.
        """
        course = await self._course(asked.run)
        folder = (course, asked.item)
        name = await asyncio.to_thread(notebook_name, self._home, *folder)
        released = await asyncio.to_thread(notes.read_note, self._home, folder, notes.RELEASED)
        open_answers = await asyncio.to_thread(self._untouched, folder, name, released)
        if open_answers and not asked.anyway:
            return {"receipt": None, "skipped": [], "untouched": open_answers}
        # In memory: work must reach the campus also where no file can be written any more.
        with io.BytesIO() as tree:
            skipped = await asyncio.to_thread(pack, self._home, *folder, tree)
            receipt = await self._campus.hand_in(
                asked.run, asked.item, tree, released.get("version")
            )
        note = await asyncio.to_thread(self._keep_receipt, folder, receipt)
        return {"receipt": receipt, "skipped": [*skipped, *note], "untouched": []}

    async def open_lesson(self, asked: Asked) -> Json:
        """Fetch the materials where they are missing; give the lesson's path."""
        course = await self._course(asked.run)
        lesson = await self._lesson(asked)
        path = self._home / course / lesson
        if not await asyncio.to_thread(path.is_file):
            with _written(self._home), tempfile.TemporaryFile() as tree:
                await self._campus.materials(asked.run, tree, MOST_BYTES)
                await asyncio.to_thread(add_missing, tree, self._home, course)
        if not await asyncio.to_thread(path.is_file):
            raise strange_answer(_("the lesson {path} is missing").format(path=lesson))
        await asyncio.to_thread(self._note_opened, course, asked.item)
        return {"path": f"{course}/{lesson}"}

    async def _fetch_release(self, asked: Asked, course: str) -> bool:
        with _written(self._home), tempfile.TemporaryFile() as tree:
            version = await self._campus.release(asked.run, asked.item, tree, MOST_BYTES)
            laid_out = await asyncio.to_thread(lay_out_new, tree, self._home, course, asked.item)
        if laid_out:
            await asyncio.to_thread(self._note_released, asked, course, version)
        return laid_out

    def _note_released(self, asked: Asked, course: str, version: int | None) -> None:
        folder = (course, asked.item)
        name = notebook_name(self._home, *folder)
        cells = released_note(read_notebook(self._home, *folder, name))
        note = {"run": asked.run, "version": version, "cells": cells}
        notes.try_note(self._home, folder, notes.RELEASED, note)

    def _note_again(self, folder: tuple[str, str], attempt: int) -> None:
        """Remember that the learner works on after this attempt; an older check says nothing now."""
        known = notes.read_note(self._home, folder, notes.AGAIN).get("after")
        if known != attempt:
            notes.try_note(self._home, folder, notes.AGAIN, {"after": attempt})
            notes.try_note(self._home, folder, notes.CHECKED, {})

    async def _checked(self, course: str, assignment: str) -> Json:
        folder = (course, assignment)
        name = await asyncio.to_thread(notebook_name, self._home, *folder)
        notebook = await asyncio.to_thread(read_notebook, self._home, *folder, name)
        released = await asyncio.to_thread(notes.read_note, self._home, folder, notes.RELEASED)
        cells = cells_of(notebook)
        run = await self._runner(cells, self._home / course / assignment)
        result = check_result(cells, released.get("cells", {}), run)
        keep = {"digest": source_digest(cells), "passed": result["passed"]}
        await asyncio.to_thread(notes.try_note, self._home, folder, notes.CHECKED, keep)
        return {**result, "path": f"{course}/{assignment}/{name}"}

    def _untouched(self, folder: tuple[str, str], name: str, released: Json) -> list[Json]:
        cells = cells_of(read_notebook(self._home, *folder, name))
        return untouched(cells, released.get("cells", {}))

    def _keep_receipt(self, folder: tuple[str, str], receipt: Json) -> list[str]:
        """Keep the receipt here too; a full disk must not hide that the work was handed in."""
        kept = notes.read_note(self._home, folder, notes.RECEIPTS).get("receipts", [])
        content = {"receipts": [*kept, receipt][-100:]}
        if notes.try_note(self._home, folder, notes.RECEIPTS, content):
            return []
        return [_("The receipt could not be saved in your files; the campus keeps it.")]

    def _note_opened(self, course: str, lesson: str) -> None:
        opened = set(notes.read_note(self._home, (course,), notes.OPENED).get("lessons", []))
        content = {"lessons": sorted(opened | {lesson})}
        notes.try_note(self._home, (course,), notes.OPENED, content)

    async def _course(self, run: str) -> str:
        if run not in self._courses:
            self._remember(await self._campus.overview())
        if run not in self._courses:
            raise Refused(
                HTTPStatus.NOT_FOUND,
                "no_run",
                _("You are not in the course run “{run}”.").format(run=run),
                _("Press Refresh; if the course is missing, ask your instructor."),
            )
        return self._courses[run]

    async def _lesson(self, asked: Asked) -> str:
        key = (asked.run, asked.item)
        if key not in self._lessons:
            self._remember(await self._campus.overview())
        if key not in self._lessons:
            raise Refused(
                HTTPStatus.NOT_FOUND,
                "no_lesson",
                _("There is no lesson “{id}” in this course.").format(id=asked.item),
                _("Press Refresh."),
            )
        return self._lessons[key]

    def _remember(self, view: Json) -> None:
        for run in view.get("runs", []):
            if is_name(run.get("slug")) and is_name(run.get("course")):
                self._courses[run["slug"]] = run["course"]
                for lesson in run.get("lessons", []):
                    if safe_path(lesson.get("path")):
                        self._lessons[run["slug"], lesson["id"]] = lesson["path"]


def notebook_name(home: Path, course: str, assignment: str) -> str:
    """Find the notebook of an assignment folder: its own name first, else the first one.

    Raises:
        Refused: The folder or its notebook is missing.
    """
    folder = home / course / assignment
    names = sorted(path.name for path in folder.glob("*.ipynb")) if folder.is_dir() else []
    if not names and not folder.is_dir():
        raise not_started()
    if not names:
        raise Refused(
            HTTPStatus.CONFLICT,
            "no_notebook",
            _("There is no notebook in {folder}.").format(folder=f"{course}/{assignment}"),
            _("Rename the folder in the file browser, then press Start to get a fresh copy."),
        )
    own = f"{assignment}.ipynb"
    return own if own in names else names[0]


def safe_path(path: object) -> bool:
    """Say whether the path of a lesson stays below the course folder."""
    return (
        isinstance(path, str)
        and path.endswith(".ipynb")
        and not any(part in {"", ".", ".."} for part in path.split("/"))
    )


@contextmanager
def _written(home: Path) -> Iterator[None]:
    """Let files that cannot be written end in a sentence."""
    try:
        yield
    except OSError as error:
        raise Refused(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "not_written",
            _no_room() if error.errno in FULL else _cannot_write(error, home),
            _("Delete what you do not need, wait a few seconds, then try again."),
        ) from None


def _no_room() -> str:
    return _("Your space for files is full, so nothing new was fetched. Your files are untouched.")


def _cannot_write(error: OSError, home: Path) -> str:
    free = shutil.disk_usage(home).free >> 20
    return _(
        "The files could not be written ({why}; {mb} MB free). Nothing of yours was changed."
    ).format(why=error.strerror or error, mb=free)
