"""Handing in: what is taken, and what is refused with which sentence."""

from datetime import timedelta
from typing import Any

import pytest

from bioskills.base.tables import Assignment, Extension, Job, Membership, Run, Submission
from bioskills.hub.campus import submission_lists, submissions
from bioskills.hub.campus.site import Refused


@pytest.fixture(autouse=True)
def _released(world: Any) -> None:
    world.release("p1")
    world.release("s1")


def change(world: Any, table: Any, key: int, **values: object) -> None:
    with world.store.transaction() as session:
        row = session.get_one(table, key)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_hand_in_gives_a_receipt_and_one_job(world: Any) -> None:
    receipt = world.hand_in()

    assert (receipt.attempt, receipt.late, receipt.version) == (1, False, 1)
    assert [entry.path for entry in receipt.files] == ["p1.ipynb"]
    assert [job.submission_id for job in world.rows(Job)] == [receipt.submission_id]


def test_a_receipt_is_short_and_cannot_be_misread(world: Any) -> None:
    code = world.hand_in().receipt

    assert len(code) == 7
    assert set(code) <= {*submissions.ALPHABET, "-"}


def test_the_same_work_sent_again_gives_the_same_receipt(world: Any) -> None:
    first = world.hand_in(b"work")
    world.later(minutes=1)

    assert world.hand_in(b"work") == first
    assert len(world.rows(Submission)) == len(world.rows(Job)) == 1


def test_a_lost_receipt_of_the_last_attempt_can_be_asked_for_again(world: Any, graded: Any) -> None:
    world.hand_in(b"one", name="s1")
    world.finish(world.claim().id, graded(name="s1"))
    world.later(hours=25)
    last = world.hand_in(b"two", name="s1")

    assert world.hand_in(b"two", name="s1") == last


def test_other_work_is_the_next_attempt(world: Any) -> None:
    world.hand_in(b"one")

    assert world.hand_in(b"two").attempt == 2


def test_the_same_work_after_grading_is_another_attempt(world: Any, graded: Any) -> None:
    world.hand_in(b"one")
    world.finish(world.claim().id, graded())

    assert world.hand_in(b"one").attempt == 2


@pytest.mark.parametrize(
    ("seconds", "late"),
    [pytest.param(0, False, id="at the due date"), pytest.param(1, True, id="a second after")],
)
def test_late_work_is_taken_and_marked(world: Any, seconds: int, late: bool) -> None:
    world.later(days=7, seconds=seconds)

    assert world.hand_in().late is late


def test_an_extension_moves_the_due_date_of_one_learner(world: Any) -> None:
    with world.store.transaction() as session:
        until = world.now + timedelta(days=9)
        session.add(Extension(assignment_id=1, person_id=1, due_at=until, granted_by="p-000002"))
    world.later(days=8)

    assert world.hand_in().late is False
    assert world.hand_in(who="ines").late is True


def test_nothing_is_taken_after_the_run(world: Any) -> None:
    world.later(days=30)

    with pytest.raises(Refused, match=r"ended on 2027-03-31 14:00 \(Europe/Berlin\)"):
        world.hand_in()


def test_nothing_is_taken_before_the_run(world: Any) -> None:
    change(world, Run, 1, opens_at=world.now + timedelta(hours=1))

    with pytest.raises(Refused, match="not open yet"):
        world.hand_in()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        pytest.param("closed", "closed for", id="closed"),
        pytest.param("draft", "not open", id="draft"),
    ],
)
def test_an_assignment_must_be_open(world: Any, state: str, sentence: str) -> None:
    change(world, Assignment, 1, state=state)

    with pytest.raises(Refused, match=sentence):
        world.hand_in()


def test_a_version_that_was_never_released_is_refused(world: Any) -> None:
    with pytest.raises(Refused, match="no version 7"):
        world.hand_in(version=7)


def test_a_lab_that_lost_its_note_hands_in_for_the_current_version(world: Any) -> None:
    world.release("p1", b"better")

    assert world.hand_in(version=None).version == 2


def test_an_older_version_is_still_taken(world: Any) -> None:
    world.release("p1", b"better")

    assert world.hand_in(version=1).version == 1


def test_work_without_its_notebook_is_refused(world: Any) -> None:
    with pytest.raises(Refused, match=r"p1\.ipynb"):
        world.hand_in(file="mine.ipynb")


def test_attempts_are_limited(world: Any, graded: Any) -> None:
    for text in (b"one", b"two"):
        world.hand_in(text, name="s1")
        world.finish(world.claim().id, graded(name="s1"))
        world.later(hours=25)

    with pytest.raises(Refused, match="used all 2 attempts of S1"):
        world.hand_in(b"three", name="s1")


@pytest.mark.parametrize(
    ("hours", "taken"),
    [pytest.param(23.99, False, id="just before"), pytest.param(24, True, id="at its end")],
)
def test_a_cool_down_lies_between_two_attempts(
    world: Any, graded: Any, hours: float, taken: bool
) -> None:
    world.hand_in(b"one", name="s1")
    world.finish(world.claim().id, graded(name="s1"))
    world.later(hours=hours)

    if taken:
        assert world.hand_in(b"two", name="s1").attempt == 2
    else:
        with pytest.raises(Refused, match="there are 24 hours") as refused:
            world.hand_in(b"two", name="s1")
        assert "2027-03-02 13:00 (Europe/Berlin)" in refused.value.next


def test_practice_has_no_limit(world: Any) -> None:
    assert [world.hand_in(bytes([n])).attempt for n in range(5)] == [1, 2, 3, 4, 5]


def test_who_has_no_seat_hands_nothing_in(world: Any) -> None:
    with pytest.raises(Refused, match="no run spring that you"):
        world.hand_in(who="eve")


def test_a_seat_that_ended_hands_nothing_in(world: Any) -> None:
    change(world, Membership, 1, valid_to=world.now)

    with pytest.raises(Refused):
        world.hand_in()


def test_an_instructor_may_try_the_assignment(world: Any) -> None:
    assert world.hand_in(who="ines").attempt == 1


def test_a_refusal_stores_nothing(world: Any) -> None:
    world.later(days=31)
    with pytest.raises(Refused):
        world.hand_in()

    assert world.rows(Submission) == world.rows(Job) == []


def test_each_hand_in_is_listed_with_its_own_state(world: Any, graded: Any) -> None:
    world.hand_in(b"one")
    world.finish(world.claim().id, graded())
    world.hand_in(b"two")

    with world.store.reading() as session:
        listed = submission_lists.list_submissions(
            session, session.get_one(Run, 1), "p1", {1: "ada"}, world.now
        )
    assert [(s.attempt, s.state, s.learner) for s in listed] == [
        (2, "handed_in", "ada"),
        (1, "published", "ada"),
    ]
