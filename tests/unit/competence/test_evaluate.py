"""BSH-MR-1 as a table: each case is one clause, with its boundary."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bioskills.competence.evaluate import evaluate
from bioskills.competence.evidence import MACHINE, EvidenceRecord
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import Mapping
from bioskills.competence.results import Status

Make = Callable[..., EvidenceRecord]
T0 = datetime(2027, 1, 20, 9, 0, tzinfo=UTC)
NOW = datetime(2027, 6, 1, tzinfo=UTC)


def R(task: str = "s1", score: str | None = "0.8000", **other: Any) -> dict[str, Any]:  # noqa: N802
    """Write one record down; `h` is its hand-in time in hours."""
    if "h" in other:
        other["submitted_at"] = T0 + timedelta(hours=other.pop("h"))
    return {"task": task, "score": score, **other}


S2, K1, A1 = "BSH-U04-S2", "BSH-U04-K1", "BSH-U04-A1"


def on(outcome: str, *records: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    return outcome, [{"outcome": outcome, **record} for record in records]


CASES: dict[str, tuple[tuple[str, list[dict[str, Any]]], str]] = {
    # R5: n distinct tasks at or above theta
    "R7 no evidence at all": (on("BSH-U04-S1"), "not_assessed"),
    "R5 a skill at theta in one task of two": (on("BSH-U04-S1", R("s1", "0.7000")), "developing"),
    "R5 a skill at theta in two tasks": (
        on("BSH-U04-S1", R("s1", "0.7000"), R("s2", "0.7000")), "achieved"),
    "R5 a skill just below theta in one of two": (
        on("BSH-U04-S1", R("s1", "0.7000"), R("s2", "0.6999")), "developing"),
    "R5 no compensation: 1.0 and 0.6 are not two": (
        on("BSH-U04-S1", R("s1", "1.0000"), R("s2", "0.6000")), "developing"),
    "R5 two attempts of one task are one task": (
        on("BSH-U04-S1", R("s1", "0.9000"), R("s1", "0.9000", attempt=2, h=30)), "developing"),
    "R5 a weak third task takes nothing away": (
        on("BSH-U04-S1", R("s1", "0.7000"), R("s2", "0.7000"), R("s3", "0.0000")), "achieved"),
    "R5 knowledge needs one task at 0.60": (on(K1, R("s1", "0.6000")), "achieved"),
    "R5 knowledge below 0.60": (on(K1, R("s1", "0.5999")), "developing"),
    "R5 a skill of a 2-point unit needs one task": (
        on("BSH-U01-S1", R("s1", "0.7000")), "achieved"),
    "R5 autonomy judged by a person": (on(A1, R("s1", "0.7000")), "achieved"),
    "R5 autonomy scored by the machine alone": (
        on(A1, R("s1", "1.0000", actor=MACHINE)), "not_assessed"),
    "R5 a skill scored by the machine is fine": (
        on("BSH-U01-S1", R("s1", "0.7000", actor=MACHINE)), "achieved"),
    # R5: exceeded
    "R5 level exactly 0.9000 is exceeded": (
        on("BSH-U04-S1", R("s1", "0.8000"), R("s2", "1.0000")), "exceeded"),
    "R5 level just below 0.9000 is achieved": (
        on("BSH-U04-S1", R("s1", "0.7999"), R("s2", "1.0000")), "achieved"),
    "R5 level takes the n best tasks only": (
        on("BSH-U04-S1", R("s1", "0.9000"), R("s2", "0.9000"), R("s3", "0.7000")), "exceeded"),
    "R5 more tasks than n do not add up to exceeded": (
        on("BSH-U04-S1", R("s1", "0.7000"), R("s2", "0.7000"), R("s3", "0.7000")), "achieved"),
    "R5 one perfect task of two is not exceeded": (
        on("BSH-U04-S1", R("s1", "1.0000")), "developing"),
    # R5: critical tasks (s3 is critical for S2)
    "R5 critical task not done": (on(S2, R("s1", "1.0000"), R("s2", "1.0000")), "developing"),
    "R5 critical task just below the floor": (
        on(S2, R("s1", "1.0000"), R("s2", "1.0000"), R("s3", "0.4999")), "developing"),
    "R5 critical task at the floor, two others at theta": (
        on(S2, R("s1", "0.7000"), R("s2", "0.7000"), R("s3", "0.5000")), "achieved"),
    "R5 critical task is itself one of the two": (
        on(S2, R("s1", "0.7000"), R("s3", "0.7000")), "achieved"),
    # R4: best attempt, kinds
    "R4 the best attempt counts, not the last": (
        on(K1, R("s1", "0.9000"), R("s1", "0.1000", attempt=2, h=30)), "exceeded"),
    "R4 formative tasks only develop": (on(K1, R("p1", "1.0000")), "developing"),
    "R4 formative is no second task": (
        on("BSH-U04-S1", R("p1", "1.0000"), R("s1", "1.0000")), "developing"),
    "R4 a quiz only develops": (on(K1, R("q1", "1.0000")), "developing"),
    "R4 capstone and observation count": (
        on("BSH-U04-S1", R("c1", "0.7000"), R("o1", "0.7000")), "achieved"),
    # R3: valid attempts
    "R3 not released": (on(K1, R("s1", "1.0000", released_by=None)), "not_assessed"),
    "R3 attempt 3 of 3": (
        on(K1, R("s1", "1.0000", attempt=3, previous_at=T0, h=24)), "exceeded"),
    "R3 attempt 4 of 3 is practice": (
        on(K1, R("s1", "1.0000", attempt=4, previous_at=T0, h=48)), "not_assessed"),
    "R3 a task without a limit takes attempt 40": (
        on("BSH-U04-S1", R("s2", "0.7000", attempt=40), R("s1", "0.7000")), "achieved"),
    "R3 cool-down kept to the second": (
        on(K1, R("s1", "0.1000"), R("s1", "0.9000", attempt=2, h=24)), "exceeded"),
    "R3 cool-down missed by an hour": (
        on(K1, R("s1", "0.1000"), R("s1", "0.9000", attempt=2, h=23)), "developing"),
    "R3 cool-down by the recorded earlier hand-in": (
        on(K1, R("s1", "0.9000", attempt=2, h=23, previous_at=T0)), "not_assessed"),
    "R3 integrity check failed": (on(K1, R("s1", "1.0000", invalid="integrity")), "not_assessed"),
    "R3 withdrawn by a later record": (
        on(K1, R("s1", "1.0000"), R("s1", None, pending=False, invalid="withdrawn", supersedes=1)),
        "not_assessed"),
    "R3 superseded by a lower regrade": (
        on(K1, R("s1", "1.0000"), R("s1", "0.2000", supersedes=1)), "developing"),
    "R3 superseded by a higher regrade": (
        on(K1, R("s1", "0.2000"), R("s1", "0.6000", supersedes=1)), "achieved"),
    "R3 an unreleased regrade hides nothing": (
        on(K1, R("s1", "1.0000"), R("s1", "0.2000", supersedes=1, released_by=None)), "exceeded"),
    "R3 a correction of a correction": (
        on(K1, R("s1", "0.1000"), R("s1", "0.2000", supersedes=1), R("s1", "0.6000", supersedes=2)),
        "achieved"),
    "R3 supersedes only the same attempt": (
        on(K1, R("s1", "1.0000"), R("s1", "0.2000", attempt=2, h=30, supersedes=1)), "exceeded"),
    # R1: what the mapping knows
    "R1 a task the mapping does not have": (on(K1, R("s9", "1.0000")), "not_assessed"),
    "R1 an outcome the task does not map": (on(K1, R("s2", "1.0000")), "not_assessed"),
    "R1 another course's task of the same name": (
        on(K1, R("s1", "1.0000", mapping="other@3")), "not_assessed"),
    "R1 an older version of the mapping": (
        on(K1, R("s1", "1.0000", mapping="seq@2")), "exceeded"),
    "R1 another framework version": (
        on(K1, R("s1", "1.0000", framework="BSH@0.9.0")), "not_assessed"),
    "R1 another rule set": (on(K1, R("s1", "1.0000", rule="BSH-MR-9")), "not_assessed"),
    # R2, R7: pending
    "R7 waits for an assessor": (on(A1, R("s1", None)), "pending"),
    "R7 waits, not yet released": (on(A1, R("s1", None, released_by=None)), "pending"),
    "R7 waits and has practised": (on(K1, R("p1", "1.0000"), R("s1", None)), "pending"),
    "R7 waits but is achieved already": (
        on(K1, R("s1", "0.6000"), R("s1", None, attempt=2, h=30)), "achieved"),
    "R7 the assessor has judged the same attempt": (
        on(A1, R("s1", None), R("s1", "0.2000")), "developing"),
    "R7 the judgement is not released yet": (
        on(A1, R("s1", None), R("s1", "1.0000", released_by=None)), "pending"),
    "R7 a fourth attempt of three waits for nobody": (
        on(A1, R("s1", None, attempt=4)), "not_assessed"),
    "R7 the machine's score of autonomy does not end the waiting": (
        on(A1, R("s1", None), R("s1", "1.0000", actor=MACHINE)), "pending"),
    # R6, R7: prior learning
    "R7 prior learning granted": (on(K1, R("", None, kind="rpl")), "granted_rpl"),
    "R7 prior learning proposed": (
        on(K1, R("", None, kind="rpl", released_by=None)), "not_assessed"),
    "R7 prior learning withdrawn": (
        on(K1, R("", None, kind="rpl"), R("", None, kind="rpl", invalid="withdrawn", supersedes=1)),
        "not_assessed"),
    "R7 own evidence goes before prior learning": (
        on(K1, R("", None, kind="rpl"), R("s1", "0.6000")), "achieved"),
}  # fmt: skip


@pytest.mark.parametrize(("case", "status"), CASES.values(), ids=CASES)
def test_evidence_gives_the_status_of_the_rule(
    case: tuple[str, list[dict[str, Any]]],
    status: str,
    record: Make,
    framework: Framework,
    mapping: Mapping,
) -> None:
    outcome, rows = case
    records = [record(**{"seq": seq, **row}) for seq, row in enumerate(rows, 1)]

    assert evaluate(framework, mapping, records, NOW)[outcome].status == status


def test_every_outcome_of_the_framework_gets_a_result(
    framework: Framework, mapping: Mapping
) -> None:
    results = evaluate(framework, mapping, [], NOW)

    assert len(results) == 81
    assert {result.status for result in results.values()} == {Status.NOT_ASSESSED}
