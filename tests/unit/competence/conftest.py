"""One learner's evidence under one course, short to write down."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bioskills.competence.evidence import EvidenceRecord
from bioskills.competence.framework import Framework, load_framework
from bioskills.competence.mapping import Mapping, parse_mapping

DAY_ONE = datetime(2027, 1, 20, 9, 0, tzinfo=UTC)

MAPPING = """
framework: BSH@1.0.0
mapping_version: 3
tasks:
  - id: p1
    assignments: [p1]
    kind: formative
    cells: [{cell: p1/a, outcomes: {BSH-U04-S1: "1.0", BSH-U04-K1: "1.0"}}]
  - id: q1
    assignments: [q1]
    kind: quiz
    cells: [{cell: q1/a, outcomes: {BSH-U04-K1: "1.0"}}]
  - id: s1
    assignments: [s1, s1-resit]
    kind: summative
    attempts: {max: 3, cooldown_hours: 24}
    cells:
      - {cell: s1/a, outcomes: {BSH-U01-S1: "1", BSH-U04-S1: "1", BSH-U04-S2: "1", BSH-U04-K1: "1"}}
      - {cell: s1/because, outcomes: {BSH-U04-A1: "1.0", BSH-U10-K1: "1.0"}}
      - {cell: s1-resit/a, outcomes: {BSH-U04-S1: "1.0"}}
  - id: s2
    assignments: [s2]
    kind: summative
    cells: [{cell: s2/a, outcomes: {BSH-U04-S1: "1.0", BSH-U04-S2: "1.0"}}]
  - id: s3
    assignments: [s3]
    kind: summative
    cells: [{cell: s3/a, outcomes: {BSH-U04-S1: "1.0", BSH-U04-S2: "1.0"}}]
  - id: c1
    assignments: [c1]
    kind: capstone
    cells: [{cell: c1/a, outcomes: {BSH-U04-A1: "1.0", BSH-U04-S1: "1.0"}}]
  - id: o1
    assignments: [o1]
    kind: observation
    cells: [{cell: o1/a, outcomes: {BSH-U04-S1: "1.0"}}]
critical: {BSH-U04-S2: [s3]}
"""


def make_record(task: str = "s1", score: str | None = "0.8000", **other: Any) -> EvidenceRecord:
    """Return released evidence for BSH-U04-S1, unless told otherwise."""
    fields: dict[str, Any] = {
        "seq": 1, "at": DAY_ONE, "submitted_at": DAY_ONE, "actor": "u-0007", "learner": "p-000231",
        "outcome": "BSH-U04-S1", "task": task, "attempt": 1, "score": score,
        "framework": "BSH@1.0.0", "mapping": "seq@3", "rule": "BSH-MR-1", "released_by": "u-0003",
        "pending": score is None and other.get("kind") != "rpl",
    }  # fmt: skip
    return EvidenceRecord(**fields | other)


@pytest.fixture(scope="session")
def record() -> Callable[..., EvidenceRecord]:
    return make_record


@pytest.fixture(scope="session")
def framework() -> Framework:
    return load_framework("BSH@1.0.0")


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    return parse_mapping(MAPPING, course="seq")


@pytest.fixture(scope="session")
def mapping_text() -> str:
    return MAPPING


@pytest.fixture(scope="session")
def day_one() -> datetime:
    return DAY_ONE
