"""R6: units bring their points whole, pathways ask for units, electives and a capstone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bioskills.competence.evaluate import evaluate, pathway_result, unit_results
from bioskills.competence.evidence import EvidenceRecord
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import Mapping, parse_mapping
from bioskills.competence.results import PathwayResult

Make = Callable[..., EvidenceRecord]
K1, A1 = "BSH-U04-K1", "BSH-U04-A1"
NOW = datetime(2027, 6, 1, tzinfo=UTC)


def grants(record: Make, *outcomes: str) -> list[EvidenceRecord]:
    return [
        record("", None, seq=seq, kind="rpl", outcome=outcome)
        for seq, outcome in enumerate(outcomes, 100)
    ]


def test_a_unit_brings_its_points_only_when_every_outcome_is_reached(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    ids = [outcome.id for outcome in framework.unit("BSH-U04").outcomes]
    proofs = [record("s1", seq=1, outcome=K1), record("s1", seq=2, outcome=A1)]
    rest = [name for name in ids if name not in (K1, A1)]

    def unit(records: list[EvidenceRecord]) -> tuple[Any, ...]:
        results = evaluate(framework, mapping, records, NOW)
        found = unit_results(framework, results)["BSH-U04"]
        return found.status, found.points, found.worth, found.reached, found.total

    assert unit([]) == ("not_assessed", 0, 4, 0, 6)
    assert unit(proofs) == ("developing", 0, 4, 2, 6)
    assert unit(proofs + grants(record, *rest[1:])) == ("developing", 0, 4, 5, 6)
    assert unit(proofs + grants(record, *rest)) == ("achieved", 4, 4, 6, 6)


def test_a_unit_says_what_is_missing_over_its_outcomes(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    results = evaluate(framework, mapping, grants(record, "BSH-U04-K1"), NOW)
    unit = unit_results(framework, results)["BSH-U04"]

    assert {item.outcome for item in unit.missing} == {
        "BSH-U04-K2", "BSH-U04-S1", "BSH-U04-S2", "BSH-U04-S3", "BSH-U04-A1",
    }  # fmt: skip


def test_a_unit_with_one_expired_outcome_loses_its_points(
    record: Make, framework: Framework, mapping: Mapping
) -> None:
    ids = [outcome.id for outcome in framework.unit("BSH-U10").outcomes]
    results = evaluate(framework, mapping, grants(record, *ids), datetime(2030, 1, 1, tzinfo=UTC))
    unit = unit_results(framework, results)["BSH-U10"]

    assert (unit.status, unit.points) == ("expired", 0)


def test_a_pathway_needs_units_electives_and_a_capstone_over_two_units(
    record: Make, framework: Framework, mapping: Mapping, mapping_text: str
) -> None:
    role = next(role for role in framework.roles if role.code == "TEC")
    cell = '{cell: c1/a, outcomes: {BSH-U04-A1: "1.0", BSH-U05-A1: "1.0", BSH-U04-S1: "1.0"}}'
    old = '{cell: c1/a, outcomes: {BSH-U04-A1: "1.0", BSH-U04-S1: "1.0"}}'
    wide = parse_mapping(mapping_text.replace(old, cell), course="seq")
    codes = [code for code in role.units if code != "BSH-U11"]  # U07 is the elective taken
    asked = [
        outcome.id
        for code in codes
        for outcome in framework.unit(code).outcomes
        if role.units[code] != "knowledge-only" or outcome.type == "knowledge"
    ]
    granted = grants(record, *asked)
    capstone = [record("c1", seq=1, outcome=A1), record("c1", seq=2, outcome="BSH-U05-A1")]

    def pathway(records: list[EvidenceRecord]) -> PathwayResult:
        return pathway_result(framework, role, evaluate(framework, wide, records, NOW))

    half, done = pathway(granted + capstone[:1]), pathway(granted + capstone)
    assert (half.capstone, half.complete) == (False, False)
    assert (done.capstone, done.complete, done.elective_points) == (True, True, 4)
    assert done.points == 18 + 4
    assert not pathway(granted[1:] + capstone).complete
