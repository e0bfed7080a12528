"""The framework is what was published, with the numbers of R5."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bioskills.base.problems import InputError
from bioskills.base.text import begin_reader
from bioskills.competence.framework import (
    BUILT_IN,
    BUILT_IN_SHELF,
    ChangedFrameworkError,
    Framework,
    UnknownFrameworkError,
    default_n,
    load_framework,
    published,
    read_published,
)
from bioskills.competence.framework_folder import (
    SUMS,
    fingerprint,
    publish,
    read_folder,
    sums_of,
)
from bioskills.competence.framework_model import THETA

REF = "BSH@1.0.0"
FOLDER = BUILT_IN_SHELF / "bsh" / "1.0.0"
WITNESS = Path(__file__).parents[2] / "golden" / "bsh-1.0.0.json"
WITNESS_SHA256 = "65f2a9145c6a05fe323805991adeaec14b402b9c6e1b9322b8faf8a4e1b4e027"
"""The single file in which this version was published at first."""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A shelf with a copy of the published version."""
    shutil.copytree(BUILT_IN_SHELF / "bsh", tmp_path / "bsh")
    return tmp_path


def test_the_published_framework_has_14_units_81_outcomes_49_points(framework: Framework) -> None:
    assert (
        framework.ref,
        len(framework.units),
        len(framework.outcomes),
        sum(unit.points for unit in framework.units),
        len(framework.roles),
    ) == (REF, 14, 81, 49, 7)


def test_the_folder_says_what_the_file_it_came_from_said(framework: Framework) -> None:
    content = WITNESS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == WITNESS_SHA256
    raw = json.loads(content)
    validity: Mapping[str, int] = raw["validity_months"]

    assert (framework.title, framework.qualification, framework.point_hours) == (
        raw["title"],
        raw["qualification"],
        raw["point_hours"],
    )
    assert [
        {
            "code": unit.code,
            "title": unit.title,
            "eqf": unit.eqf,
            "points": unit.points,
            "hours": unit.hours,
            "outcomes": [
                {"id": o.id, "type": o.type, "statement": o.statement} for o in unit.outcomes
            ],
            "criteria": list(unit.criteria),
        }
        for unit in framework.units
    ] == raw["units"]
    assert [
        {
            "code": role.code,
            "title": role.title,
            "elective_points": role.elective_points,
            "units": dict(role.units),
        }
        for role in framework.roles
    ] == raw["roles"]
    assert [[a.removeprefix("BSH-"), b.removeprefix("BSH-")] for a, b in framework.precedes] == raw[
        "precedes"
    ]
    for unit in framework.units:
        for outcome in unit.outcomes:
            assert (outcome.theta, outcome.n, outcome.floor, outcome.validity_months) == (
                THETA[outcome.type],
                default_n(outcome.type, unit.points),
                Fraction(1, 2),
                validity.get(outcome.id, validity.get(unit.code)),
            )


RULES = {
    "knowledge": ("BSH-U04-K1", Fraction(3, 5), 1),
    "skill": ("BSH-U04-S1", Fraction(7, 10), 2),
    "skill of a unit of 2 points": ("BSH-U01-S1", Fraction(7, 10), 1),
    "skill of a unit of 3 points": ("BSH-U06-S1", Fraction(7, 10), 2),
    "autonomy": ("BSH-U04-A1", Fraction(7, 10), 1),
}


@pytest.mark.parametrize(("outcome", "theta", "n"), RULES.values(), ids=RULES)
def test_an_outcome_has_the_threshold_of_its_type(
    outcome: str, theta: Fraction, n: int, framework: Framework
) -> None:
    found = framework.outcomes[outcome]

    assert (found.theta, found.n, found.floor) == (theta, n, Fraction(1, 2))


def test_only_law_and_security_expire(framework: Framework) -> None:
    expiring = {o.unit: o.validity_months for o in framework.outcomes.values() if o.validity_months}

    assert expiring == {"BSH-U10": 24}


