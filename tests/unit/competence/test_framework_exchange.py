"""Frameworks go out to other systems and come back, and what others lose in silence is refused."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bioskills_frameworks import frameworks, small_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioskills.base.problems import InputError
from bioskills.competence.case import case_package
from bioskills.competence.case_own import own_draft
from bioskills.competence.case_reading import foreign_draft, read_package
from bioskills.competence.framework import Framework
from bioskills.competence.framework_lint import check_files
from bioskills.competence.framework_reading import read_draft
from bioskills.competence.moodle import COLUMNS, COMPLETE, moodle_csv, related_cell, shortened
from bioskills.competence.moodle_reading import moodle_draft, plain_text, read_rows

TESTS = Path(__file__).parents[2]
SCHEMA = json.loads((TESTS / "schemas" / "case-v1p1-cfpackage.json").read_text())
GOLDEN = TESTS / "golden" / "bsh-1.0.0-moodle.csv"
SITE = "https://skills.example.org/"
DAY = date(2027, 1, 20)
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def small(version: str = "1.0.0", **more: Any) -> Framework:
    return check_files(small_files(version, **more)).framework()


def packed(package: Any) -> bytes:
    return json.dumps(package).encode()


def without_ours(package: dict[str, Any]) -> dict[str, Any]:
    """Return a package as another system would write it: without our extensions."""
    plain: dict[str, Any] = json.loads(json.dumps(package))
    for part in (plain["CFDocument"], *plain["CFItems"], *plain["CFAssociations"]):
        part.pop("extensions", None)
    return plain


# CASE 1.1


@pytest.fixture(scope="module")
def package(framework: Framework) -> dict[str, Any]:
    return case_package(framework, SITE)


def schema_errors(package: Any) -> list[str]:
    validator = jsonschema.Draft201909Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(package)]


def test_the_case_package_has_no_error_by_the_official_schema(package: dict[str, Any]) -> None:
    assert schema_errors(package) == []


def test_the_official_schema_finds_a_planted_error(package: dict[str, Any]) -> None:
    broken = without_ours(package)
    broken["CFItems"][0]["sourcedId"] = broken["CFItems"][0].pop("identifier")

    assert len(schema_errors(broken)) >= 2


def test_case_holds_every_unit_and_outcome_once_as_a_child_of_what_it_belongs_to(
    package: dict[str, Any], framework: Framework
) -> None:
    english = [item for item in package["CFItems"] if item["language"] == "en"]
    children = [a for a in package["CFAssociations"] if a["associationType"] == "isChildOf"]

    assert len(english) == len(children) == 14 + 81
    assert {item["humanCodingScheme"] for item in english} == {
        *(unit.code for unit in framework.units),
        *framework.outcomes,
    }


def test_case_names_a_unit_as_the_study_says(package: dict[str, Any]) -> None:
    [unit] = [
        item
        for item in package["CFItems"]
        if item["humanCodingScheme"] == "BSH-U04" and item["language"] == "en"
    ]

    assert (unit["CFItemType"], unit["educationLevel"], unit["fullStatement"]) == (
        "Unit of learning outcomes",
        ["EQF5"],
        "Sequence analysis with Biopython",
    )


def test_case_identifiers_are_the_same_on_every_host_and_other_in_another_version() -> None:
    def identifiers(framework: Framework, site: str) -> list[str]:
        package = case_package(framework, site)
        parts = [*package["CFItems"], *package["CFAssociations"], package["CFDocument"]]
        return [part["identifier"] for part in parts]

    here, there = identifiers(small(), SITE), identifiers(small(), "http://localhost:8000")
    assert here == there
    assert len(set(here)) == len(here)
    assert not set(here) & set(identifiers(small("1.0.1"), SITE))


def test_case_addresses_lead_to_the_site(package: dict[str, Any]) -> None:
    base = "https://skills.example.org/ims/case/v1p1/"

    assert package["CFDocument"]["uri"].startswith(f"{base}CFDocuments/")
    assert all(item["uri"] == f"{base}CFItems/{item['identifier']}" for item in package["CFItems"])


def test_case_says_that_no_crosswalk_was_reviewed_and_writes_none_without_address(
    package: dict[str, Any],
) -> None:
    related = [a for a in package["CFAssociations"] if a["associationType"] == "isRelatedTo"]

    assert {a["notes"] for a in related} == {"not yet reviewed"}
    assert all(
        a["destinationNodeURI"]["uri"].startswith("https://competency.ebi.ac.uk/") for a in related
    )
    assert not [a for a in related if a["destinationNodeURI"]["title"].endswith(" H")]


def test_case_says_in_which_order_units_are_recommended(package: dict[str, Any]) -> None:
    codes = {item["identifier"]: item["humanCodingScheme"] for item in package["CFItems"]}
    pairs = [
        tuple(codes[a[end]["identifier"]] for end in ("originNodeURI", "destinationNodeURI"))
        for a in package["CFAssociations"]
        if a["associationType"] == "precedes"
    ]

    assert len(pairs) == 10
    assert ("BSH-U03", "BSH-U04") in pairs


def test_case_links_each_translation_to_what_it_translates(package: dict[str, Any]) -> None:
    links = [a for a in package["CFAssociations"] if a["associationType"] == "isTranslationOf"]
    german = [item for item in package["CFItems"] if item["language"] == "de"]

    assert len(german) == 95
    assert len(links) == 95 + 3 * 14


def test_case_says_what_became_of_the_outcomes_of_the_version_before() -> None:
    carries = [
        {
            "source": "ACME-U01-S1",
            "target": "ACME-U02-S1",
            "relation": "replacedBy",
            "missing": {"en": "tests", "de": "Tests"},
        }
    ]
    before, after = small(), small("1.1.0", replaces="ACME@1.0.0", carries=carries)
    package = case_package(after, SITE, before)
    links = [
        a
        for a in package["CFAssociations"]
        if a["associationType"] in {"replacedBy", "exactMatchOf"}
    ]

    assert schema_errors(package) == []
    assert sorted(a["associationType"] for a in links) == ["exactMatchOf"] * 5 + ["replacedBy"]
    assert [a["notes"] for a in links if a["associationType"] == "replacedBy"] == ["tests"]


def test_our_own_case_package_comes_back_whole(
    package: dict[str, Any], framework: Framework
) -> None:
    found = check_files(own_draft(read_package(packed(package)))).framework()

    assert found == framework
    assert found.uri == framework.uri
    assert found.titles == framework.titles
    assert set(found.crosswalks) == set(framework.crosswalks)
    assert [u.criteria_words for u in found.units] == [u.criteria_words for u in framework.units]
    assert {c: o.statements for c, o in found.outcomes.items()} == {
        c: o.statements for c, o in framework.outcomes.items()
    }


@SLOW
@given(files=frameworks())
def test_any_framework_comes_back_from_case_as_it_was(files: dict[str, bytes]) -> None:
    framework = check_files(files).framework()
    package = case_package(framework, SITE)

    assert schema_errors(package) == []
    again = own_draft(read_package(packed(package)))
    assert check_files(again).framework() == framework
    assert case_package(read_draft(again).framework(), SITE) == package


def test_a_foreign_case_package_becomes_a_draft_that_says_what_it_lacks() -> None:
    package = without_ours(case_package(small(), SITE))
    files = foreign_draft(read_package(packed(package)), "OTHER", "0.1.0", DAY)
    with pytest.raises(InputError) as refused:
        check_files(files)

    said = " ".join(str(problem) for problem in refused.value.problems)
    assert "is 0; a unit brings at least one point" in said
    assert "says by what it is assessed" in said
    framework = read_draft(files).framework()
    assert [u.code for u in framework.units] == ["OTHER-U01", "OTHER-U02"]
    assert [o.statements["de"] for o in framework.units[0].outcomes] == [
        f"erklärt ACME-U01-{end}" for end in ("K1", "S1", "A1")
    ]
    assert framework.precedes == (("OTHER-U01", "OTHER-U02"),)
    assert {row.relation for row in framework.crosswalks} == {"exactMatchOf"}
    assert all(row.uri.startswith(SITE) for row in framework.crosswalks)


BROKEN_PACKAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "sourcedId": (
        lambda p: p["CFItems"][0].__setitem__("sourcedId", p["CFItems"][0].pop("identifier")),
        "sourcedId, which CASE 1.1 calls identifier",
    ),
    "no document": (lambda p: p.pop("CFDocument"), "has no CFDocument"),
    "no items": (lambda p: p.__setitem__("CFItems", []), "is empty"),
    "no statement": (lambda p: p["CFItems"][2].pop("fullStatement"), "has no fullStatement"),
    "a parent elsewhere": (
        lambda p: p["CFAssociations"][2]["destinationNodeURI"].__setitem__("identifier", "x"),
        "is a child of x, which is not in the package",
    ),
    "below itself": (
        lambda p: p["CFAssociations"][0].__setitem__(
            "destinationNodeURI", p["CFAssociations"][2]["originNodeURI"]
        ),
        "is below itself",
    ),
}


@pytest.mark.parametrize(("harm", "words"), BROKEN_PACKAGES.values(), ids=BROKEN_PACKAGES)
def test_a_broken_case_package_is_refused_in_words(
    harm: Callable[[dict[str, Any]], object], words: str
) -> None:
    package = without_ours(case_package(small(), SITE))
    harm(package)

    with pytest.raises(InputError, match=words):
        read_package(packed(package))


def test_a_package_that_only_says_it_is_ours_is_refused() -> None:
    package = case_package(small(), SITE)
    del package["CFItems"][0]["extensions"]

    with pytest.raises(InputError, match="says that it is ours, but lacks"):
        own_draft(read_package(packed(package)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@SLOW
@given(data=st.data())
def test_whatever_a_package_holds_it_is_read_or_refused(data: st.DataObject) -> None:
    package = case_package(small(), SITE)
    part = data.draw(
        st.sampled_from([package["CFDocument"], *package["CFItems"], *package["CFAssociations"]])
    )
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    for read in (own_draft, lambda found: foreign_draft(found, "OTHER", "0.1.0", DAY)):
        with suppress(InputError):
            check_files(read(read_package(packed(package))))


# Moodle


def test_the_moodle_file_is_the_golden_one(framework: Framework) -> None:
    assert moodle_csv(framework) == GOLDEN.read_text(encoding="utf-8")


def test_the_moodle_file_comes_back_equal(framework: Framework) -> None:
    text = moodle_csv(framework)
    rows = read_rows(text.encode())

    assert [list(row) for row in rows] == list(csv.reader(io.StringIO(text)))[1:]
    assert len(rows) == 1 + 14 + 81


def test_a_draft_from_the_moodle_file_has_the_same_codes_titles_statements_and_points(
    framework: Framework,
) -> None:
    draft = read_draft(moodle_draft(moodle_csv(framework).encode(), "BSH", "1.0.0", DAY))
    found = draft.framework()

    assert [(u.code, u.title, u.eqf, u.points, u.hours) for u in found.units] == [
        (u.code, u.title, u.eqf, u.points, u.hours) for u in framework.units
    ]
    assert [(o.id, o.type, o.statement) for o in found.outcomes.values()] == [
        (o.id, o.type, o.statement) for o in framework.outcomes.values()
    ]


@SLOW
@given(files=frameworks())
def test_any_framework_comes_back_from_moodle_with_its_codes_and_statements(
    files: dict[str, bytes],
) -> None:
    framework = check_files(files).framework()
    content = moodle_csv(framework).encode()
    found = read_draft(moodle_draft(content, "ACME", "1.0.0", DAY)).framework()

    assert [(o.id, o.type, " ".join(o.statement.split())) for o in framework.outcomes.values()] == [
        (o.id, o.type, o.statement) for o in found.outcomes.values()
    ]
    assert [(u.code, u.eqf, u.points) for u in found.units] == [
        (u.code, u.eqf, u.points) for u in framework.units
    ]


def test_moodle_has_fourteen_columns_in_its_order(framework: Framework) -> None:
    head = moodle_csv(framework).splitlines()[0]

    assert head == ",".join(COLUMNS)
    assert len(COLUMNS) == 14


def test_a_unit_is_complete_by_moodle_s_number_for_complete(framework: Framework) -> None:
    # In course_competency the numbers 2 and 3 are the other way round.
    rows = [row for row in read_rows(moodle_csv(framework).encode()) if row.rule_type]

    assert {row.rule_outcome for row in rows} == {COMPLETE} == {"2"}
    assert {row.rule_config for row in rows} == {"null"}
    assert len(rows) == 14


def test_one_row_is_the_framework_s_with_scale_and_taxonomy(framework: Framework) -> None:
    [head] = [row for row in read_rows(moodle_csv(framework).encode()) if row.is_framework]

    assert head.scale == "Not yet,Developing,Achieved,Exceeded"
    assert [level["proficient"] for level in json.loads(head.scale_configuration)[1:]] == [
        0,
        0,
        1,
        1,
    ]
    assert len(head.taxonomy.split(",")) == 4


def test_a_short_name_is_cut_by_us_between_words_and_the_description_has_all(
    framework: Framework,
) -> None:
    rows = {row.id: row for row in read_rows(moodle_csv(framework).encode())}
    row, outcome = rows["BSH-U01-K1"], framework.outcomes["BSH-U01-K1"]

    assert len(row.short_name) <= 100
    assert row.short_name.endswith("live…")
    assert plain_text(row.description) == outcome.statement
    assert all(len(r.id) <= 100 and len(r.short_name) <= 100 for r in rows.values())


@settings(deadline=None)
@given(text=st.text(max_size=300))
def test_a_shortened_text_never_passes_moodle_s_limit(text: str) -> None:
    assert len(shortened(text)) <= 100
    assert "<" not in shortened(text)


def test_a_description_is_html_and_its_words_come_back() -> None:
    files = small_files()
    files["U01.yaml"] = files["U01.yaml"].replace(
        b"explains ACME-U01-K1", b"explains why a <b> & b is p < 0.05"
    )
    text = moodle_csv(check_files(files).framework())
    [row] = [row for row in read_rows(text.encode()) if row.id == "ACME-U01-K1"]

    assert row.description == "explains why a &lt;b&gt; &amp; b is p &lt; 0.05"
    assert plain_text(row.description) == "explains why a <b> & b is p < 0.05"
    assert "<" not in row.short_name


def test_a_comma_inside_a_related_id_is_written_as_moodle_writes_it() -> None:
    assert related_cell(["A,B", "C"]) == "A%2CB,C"


def rows_with(*rows: str) -> bytes:
    head = f'{",".join(COLUMNS)}\n,F,Framework,,1,"a,b",[],,,,,,1,competency\n'
    return (head + "".join(f"{row}\n" for row in rows)).encode()


UNIT, LEAF = ",U,Unit,,1,,,,0,null,,,,", "U,U-K1,Leaf,,1,,,,0,null,,,,"
LOST = {
    "no short name": ([UNIT, LEAF, "U,X,,,1,,,,0,null,,,,"], "has no ID number or no short name"),
    "no ID number": ([UNIT, LEAF, "U,,Name,,1,,,,0,null,,,,"], "leaves such a row out without"),
    "ID number twice": ([UNIT, LEAF, LEAF], "Moodle keeps the last of them"),
    "unknown parent": ([UNIT, LEAF, "Z,X,Name,,1,,,,0,null,,,,"], "has the parent Z, which no row"),
    "below itself": ([UNIT, LEAF, "B,A,a,,1,,,,0,null,,,,", "A,B,b,,1,,,,0,null,,,,"], "below itself"),
    "two frameworks": ([UNIT, LEAF, ",G,Other,,1,,,,,,,,1,"], "has 2 rows with Is framework"),
    "related to nothing": ([UNIT, "U,X,Name,,1,,,,0,null,Q,,,"], "refers to Q, which no row"),
    "an open quote": ([UNIT, 'U,X,"Name,,1'], "is no CSV that can be read"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "words"), LOST.values(), ids=LOST)
def test_what_moodle_would_lose_without_a_word_is_refused(rows: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_rows(rows_with(*rows))


def test_a_file_without_a_framework_row_is_refused() -> None:
    with pytest.raises(InputError, match="has 0 rows with Is framework"):
        read_rows(f"{','.join(COLUMNS)}\n{UNIT}\n".encode())


def test_columns_go_by_place_and_not_by_name_as_in_moodle() -> None:
    head, rest = rows_with(UNIT, LEAF).split(b"\n", 1)
    other = b",".join(name.upper() for name in head.split(b",")) + b"\n" + rest

    assert read_rows(other) == read_rows(rows_with(UNIT, LEAF))


def test_a_title_that_moodle_would_cut_is_refused_at_the_way_out() -> None:
    files = small_files()
    files["U01.yaml"] = files["U01.yaml"].replace(b"Unit ACME-U01", b"x" * 101)

    with pytest.raises(InputError, match="Moodle cuts at 100"):
        moodle_csv(read_draft(files).framework())


def test_groups_above_units_fall_away_and_cross_references_are_no_order() -> None:
    rows = [",G,Group,,1,,,,0,null,,,,", "G,U,Unit,,1,,,,0,null,V,,,", LEAF,
            "G,V,Second,,1,,,,0,null,U,,,", "V,V1,second leaf,,1,,,,0,null,,,,"]  # fmt: skip
    found = read_draft(moodle_draft(rows_with(*rows), "ACME", "0.1.0", DAY)).framework()

    assert [unit.title for unit in found.units] == ["Unit", "Second"]
    assert found.precedes == ()


@SLOW
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_a_csv_holds_it_is_read_or_refused(content: bytes) -> None:
    for start in (b"", rows_with(UNIT, LEAF)):
        with suppress(InputError):
            moodle_draft(start + content, "ACME", "0.1.0", DAY)
