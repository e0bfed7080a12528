"""What must hold of R5 for any evidence whatever."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from bioskills.competence.evaluate import evaluate, unit_results
from bioskills.competence.evidence import EvidenceRecord
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import Mapping, parse_mapping
from bioskills.competence.results import OutcomeResult, Status
from bioskills.competence.scores import GradeCell, attempt_scores, to_stored

NOW = datetime(2027, 6, 1, tzinfo=UTC)
OUTCOMES = ("BSH-U04-S1", "BSH-U04-S2", "BSH-U04-K1", "BSH-U04-A1", "BSH-U01-S1")

# Waiting for a person is no higher than practice: judged, it may turn out either way.
RANK = {
    Status.NOT_ASSESSED: 0,
    Status.DEVELOPING: 1,
    Status.PENDING: 1,
    Status.GRANTED_RPL: 2,
    Status.ACHIEVED: 3,
    Status.EXCEEDED: 4,
}


@st.composite
def records(draw: st.DrawFn) -> EvidenceRecord:
    attempt = draw(st.integers(1, 4))
    score = draw(st.one_of(st.none(), st.integers(0, 10_000)))
    hours = draw(st.integers(0, 48))
    before = NOW - timedelta(days=30)
    return EvidenceRecord(
        seq=draw(st.integers(1, 1_000_000)), at=NOW, actor=draw(st.sampled_from(["grader", "u-1"])),
        learner="p-000001", outcome=draw(st.sampled_from(OUTCOMES)),
        task=draw(st.sampled_from(["p1", "q1", "s1", "s2", "s3", "c1", "o1", "gone"])),
        attempt=attempt, score=None if score is None else to_stored(Fraction(score, 10_000)),
        pending=score is None, framework="BSH@1.0.0", mapping="seq@3", rule="BSH-MR-1",
        released_by=draw(st.sampled_from([None, "u-0003"])),
        previous_at=before, submitted_at=before + timedelta(hours=hours),
        invalid=draw(st.sampled_from([None, None, None, "integrity"])),
    )  # fmt: skip


evidence = st.lists(records(), max_size=25, unique_by=lambda record: record.seq)


def verdicts(results: dict[str, OutcomeResult]) -> dict[str, tuple[Status, Fraction | None]]:
    return {name: (results[name].status, results[name].level) for name in OUTCOMES}


@given(evidence, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(
    framework: Framework, mapping: Mapping, given_records: list[EvidenceRecord], random: object
) -> None:
    shuffled = list(given_records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert evaluate(framework, mapping, shuffled, NOW) == evaluate(
        framework, mapping, given_records, NOW
    )


@given(evidence)
def test_a_record_delivered_twice_counts_once(
    framework: Framework, mapping: Mapping, given_records: list[EvidenceRecord]
) -> None:
    assert evaluate(framework, mapping, given_records * 2, NOW) == evaluate(
        framework, mapping, given_records, NOW
    )


@settings(max_examples=300)
@given(evidence, evidence)
def test_added_evidence_never_lowers_a_status_or_a_unit(
    framework: Framework,
    mapping: Mapping,
    given_records: list[EvidenceRecord],
    added: list[EvidenceRecord],
) -> None:
    before = evaluate(framework, mapping, given_records, NOW)
    after = evaluate(framework, mapping, given_records + added, NOW)

    for name in OUTCOMES:
        assert RANK[after[name].status] >= RANK[before[name].status]
        assert after[name].shown >= before[name].shown
        assert (after[name].level or 0) >= (before[name].level or 0)
    reached = [unit_results(framework, results)["BSH-U04"].reached for results in (before, after)]
    assert reached[1] >= reached[0]


@given(evidence)
def test_something_is_missing_exactly_while_the_outcome_is_not_reached(
    framework: Framework, mapping: Mapping, given_records: list[EvidenceRecord]
) -> None:
    results = evaluate(framework, mapping, given_records, NOW)

    assert all(result.status.reached is not bool(result.missing) for result in results.values())


def by_definition(
    framework: Framework, mapping: Mapping, outcome: str, best: dict[str, Fraction]
) -> bool:
    """R5 word for word, on task scores."""
    rule = framework.outcomes[outcome]
    counting = [task.id for task in mapping.tasks if task.counts and outcome in task.outcomes]
    enough = sum(best.get(task, Fraction(0)) >= rule.theta for task in counting) >= rule.n
    critical = mapping.critical.get(outcome, ())
    return enough and all(best.get(task, Fraction(0)) >= rule.floor for task in critical)


@given(st.data())
def test_the_verdict_is_the_definition(
    framework: Framework, mapping: Mapping, data: st.DataObject
) -> None:
    outcome = data.draw(st.sampled_from(OUTCOMES))
    names = [task.id for task in mapping.tasks if outcome in task.outcomes]
    shares = st.integers(0, 100).map(lambda percent: Fraction(percent, 100))
    best = data.draw(st.dictionaries(st.sampled_from(names), shares))
    rows = [
        EvidenceRecord(
            seq=seq, at=NOW, actor="u-1", learner="p-000001", outcome=outcome, task=task,
            attempt=1, score=to_stored(share), framework="BSH@1.0.0", mapping="seq@3",
            rule="BSH-MR-1", released_by="u-0003", submitted_at=NOW,
        )
        for seq, (task, share) in enumerate(best.items())
    ]  # fmt: skip
    status = evaluate(framework, mapping, rows, NOW)[outcome].status

    assert status.reached is by_definition(framework, mapping, outcome, best)


points = st.integers(0, 100).map(str)
weights = st.integers(1, 1000).map(lambda n: to_stored(Fraction(n, 100)))


def two_cells(first: Fraction | str, second: Fraction | str) -> Mapping:
    outcome = "BSH-U04-S1"
    return parse_mapping(
        {
            "framework": "BSH@1.0.0",
            "mapping_version": 1,
            "tasks": [
                {
                    "id": "t", "kind": "summative", "assignments": ["t"],
                    "cells": [
                        {"cell": "t/a", "outcomes": {outcome: first}},
                        {"cell": "t/b", "outcomes": {outcome: second}},
                    ],
                }
            ],
        }
    )  # fmt: skip


@given(weights, weights, points, points, st.integers(1, 10_000))
def test_scaling_every_weight_changes_nothing(
    first: str, second: str, a: str, b: str, scale: int
) -> None:
    rows = [GradeCell("t/a", "code", "100", a), GradeCell("t/b", "code", "50", b)]
    factor = Fraction(scale, 100)
    scaled = two_cells(Fraction(first) * factor, Fraction(second) * factor)

    score = attempt_scores(two_cells(first, second), "t", rows)["BSH-U04-S1"].score
    assert attempt_scores(scaled, "t", rows)["BSH-U04-S1"].score == score
    assert score is not None
    assert 0 <= score <= 1
