"""Say how one version of a course differs from another, for the person who teaches it.

Law: pure. What matters to learners and grades comes first: assignments, points, cells,
attempts, the mapping to outcomes; then hours, lessons and data. A summary is plain JSON, so
that the version that is read may be read in a process of its own.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bioskills.base.text import _
from bioskills.courses.manifest import Assignment
from bioskills.courses.notebooks import Notebook
from bioskills.courses.reading import Course

Summary = Mapping[str, Any]

ADDED, CHANGED, REMOVED = "+", "~", "-"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        sign: ``+`` is new, ``~`` changed, ``-`` is gone.
        subject: What, as an author names it.
        detail: From what to what; empty where the sign says all.
    """

    sign: str
    subject: str
    detail: str = ""


def summary_of(course: Course, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a course is compared; the course was checked before.

    Args:
        course: With a manifest.
        mapping: `competence.yaml` as it is stored.

    Raises:
        ValueError: The course has no manifest that can be read.
    """
    manifest = course.manifest
    if manifest is None:
        raise ValueError("a course without a manifest has no summary")
    return {
        "title": manifest.title,
        "hours": _hours(manifest.hours.model_dump()),
        "units": {
            part.code: _unit(part.mode, part.hours, part.outcomes) for part in manifest.units
        },
        "assignments": {
            found.id: _assignment(found, course.sources.get(found.id))
            for found in manifest.assignments
        },
        "mapping": int(mapping["mapping_version"]),
        "lessons": {lesson.id: _hash(course.files[lesson.file]) for lesson in manifest.lessons},
        "data": {p: _hash(c) for p, c in course.files.items() if p.startswith("data/")},
    }


def differences(old: Summary, new: Summary) -> list[Difference]:
    """Return everything in which the new version differs, what touches grades first."""
    return [
        *_of_assignments(old["assignments"], new["assignments"]),
        *_of_mapping(old["mapping"], new["mapping"]),
        *_of_values(old["units"], new["units"], _("unit {name}")),
        *_of_values({"": old["hours"]}, {"": new["hours"]}, _("hours")),
        *_of_values({"": old["title"]}, {"": new["title"]}, _("title")),
        *_of_contents(old["lessons"], new["lessons"], _("lesson {name}")),
        *_of_contents(old["data"], new["data"], _("file {name}")),
    ]


def _hours(given: Mapping[str, float]) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {hours:g} h" for kind, hours in given.items())


def _unit(mode: str, hours: float, outcomes: tuple[str, ...]) -> str:
    return f"{mode}, {hours:g} h, {', '.join(outcomes)}"


def _assignment(plan: Assignment, book: Notebook | None) -> dict[str, Any]:
    attempts = plan.attempts.max
    facts = {
        _("points"): f"{plan.points:g}",
        _("pass mark"): f"{plan.pass_share:.0%}",
        _("attempts"): _("any number") if attempts is None else str(attempts),
        _("kind"): plan.kind,
        _("results go out"): plan.release.replace("_", " "),
        _("due"): _("{n} days after the start").format(n=plan.due_offset_days),
        _("title"): plan.title,
    }
    return {"facts": facts, "cells": _cells(book) if book else {}}


def _cells(book: Notebook) -> dict[str, list[str]]:
    """Return points and text hash of every cell that nbgrader knows, by grade_id."""
    return {
        cell.grade_id: [f"{cell.points:g}", _hash(cell.source.encode())]
        for cell in book.cells
        if cell.grade_id
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _of_assignments(old: Summary, new: Summary) -> Iterator[Difference]:
    yield from _comings(old, new, _("assignment {name}"))
    for name in sorted(old.keys() & new.keys()):
        yield from _of_facts(name, old[name]["facts"], new[name]["facts"])
        yield from _of_cells(name, old[name]["cells"], new[name]["cells"])


def _of_facts(name: str, old: Summary, new: Summary) -> Iterator[Difference]:
    for key, value in new.items():
        before = old.get(key, value)
        if before != value:
            yield Difference(CHANGED, f"{name}, {key}", f"{before} → {value}")


def _of_cells(name: str, old: Summary, new: Summary) -> Iterator[Difference]:
    yield from _comings(old, new, _("{assignment}, cell {name}").replace("{assignment}", name))
    for cell in sorted(old.keys() & new.keys()):
        (points, text), (points_now, text_now) = old[cell], new[cell]
        subject = _("{assignment}, cell {name}").format(assignment=name, name=cell)
        if points != points_now:
            detail = _("points {old} → {new}").format(old=points, new=points_now)
            yield Difference(CHANGED, subject, detail)
        if text != text_now:
            yield Difference(CHANGED, subject, _("its text"))


def _of_mapping(old: int, new: int) -> Iterator[Difference]:
    if old != new:
        detail = f"{_('mapping_version')} {old} → {new}"
        yield Difference(CHANGED, _("what proves which outcome"), detail)


def _of_values(old: Summary, new: Summary, subject: str) -> Iterator[Difference]:
    yield from _comings(old, new, subject)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield Difference(CHANGED, subject.format(name=name), f"{old[name]} → {new[name]}")


def _of_contents(old: Summary, new: Summary, subject: str) -> Iterator[Difference]:
    yield from _comings(old, new, subject)
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield Difference(CHANGED, subject.format(name=name), _("its content"))


def _comings(old: Summary, new: Summary, subject: str) -> Iterator[Difference]:
    for name in sorted(new.keys() - old.keys()):
        yield Difference(ADDED, subject.format(name=name))
    for name in sorted(old.keys() - new.keys()):
        yield Difference(REMOVED, subject.format(name=name))
