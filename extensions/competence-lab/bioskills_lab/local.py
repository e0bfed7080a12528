"""Add to the campus's overview what lies in the learner's files.

Law: reads only; a file that cannot be read counts as not there.
"""

from pathlib import Path
from typing import Any

from bioskills_lab import notes
from bioskills_lab.fields import is_name
from bioskills_lab.next_step import next_step
from bioskills_lab.notebook import cells_of, read_notebook, source_digest
from bioskills_lab.problems import Refused

Json = dict[str, Any]


def local_view(view: Json, home: Path) -> Json:
    """Give the overview with `local` in each assignment and lesson, and `next` chosen anew."""
    runs = [_run(run, home) for run in view.get("runs", []) if is_name(run.get("course"))]
    return {**view, "runs": runs}


def _run(run: Json, home: Path) -> Json:
    course = run["course"]
    opened = set(notes.read_note(home, (course,), notes.OPENED).get("lessons", []))
    assignments = [
        {**item, "local": _assignment(item, home, course)}
        for item in run.get("assignments", [])
        if is_name(item.get("name"))
    ]
    started = {item["name"] for item in assignments if item["local"]["started"]}
    lessons = [{**item, "opened": item["id"] in opened} for item in run.get("lessons", [])]
    return {
        **run,
        "assignments": assignments,
        "lessons": lessons,
        "next": next_step(run, opened, started),
    }


def _assignment(item: Json, home: Path, course: str) -> Json:
    folder = (course, item["name"])
    names = sorted(path.name for path in (home / course / item["name"]).glob("*.ipynb"))
    if not names:
        return {"started": False, "path": "", "again": False, "checked": None, "receipt": None,
                "version": None}  # fmt: skip
    own = f"{item['name']}.ipynb"
    name = own if own in names else names[0]
    again = notes.read_note(home, folder, notes.AGAIN).get("after")
    return {
        "started": True,
        "path": "/".join((*folder, name)),
        "again": bool(item.get("attempt")) and again == item.get("attempt"),
        "checked": _checked(home, folder, name),
        "receipt": _receipt(home, folder, item.get("submission_id")),
        "version": notes.read_note(home, folder, notes.RELEASED).get("version"),
    }


def _checked(home: Path, folder: tuple[str, str], name: str) -> bool | None:
    """Say whether the last check passed; null where the work has changed since."""
    note = notes.read_note(home, folder, notes.CHECKED)
    if "digest" not in note:
        return None
    try:
        digest = source_digest(cells_of(read_notebook(home, *folder, name)))
    except Refused:
        return None
    return bool(note.get("passed")) if digest == note["digest"] else None


def _receipt(home: Path, folder: tuple[str, str], submission_id: object) -> Json | None:
    receipts = notes.read_note(home, folder, notes.RECEIPTS).get("receipts", [])
    for receipt in reversed(receipts if isinstance(receipts, list) else []):
        if isinstance(receipt, dict) and receipt.get("submission_id") == submission_id:
            return receipt
    return None
