"""Points given in formgrader: written down, shown, put into results by a person, and kept."""

from datetime import timedelta
from typing import Any

import pytest
from pages_builders import NOTES, NOW, World, auto, waiting
from sqlalchemy import select

from bioskills.base import tables, wire
from bioskills.base.wire import CAMPUS_PREFIX, CellScore, Feedback, GradeResult
from bioskills.competence.hashes import scores_sha256
from bioskills.hub.campus import judgements, judging, results
from bioskills.hub.campus.site import Refused

BOARD = "runs/spring/grading"
P1, S1 = (f"runs/spring/assignments/{name}/points" for name in ("p1", "s1"))
HOUR = timedelta(hours=1)
FLAG = {"code": "hook", "cell": "p1/count", "message": "A hook was left behind."}
COUNT = [auto("p1/count", "1", "4")]
S1_CELLS = [auto("s1/gc", "5", "5"), auto("s1/frames", "2", "2"), waiting("s1/why", "3")]


@pytest.fixture
def world(empty: World) -> World:
    empty.run("spring", empty.course(), empty.cohort("spring-27"))
    empty.cohort("autumn-27")
    for name in ("kim", "lee"):
        empty.person(name, ("learner", "spring-27"), display=f"{name.title()} Meyer")
    empty.person("ada", ("instructor", "spring-27"), display="Ada Roth")
    empty.person("bo", ("instructor", "spring-27"), display="Bo Lind")
    empty.person("zoe", ("assessor", "spring-27"))
    empty.person("otto", ("instructor", "autumn-27"))
    return empty


def graded(world: World, name: str, assignment: str, cells: list[CellScore], **more: Any) -> int:
    submission = world.hand_in(name, 1, assignment, more.pop("handed_in", NOW - HOUR))
    world.grade(submission, cells, **more)
    return submission


def judge(world: World, submission: int, cell: str, by: str = "ada", **more: Any) -> int:
    """Save something, as formgrader does for a person."""
    kind = "comment" if "comment" in more else "points"
    with world.store.transaction() as session:
        row = session.get_one(tables.Submission, submission)
        assignment = session.get_one(tables.Assignment, row.assignment_id)
        told = wire.Judgement(
            by=by,
            learner=session.get_one(tables.Person, row.person_id).pseudonym,
            submitted_at=more.pop("at", row.submitted_at),
            kind=kind,
            cell=cell,
            **more,
        )
        saved = judgements.save(
            session, assignment, told, session.get_one(tables.Person, world.ids[by])
        )
        session.flush()
        return saved.id


def page(world: World, path: str, name: str = "ada", status: int = 200) -> str:
    answer = world.browser(name).get(CAMPUS_PREFIX + path)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def send(
    world: World, path: str, *given: int, name: str = "ada", status: int = 303, verb: str = ""
) -> str:
    client = world.browser(name)
    answer = client.post(CAMPUS_PREFIX + path + verb, data={"given": list(given)})
    assert answer.status_code == status, answer.text
    return answer.headers.get("location", "") or " ".join(answer.text.split())


def rows(world: World, table: type[Any]) -> list[Any]:
    with world.store.reading() as session:
        key = table.seq if table is tables.Evidence else table.id
        return list(session.scalars(select(table).order_by(key)))


def newest(world: World) -> tables.Result:
    return rows(world, tables.Result)[-1]


def cells(world: World) -> dict[str, tuple[str | None, bool]]:
    return {c["cell"]: (c["manual_points"], c["needs_person"]) for c in newest(world).cells}


def told(world: World, submission: int) -> Feedback:
    answer = world.lab("kim").get(f"{CAMPUS_PREFIX}api/v1/lab/feedback/{submission}")
    return Feedback.model_validate(answer.json())


def grade_again(world: World, submission: int, *given: CellScore, **more: Any) -> None:
    """Let the grader answer once more; what it says of persons' points is a machine's word."""
    with world.store.transaction() as session:
        row = session.get_one(tables.Submission, submission)
        job = tables.Job(
            kind="grade",
            run_id=1,
            submission_id=submission,
            assignment_version_id=row.assignment_version_id,
            environment=f"again-{submission}",
        )
        session.add(job)
        session.flush()
        grade = GradeResult(verdict=more.pop("verdict", "graded"), cells=list(given), **more)
        results.record(session, job, grade, NOW)


