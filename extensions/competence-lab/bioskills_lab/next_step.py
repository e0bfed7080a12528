"""Choose the one thing to do now, from what the campus and this lab know.

Law: pure. What came back comes first, then the first lesson nobody opened
here, then the first assignment not handed in; otherwise the campus decides.
"""

from typing import Any

from bioskills_lab.words import _


def next_step(run: dict[str, Any], opened: set[str], started: set[str]) -> dict[str, Any]:
    """Give the next step of one run.

    Args:
        run: The run as the campus sees it.
        opened: Ids of lessons opened here.
        started: Names of assignments that are in the learner's files.
    """
    campus = run.get("next") or {"kind": "none", "title": ""}
    if not run.get("is_open") or campus.get("kind") == "feedback":
        return dict(campus)
    return (
        _lesson(run, opened)
        or _assignment(run, started)
        or (_rest(run) if campus.get("kind") in {"lesson", "assignment"} else dict(campus))
    )


def _lesson(run: dict[str, Any], opened: set[str]) -> dict[str, Any] | None:
    lessons = run.get("lessons", [])
    for number, lesson in enumerate(lessons, start=1):
        if lesson["id"] not in opened:
            return {
                "kind": "lesson",
                "id": lesson["id"],
                "title": lesson["title"],
                "detail": _("Lesson {n} of {all}, about {minutes} minutes").format(
                    n=number, all=len(lessons), minutes=lesson["minutes"]
                ),
                "button": _("Open lesson {n}").format(n=number),
            }
    return None


def _assignment(run: dict[str, Any], started: set[str]) -> dict[str, Any] | None:
    for assignment in run.get("assignments", []):
        if assignment["state"] == "new":
            going = assignment["name"] in started
            return {
                "kind": "assignment",
                "id": assignment["name"],
                "title": assignment["title"],
                "detail": _("Assignment, about {minutes} minutes").format(
                    minutes=assignment["minutes"]
                ),
                "button": _("Go on with the assignment") if going else _("Start the assignment"),
            }
    return None


def _rest(run: dict[str, Any]) -> dict[str, Any]:
    states = {assignment["state"] for assignment in run.get("assignments", [])}
    if states & {"handed_in", "grading"}:
        return {"kind": "wait", "id": "", "title": _("Your work is being graded."), "button": "",
                "detail": _("You can close this page; the answer appears by itself.")}  # fmt: skip
    return {"kind": "none", "id": "", "title": _("Nothing is left to do now."), "button": "",
            "detail": _("You can look at the lessons again or improve an assignment.")}  # fmt: skip
