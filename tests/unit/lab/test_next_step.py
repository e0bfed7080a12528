"""Which one thing the panel offers."""

from typing import Any

from bioskills_lab.next_step import next_step


def run(**change: Any) -> dict[str, Any]:
    lessons = [
        {"id": "l1", "title": "One", "minutes": 10},
        {"id": "l2", "title": "Two", "minutes": 5},
    ]
    work = [{"name": "p1", "title": "Practice", "minutes": 20, "state": "new"}]
    campus = {"kind": "lesson", "id": "l1", "title": "One"}
    return {"is_open": True, "next": campus, "lessons": lessons, "assignments": work, **change}


def step(found: dict[str, Any], opened: set[str], started: set[str] | None = None) -> str:
    chosen = next_step(found, opened, started or set())
    return f"{chosen['kind']} {chosen.get('id', '')}".strip()


def test_the_first_lesson_not_opened_here_comes_first() -> None:
    assert step(run(), set()) == "lesson l1"
    assert step(run(), {"l1"}) == "lesson l2"


def test_then_the_first_assignment_not_handed_in() -> None:
    assert step(run(), {"l1", "l2"}) == "assignment p1"


def test_a_started_assignment_is_gone_on_with() -> None:
    assert next_step(run(), {"l1", "l2"}, {"p1"})["button"] == "Go on with the assignment"


def test_feedback_comes_before_all() -> None:
    assert step(run(next={"kind": "feedback", "id": "p1", "title": "x"}), set()) == "feedback p1"


def test_before_the_start_the_campus_decides() -> None:
    waiting = {"kind": "wait", "id": "", "title": "Begins on Monday"}
    assert step(run(is_open=False, next=waiting), set()) == "wait"


def test_work_being_graded_is_waited_for() -> None:
    graded = [{"name": "p1", "title": "Practice", "minutes": 20, "state": "grading"}]
    assert step(run(assignments=graded), {"l1", "l2"}) == "wait"


def test_when_all_is_done_there_is_nothing_to_press() -> None:
    done = [{"name": "p1", "title": "Practice", "minutes": 20, "state": "published"}]
    assert next_step(run(assignments=done), {"l1", "l2"}, set())["button"] == ""
