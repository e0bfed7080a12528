"""The grading board and a waiting hand-in in a real Chromium, in every state that they have.

The campus is real, and so are its rows; only who is signed in is told to it, and no
grader runs beside it, so that a state stays until it was looked at.
"""

import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from bioskills_browser import examine
from bioskills_ports import free_port
from bioskills_waiting import eventually
from playwright.sync_api import expect
from sqlalchemy import select

from bioskills.base import tables, wire
from bioskills.hub.campus import judgements

pytestmark = [pytest.mark.ui, pytest.mark.integration]

_spec = importlib.util.spec_from_file_location(
    "pages_builders", Path(__file__).parents[1] / "unit" / "pages" / "builders.py"
)
assert _spec is not None
assert _spec.loader is not None
builders = sys.modules.setdefault("pages_builders", importlib.util.module_from_spec(_spec))
if not hasattr(builders, "world_in"):
    _spec.loader.exec_module(builders)

NOW, auto, waiting = builders.NOW, builders.auto, builders.waiting
NAMES = ["Kim Meyer", "Lee Ost", "Max Roth", "Ana Luz", "Ben Ek", "Eva Ny", "Ida Sol", "Jon Ask"]
FLAG = {
    "code": "replaced_function",
    "cell": "s1/gc",
    "message": "The function assert_almost_equal was replaced before the test ran.",
}