def test_mandatory_points_of_a_role_are_those_of_the_matrix(framework: Framework) -> None:
    worth = {unit.code: unit.points for unit in framework.units}
    found = {
        role.code: sum(worth[code] for code, mode in role.units.items() if mode == "mandatory")
        for role in framework.roles
    }

    assert sorted(found.values()) == sorted([18, 37, 22, 18, 13, 21, 5])


def test_no_number_of_a_framework_is_a_float(framework: Framework) -> None:
    def floats(value: Any) -> list[Any]:
        if is_dataclass(value):
            value = {name: getattr(value, name) for name in value.__slots__}
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, list | tuple):
            return [found for item in value for found in floats(item)]
        return [value] if isinstance(value, float) else []

    assert floats(framework) == []


def test_english_and_german_have_every_text(framework: Framework) -> None:
    german = [
        framework.title_in("de"),
        *(role.title_in("de") for role in framework.roles),
        *(unit.title_in("de") for unit in framework.units),
        *(o.statement_in("de") for o in framework.outcomes.values()),
        *(text for unit in framework.units for text in unit.criteria_in("de")),
    ]
    english = [
        framework.title,
        *(role.title for role in framework.roles),
        *(unit.title for unit in framework.units),
        *(o.statement for o in framework.outcomes.values()),
        *(text for unit in framework.units for text in unit.criteria),
    ]

    assert framework.complete == ("en", "de")
    assert [e for e, g in zip(english, german, strict=True) if e == g] == []
    assert len(german) == 1 + 7 + 14 + 81 + 42


@pytest.mark.parametrize("language", ["it", "es", "bg"])
def test_titles_of_units_are_there_in(language: str, framework: Framework) -> None:
    found = {unit.title_in(language) for unit in framework.units}

    assert len(found) == 14
    assert not found & {unit.title for unit in framework.units}


@pytest.mark.parametrize("asked", ["sv", "bg", "xx-YY", "en"])
def test_a_statement_that_is_not_in_the_reader_s_language_is_english(
    asked: str, framework: Framework
) -> None:
    outcome = framework.outcomes["BSH-U04-S2"]

    assert outcome.statement_in(asked) == outcome.statement


def test_a_title_is_in_the_language_of_who_reads(framework: Framework) -> None:
    begin_reader("de-AT")
    try:
        assert framework.unit("BSH-U04").title_in() == "Sequenzanalyse mit Biopython"
    finally:
        begin_reader("en")
    assert framework.unit("BSH-U04").title_in() == "Sequence analysis with Biopython"


def test_no_crosswalk_is_reviewed_yet_and_unknown_addresses_stay_empty(
    framework: Framework,
) -> None:
    iscb = [row for row in framework.crosswalks if row.framework == "ISCB"]

    assert len(iscb) == 27
    assert not any(row.reviewed for row in framework.crosswalks)
    assert {row.code for row in iscb if not row.uri} == {"H"}
    assert {row.relation for row in framework.crosswalks} == {"isRelatedTo"}
    assert {row.source for row in framework.crosswalks if row.framework == "NPOS-DS"} == {
        "BSH-U08",
        "BSH-U09",
        "BSH-U12",
    }


def test_the_built_in_versions_are_the_folders_that_come_with_the_package() -> None:
    found = {ref: fingerprint(read_folder(FOLDER)) for ref in BUILT_IN}

    assert found == dict(BUILT_IN)
    assert set(BUILT_IN) <= set(published())


def test_one_changed_byte_is_refused(shelf: Path) -> None:
    file = shelf / "bsh/1.0.0/U04.yaml"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"explains", b"Explains", 1))

    with pytest.raises(ChangedFrameworkError, match=r"U04\.yaml was changed.*never changes"):
        read_published(REF, shelf)


def test_a_missing_file_is_refused(shelf: Path) -> None:
    (shelf / "bsh/1.0.0/U14.yaml").unlink()

    with pytest.raises(ChangedFrameworkError, match=r"U14\.yaml is missing"):
        read_published(REF, shelf)


@pytest.mark.parametrize("name", ["U15.yaml", "notes.md", "program.py", ".hidden"])
def test_an_additional_file_is_refused(name: str, shelf: Path) -> None:
    (shelf / "bsh/1.0.0" / name).write_text("code: BSH-U15\n")

    with pytest.raises(ChangedFrameworkError, match=name):
        read_published(REF, shelf)


