"""`bioskills framework`: what an author reads, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from bioskills_frameworks import small_files

from bioskills.base.commands import main
from bioskills.competence.framework_folder import publish

Said = pytest.CaptureFixture[str]
FOLDER = "small"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one draft in it, and an installation that is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIOSKILLS_PATHS_DATA_DIR", str(tmp_path / "data"))
    write(tmp_path / FOLDER)
    return tmp_path


def write(folder: Path, version: str = "1.0.0", **more: Any) -> None:
    folder.mkdir()
    for name, content in small_files(version, **more).items():
        (folder / name).write_bytes(content)


def test_a_sound_framework_is_told_how_to_go_on(capsys: Said) -> None:
    assert main(["framework", "check", FOLDER]) == 0
    said = capsys.readouterr().out
    assert "ACME@1.0.0: no fault. 2 units, 6 outcomes, 5 points." in said
    assert "bioskills framework publish small" in said


def test_faults_are_said_one_a_line_with_file_and_line_and_exit_code_2(
    here: Path, capsys: Said
) -> None:
    write(here / "bad", points=9, uri="nowhere")

    assert main(["framework", "check", "bad"]) == 2
    assert "framework.yaml:" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(capsys: Said) -> None:
    assert main(["framework", "check", "nothing"]) == 2
    assert "nothing: is no folder here" in capsys.readouterr().err


def test_a_version_that_replaces_an_unknown_one_has_a_fault(here: Path, capsys: Said) -> None:
    write(here / "next", "1.1.0", replaces="ACME@0.1.0")

    assert main(["framework", "check", "next"]) == 2
    assert "ACME@0.1.0: is no framework that is published here" in capsys.readouterr().err


def test_two_folders_are_compared(here: Path, capsys: Said) -> None:
    carries = [
        {
            "source": "ACME-U01-S1",
            "target": "ACME-U02-S1",
            "relation": "replacedBy",
            "missing": {"en": "a test", "de": "ein Test"},
        }
    ]
    write(here / "next", "2.0.0", replaces="ACME@1.0.0", carries=carries)

    assert main(["framework", "diff", FOLDER, "next"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ACME-U01-S1 → ACME-U02-S1  gap: a test"
    assert lines[-2:] == ["5 outcomes carry over.", "1 with a gap, 0 to be shown again, 1 new."]
    assert main(["framework", "diff", FOLDER, "next", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["relation"] for row in rows} == {"exactMatchOf", "replacedBy", ""}


def test_a_published_version_and_a_folder_are_compared(capsys: Said) -> None:
    assert main(["framework", "diff", "BSH@1.0.0", FOLDER]) == 0
    assert "81 to be shown again, 6 new" in capsys.readouterr().out


def test_an_installation_that_is_not_there_still_lists_what_is_built_in(capsys: Said) -> None:
    assert main(["framework", "list"]) == 0
    assert capsys.readouterr().out.startswith("BSH@1.0.0  Bioinformatics for biotech SMEs")


def test_an_unknown_version_is_told_the_known_ones(capsys: Said) -> None:
    assert main(["framework", "show", "BSH@1.0.1"]) == 2
    assert "There are: BSH@1.0.0. Did you mean BSH@1.0.0?" in capsys.readouterr().err


def test_a_case_package_goes_out_and_comes_back_as_a_draft(here: Path, capsys: Said) -> None:
    out = ["--out", "bsh.json", "--site", "https://skills.example.org"]
    assert main(["framework", "export", "--case", "BSH@1.0.0", *out]) == 0
    assert main(["framework", "import", "--case", "bsh.json", "again"]) == 0
    assert "nothing is published" in capsys.readouterr().out
    assert main(["framework", "check", "again"]) == 0
    assert main(["framework", "diff", "BSH@1.0.0", "again"]) == 0
    assert "81 outcomes carry over" in capsys.readouterr().out


def test_a_moodle_file_goes_out_and_comes_back_as_a_draft_with_gaps(
    here: Path, capsys: Said
) -> None:
    assert main(["framework", "export", "--moodle", "BSH@1.0.0", "--out", "bsh.csv"]) == 0
    assert b"\r" not in (here / "bsh.csv").read_bytes()
    assert main(["framework", "import", "--moodle", "bsh.csv", "new", "--id", "BSH"]) == 0
    capsys.readouterr()
    assert main(["framework", "check", "new"]) == 2
    assert "says by what it is assessed" in capsys.readouterr().err


def test_terms_for_harvesters_are_json_ld(capsys: Said) -> None:
    assert main(["framework", "export", "--bioschemas", "BSH@1.0.0", "--language", "de"]) == 0
    assert json.loads(capsys.readouterr().out)["@type"] == "DefinedTermSet"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--moodle", "nothing.csv", "new"], "nothing.csv: cannot be read"),
        (["--case", f"{FOLDER}/framework.yaml", "new"], "is not JSON that can be read"),
        (["--case", f"{FOLDER}/framework.yaml", "new", "--id", "a b"], "Write: --id ACME"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(
    words: list[str], said: str, here: Path, capsys: Said
) -> None:
    assert main(["framework", "import", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (here / "new").exists()


def test_an_import_never_writes_into_a_folder_that_is_there(here: Path, capsys: Said) -> None:
    main(["framework", "export", "--case", "BSH@1.0.0", "--out", "bsh.json"])
    before = sorted((here / FOLDER).iterdir())

    assert main(["framework", "import", "--case", "bsh.json", FOLDER]) == 2
    assert "is there already" in capsys.readouterr().err
    assert sorted((here / FOLDER).iterdir()) == before


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--moodle", "BSH@1.0.0", "--out", "nowhere/bsh.csv"],
        ["import", "--case", "bsh.json", "nowhere/new"],
    ],
)
def test_a_place_that_cannot_be_written_is_said_without_a_traceback(
    words: list[str], capsys: Said
) -> None:
    main(["framework", "export", "--case", "BSH@1.0.0", "--out", "bsh.json"])

    assert main(["framework", *words]) == 2
    assert "cannot be read or written: No such file" in capsys.readouterr().err


def test_a_changed_version_is_named_in_the_list_beside_the_sound_ones(
    here: Path, capsys: Said
) -> None:
    shelf = here / "data" / "state" / "frameworks"
    shelf.mkdir(parents=True)
    publish(small_files(), "ACME@1.0.0", shelf)
    unit = shelf / "acme/1.0.0/U01.yaml"
    unit.chmod(0o644)
    unit.write_bytes(unit.read_bytes() + b"#")

    assert main(["framework", "list"]) == 1
    said = capsys.readouterr().out
    assert "ACME@1.0.0: is not what was published: U01.yaml was changed" in said
    assert "BSH@1.0.0  Bioinformatics" in said


def test_a_package_cannot_name_a_file_outside_the_draft(here: Path, capsys: Said) -> None:
    main(["framework", "export", "--case", "BSH@1.0.0", "--out", "bsh.json"])
    text = (here / "bsh.json").read_text().replace('"BSH-U01"', '"BSH-../../U01"')
    (here / "bsh.json").write_text(text)

    assert main(["framework", "import", "--case", "bsh.json", "new"]) == 2
    assert "is no name of a file here" in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["bsh.json", FOLDER]


def test_a_table_of_esco_skills_is_held_against_the_official_file(here: Path, capsys: Said) -> None:
    uri = "http://data.europa.eu/esco/skill/made-up-for-this-test"
    head = "outcome_id,esco_uri,preferred_label,match,checked_by,checked_on\n"
    (here / "skills.csv").write_text(f"conceptUri,preferredLabel\n{uri},align\n")
    (here / "esco.csv").write_text(f"{head}BSH-U04-S2,{uri},align,close,A. Reader,2026-01-31\n")
    words = ["framework", "esco", "esco.csv", "--skills", "skills.csv"]
    assert main(words) == 0
    assert "1 row, in the official file." in capsys.readouterr().out
    (here / "esco.csv").write_text(f"{head}BSH-U04-S2,{uri}2,align,close,A. Reader,2026-01-31\n")

    assert main(words) == 2
    assert "which the official file does not hold" in capsys.readouterr().err
