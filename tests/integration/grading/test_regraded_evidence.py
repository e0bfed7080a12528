"""nbgrader keeps one row per hand-in and writes over it; the ledger keeps every grading."""

import pytest
from bioskills_grader import LEARNER, Place

from bioskills.base.tables import Evidence, LedgerRow, Result, Run, Submission
from bioskills.hub.campus import job_keys
from bioskills.hub.ledger_check import examine

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_a_real_grading_again_adds_to_the_ledger_and_erases_nothing(place: Place) -> None:
    objects, store = place.exchange.site.objects, place.exchange.site.store
    submission = place.hand_in()
    place.work()
    before = {row.seq: row.record for row in place.rows(LedgerRow)}
    first = {row.outcome: row for row in place.rows(Evidence)}

    place.key = "course:newer"
    with store.transaction() as session:
        mine = session.get_one(Submission, submission)
        assert job_keys.grade_changed(session, [mine], session.query(Run).one().id, place.key)
    place.work()

    one = f"where student_id = '{LEARNER}'"
    assert place.gradebook(f"select count(*) from submitted_assignment {one}") == [(1,)]
    assert len(place.rows(Result, submission_id=submission)) == 2
    after = {row.seq: row.record for row in place.rows(LedgerRow)}
    assert {seq: after[seq] for seq in before} == before
    again = [row for row in place.rows(Evidence) if row.seq not in before]
    assert {row.outcome: row.supersedes for row in again} == {
        outcome: row.seq for outcome, row in first.items()
    }
    with store.reading() as session:
        assert examine(session).findings == []
        files = session.get_one(Submission, submission).files
    notebook = next(file for file in files if file["path"].endswith(".ipynb"))
    # Evidence names the bytes as they were handed in, and these are kept by that name.
    assert {row.notebook_sha256 for row in again} == {notebook["sha256"]}
    assert objects.has(notebook["sha256"])
