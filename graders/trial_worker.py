"""Run a course behind the fence: lessons, solution, empty work and every wrong answer.

Law: this module is a program of its own, started by `course_trial`. It reads
one course, writes one JSON line per event to its output, and nothing else.
"""

import contextlib
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bioskills.base.text import _
from bioskills.courses.faults import Fault
from bioskills.courses.grading_notes import Variant, message_ids
from bioskills.courses.notebooks import HIDDEN_TESTS, lines_in
from bioskills.courses.package import materials, read_zip, write_tree
from bioskills.courses.reading import Course, view_of
from bioskills.courses.release_check import release_faults
from bioskills.graders.lesson_run import first_difference, run_lesson
from bioskills.graders.solutions import Results, TrialCourse

Event = dict[str, object]
_ROUNDING = 1e-9

# <linux/sockios.h> and <linux/if.h>
_SET_INTERFACE_FLAGS, _INTERFACE_UP = 0x8914, 0x1


def _told(message: str) -> Event:
    return {"progress": message}


def _breach(rule: str, fault: Fault) -> Event:
    return {"rule": rule, "fault": asdict(fault)}


def try_lessons(course: Course, root: Path) -> Iterator[Event]:
    """Yield what is wrong when each lesson is run twice."""
    for lesson in course.lessons:
        yield _told(_("running {path}, twice").format(path=lesson.path))
        runs = []
        for attempt in ("one", "two"):
            folder = root / attempt
            write_tree(materials(course.files), folder)
            runs.append(run_lesson(folder / lesson.path))
            if runs[-1].problem:
                cell = lesson.cells[runs[-1].cell - 1].name
                yield _breach("L12", Fault(lesson.path, cell, "", runs[-1].problem))
                break
        else:
            differs = first_difference(*runs)
            if differs:
                cell = lesson.cells[differs - 1].name
                message = _("the second run gives another output")
                yield _breach("L12", Fault(lesson.path, cell, "", message, _("Fix the seed.")))


def try_assignment(course: Course, assignment: str, root: Path) -> Iterator[Event]:
    """Yield what is wrong when an assignment is released, answered and graded."""
    trial = TrialCourse(course, assignment, root)
    yield _told(_("making the release of {name}").format(name=assignment))
    refusal = trial.release()
    if refusal:
        yield _breach("L37", Fault(trial.source.path, "", "", refusal))
        return
    for fault in release_faults(course, assignment, trial.released()):
        yield _breach("L24", fault)
    yield from _solution(trial)
    yield from _empty(trial)
    stopping: set[tuple[str, str]] = set()
    for name, variant in course.variants.get(assignment, {}).items():
        yield from _variant(trial, name, variant, stopping)
    yield from _idle_tests(trial, stopping)


def _graded(
    trial: TrialCourse, learner: str, answers: dict[str, str], file: str
) -> Iterator[Event]:
    """Hand in and grade; yield progress, and a breach when nbgrader cannot."""
    yield _told(_("grading {name}: {learner}").format(name=trial.name, learner=learner))
    trial.hand_in(learner, answers)
    refusal = trial.grade(learner)
    if refusal:
        yield _breach("L37", Fault(file, "", "", refusal))


def _solution(trial: TrialCourse) -> Iterator[Event]:
    before: Results = {}
    for learner in ("solution", "solution-again"):
        events = list(_graded(trial, learner, trial.solution(), trial.source.path))
        yield from events
        if any("rule" in event for event in events):
            return
        results = trial.results(learner)
        if before and _points(before) != _points(results):
            message = _("the same work got other points the second time")
            yield _breach("L28", Fault(trial.source.path, "", "", message))
        for grade_id in _failed(results) if not before else ():
            message = _("the solution gets {points:g} of {most:g} points: {error}").format(
                points=results[grade_id].points or 0,
                most=results[grade_id].max_points,
                error=results[grade_id].error or _("no error"),
            )
            yield _breach("L20", Fault(trial.source.path, grade_id, "", message))
        before = results


