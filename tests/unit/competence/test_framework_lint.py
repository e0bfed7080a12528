"""The linter says everything that is wrong with a framework, where, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from bioskills_frameworks import frameworks, small_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioskills.base.problems import InputError, Problem
from bioskills.competence.framework import BUILT_IN_SHELF
from bioskills.competence.framework_folder import read_folder
from bioskills.competence.framework_lint import check_files
from bioskills.competence.framework_verbs import DENIED, denied_verb
from bioskills.competence.framework_writing import files_of

Files = dict[str, bytes]


def published_files() -> Files:
    return read_folder(BUILT_IN_SHELF / "bsh" / "1.0.0")


def changed(name: str, change: Callable[[Any], object]) -> Files:
    """Return the published files with one of them changed by hand."""
    files = published_files()
    data = yaml.safe_load(files[name])
    change(data)
    files[name] = yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()
    return files


def problems_of(files: Files) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as refused:
        check_files(files)
    return refused.value.problems


def put(*path: Any) -> Callable[[Any], object]:
    """Return a change that puts the last value where the others lead."""
    *way, last, value = path

    def change(data: Any) -> None:
        for step in way:
            data = data[step]
        data[last] = value

    return change


def drop(*path: Any) -> Callable[[Any], object]:
    *way, last = path

    def change(data: Any) -> None:
        for step in way:
            data = data[step]
        del data[last]

    return change


def add(*path: Any) -> Callable[[Any], object]:
    *way, value = path

    def change(data: Any) -> None:
        for step in way:
            data = data[step]
        data.append(value)

    return change


OUTCOME = {
    "id": "BSH-U04-S9",
    "type": "skill",
    "statement": {"en": "writes a test", "de": "schreibt einen Test"},
    "rule": {"threshold": "0.70", "tasks": 2, "critical_floor": "0.50"},
}

FAULTS: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "two outcomes": ("U04.yaml", put("outcomes", []), "holds 0 outcomes. A unit has 3 to 6"),
    "seven outcomes": ("U04.yaml", add("outcomes", OUTCOME), "holds 7 outcomes"),
    "no autonomy": ("U04.yaml", drop("outcomes", 5), "no outcome of the type autonomy"),
    "know": (
        "U04.yaml",
        put("outcomes", 0, "statement", "en", "knows alignments"),
        "begins with knows: knows alignments. An outcome says what somebody can observe",
    ),
    "versteht": (
        "U04.yaml",
        put("outcomes", 0, "statement", "de", "versteht Alignments"),
        "begins with versteht",
    ),
    "points": ("framework.yaml", put("points", 50), "is 50, but the units have 49 points"),
    "hours": ("U04.yaml", put("hours", 90), "is 90; 4 points are 100 hours"),
    "level": ("U04.yaml", put("eqf", 9), "is 9; the European Qualifications Framework"),
    "no points": ("U04.yaml", put("points", 0), "is 0; a unit brings at least one point"),
    "unknown address": (
        "framework.yaml",
        put("crosswalks", 1, "uri", "https://competency.ebi.ac.uk/made-up"),
        "is https://competency.ebi.ac.uk/made-up; the table says https://",
    ),
    "made-up address of H": (
        "framework.yaml",
        put("crosswalks", 0, "uri", "https://competency.ebi.ac.uk/H"),
        "An address is copied, never made up",
    ),
    "unknown entry": (
        "framework.yaml",
        put("crosswalks", 1, "code", "Z"),
        "names ISCB 3.0 Z, which the table of other frameworks does not hold",
    ),
    "crosswalk of nothing": (
        "framework.yaml",
        put("crosswalks", 1, "source", "BSH-U99"),
        "is BSH-U99, which is no unit and no outcome here",
    ),
    "code of a unit": ("U04.yaml", put("code", "BSH-Genes"), "A unit is named BSH- and up to"),
    "code of an outcome": (
        "U04.yaml",
        put("outcomes", 0, "id", "BSH-U04-S1"),
        "is BSH-U04-S1, with the type knowledge",
    ),
    "code twice": (
        "U04.yaml",
        put("outcomes", 3, "id", "BSH-U04-S1"),
        "is BSH-U04-S1, which another outcome has too",
    ),
    "unit twice": ("framework.yaml", add("units", "BSH-U01"), "holds BSH-U01 2 times"),
    "unit without file": ("framework.yaml", add("units", "BSH-U15"), "no file holds"),
    "file without unit": ("framework.yaml", drop("units", 13), "is BSH-U14, which `units`"),
    "circle": (
        "framework.yaml",
        add("precedes", ["BSH-U12", "BSH-U01"]),
        "goes in a circle",
    ),
    "unit before itself": ("framework.yaml", add("precedes", ["BSH-U01"] * 2), "in a circle"),
    "order of nothing": (
        "framework.yaml",
        add("precedes", ["BSH-U01", "BSH-U77"]),
        "is BSH-U77, which is no unit here",
    ),
    "hole in the matrix": (
        "framework.yaml",
        drop("roles", 0, "units", "BSH-U03"),
        "of TEC says nothing about BSH-U03",
    ),
    "role with unknown unit": (
        "framework.yaml",
        put("roles", 0, "units", "BSH-U44", "elective"),
        "is no unit of this framework",
    ),
    "role out of reach": (
        "framework.yaml",
        put("roles", 0, "elective_points", 40),
        "is 40; the elective units of TEC have 8 points",
    ),
    "role twice": ("framework.yaml", put("roles", 1, "code", "TEC"), "another role has too"),
    "statement not translated": (
        "U04.yaml",
        drop("outcomes", 0, "statement", "de"),
        "has no text in de",
    ),
    "criterion not translated": ("U04.yaml", drop("criteria", 0, "de"), "has no text in de"),
    "title not translated": ("U04.yaml", drop("title", "bg"), "has no text in bg"),
    "no English": ("U04.yaml", drop("title", "en"), "has no text in en"),
    "language not declared": (
        "U04.yaml",
        put("title", "fr", "Analyse de séquences"),
        "is in fr, which framework.yaml does not declare",
    ),
    "English not declared": (
        "framework.yaml",
        put("languages", "complete", ["de"]),
        "does not name en",
    ),
    "title too long": ("U04.yaml", put("title", "en", "x" * 101), "has 101 characters"),
    "formula": (
        "U04.yaml",
        put("title", "en", "=HYPERLINK(1)"),
        "begins with =. A text begins with a letter",
    ),
    "line break": ("U04.yaml", put("title", "en", "a\nb"), "has line breaks"),
    "no criterion": ("U04.yaml", put("criteria", []), "says by what it is assessed"),
    "other rule": ("framework.yaml", put("mastery_rule", "BSH-MR-2"), "decides by BSH-MR-1"),
    "carry without a version before": (
        "framework.yaml",
        put(
            "carries",
            [{"source": "X", "target": "BSH-U01-K1", "relation": "exactMatchOf"}],
        ),
        "`replaces` does not say which version came before",
    ),
    "number as float": (
        "U04.yaml",
        put("outcomes", 0, "rule", "threshold", 0.6),
        "outcomes[0].rule.threshold: is 0.6: 0.6 is not an exact number",
    ),
    "unknown key": ("U04.yaml", put("pionts", 4), "pionts: is not a key that is known here"),
    "missing key": ("U04.yaml", drop("eqf"), "eqf: is missing"),
}


def test_the_published_framework_has_no_fault() -> None:
    assert check_files(published_files()).ref == "BSH@1.0.0"


@pytest.mark.parametrize(("name", "change", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_place_and_what_to_do_next(
    name: str, change: Callable[[Any], object], words: str
) -> None:
    problems = problems_of(changed(name, change))

    assert [p for p in problems if words in str(p)], "\n".join(map(str, problems))
    for problem in problems:
        file, _colon, line = problem.where.partition(" ")[0].partition(":")
        assert file in published_files()
        assert int(line) >= 1
        assert problem.next


def test_the_line_is_the_one_where_the_value_stands() -> None:
    files = published_files()
    lines = files["U04.yaml"].decode().splitlines()
    at = next(i for i, line in enumerate(lines) if "id: BSH-U04-S2" in line)
    lines[at + 3] = "      en: learns alignments"
    files["U04.yaml"] = "\n".join(lines).encode()

    [problem] = problems_of(files)
    assert problem.where == f"U04.yaml:{at + 4} outcomes[3].statement.en"


def test_all_faults_of_all_files_are_named_at_once() -> None:
    files = changed("U04.yaml", put("hours", 90))
    files["U05.yaml"] = changed("U05.yaml", put("hours", 80))["U05.yaml"]
    files["framework.yaml"] = changed("framework.yaml", put("points", 48))["framework.yaml"]

    assert [p.where.partition(":")[0] for p in problems_of(files)] == [
        "framework.yaml",
        "U04.yaml",
        "U05.yaml",
    ]


def test_a_file_that_is_no_yaml_is_named_beside_the_faults_of_the_others() -> None:
    files = changed("U05.yaml", put("eqf", "five"))
    files["U04.yaml"] = b"code: [BSH-U04\n"
    files["U06.yaml"] = b"\xff\xfe"

    assert [p.where.partition(":")[0].partition(" ")[0] for p in problems_of(files)] == [
        "U04.yaml",
        "U06.yaml",
        "U05.yaml",
    ]


def test_a_folder_without_framework_yaml_is_no_framework() -> None:
    files = published_files()
    del files["framework.yaml"]

    assert "is missing, so this is not a framework" in str(problems_of(files)[0])


def test_a_key_that_is_there_twice_is_refused() -> None:
    files = published_files()
    files["U04.yaml"] += b"points: 5\n"

    assert "the key points is there twice" in str(problems_of(files)[0])


def test_a_row_in_the_folder_s_own_table_lets_a_crosswalk_name_it() -> None:
    row = {
        "source": "BSH-U12",
        "framework": "ACME",
        "version": "2",
        "code": "ops",
        "uri": "https://skills.example.org/ops",
        "relation": "isRelatedTo",
    }
    files = changed("framework.yaml", add("crosswalks", row))
    assert "does not hold" in str(problems_of(files)[0])
    files["targets.csv"] = (
        b"framework,version,code,title,uri,source\n"
        b"ACME,2,ops,operations,https://skills.example.org/ops,our partner's list\n"
    )

    assert check_files(files).framework().crosswalks[-1].framework == "ACME"


def test_the_shipped_table_cannot_be_overwritten_by_a_folder_s_own() -> None:
    files = changed(
        "framework.yaml", put("crosswalks", 1, "uri", "https://elsewhere.example.org/I")
    )
    files["targets.csv"] = (
        b"framework,version,code,title,uri,source\n"
        b"ISCB,3.0,I,infrastructure,https://elsewhere.example.org/I,nobody\n"
    )

    assert "the table says https://competency" in str(problems_of(files)[0])


@pytest.mark.parametrize(
    "table",
    [
        "framework,code\n",
        "framework,version,code,title,uri,source\nA,1,x\n",
        "framework,version,code,title,uri,source\nA,1,x,t,javascript:alert(1),s\n",
        "framework,version,code,title,uri,source\nA,1,x,t,,\n",
        "framework,version,code,title,uri,source\nA,1,x,t,,s\nA,1,x,t,,s\n",
    ],
)
def test_a_faulty_table_of_targets_is_named_with_its_row(table: str) -> None:
    files = published_files() | {"targets.csv": table.encode()}

    assert problems_of(files)[0].where.startswith("targets.csv:")


@pytest.mark.parametrize("language", DENIED)
def test_each_denied_verb_is_found_at_the_beginning_and_not_inside(language: str) -> None:
    for verb in DENIED[language]:
        assert denied_verb(f"{verb.capitalize()} x", language) == verb
        assert denied_verb(f"explains, {verb} x", language) == ""
        assert denied_verb(f"{verb}ish", language) == ""


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_file_it_is_sound_or_refused_with_faults(data: st.DataObject) -> None:
    files = small_files()
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    start = data.draw(st.integers(0, len(content)))
    end = min(len(content), start + data.draw(st.integers(0, 40)))
    files[name] = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    try:
        check_files(files)
    except InputError as error:
        found = error.problems
    else:
        found = None

    assert found is None or all(problem.what for problem in found)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_as_framework_yaml_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        check_files({"framework.yaml": text.encode("utf-8", "replace")})


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=frameworks())
def test_a_framework_that_is_written_is_read_as_the_same(files: Files) -> None:
    draft = check_files(files)
    units = [yaml.safe_load(files[name]) for name, _form in draft.units]

    assert files_of(yaml.safe_load(files["framework.yaml"]), units) == files
