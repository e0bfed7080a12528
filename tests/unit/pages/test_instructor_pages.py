"""The instructor's day: what is next, and changes that say what they do."""

from datetime import UTC, datetime, timedelta

import pytest
from pages_builders import NOW, World, auto, read, waiting
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX

S1 = "runs/spring/assignments/s1"


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27", "Technicians, spring 2027"))
    empty.cohort("autumn-27")
    empty.person("kim", ("learner", "spring-27"), display="Kim Meyer")
    empty.person("lee", ("learner", "spring-27"), display="Lee Ost")
    empty.person("ada", ("instructor", "spring-27"))
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def page(world: World, path: str, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def send(world: World, path: str, status: int = 303, name: str = "ada", **fields: object) -> str:
    answer = world.browser(name).post(CAMPUS_PREFIX + path, data=fields)
    assert answer.status_code == status, answer.text
    return answer.headers["location"] if status == 303 else " ".join(answer.text.split())


def graded(world: World, name: str = "kim", *, why: bool = True) -> int:
    submission = world.hand_in(name, 1, "s1", NOW - timedelta(days=2))
    third = read("s1/why", "2", "3") if why else waiting("s1/why", "3")
    cells = [auto("s1/gc", "4", "5"), auto("s1/frames", "2", "2"), third]
    return world.grade(submission, cells, verdict="graded" if why else "needs_person")


def assignment(world: World) -> tables.Assignment:
    with world.store.reading() as session:
        return session.get_one(tables.Assignment, world.assignment_id(1, "s1"))


def actions(world: World) -> list[str]:
    with world.store.reading() as session:
        return list(session.scalars(select(tables.AuditEntry.action)))


# Who may see what: status by path.
DOORS = {
    "courses": {"ada": 200, "zoe": 200, "otto": 200, "kim": 403},
    "runs/spring": {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    S1: {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    f"{S1}/close": {"ada": 200, "zoe": 403, "otto": 403, "kim": 403},
    f"{S1}/return": {"ada": 200, "zoe": 403, "otto": 403, "kim": 403},
    "cohorts/spring-27": {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    "cohorts/spring-27/table.csv": {"ada": 200, "zoe": 200, "otto": 403, "kim": 403},
    "runs/nowhere": {"ada": 404, "otto": 404, "kim": 403},
    f"{S1[:-2]}s9": {"ada": 404, "otto": 403, "kim": 403},
    "cohorts/nowhere": {"ada": 403, "kim": 403},
}


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [(path, who, status) for path, doors in DOORS.items() for who, status in doors.items()],
)
def test_a_page_opens_for_the_roles_of_its_cohort_alone(
    world: World, path: str, who: str, status: int
) -> None:
    page(world, path, who, status)


@pytest.mark.parametrize("verb", ["open", "close", "return", "due", "extension"])
@pytest.mark.parametrize("who", ["zoe", "otto", "kim"])
def test_only_an_instructor_of_the_cohort_changes_anything(
    world: World, verb: str, who: str
) -> None:
    before = assignment(world)

    send(world, f"{S1}/{verb}", 403, who, date="2027-04-01", time="12:00", learner="all")

    after = assignment(world)
    assert (before.state, before.due_at) == (after.state, after.due_at)
    assert actions(world) == []


@pytest.mark.parametrize(
    ("who", "address"), [("ada", "courses"), ("zoe", "waiting"), ("kim", "passport")]
)
def test_the_first_page_is_the_one_of_the_role(world: World, who: str, address: str) -> None:
    answer = world.browser(who).get(CAMPUS_PREFIX)

    assert (303, CAMPUS_PREFIX + address) == (answer.status_code, answer.headers["location"])


def test_who_teaches_and_learns_is_asked(world: World) -> None:
    world.person("max", ("learner", "spring-27"), ("instructor", "autumn-27"))

    assert "You learn here, and more" in page(world, "", "max")


def test_courses_lists_the_runs_of_own_cohorts(world: World) -> None:
    assert "First steps with sequences" in page(world, "courses")
    assert "No course runs in your cohorts yet." in page(world, "courses", "otto")


# What happened to s1, and the next step that the board names.
NEXT_STEPS = {
    "learners work": ([], "Learners are working"),
    "draft": (["draft"], "Open for learners"),
    "due is past": (["past"], "Close for hand-ins"),
    "two results held": (["grade kim", "grade lee"], "Return to 2 learners"),
    "an answer to read": (["grade kim in part", "return"], "Look at 1 hand-in"),
    "being graded": (["hand in"], "1 being graded"),
    "closed, all returned": (["grade kim", "return", "closed"], "Complete"),
    "closed, one in grading": (["hand in", "closed"], "Being graded"),
}


def perform(world: World, steps: list[str]) -> None:
    result = 0
    for step in steps:
        match step.split():
            case ["draft" | "closed" as state]:
                world.change(tables.Assignment, world.assignment_id(1, "s1"), state=state)
            case ["past"]:
                world.change(
                    tables.Assignment, world.assignment_id(1, "s1"), due_at=NOW - timedelta(1)
                )
            case ["hand", "in"]:
                world.hand_in("kim", 1, "s1")
            case ["grade", name]:
                result = graded(world, name)
            case ["grade", name, "in", "part"]:
                result = graded(world, name, why=False)
            case ["return"]:
                world.publish(result)


@pytest.mark.parametrize(("steps", "words"), NEXT_STEPS.values(), ids=NEXT_STEPS)
def test_the_board_names_one_next_step(world: World, steps: list[str], words: str) -> None:
    perform(world, steps)
    # Practice is left out of the way, so that the words can only be those of s1.
    world.change(tables.Assignment, world.assignment_id(1, "p1"), state="closed", due_at=None)

    found = page(world, "runs/spring")

    assert words in found.split('assignments/s1"', 1)[1]


def test_the_board_counts_learners_by_their_newest_hand_in(world: World) -> None:
    world.publish(graded(world))
    world.hand_in("kim", 1, "s1")

    found = page(world, "runs/spring").split('assignments/s1"')[1]

    assert "Handed in</span> <b>1 of 2" in found
    assert "Graded</span> <b>0 of 1" in found


def test_only_one_button_of_the_board_is_primary(world: World) -> None:
    graded(world)
    world.change(tables.Assignment, world.assignment_id(1, "p1"), state="draft")

    assert page(world, "runs/spring").count("btn-primary") == 1


def test_a_release_that_failed_can_be_prepared_again(empty: World) -> None:
    empty.run("spring", empty.course(), empty.cohort("spring-27"), released=False)
    empty.person("ada", ("instructor", "spring-27"))
    assert "Prepare it" in page(empty, "runs/spring")

    send(empty, f"{S1}/open")

    assert "The grader prepares it" in page(empty, "runs/spring")


def test_opening_says_what_it_did_and_is_written_down(world: World) -> None:
    world.change(tables.Assignment, world.assignment_id(1, "s1"), state="draft")

    where = send(world, f"{S1}/open")

    assert assignment(world).state == "open"
    assert actions(world) == ["opened assignment"]
    assert "It is open." in page(world, where.removeprefix(CAMPUS_PREFIX))


def test_closing_shows_its_plan_first(world: World) -> None:
    graded(world)

    found = page(world, f"{S1}/close")

    assert "1 of 2 learners have handed in." in found
    assert "1 learner has not handed in and will not be able to:</strong> Lee Ost" in found
    assert assignment(world).state == "open"


def test_closing_closes(world: World) -> None:
    send(world, f"{S1}/close")

    assert assignment(world).state == "closed"
    assert actions(world) == ["closed assignment"]


def test_the_plan_to_return_says_who_gets_what(world: World) -> None:
    graded(world)
    graded(world, "lee", why=False)

    found = page(world, f"{S1}/return")

    assert "Return Sequence records to 2 learners?" in found
    assert "8 of 10" in found
    assert "One answer to read." in found


def test_returning_publishes_what_the_plan_showed_and_nothing_else(world: World) -> None:
    first, second = graded(world), graded(world, "lee")

    where = send(world, f"{S1}/return", result=[first])

    with world.store.reading() as session:
        states = [session.get_one(tables.Result, key).state for key in (first, second)]
    assert states == ["published", "held"]
    assert "Returned to 1 learner." in page(world, where.removeprefix(CAMPUS_PREFIX))


def test_returning_twice_returns_once(world: World) -> None:
    result = graded(world)
    send(world, f"{S1}/return", result=[result])
    send(world, f"{S1}/return", result=[result])

    with world.store.reading() as session:
        rows = session.scalars(select(tables.Evidence)).all()
    assert len(rows) == 3
    assert actions(world) == ["returned results"]


def test_results_of_another_assignment_are_not_returned(world: World) -> None:
    result = graded(world)

    send(world, "runs/spring/assignments/p1/return", result=[result])

    with world.store.reading() as session:
        assert session.get_one(tables.Result, result).state == "held"


def test_nothing_to_return_is_said(world: World) -> None:
    assert "Nothing waits to be returned." in page(world, f"{S1}/return")


def test_a_due_date_is_typed_in_the_zone_of_the_run(world: World) -> None:
    where = send(world, f"{S1}/due", date="2027-03-29", time="18:00")

    # Summer time began on 28 March: 18:00 CEST.
    assert datetime(2027, 3, 29, 16, tzinfo=UTC) == assignment(world).due_at
    assert "It is due Mon 29 March, 18:00 CEST (in 11 days)." in page(
        world, where.removeprefix(CAMPUS_PREFIX)
    )


# What was typed, the field, and what is said there.
BAD_DATES = {
    "nothing": ("", "", "date", "This is empty."),
    "no date": ("tomorrow", "18:00", "date", "&#39;tomorrow&#39; cannot be read."),
    "no time": ("2027-03-29", "6 pm", "time", "Give a time such as 18:00."),
    "the past": ("2027-03-18", "09:00", "date", "is in the past."),
    "after the end": ("2027-12-24", "09:00", "date", "is after the end of the course."),
    "the hour that is missing": ("2027-03-28", "02:30", "time", "the clocks go forward."),
}


@pytest.mark.parametrize(("date", "time", "field", "words"), BAD_DATES.values(), ids=BAD_DATES)
def test_a_date_that_cannot_be_meant_is_refused_at_its_field(
    world: World, date: str, time: str, field: str, words: str
) -> None:
    before = assignment(world).due_at

    found = send(world, f"{S1}/due", 422, date=date, time=time)

    assert before == assignment(world).due_at
    assert words in found.split(f'id="due-{field}-fault"')[1].split("</p>")[0]
    assert "Nothing was changed." in found


def test_what_was_typed_is_kept(world: World) -> None:
    found = send(world, f"{S1}/extension", 422, date="2027-02-01", time="07:15", learner="all")

    assert 'value="2027-02-01"' in found
    assert 'value="07:15"' in found
    assert '<option value="all" selected>' in found


def test_all_faults_of_a_form_come_at_once(world: World) -> None:
    found = send(world, f"{S1}/extension", 422, date="x", time="y", learner="p-999999")

    for field in ("learner", "date", "time"):
        assert f'id="extension-{field}-fault"' in found


def extensions(world: World) -> dict[int, datetime]:
    with world.store.reading() as session:
        return {row.person_id: row.due_at for row in session.scalars(select(tables.Extension))}


def test_more_time_for_one_learner(world: World) -> None:
    send(world, f"{S1}/extension", date="2027-03-30", time="12:00", learner=world.pseudonym("kim"))

    assert {world.ids["kim"]: datetime(2027, 3, 30, 10, tzinfo=UTC)} == extensions(world)


def test_more_time_for_all_and_again_later(world: World) -> None:
    send(world, f"{S1}/extension", date="2027-03-30", time="12:00", learner="all")
    where = send(world, f"{S1}/extension", date="2027-03-31", time="12:00", learner="all")

    due = datetime(2027, 3, 31, 10, tzinfo=UTC)
    assert {world.ids["kim"]: due, world.ids["lee"]: due} == extensions(world)
    assert "2 learners have more time." in page(world, where.removeprefix(CAMPUS_PREFIX))


def test_more_time_is_never_less_time(world: World) -> None:
    found = send(world, f"{S1}/extension", 422, date="2027-03-19", time="12:00", learner="all")

    assert "is not later than everybody" in found
    assert extensions(world) == {}


def test_the_audit_log_holds_pseudonyms_and_no_names(world: World) -> None:
    send(world, f"{S1}/extension", date="2027-03-30", time="12:00", learner="all")

    with world.store.reading() as session:
        entry = session.scalars(select(tables.AuditEntry)).one()
        given = set(session.scalars(select(tables.Extension.granted_by)))
    assert entry.subject == "spring/s1"
    assert "Meyer" not in str(entry.detail)
    assert {entry.actor} | given == {world.pseudonym("ada")}


def test_the_assignments_page_lists_everybody_with_state_and_feedback(world: World) -> None:
    graded(world, why=False)

    found = page(world, S1)

    assert "Kim Meyer" in found
    assert "6 of 10" in found
    assert "One answer to read." in found
    assert "Not handed in" in found
    assert f"{CAMPUS_PREFIX}feedback/1" in found


def test_times_are_local_for_people_and_utc_for_machines(world: World) -> None:
    assert (
        '<time datetime="2027-03-22T13:05:00Z">Mon 22 March, 14:05 CET (in 4 days)</time>'
        in page(world, S1)
    )


def test_no_page_carries_inline_style_or_script(world: World) -> None:
    graded(world, why=False)

    for path in ("courses", "runs/spring", S1, f"{S1}/close", f"{S1}/return", "cohorts/spring-27"):
        found = page(world, path)
        assert " style=" not in found
        assert "<style" not in found
        assert found.count("<script") == 1


def test_earlier_attempts_are_returned_together_with_the_newest(world: World) -> None:
    results = [graded(world), graded(world)]

    assert "Return Sequence records to 1 learner?" in page(world, f"{S1}/return")
    where = send(world, f"{S1}/return", result=results)

    assert "Returned to 1 learner." in page(world, where.removeprefix(CAMPUS_PREFIX))
    with world.store.reading() as session:
        states = [session.get_one(tables.Result, key).state for key in results]
    assert states == ["published", "published"]
