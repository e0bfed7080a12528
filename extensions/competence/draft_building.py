"""Turn the tree of another system's framework into a draft in our form.

Law: nothing is invented. What the other system does not say (points, hours,
levels, criteria, roles) stays empty, and `bioskills framework check` names it. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from bioskills.base.text import SOURCE_LANGUAGE
from bioskills.competence.exact import to_stored
from bioskills.competence.framework_model import FLOOR, RULE, THETA, OutcomeType, default_n
from bioskills.competence.framework_reading import TARGETS
from bioskills.competence.framework_targets import COLUMNS
from bioskills.competence.framework_writing import files_of, rule_of
from bioskills.competence.tables import csv_bytes

LETTERS: Mapping[OutcomeType, str] = {"knowledge": "K", "skill": "S", "autonomy": "A"}


@dataclass(frozen=True)
class ForeignItem:
    """A competency of another system.

    Attributes:
        code: What it is called there.
        words: Its text by language.
        uri: Its address there; empty where it has none.
        type: What kind of outcome it is there; None where that is not said.
    """

    code: str
    words: Mapping[str, str]
    uri: str = ""
    type: OutcomeType | None = None


@dataclass(frozen=True)
class ForeignUnit:
    """A competency with others below it."""

    item: ForeignItem
    outcomes: Sequence[ForeignItem]
    eqf: int = 0
    points: int = 0
    before: Sequence[str] = ()


@dataclass(frozen=True)
class ForeignFramework:
    """A framework of another system, and what it is to be called here."""

    id: str
    version: str
    title: Mapping[str, str]
    creator: str
    units: Sequence[ForeignUnit]
    source: str
    source_kind: Literal["CASE", "MOODLE"]


def draft_of(framework: ForeignFramework, today: date) -> dict[str, bytes]:
    """Return the files of a draft."""
    codes = _codes(framework)
    units = [_unit(unit, codes) for unit in framework.units]
    head: dict[str, Any] = {
        "id": framework.id,
        "version": framework.version,
        "uri": f"urn:bioskills:framework:{framework.id}:{framework.version}",
        "title": dict(framework.title),
        "creator": framework.creator or framework.id,
        "issued": today,
        "qualification": f"{framework.id}-Q1",
        "points": sum(unit["points"] for unit in units),
        "point_hours": 25,
        "mastery_rule": RULE,
        "languages": _languages(units),
        "units": [unit["code"] for unit in units],
        "roles": [],
        "precedes": [
            [codes[unit.item.code], codes[then]]
            for unit in framework.units
            for then in unit.before
            if then in codes
        ],
    }
    rows = _origins(framework, codes)
    if rows:
        head["crosswalks"] = [_crosswalk(framework, row) for row in rows]
    files = files_of(head, units, f"A draft, read from {framework.source}.")
    return files | ({TARGETS: _targets(framework, rows)} if rows else {})


def _languages(units: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the languages that every text has, and those that titles of units alone have."""
    titles = [set(unit["title"]) for unit in units]
    texts = [set(o["statement"]) for unit in units for o in unit["outcomes"]]
    everywhere = set.intersection(*titles, *texts) or {SOURCE_LANGUAGE}
    further = set.intersection(*titles) - everywhere
    ordered = sorted(everywhere, key=lambda code: (code != SOURCE_LANGUAGE, code))
    return {"complete": ordered} | ({"titles": sorted(further)} if further else {})


def _codes(framework: ForeignFramework) -> dict[str, str]:
    """Return our code for each of theirs: theirs where all of a unit's fit our form, else a new one."""
    found: dict[str, str] = {}
    for number, unit in enumerate(framework.units, start=1):
        kept = _fits(framework.id, unit)
        code = unit.item.code if kept else f"{framework.id}-U{number:02d}"
        found[unit.item.code] = code
        counts = dict.fromkeys(LETTERS.values(), 0)
        for outcome in unit.outcomes:
            letter = LETTERS[outcome.type or "skill"]
            counts[letter] += 1
            found[outcome.code] = outcome.code if kept else f"{code}-{letter}{counts[letter]}"
    return found


def _fits(name: str, unit: ForeignUnit) -> bool:
    code = unit.item.code
    return bool(re.fullmatch(rf"{name}-[A-Z0-9]{{1,8}}", code)) and all(
        re.fullmatch(rf"{code}-{LETTERS[o.type or 'skill']}[1-9]\d?", o.code) for o in unit.outcomes
    )


def _unit(unit: ForeignUnit, codes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": codes[unit.item.code],
        "title": dict(unit.item.words),
        "eqf": unit.eqf,
        "points": unit.points,
        "hours": unit.points * 25,
        "outcomes": [_outcome(outcome, unit.points, codes) for outcome in unit.outcomes],
        "criteria": [],
    }


def _outcome(item: ForeignItem, points: int, codes: Mapping[str, str]) -> dict[str, Any]:
    kind = item.type or "skill"
    rule = rule_of(to_stored(THETA[kind]), default_n(kind, points), to_stored(FLOOR), None)
    return {
        "id": codes[item.code],
        "type": kind,
        "statement": dict(item.words),
        "rule": rule,
    }


def _origins(
    framework: ForeignFramework, codes: Mapping[str, str]
) -> list[tuple[str, ForeignItem]]:
    """Return each part that has an address in the other system, with our code."""
    every = [item for unit in framework.units for item in (unit.item, *unit.outcomes)]
    return [(codes[item.code], item) for item in every if item.uri]


def _crosswalk(framework: ForeignFramework, row: tuple[str, ForeignItem]) -> dict[str, Any]:
    code, item = row
    return {
        "source": code,
        "framework": framework.source_kind,
        "version": framework.version,
        "code": item.code,
        "uri": item.uri,
        "relation": "exactMatchOf",
    }


def _targets(framework: ForeignFramework, rows: Sequence[tuple[str, ForeignItem]]) -> bytes:
    kind, version, source = framework.source_kind, framework.version, framework.source
    cells = [
        (kind, version, item.code, next(iter(item.words.values())), item.uri, source)
        for _code, item in rows
    ]
    return csv_bytes(COLUMNS, cells)