def test_points_of_a_person_become_result_feedback_and_evidence_at_one_stroke(
    world: World,
) -> None:
    submission = graded(world, "kim", "p1", COUNT, flags=[FLAG])
    judge(world, submission, "p1/count", points="2.5")
    last = judge(world, submission, "p1/count_answer", by="bo", comment="Nearly: see the N.")

    before = (told(world, submission).points, len(rows(world, tables.Evidence)))
    send(world, P1, last)

    found = told(world, submission)
    first, second = rows(world, tables.Evidence)
    assert before == ("1", 1)
    assert (found.state, found.points, found.reason) == ("published", "2.5", "")
    assert [(c.comment, c.why) for c in found.criteria] == [("Nearly: see the N.", "")]
    assert (first.pending, first.score) == (True, None)
    assert (second.pending, second.score, second.supersedes) == (False, "0.6250", first.seq)
    assert (second.actor, second.released_by) == (world.pseudonym("ada"),) * 2
    assert second.attempt == first.attempt == 1


def test_a_flag_was_looked_at_by_who_put_the_points_in(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT, flags=[FLAG])
    send(world, P1, judge(world, submission, "p1/count", points="2"), name="bo")

    (flag,) = newest(world).flags or []
    assert (flag["looked_at_by"], flag["looked_at"]) == (world.pseudonym("bo"), NOW.isoformat())
    assert "flagged" not in page(world, BOARD).split("<tbody", 1)[1].split("</table>", 1)[0]
    audit = rows(world, tables.AuditEntry)[-1]
    assert (audit.actor, audit.action) == (world.pseudonym("bo"), "put points into results")
    assert audit.detail == {"submissions": [submission], "given_by": [world.pseudonym("ada")]}


