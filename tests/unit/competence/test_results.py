"""What a result says besides its status: level, what is missing, what did not count, expiry."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from bioskills.competence.evaluate import evaluate
from bioskills.competence.evidence import EvidenceError, EvidenceRecord
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import Mapping, parse_mapping
from bioskills.competence.results import MissingCritical, MissingTask, SetAside, TaskRef

Make = Callable[..., EvidenceRecord]
NOW = datetime(2027, 6, 1, tzinfo=UTC)
S2, K1 = "BSH-U04-S2", "BSH-U04-K1"


def test_the_level_counts_a_missing_task_as_zero(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    result = evaluate(framework, mapping, [record("s1", "0.8000")], NOW)["BSH-U04-S1"]

    assert result.level == Fraction(4, 10)


def test_what_is_missing_names_the_tasks_that_are_open(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [
        record("s1", "0.8000"),
        record("s2", "0.6500", seq=2),
        record("s3", None, seq=3, released_by=None),
    ]
    result = evaluate(framework, mapping, records, NOW)["BSH-U04-S1"]

    assert result.missing == (
        MissingTask(
            outcome="BSH-U04-S1", shown=1, needed_tasks=2, theta=Fraction(7, 10),
            best=Fraction(65, 100), waiting=1,
            open_tasks=tuple(TaskRef("seq", name) for name in ("s2", "s3", "c1", "o1")),
        ),
    )  # fmt: skip


def test_a_task_without_attempts_left_is_not_proposed(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [record("s1", "0.1000", attempt=3, outcome="BSH-U01-S1")]
    (missing,) = evaluate(framework, mapping, records, NOW)["BSH-U01-S1"].missing

    assert isinstance(missing, MissingTask)
    assert missing.open_tasks == ()


def test_a_critical_task_below_its_floor_is_all_that_is_missing(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [
        record(task, score, seq=seq, outcome=S2)
        for seq, (task, score) in enumerate([("s1", "1.0000"), ("s2", "1.0000"), ("s3", "0.4000")])
    ]
    result = evaluate(framework, mapping, records, NOW)[S2]

    assert result.missing == (
        MissingCritical(S2, TaskRef("seq", "s3"), Fraction(4, 10), Fraction(1, 2)),
    )


def test_every_record_that_does_not_count_says_why(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [
        record(seq=1, outcome=K1),
        record(seq=2, outcome=K1, supersedes=1),
        record(seq=3, outcome=K1, released_by=None),
        record(seq=4, outcome=K1, attempt=4),
        record(seq=5, outcome=K1, attempt=2),
        record(seq=6, outcome=K1, invalid="integrity"),
        record("gone", seq=7, outcome=K1),
        record(seq=8, outcome=K1, framework="BSH@2.0.0"),
        record(seq=9, outcome=K1, rule="X"),
    ]
    result = evaluate(framework, mapping, records, NOW)[K1]

    assert result.set_aside == (
        SetAside(1, "superseded"), SetAside(3, "unreleased"), SetAside(4, "too_many_attempts"),
        SetAside(5, "too_soon"), SetAside(6, "integrity"), SetAside(7, "unmapped"),
        SetAside(8, "other_framework"), SetAside(9, "other_rule"),
    )  # fmt: skip
    assert result.evidence == (2,)


EXPIRY = {  # BSH-U10 is valid for 24 months
    "on the last moment": (datetime(2029, 1, 20, 9, 0, tzinfo=UTC), "exceeded"),
    "one second later": (datetime(2029, 1, 20, 9, 0, 1, tzinfo=UTC), "expired"),
}


@pytest.mark.parametrize(("now", "status"), EXPIRY.values(), ids=EXPIRY)
def test_evidence_expires_after_the_months_of_its_unit(
    now: datetime, status: str, record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [record("s1", "1.0000", outcome="BSH-U10-K1")]

    assert evaluate(framework, mapping, records, now)["BSH-U10-K1"].status == status


def test_a_regrade_does_not_refresh_expiry(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    late = datetime(2029, 1, 1, tzinfo=UTC)
    records = [
        record("s1", "1.0000", outcome="BSH-U10-K1"),
        record("s1", "0.9000", outcome="BSH-U10-K1", seq=2, at=late, supersedes=1),
    ]
    result = evaluate(framework, mapping, records, late)["BSH-U10-K1"]

    assert result.expires_at == datetime(2029, 1, 20, 9, 0, tzinfo=UTC)


def test_granted_prior_learning_expires_from_when_it_was_shown(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    late = datetime(2029, 2, 1, tzinfo=UTC)
    records = [record("", None, kind="rpl", outcome="BSH-U10-K1", at=late)]

    assert evaluate(framework, mapping, records, late)["BSH-U10-K1"].status == "expired"


def test_an_expired_outcome_asks_for_one_task(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [record("s1", "1.0000", outcome="BSH-U10-K1")]
    result = evaluate(framework, mapping, records, datetime(2030, 1, 1, tzinfo=UTC))["BSH-U10-K1"]

    (missing,) = result.missing
    assert isinstance(missing, MissingTask)
    assert missing.needed_tasks - missing.shown == 1


def test_tasks_of_two_courses_add_up(
    record: Make, framework: Framework, mapping: Mapping, mapping_text: str
) -> None:
    other = parse_mapping(mapping_text, course="tables")
    records = [record("s1", "0.7000"), record("s1", "0.7000", seq=2, mapping="tables@3")]
    result = evaluate(framework, [mapping, other], records, NOW)["BSH-U04-S1"]

    assert result.status == "achieved"


def test_a_critical_task_of_one_course_does_not_void_another_course(
    record: Make, framework: Framework, mapping: Mapping, mapping_text: str
) -> None:
    other = parse_mapping(mapping_text.replace("critical:", "critical: {} #"), course="tables")
    records = [
        record(task, "0.7000", seq=seq, outcome=S2, mapping="tables@3")
        for seq, task in enumerate(("s1", "s2"))
    ]
    result = evaluate(framework, [mapping, other], records, NOW)[S2]

    assert result.status == "achieved"


def test_practice_stays_practice_when_a_later_mapping_makes_it_summative(
    record: Make, framework: Framework, mapping: Mapping, mapping_text: str
) -> None:
    newer = mapping_text.replace("formative", "summative").replace("_version: 3", "_version: 4")
    records = [
        record("p1", "1.0000", outcome=K1),
        record("p1", "0.1000", outcome=K1, seq=2, attempt=2, mapping="seq@4"),
    ]
    result = evaluate(framework, [parse_mapping(newer, course="seq"), mapping], records, NOW)[K1]

    assert result.status == "developing"


def test_records_of_two_learners_are_refused(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    records = [record(), record(learner="p-000232")]

    with pytest.raises(EvidenceError, match="2 learners"):
        evaluate(framework, mapping, records, NOW)


def test_a_time_without_a_zone_is_refused(framework: Framework, mapping: Mapping) -> None:
    with pytest.raises(EvidenceError, match="time zone"):
        evaluate(framework, mapping, [], datetime(2027, 1, 1))  # noqa: DTZ001


BAD_RECORDS: dict[str, dict[str, Any]] = {
    "a float": {"score": 0.8},
    "two places": {"score": "0.80"},
    "more than all": {"score": "1.0001"},
    "negative": {"score": "-0.5000"},
    "score and pending": {"score": "0.8000", "pending": True},
    "neither score nor pending": {"score": None, "pending": False},
    "no time zone": {"submitted_at": datetime(2027, 1, 1)},  # noqa: DTZ001
}


@pytest.mark.parametrize("fields", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_contradicts_itself_is_refused(fields: dict[str, Any], record: Make) -> None:
    with pytest.raises((EvidenceError, TypeError)):
        record(**fields)