def _empty(trial: TrialCourse) -> Iterator[Event]:
    events = list(_graded(trial, "empty", {}, trial.source.path))
    yield from events
    if any("rule" in event for event in events):
        return
    for grade_id, result in trial.results("empty").items():
        if result.points:
            message = _("empty work gets {points:g} of {most:g} points").format(
                points=result.points, most=result.max_points
            )
            yield _breach("L21", Fault(trial.source.path, grade_id, "", message))


def _variant(
    trial: TrialCourse, name: str, variant: Variant, stopping: set[tuple[str, str]]
) -> Iterator[Event]:
    """Try a wrong answer; note the ids of the hidden tests that stopped it."""
    file = f"variants/{trial.name}/{name}.yml"
    answers = {**trial.solution(), variant.cell: variant.source}
    events = list(_graded(trial, name, answers, file))
    yield from events
    if any("rule" in event for event in events):
        return
    results = trial.results(name)
    for grade_id, result in results.items():
        if result.stopped_at == "hidden":
            stopping.add((grade_id, result.check))
    for fault in variant_faults(file, variant, results):
        yield _breach("L22", fault)


def _idle_tests(trial: TrialCourse, stopping: set[tuple[str, str]]) -> Iterator[Event]:
    """Yield the hidden tests that were the first to stop no wrong answer."""
    for cell in trial.source.graded:
        hidden = message_ids("\n".join(lines_in(cell.source, HIDDEN_TESTS)))
        idle = [check for check in hidden if (cell.grade_id, check) not in stopping]
        if idle:
            message = _("no wrong answer is stopped by: {checks}").format(checks=", ".join(idle))
            yield _breach("L22w", Fault(trial.source.path, cell.grade_id, "", message))


def variant_faults(file: str, variant: Variant, results: Results) -> Iterator[Fault]:
    """Yield where a wrong answer did not end as its author says."""
    failed = _failed(results)
    for grade_id in sorted(set(variant.fails) - failed):
        message = _("the wrong answer passes {cell}, although it should fail there")
        yield Fault(file, "fails", grade_id, message.format(cell=grade_id))
    for grade_id in sorted(failed - set(variant.fails)):
        message = _("the wrong answer also fails {cell}: {error}")
        error = results[grade_id].error
        yield Fault(file, "fails", grade_id, message.format(cell=grade_id, error=error))
    stops = {results[grade_id].stopped_at for grade_id in failed & set(variant.fails)}
    if variant.passes_visible and "visible" in stops:
        errors = "; ".join(results[grade_id].error for grade_id in sorted(failed))
        message = _("a visible test stops it already: {error}").format(error=errors)
        yield Fault(file, "passes_visible", "true", message)
    if not variant.passes_visible and stops == {"hidden"}:
        message = _("the visible tests let it pass; only a hidden one stops it")
        yield Fault(file, "passes_visible", "false", message)


def _failed(results: Results) -> set[str]:
    return {
        grade_id
        for grade_id, result in results.items()
        if result.points is not None and result.points < result.max_points - _ROUNDING
    }


def _points(results: Results) -> dict[str, float | None]:
    return {grade_id: result.points for grade_id, result in results.items()}


def _events(course: Course, root: Path) -> Iterator[Event]:
    yield from try_lessons(course, root / "lessons")
    for assignment in course.sources:
        yield from try_assignment(course, assignment, root / assignment)


def _raise_loopback() -> None:
    """Let kernels of this namespace be reached: a new one starts with its loopback down."""
    request = struct.pack("16sh", b"lo", _INTERFACE_UP)
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_INTERFACE_FLAGS, request)


def main(root: Path) -> None:
    """Run the course that lies in this folder as `course.zip`."""
    _raise_loopback()
    # Learner code writes to inherited outputs; the events get a channel of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        course = view_of(read_zip((root / "course.zip").read_bytes()))
        for event in _events(course, root):
            channel.write(json.dumps(event) + "\n")
            channel.flush()
        channel.write(json.dumps({"done": True}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
