"""Small competence frameworks for tests: one written out, and any number by hypothesis."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from bioskills.competence.framework_writing import files_of, rule_of

LETTERS = {"knowledge": "K", "skill": "S", "autonomy": "A"}


def outcome(code: str, kind: str, words: str = "", **rule: Any) -> dict[str, Any]:
    numbers = {"theta": "0.70", "tasks": 1, "floor": "0.50", "validity_months": None} | rule
    said = words or f"explains {code}"
    return {
        "id": code,
        "type": kind,
        "statement": {"en": said, "de": f"erklärt {code}"},
        "rule": rule_of(**numbers),
    }


def unit(code: str, points: int = 2) -> dict[str, Any]:
    return {
        "code": code,
        "title": {"en": f"Unit {code}", "de": f"Einheit {code}"},
        "eqf": 5,
        "points": points,
        "hours": points * 25,
        "outcomes": [
            outcome(f"{code}-K1", "knowledge"),
            outcome(f"{code}-S1", "skill"),
            outcome(f"{code}-A1", "autonomy"),
        ],
        "criteria": [{"en": "a quiz", "de": "ein Quiz"}],
    }


def head(units: list[dict[str, Any]], name: str = "ACME", version: str = "1.0.0") -> dict[str, Any]:
    codes = [one["code"] for one in units]
    return {
        "id": name,
        "version": version,
        "uri": f"https://skills.example.org/{name}/{version}",
        "title": {"en": "Small skills", "de": "Kleine Fertigkeiten"},
        "creator": "Example provider",
        "issued": date(2027, 1, 20),
        "qualification": f"{name}-Q1",
        "points": sum(one["points"] for one in units),
        "point_hours": 25,
        "mastery_rule": "BSH-MR-1",
        "languages": {"complete": ["en", "de"]},
        "units": codes,
        "roles": [
            {
                "code": "ONE",
                "title": {"en": "Everybody", "de": "Alle"},
                "elective_points": 0,
                "units": dict.fromkeys(codes, "mandatory"),
            }
        ],
        "precedes": [[codes[0], codes[1]]],
    }


def small_files(version: str = "1.0.0", **more: Any) -> dict[str, bytes]:
    """Return the files of a framework of two units, with more keys in its head."""
    units = [unit("ACME-U01"), unit("ACME-U02", 3)]
    return files_of(head(units, version=version) | more, units)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12
).filter(lambda word: word[0].isalnum())


@st.composite
def texts(draw: st.DrawFn, most: int = 90) -> dict[str, str]:
    def one(first: str) -> str:
        return f"{first} {' '.join(draw(st.lists(WORDS, min_size=1, max_size=5)))}"[:most].strip()

    return {"en": one("writes"), "de": one("schreibt")}


@st.composite
def frameworks(draw: st.DrawFn) -> dict[str, bytes]:
    """Return the files of some sound framework."""
    units = []
    for number in range(1, draw(st.integers(2, 4)) + 1):
        code = f"ACME-U{number:02d}"
        kinds = [
            "autonomy",
            *draw(st.lists(st.sampled_from(sorted(LETTERS)), min_size=2, max_size=5)),
        ]
        counts = dict.fromkeys(LETTERS, 0)
        outcomes = []
        for kind in kinds:
            counts[kind] += 1
            rule = rule_of(
                f"0.{draw(st.integers(1, 9999)):04d}",
                draw(st.integers(1, 4)),
                f"0.{draw(st.integers(0, 99)):02d}",
                draw(st.none() | st.integers(1, 60)),
            )
            statement = draw(texts(900))
            code_of = f"{code}-{LETTERS[kind]}{counts[kind]}"
            outcomes.append({"id": code_of, "type": kind, "statement": statement, "rule": rule})
        points = draw(st.integers(1, 9))
        units.append(
            unit(code, points)
            | {"title": draw(texts()), "eqf": draw(st.integers(1, 8)), "outcomes": outcomes}
            | {"criteria": draw(st.lists(texts(), min_size=1, max_size=3))}
        )
    return files_of(head(units) | {"title": draw(texts())}, units)