@pytest.fixture
def world(tmp_path) -> Iterator[object]:
    """A campus that listens, with one run, eight learners and an instructor."""
    port = free_port()
    with builders.world_in(tmp_path, port) as world:
        course = world.course()
        world.run("spring", course, world.cohort("spring-27", "Technicians, spring 2027"))
        world.run("later", course, world.cohort("empty-27", "Technicians, autumn 2027"))
        for name in NAMES:
            world.person(name.split()[0].lower(), ("learner", "spring-27"), display=name)
        world.person("ada", ("instructor", "spring-27"), ("instructor", "empty-27"), display="Ada")
        server = uvicorn.Server(
            uvicorn.Config(world.app, host="127.0.0.1", port=port, log_level="error")
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert eventually(lambda: server.started)
        yield world
        server.should_exit = True
        thread.join(60)


def change_job(world, submission: int, **values: object) -> None:
    with world.store.transaction() as session:
        for job in session.query(tables.Job).filter_by(submission_id=submission):
            for name, value in values.items():
                setattr(job, name, value)


def grade(world, submission: int, cells, took_s: float, **more: object) -> None:
    begun = NOW - timedelta(minutes=40 - submission)
    world.grade(submission, cells, at=begun + timedelta(seconds=took_s), **more)
    change_job(world, submission, created_at=begun, started_at=begun)


def a_working_day(world) -> None:
    """Let everybody hand in: some came back, one is flagged, one failed, some are under way."""
    full = [auto("p1/count", "4", "4")]
    for name in ("kim", "lee", "max", "ana", "ben"):
        submission = world.hand_in(name, 1, "p1", NOW - timedelta(minutes=42))
        grade(world, submission, full if name != "ben" else [auto("p1/count", "0", "4", "plain")],
              5, environment="2027-03-01" if name in ("kim", "lee") else "2027-03-17")  # fmt: skip
    works = {
        "kim": [auto("s1/gc", "2", "5", "lower_case"), auto("s1/frames", "2", "2"), waiting("s1/why", "3")],
        "lee": [auto("s1/gc", "5", "5"), auto("s1/frames", "0", "2", "three"), waiting("s1/why", "3")],
        "max": [auto("s1/gc", "3", "5", "with_n"), auto("s1/frames", "0", "2", "three"), waiting("s1/why", "3")],
    }  # fmt: skip
    for name, cells in works.items():
        submission = world.hand_in(name, 1, "s1", NOW - timedelta(minutes=38))
        grade(world, submission, cells, 7, environment="2027-03-17",
              flags=[FLAG] if name == "kim" else [])  # fmt: skip
    lost = world.hand_in("ana", 1, "s1", NOW - timedelta(minutes=20))
    reason = "The notebook s1.ipynb is no notebook: it ends in the middle. Hand it in again."
    grade(world, lost, [], 1, verdict="needs_person", reason=reason, environment="2027-03-17")
    running = world.hand_in("eva", 1, "p1", NOW - timedelta(seconds=9))
    change_job(world, running, created_at=NOW, state="running", done=7, of=14, started_at=NOW)
    for name in ("ida", "jon"):
        change_job(world, world.hand_in(name, 1, "p1", NOW), created_at=NOW)


def open_as(world, new_context, name: str, path: str):
    world.browser(name)
    page = new_context().new_page()
    page.goto(world.site.url + path)
    return page


def row(page, title):
    return page.locator("table.board tbody tr").filter(has_text=title)


def test_a_busy_board_shows_every_step_and_flagged_work_first(world, new_context):
    a_working_day(world)
    page = open_as(world, new_context, "ada", "runs/spring")
    page.get_by_role("link", name="Grading", exact=True).click()
    expect(page.get_by_role("heading", name="Grading", level=1)).to_be_visible()

    first = page.locator("table.board tbody tr").first
    expect(first).to_contain_text("Sequence records")
    expect(first).to_contain_text("1 flagged")
    expect(first).to_contain_text("1 not graded")
    expect(row(page, "Practice: count")).to_contain_text("1, 7 of 14 cells")
    expect(row(page, "Practice: count")).to_contain_text("all graded in about")
    expect(page.locator(".needs li").first).to_contain_text("assert_almost_equal was replaced")
    expect(page.locator("#progress")).to_contain_text("2 in the queue, 1 running")

    assert examine(page, "grading") == []


def test_the_keyboard_alone_leads_from_a_flag_to_its_decision(world, new_context):
    a_working_day(world)
    page = open_as(world, new_context, "ada", "runs/spring/grading")
    page.get_by_role("link", name="Look at 1 flagged hand-in").press("Enter")
    expect(page.locator("#flagged")).to_be_focused()
    page.get_by_role("link", name=re.compile("^See the hand-in ?: Kim Meyer")).press("Enter")
    expect(page.get_by_text("Flagged: look at this before it counts.")).to_be_visible()
    found = examine(page, "grading-flagged-hand-in")
    page.get_by_role("button", name=re.compile("^Looked at, counts")).press("Enter")

    expect(page.get_by_role("status").filter(has_text="It counts now.")).to_be_visible()
    expect(row(page, "Sequence records")).not_to_contain_text("flagged")
    assert found + examine(page, "grading-looked-at") == []


def test_grading_again_asks_first_and_queues_only_what_changed(world, new_context):
    a_working_day(world)
    page = open_as(world, new_context, "ada", "runs/spring/grading")
    page.get_by_role("link", name="Grade 2 hand-ins again").click()
    expect(page.get_by_role("heading", name="Grade 2 hand-ins of Practice")).to_be_visible()
    found = examine(page, "grading-again")
    page.get_by_role("button", name="Grade 2 hand-ins again").click()

    expect(page.get_by_role("status").filter(has_text="2 hand-ins are graded")).to_be_visible()
    expect(row(page, "Practice: count")).to_contain_text("5 to be graded")
    page.goto(world.site.url + "runs/spring/assignments/p1/regrade")
    expect(page.get_by_role("heading", name="Nothing has changed.")).to_be_visible()
    assert found + examine(page, "grading-again-nothing") == []


def judge(world, submission: int, by: str = "ada", **given: object) -> None:
    """Save something for s1, as formgrader does for a person."""
    with world.store.transaction() as session:
        work = session.get_one(tables.Submission, submission)
        told = wire.Judgement(
            by=by,
            learner=session.get_one(tables.Person, work.person_id).pseudonym,
            submitted_at=work.submitted_at,
            **given,
        )
        assignment = session.get_one(tables.Assignment, work.assignment_id)
        who = session.get_one(tables.Person, world.ids[by])
        judgements.save(session, assignment, told, who).at = NOW - timedelta(minutes=3)


def gives_points(world) -> list[int]:
    """Let ada judge what kim (flagged), lee and max wrote."""
    a_working_day(world)
    with world.store.reading() as session:
        wanted = select(tables.Submission.id).where(tables.Submission.assignment_id == 2)
        works = list(session.scalars(wanted.order_by(tables.Submission.id).limit(3)))
    for work, points in zip(works, ("3", "2.5", "0"), strict=True):
        judge(world, work, kind="points", cell="s1/why", points=points)
    comment = "The disk keeps the file; say what happens to the *variables* when the kernel ends, and why."
    judge(world, works[1], kind="comment", cell="s1/why", comment=comment)
    judge(world, works[1], kind="points", cell="s1/frames", points="1")
    return works


def test_points_given_by_hand_are_shown_before_they_are_put_into_results(world, new_context):
    gives_points(world)
    page = open_as(world, new_context, "ada", "runs/spring/grading")
    expect(row(page, "Sequence records")).to_contain_text("3 with points given")
    expect(page.locator(".note-given")).to_contain_text("Lee Ost, attempt 1")
    found = examine(page, "grading-points-given")
    page.get_by_role("link", name="Look, and put them into results").press("Enter")
    expect(page.get_by_role("heading", name="Put points of 3 hand-ins")).to_be_visible()
    expect(page.locator(".given").first).to_contain_text("assert_almost_equal was replaced")
    found += examine(page, "points")
    page.get_by_role("button", name=re.compile("^Leave out ?: Max Roth")).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("They stay in formgrader.")
    page.get_by_role("button", name=re.compile("^Put into the result ?: Kim")).click()
    expect(page.get_by_role("status")).to_contain_text("The points of 1 hand-in are")
    page.get_by_role("button", name="Put points of 1 hand-in into its result").click()
    expect(page.get_by_role("heading", name="No points wait.")).to_be_visible()
    found += examine(page, "points-none")
    page.get_by_role("link", name="Back to Grading").click()

    expect(row(page, "Sequence records")).not_to_contain_text("flagged")
    expect(row(page, "Sequence records")).to_contain_text("Return to 4 learners")
    assert found == []


def test_what_was_saved_meanwhile_is_said_at_the_top_and_nothing_changes(world, new_context):
    works = gives_points(world)
    page = open_as(world, new_context, "ada", "runs/spring/assignments/s1/points")
    judge(world, works[0], kind="points", cell="s1/why", points="1")
    page.get_by_role("button", name="Put points of 3 hand-ins into their results").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Meanwhile more was saved in formgrader")
    expect(page.locator(".given").first).to_contain_text("1 of 3")
    assert examine(page, "points-refused") == []


def test_empty_silent_and_forbidden_boards_say_what_is_so(world, new_context):
    page = open_as(world, new_context, "ada", "runs/later/grading")
    expect(page.get_by_text("Nobody is in this cohort yet.")).to_be_visible()
    found = examine(page, "grading-empty")
    submission = world.hand_in("kim", 1, "p1", NOW - timedelta(minutes=30))
    change_job(world, submission, created_at=NOW - timedelta(minutes=30))
    page.goto(world.site.url + "runs/spring/grading")
    expect(page.get_by_role("alert")).to_contain_text("The grader does not answer.")
    found += examine(page, "grading-silent")
    world.browser("kim")
    page.goto(world.site.url + "runs/spring/grading")
    expect(page.get_by_role("heading", name="This is not open to you")).to_be_visible()

    assert found + examine(page, "grading-forbidden") == []


def test_a_waiting_learner_sees_place_then_progress_then_feedback_without_a_click(
    world, new_context
):
    a_working_day(world)
    mine = world.hand_in("kim", 1, "p1", NOW)
    change_job(world, mine, created_at=NOW)
    page = open_as(world, new_context, "kim", f"feedback/{mine}")
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    expect(page.locator("#progress")).to_have_text("Place 3 in the queue, about 25 seconds.")
    found = examine(page, "waiting")

    change_job(world, mine, state="running", step="running", done=7, of=14)
    expect(page.locator("#progress")).to_have_text("Running: 7 of 14 cells.")
    grade(world, mine, [auto("p1/count", "4", "4")], 3,
          mended=["The cell “count” was there twice; the first one was graded."])  # fmt: skip
    expect(page.get_by_role("heading", name="In one look")).to_be_visible()
    expect(page.get_by_text("Repaired before grading")).to_be_visible()

    assert found + examine(page, "waiting-answered") + faults == []


def test_a_flagged_learner_reads_no_accusation(world, new_context):
    a_working_day(world)
    world.publish(6)
    page = open_as(world, new_context, "kim", "feedback/6")

    expect(page.get_by_text("It counts once a person has looked at it.")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("replaced")
    assert examine(page, "waiting-flagged-learner") == []