def test_nothing_counts_before_a_person_puts_it_in(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    judge(world, submission, "p1/count", points="4")

    assert told(world, submission).points == "1"
    assert [row.score for row in rows(world, tables.Evidence)] == ["0.2500"]


def test_a_held_result_waits_to_be_returned_with_the_points_in_it(world: World) -> None:
    submission = graded(world, "kim", "s1", S1_CELLS)
    send(world, S1, judge(world, submission, "s1/why", points="3"))

    held = newest(world)
    assert (held.state, rows(world, tables.Evidence)) == ("held", [])
    world.publish(held.id, "bo")
    actors = {row.outcome: (row.actor, row.score) for row in rows(world, tables.Evidence)}
    assert actors == {
        # The machine's points were returned by bo; the answer was judged by ada.
        "BSH-U01-K1": (world.pseudonym("ada"), "1.0000"),
        "BSH-U04-K2": (world.pseudonym("bo"), "1.0000"),
        "BSH-U04-S1": (world.pseudonym("bo"), "1.0000"),
    }
    assert told(world, submission).state == "published"


def test_what_waits_still_keeps_the_result_preliminary(world: World) -> None:
    both = [*S1_CELLS[:2], waiting("s1/why", "3")]
    submission = graded(world, "kim", "s1", both, verdict="needs_person", reason="Look at it.")
    world.publish(newest(world).id)
    send(world, S1, judge(world, submission, "s1/gc", points="4"))

    assert (newest(world).state, newest(world).verdict) == ("preliminary", "needs_person")
    send(world, S1, judge(world, submission, "s1/why", points="0"))
    assert (newest(world).state, newest(world).verdict) == ("published", "graded")


def test_graded_again_a_hand_in_keeps_what_people_decided(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    send(world, P1, judge(world, submission, "p1/count", points="3"))
    grade_again(world, submission, auto("p1/count", "1", "4"), environment="newer")

    found = rows(world, tables.Evidence)[-1]
    assert cells(world) == {"p1/count": ("3", False)}
    assert (found.actor, found.score) == (world.pseudonym("ada"), "0.7500")
    assert newest(world).state == "published"
    assert newest(world).hashes["cells_sha256"] == scores_sha256(
        map(CellScore.model_validate, newest(world).cells)
    )


def test_what_is_saved_later_and_not_put_in_covers_nothing_when_it_is_graded_again(
    world: World,
) -> None:
    submission = graded(world, "kim", "p1", [waiting("p1/count", "4")])
    send(world, P1, judge(world, submission, "p1/count", points="3"))
    judge(world, submission, "p1/count", by="bo", points="1")

    grade_again(world, submission, waiting("p1/count", "4"), environment="newer")

    assert cells(world) == {"p1/count": ("3", False)}
    assert rows(world, tables.Judgement)[-1].settled_at is None


def test_a_reason_that_was_looked_at_stays_looked_at_and_a_new_one_does_not(world: World) -> None:
    more: dict[str, Any] = {"verdict": "needs_person", "reason": "The kernel died."}
    submission = graded(world, "kim", "p1", COUNT, **more)
    send(world, P1, judge(world, submission, "p1/count", points="3"))

    grade_again(world, submission, auto("p1/count", "1", "4"), **more)
    same = newest(world).verdict
    world.change(tables.Job, rows(world, tables.Job)[-1].id, environment="x")
    grade_again(world, submission, auto("p1/count", "1", "4"), **{**more, "reason": "Too slow."})

    assert (same, newest(world).verdict) == ("graded", "needs_person")


def test_the_next_hand_in_begins_without_points_of_a_person(world: World) -> None:
    first = graded(world, "kim", "p1", COUNT)
    send(world, P1, judge(world, first, "p1/count", points="3"))
    # nbgrader's gradebook keeps the points, and says that the cell waits for a person.
    left = auto("p1/count", "1", "4").model_copy(
        update={"manual_points": "3", "needs_person": True, "person_comment": "Nearly."}
    )
    second = world.hand_in("kim", 1, "p1", NOW)
    grade_again(world, second, left)

    assert cells(world) == {"p1/count": (None, True)}
    assert newest(world).cells[0]["person_comment"] == ""
    assert "1 to read" in page(world, BOARD)
    assert rows(world, tables.Evidence)[-1].pending


def test_points_belong_to_the_hand_in_that_was_read(world: World) -> None:
    first = graded(world, "kim", "p1", COUNT, handed_in=NOW - 3 * HOUR)
    graded(world, "kim", "p1", COUNT)
    ungraded = world.hand_in("kim", 1, "p1", NOW)

    for submission in (first, ungraded):
        with pytest.raises(Refused) as refused:
            judge(world, submission, "p1/count", points="3")
        assert (refused.value.status, refused.value.error) == (409, "moved_on")
    assert rows(world, tables.Judgement) == []


def test_points_of_an_earlier_hand_in_can_still_be_put_in(world: World) -> None:
    first = graded(world, "kim", "p1", COUNT, handed_in=NOW - 3 * HOUR)
    last = judge(world, first, "p1/count", points="3")
    second = graded(world, "kim", "p1", COUNT)

    assert "a later hand-in is there" in page(world, P1)
    send(world, P1, last)

    assert (told(world, first).points, told(world, second).points) == ("3", "1")


IMPOSSIBLE = {
    "more than the cell gives": ("p1/count", {"points": "4.5"}, ["has 4.5 of 4 points"]),
    "less than nothing": ("p1/count", {"points": "-1"}, ["'-1', which is no number"]),
    "no number": ("p1/count", {"points": "1e3"}, ["'1e3', which is no number"]),
    "another cell": ("p1/other", {"points": "1"}, ["p1/other is no graded cell"]),
    "two faults": (
        "p1/count",
        {"points": "9", "extra_credit": "much"},
        ["has 9 of 4 points", "'much', which is no number"],
    ),
}


@pytest.mark.parametrize(("cell", "given", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_points_are_refused_with_every_fault(
    world: World, cell: str, given: dict[str, str], said: list[str]
) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    with pytest.raises(Refused) as refused:
        judge(world, submission, cell, **given)

    assert refused.value.status == 422
    assert [words in refused.value.message for words in said] == [True] * len(said)
    assert rows(world, tables.Judgement) == []


def test_one_that_cannot_be_put_in_keeps_back_all_and_every_fault_is_said(world: World) -> None:
    names = ("kim", "lee")
    given = [
        judge(world, graded(world, name, "p1", COUNT), "p1/count", points="4") for name in names
    ]
    # Graded again, the cells are fewer: no fault of who gave points.
    for number in (1, 2):
        world.change(tables.Result, number, cells=[auto("p1/count", "1", "3").model_dump()])
    before = len(rows(world, tables.Result))

    found = send(world, P1, *given, status=422)

    assert found.count("has 4 of 3 points") == 2
    assert "Nothing was changed." in found
    assert len(rows(world, tables.Result)) == before
    assert all(row.settled_at is None for row in rows(world, tables.Judgement))


def test_what_was_saved_after_the_page_was_made_is_shown_first(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    shown = judge(world, submission, "p1/count", points="4")
    last = judge(world, submission, "p1/count", by="bo", points="2")

    found = send(world, P1, shown, status=422)

    assert "Meanwhile more was saved in formgrader" in found
    assert "2 of 4" in found
    assert "Bo Lind" in found
    send(world, P1, last)
    assert cells(world) == {"p1/count": ("2", False)}


def test_a_second_click_changes_nothing(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    last = judge(world, submission, "p1/count", points="4")
    send(world, P1, last)
    before = [len(rows(world, table)) for table in (tables.Result, tables.Evidence)]

    assert send(world, P1, last).endswith("done=in&n=0")
    assert before == [len(rows(world, table)) for table in (tables.Result, tables.Evidence)]
    assert "Somebody else had decided that already." in page(world, f"{P1}?done=in&n=0")


def test_what_is_left_out_counts_for_nothing_and_is_asked_no_more(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    send(world, P1, judge(world, submission, "p1/count", points="4"), verb="/leave-out")

    assert "No points wait." in page(world, P1)
    assert told(world, submission).points == "1"
    (row,) = rows(world, tables.Judgement)
    assert (row.settled_by, row.result_id) == (world.pseudonym("ada"), None)
    grade_again(world, submission, auto("p1/count", "2", "4"))
    assert cells(world) == {"p1/count": (None, False)}


def test_points_taken_back_leave_the_machines(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    send(world, P1, judge(world, submission, "p1/count", points="4"))
    send(world, P1, judge(world, submission, "p1/count", points=None))

    assert told(world, submission).points == "1"
    assert [row.score for row in rows(world, tables.Evidence)] == ["0.2500", "1.0000", "0.2500"]


def test_the_same_points_saved_again_ask_nothing(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    send(world, P1, judge(world, submission, "p1/count", points="4"))
    judge(world, submission, "p1/count", points="4")

    assert "No points wait." in page(world, P1)


def test_the_board_lists_points_that_are_not_in_results_and_leads_there(world: World) -> None:
    kim, lee = (graded(world, name, "s1", S1_CELLS) for name in ("kim", "lee"))
    for submission in (kim, lee):
        judge(world, submission, "s1/why", points="2")

    found = page(world, BOARD)

    assert "2 with points given" in found
    assert "2 to read" not in found
    assert "Put in points of 2 hand-ins" in found
    assert "Sequence records: points given by hand, not in results yet" in found
    assert "Why the file survives: 2 of 3, Ada Roth" in found
    assert "One answer to read." not in found
    send(world, S1, judge(world, kim, "s1/why", points="3"))
    assert "1 with points given" in page(world, BOARD)


def test_the_page_names_who_gave_what_and_hides_no_flag(world: World) -> None:
    submission = graded(world, "kim", "p1", COUNT, flags=[FLAG])
    judge(world, submission, "p1/count", points="2.5")
    judge(world, submission, "p1/elsewhere", comment="<b>Look</b>")
    judge(world, submission, "p1/count_answer", by="bo", comment="<b>Nearly</b>")

    found = page(world, P1)

    for words in ("Ada Roth and Bo Lind", "1 of 4", "2.5 of 4", FLAG["message"]):
        assert words in found
    assert "&lt;b&gt;Nearly&lt;/b&gt;" in found
    assert "1 comment belongs to no graded cell" in found


DOORS = {"ada": 200, "zoe": 403, "otto": 403, "kim": 403}


@pytest.mark.parametrize(("who", "status"), DOORS.items())
def test_instructors_of_the_cohort_alone_see_the_page_and_act(
    world: World, who: str, status: int
) -> None:
    submission = graded(world, "kim", "p1", COUNT)
    last = judge(world, submission, "p1/count", points="4")

    page(world, P1, who, status)
    for verb in ("/leave-out", ""):
        if status != 200:
            send(world, P1, last, name=who, status=status, verb=verb)

    assert rows(world, tables.Judgement)[0].settled_at is None


@pytest.mark.parametrize("verb", ["", "/leave-out"])
def test_nothing_changes_without_a_browsers_session(world: World, verb: str) -> None:
    last = judge(world, graded(world, "kim", "p1", COUNT), "p1/count", points="4")
    client = world.browser("ada")
    world.app.dependency_overrides.clear()
    path, data = f"{CAMPUS_PREFIX}{P1}{verb}", {"given": last}

    elsewhere = client.post(path, data=data)
    signed_out = client.post(path, data=data, headers={"Origin": world.site.origin})

    assert (elsewhere.status_code, signed_out.status_code) == (403, 401)
    assert rows(world, tables.Judgement)[0].settled_at is None


def test_a_judgement_of_another_assignment_is_not_put_in(world: World) -> None:
    last = judge(world, graded(world, "kim", "s1", S1_CELLS), "s1/why", points="3")

    send(world, P1, last, status=422)

    assert rows(world, tables.Judgement)[0].settled_at is None


# What was decided, and what becomes of a cell with 1 of 4 automatic points (or none).
RULES: dict[str, tuple[str | None, dict[str, Any], dict[str, Any]]] = {
    "points": ("1", {"points": "2"}, {"manual_points": "2", "needs_person": False}),
    "0 is points": (None, {"points": "0"}, {"manual_points": "0", "needs_person": False}),
    "left to the machine": ("1", {}, {"manual_points": None, "needs_person": False}),
    "nobody's points": (None, {}, {"manual_points": None, "needs_person": True}),
    "extra": ("1", {"extra_credit": "1"}, {"extra_credit": "1", "needs_person": False}),
}


@pytest.mark.parametrize(("auto_points", "given", "after"), RULES.values(), ids=RULES)
def test_a_decision_settles_a_cell_by_nbgraders_rule(
    auto_points: str | None, given: dict[str, Any], after: dict[str, Any]
) -> None:
    cell = CellScore(cell="p1/count", max_points="4", auto_points=auto_points, needs_person=True)
    decided = tables.Judgement(kind="points", cell="p1/count", **given)

    (found,) = judging.judged([cell.model_dump()], [decided], {})

    assert after.items() <= found.items()


# Comments by the cell they were written at, and what stands in the feedback on `count`.
COMMENTS = {
    "on the test": ({"p1/count": "A"}, "A"),
    "on the answer": ({"p1/count_answer": "B"}, "B"),
    "on both": ({"p1/count": "A", "p1/count_answer": "B"}, "A"),
    "taken back on the test": ({"p1/count": "", "p1/count_answer": "B"}, "B"),
    "taken back": ({"p1/count_answer": ""}, ""),
    "elsewhere": ({"p1/other": "C"}, "before"),
}


@pytest.mark.parametrize(("written", "said"), COMMENTS.values(), ids=COMMENTS)
def test_a_comment_on_an_answer_stands_with_its_test(written: dict[str, str], said: str) -> None:
    cell = auto("p1/count", "1", "4").model_copy(update={"person_comment": "before"}).model_dump()
    rows_ = [tables.Judgement(kind="comment", cell=c, comment=t) for c, t in written.items()]

    (found,) = judging.judged([cell], rows_, judging.answers_of(NOTES["p1"], [cell]))

    assert found["person_comment"] == said