def test_a_link_in_the_place_of_a_file_is_refused(shelf: Path) -> None:
    file = shelf / "bsh/1.0.0/U01.yaml"
    file.rename(shelf / "elsewhere.yaml")
    file.symlink_to(shelf / "elsewhere.yaml")

    with pytest.raises(ChangedFrameworkError, match="links and folders are never followed"):
        read_published(REF, shelf)


def test_a_folder_without_its_sums_is_refused(shelf: Path) -> None:
    (shelf / "bsh/1.0.0" / SUMS).unlink()

    with pytest.raises(ChangedFrameworkError, match="SHA256SUMS is missing"):
        read_published(REF, shelf)


def test_every_fault_of_a_changed_folder_is_named_at_once(shelf: Path) -> None:
    folder = shelf / "bsh/1.0.0"
    (folder / "U14.yaml").unlink()
    (folder / "U15.yaml").write_text("code: BSH-U15\n")

    with pytest.raises(ChangedFrameworkError) as refused:
        read_published(REF, shelf)
    assert refused.value.differences == ("U14.yaml is missing", "U15.yaml was not published")


def test_new_sums_do_not_make_a_changed_built_in_version_right(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shelf / "bsh/1.0.0"
    (folder / "U14.yaml").write_bytes(b"# a comment\n" + (folder / "U14.yaml").read_bytes())
    (folder / SUMS).write_bytes(sums_of(read_folder(folder)))
    monkeypatch.setattr("bioskills.competence.framework.BUILT_IN_SHELF", shelf)

    with pytest.raises(ChangedFrameworkError, match="fingerprint"):
        read_published(REF, shelf)


def test_a_folder_that_names_another_version_is_refused(shelf: Path) -> None:
    (shelf / "bsh/1.0.0").rename(shelf / "bsh/1.0.1")

    with pytest.raises(ChangedFrameworkError, match=r"it says BSH@1\.0\.0"):
        read_published("BSH@1.0.1", shelf)


def test_sums_are_those_that_sha256sum_writes() -> None:
    lines = (FOLDER / SUMS).read_text().splitlines()

    for line in lines:
        found, name = line.split("  ")
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == found
    assert len(lines) == 15


def test_an_unknown_framework_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownFrameworkError, match=r"BSH@1\.0\.0"):
        load_framework("BSH@2.0.0")


@pytest.mark.parametrize("ref", ["", "BSH", "../../etc@1.0.0", "BSH@1.0.0/..", "bsh@1.0.0"])
def test_a_name_that_is_none_leads_to_no_folder(ref: str) -> None:
    with pytest.raises(UnknownFrameworkError):
        load_framework(ref)


def test_a_version_is_published_whole_and_only_once(tmp_path: Path) -> None:
    files = read_folder(FOLDER)

    assert publish(files, REF, tmp_path)
    assert not publish(files, REF, tmp_path)
    assert read_published(REF, tmp_path).ref == REF
    assert [path.name for path in tmp_path.iterdir()] == ["bsh"]


def test_a_published_version_is_never_written_again(tmp_path: Path) -> None:
    files = read_folder(FOLDER)
    publish(files, REF, tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "bsh/1.0.0").iterdir()}

    with pytest.raises(InputError, match=r"never changes.*Raise `version`"):
        publish(files | {"notes.md": b"new"}, REF, tmp_path)
    assert {path: path.read_bytes() for path in (tmp_path / "bsh/1.0.0").iterdir()} == before


def test_a_publication_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        publish(read_folder(FOLDER), REF, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_of_two_publications_at_one_time_the_second_finds_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = read_folder(FOLDER)
    rename = Path.rename

    def late(stage: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        publish(files, REF, tmp_path)
        return rename(stage, target)

    monkeypatch.setattr(Path, "rename", late)
    assert not publish(files, REF, tmp_path)
    assert read_published(REF, tmp_path).ref == REF
    assert [path.name for path in tmp_path.iterdir()] == ["bsh"]
