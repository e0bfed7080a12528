"""What a cohort file may say; every bad row is told with its line, and nothing is applied."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bioskills.base.problems import InputError
from bioskills.hub.cohort_file import WantedPerson, parse_cohort, read_cohort_file

HEADER = "name,display_name,email,roles,cohort,title,run,course,version,opens,closes,time_zone\n"
GOOD = """
[cohort]
slug = "spring"
title = "Spring"
[[people]]
name = "lea"
display_name = "Lea Brandt"
email = "lea@example.org"
roles = ["learner"]
[[people]]
name = "ina"
roles = ["instructor", "admin"]
[[runs]]
slug = "spring-1"
course = "first"
version = "1.0.0"
opens = "2027-03-22T09:00"
closes = 2027-06-01T09:00:00+02:00
"""


def refused(text: str, kind: str = ".toml") -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_cohort(text, kind, "f", "Europe/Berlin")
    return [str(problem) for problem in caught.value.problems]


def csv_rows(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


def test_a_toml_file_is_read_whole() -> None:
    wish = parse_cohort(GOOD, ".toml", "f", "Europe/Berlin")

    assert (wish.cohort, wish.title) == ("spring", "Spring")
    assert wish.people == (
        WantedPerson("lea", "Lea Brandt", "lea@example.org", ("learner",)),
        WantedPerson("ina", "ina", None, ("admin", "instructor")),
    )
    (run,) = wish.runs
    assert (run.slug, run.course, run.version) == ("spring-1", "first", "1.0.0")
    assert run.opens_at == datetime(2027, 3, 22, 8, tzinfo=UTC), "09:00 in Berlin's winter"
    assert run.closes_at == datetime(2027, 6, 1, 7, tzinfo=UTC)


def test_a_csv_file_says_the_same() -> None:
    text = csv_rows(
        "lea,Lea Brandt,lea@example.org,learner,spring,Spring,spring-1,first,1.0.0,"
        "2027-03-22T09:00,2027-06-01T09:00+02:00,",
        "ina,,,instructor;admin,spring,,,,,,,",
    )

    assert parse_cohort(text, ".csv", "f", "Europe/Berlin") == parse_cohort(
        GOOD, ".toml", "f", "Europe/Berlin"
    )


def test_admins_serve_the_platform_and_everybody_else_the_cohort() -> None:
    wish = parse_cohort(GOOD, ".toml", "f", "Europe/Berlin")

    assert wish.seats_of(wish.people[1]) == [("platform", "admin"), ("spring", "instructor")]


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "Cohort.CSV"
    file.write_bytes(b"\xef\xbb\xbfName, Roles ,cohort\r\nLea,Learner,spring\r\n\r\n")

    with pytest.raises(InputError, match="Did you mean learner"):
        read_cohort_file(file, "UTC")
    file.write_bytes(b"\xef\xbb\xbfName, Roles ,cohort\r\nLea,learner,spring\r\n,,\r\n")
    assert [person.name for person in read_cohort_file(file, "UTC").people] == ["lea"]


BAD_ROWS = [
    ("le a,,,learner,spring,,,,,,,", "name is 'le a'"),
    ("-lea,,,learner,spring,,,,,,,", "name is '-lea'"),
    ("l\u00e9a,,,learner,spring,,,,,,,", "name is 'l\u00e9a'"),
    (f"{'x' * 41},,,learner,spring,,,,,,,", "name is 'xxx"),
    (",,,learner,spring,,,,,,,", "name is ''"),
    ("lea,,lea-at-home,learner,spring,,,,,,,", "email is 'lea-at-home'"),
    ("lea,,,,spring,,,,,,,", "no role is given"),
    ("lea,,,lerner,spring,,,,,,,", "Did you mean learner?"),
    ("lea,,,teacher,spring,,,,,,,", "Did you mean instructor?"),
    ("lea,,,student,spring,,,,,,,", "Did you mean learner?"),
    ("lea,,,learner,autumn,,,,,,,", "One file holds one cohort"),
    ("ina,,,learner,spring,,,,,,,", "stands in an earlier row"),
    ("lea,,,learner,spring,,r,first,,soon,2027-06-01,", "opens is 'soon'"),
    ("lea,,,learner,spring,,r,first,,,2027-06-01,", "opens is ''"),
    ("lea,,,learner,spring,,r,first,,2027-06-02,2027-06-01,", "A run closes after it opens"),
    ("lea,,,learner,spring,,R 1,first,,2027-05-02,2027-06-01,", "run is 'R 1'"),
    ("lea,,,learner,spring,,r,first,,2027-05-02,2027-06-01,Mars/X", "time_zone is 'Mars/X'"),
]


@pytest.mark.parametrize(("row", "told"), BAD_ROWS, ids=[told for _row, told in BAD_ROWS])
def test_a_bad_row_is_told_with_its_line(row: str, told: str) -> None:
    lines = refused(csv_rows("ina,,,instructor,spring,,,,,,,", row), ".csv")

    assert any(line.startswith("f, line 3: ") and told in line for line in lines), lines


def test_all_bad_rows_are_told_at_once() -> None:
    rows = [row for row, _told in BAD_ROWS]

    lines = refused(csv_rows("ina,,,instructor,spring,,,,,,,", *rows), ".csv")

    numbers = {line.partition(":")[0] for line in lines}
    assert numbers >= {f"f, line {number}" for number in range(3, len(rows) + 3)}


def test_a_row_with_more_values_than_columns_is_told() -> None:
    (told,) = refused("name,roles,cohort\nlea,learner,spring,extra,more\n", ".csv")

    assert told.startswith("f, line 2: there are more values than the 3 columns")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[cohort\n", "is not TOML"),
        (GOOD.replace("[[people]]", "[[peple]]"), "Did you mean people?"),
        (GOOD.replace("display_name", "displayname"), "Did you mean display_name?"),
        (GOOD.replace('slug = "spring"', 'slug = "platform"'), "cohort is 'platform'"),
        (GOOD.replace('slug = "spring"', 'slug = "Spring 27"'), "cohort is 'Spring 27'"),
        (GOOD.replace('course = "first"', ""), "names no course"),
        (GOOD.replace('roles = ["learner"]', "roles = 3"), "no role 3"),
        ('limits = 3\n[cohort]\nslug = "a"\n', "limits is 3. Write it as a table below a line"),
        ('people = 3\n[cohort]\nslug = "a"\n', "people is 3."),
        ('people = ["lea"]\n[cohort]\nslug = "a"\n', "people is ['lea']."),
        ('cohort = "a"\n[[people]]\nname = "a"\n', "cohort is 'a'. Write it as a table"),
    ],
)
def test_a_bad_toml_file_is_told(text: str, told: str) -> None:
    assert any(told in line for line in refused(text)), refused(text)


def test_limits_of_a_cohort_are_read(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"{GOOD}\n[limits]\nmemory_mb = 4_096\nhome_mb = 0\n")

    assert read_cohort_file(file, "UTC").limits == {"memory_mb": 4096, "home_mb": 0}


def test_all_bad_limits_are_told_at_once() -> None:
    limits = (
        "[limits]\nmemory = 512\nram = 1\nmemory_mb = 255\nprocesses = 64.5\ncpu_share = true\n"
        'tmp_mb = -1\nshm_mb = "much"\nhome_mb = 99999999999999999999\n'
    )

    assert refused(f"{GOOD}\n{limits}") == [
        "f, [limits]: there is no column or key 'memory'. Did you mean memory_mb?",
        "f, [limits]: there is no column or key 'ram'. Known: memory_mb, processes, cpu_share, tmp_mb, shm_mb, home_mb.",
        "f, [limits]: memory_mb is '255'. It is a whole number from 256 to 1073741824.",
        "f, [limits]: processes is '64.5'. It is a whole number from 32 to 1073741824.",
        "f, [limits]: cpu_share is 'True'. It is a whole number from 1 to 10000.",
        "f, [limits]: tmp_mb is '-1'. It is a whole number from 16 to 1073741824.",
        "f, [limits]: shm_mb is 'much'. It is a whole number from 16 to 1073741824.",
        "f, [limits]: home_mb is '99999999999999999999'. It is a whole number from 0 to 1073741824.",
    ]


def test_a_fault_in_toml_names_the_line_of_its_table() -> None:
    (told,) = refused(GOOD.replace('["instructor", "admin"]', '["king"]'))

    assert told.startswith("f, line 10: there is no role king.")


@pytest.mark.parametrize("text", ["", "name,roles,cohort\n", "\n\n"])
def test_an_empty_csv_says_what_the_first_line_is(text: str) -> None:
    (told,) = refused(text, ".csv")

    assert "holds no people" in told


def test_a_toml_file_without_people_is_refused() -> None:
    """An empty list would end every seat of the cohort: surely a slip."""
    assert any("holds no people" in line for line in refused('[cohort]\nslug = "spring"\n'))


def test_a_run_described_twice_is_told() -> None:
    run = GOOD[GOOD.index("[[runs]]") :]

    assert any("described twice" in line for line in refused(GOOD + run))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("c.xlsx", b"PK", "not a workbook, or is damaged"),
        ("c.pdf", b"%PDF", "none of .csv, .toml, .xlsx, .ods"),
        ("c.csv", "name,roles\nJos\u00e9,learner\n".encode("cp1252"), "not UTF-8"),
        ("c.csv", b"name\0,roles", "is not text"),
        ("gone.csv", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_cohort_file_is_refused(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=told):
        read_cohort_file(tmp_path / name, "UTC")
