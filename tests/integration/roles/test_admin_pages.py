"""What an admin reads and does on the campus, over HTTP at a running installation."""

import csv
import io
import re
from datetime import UTC, datetime

import httpx
import pytest
from bioskills_cast import Cast, sqlite_of
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

BROKEN = "The grader stopped while it worked on it."
FORMULA = "=HYPERLINK(1)"


def page(cast: Cast, path: str) -> str:
    """Return the text of one page of the admin's."""
    return cast.ask(cast.people["ada"], "GET", path).raise_for_status().text


def post(cast: Cast, path: str) -> httpx.Response:
    """Press one button of the admin's."""
    who = cast.people["ada"]
    headers = {"Origin": cast.origin}
    return who.browser.post(cast.product.campus + path, data={"_csrf": who.csrf}, headers=headers)


def plant_failure(cast: Cast, cohort: str) -> int:
    """Put a grading that failed beside the one that was done."""
    at = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
    with sqlite_of(cast.product) as database:
        made = database.execute(
            "insert into job (kind, run_id, submission_id, assignment_version_id, environment,"
            " state, tries, created_at, ended_at, message)"
            " select kind, run_id, submission_id, assignment_version_id, 'planted', 'failed', 3,"
            " ?, ?, ? from job where id = ?",
            (at, at, BROKEN, cast.things[cohort].job_id),
        )
        return int(made.lastrowid or 0)


def test_a_failed_job_is_told_with_its_reason_and_can_be_tried_again(cast: Cast) -> None:
    job = plant_failure(cast, "blue")
    assert "1 grading job failed." in page(cast, "admin")
    text = page(cast, "admin/jobs")
    assert BROKEN in text
    assert cast.things["blue"].pseudonym in text
    assert "Blue-Lea" not in text, "a job names nobody"

    done = post(cast, f"admin/jobs/{job}/again")
    assert "It waits to be tried again." in done.text
    assert eventually(lambda: "Nothing failed." in page(cast, "admin/jobs"))
    with sqlite_of(cast.product) as database:
        newest = "select state from job where submission_id = ? order by id desc limit 1"
        number = cast.things["blue"].submission_id
        assert eventually(
            lambda: database.execute(newest, (number,)).fetchone() == ("done",), seconds=240
        )


def test_trying_again_twice_asks_for_one_grading(cast: Cast) -> None:
    job = plant_failure(cast, "red")
    post(cast, f"admin/jobs/{job}/again")

    assert (
        "It was tried again already; nothing was changed."
        in post(cast, f"admin/jobs/{job}/again").text
    )
    assert post(cast, "admin/jobs/999999/again").status_code == 404


def test_the_doctor_is_asked_on_the_page_and_root_answers(cast: Cast) -> None:
    busy = "The checks are being made now."
    assert busy in post(cast, "admin/doctor").text
    # An older report may be there: it knows nobody who came since.
    assert eventually(lambda: busy not in page(cast, "admin/doctor"), seconds=180)
    text = page(cast, "admin/doctor")
    assert "In order" in text

    assert "Root: every learner and every service gets its own user id" in text
    storage = page(cast, "admin/storage")
    assert re.search(r"Homes, the largest first.*Red-Lea Test", storage, re.DOTALL)
    assert "The doctor has not looked" not in page(cast, "admin")


def test_the_report_is_roots_and_no_service_but_the_campus_reads_it(cast: Cast) -> None:
    reports = cast.product.data / "state/reports"
    post(cast, "admin/doctor")
    assert eventually((reports / "report.json").exists, seconds=180)
    first = int(cast.product.environ["BIOSKILLS_LABS_SERVICE_UID"])
    for path, mode in ((reports, 0o750), (reports / "report.json", 0o640)):
        found = path.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, first + 1, mode), path


def test_settings_are_shown_with_their_source_and_without_secrets(cast: Cast) -> None:
    text = page(cast, "admin/settings?changed=1")
    assert "BIOSKILLS_NETWORK_PORT" in text
    assert "labs.memory_mb" not in text, "nobody set it"
    assert "labs.memory_mb" in page(cast, "admin/settings")
    for secret in ("campus/hub_token", "grader/campus_token", "hub/provision_token"):
        word = (cast.product.data / "state" / secret).read_text().strip()
        assert word not in page(cast, "admin/settings")


def test_the_audit_log_finds_by_who_what_and_when_and_resolves_names_on_the_page_alone(
    cast: Cast,
) -> None:
    text = page(cast, "admin/audit?who=red-ina&what=returned+results")
    rows = re.findall(r"<tr role=\"row\"><th scope=\"row\".*?</tr>", text, re.DOTALL)
    assert rows
    assert all("Red-Ina Test" in row and "returned results" in row for row in rows)
    assert "Nothing was found." in page(cast, "admin/audit?until=2020-01-01")
    assert "cannot be read" in page(cast, "admin/audit?since=yesterday")

    file = cast.ask(cast.people["ada"], "GET", "admin/audit.csv?what=returned+results").text
    lines = list(csv.reader(io.StringIO(file.lstrip("\ufeff"))))
    assert lines[0][1] == "who"
    assert {line[2] for line in lines[1:]} == {"returned results"}
    assert "Red-Ina" not in file
    assert "exported audit log" in page(cast, "admin/audit?what=exported+audit+log")


def test_no_cell_of_the_audit_file_is_a_formula(cast: Cast) -> None:
    with sqlite_of(cast.product) as database:
        database.execute(
            "insert into audit_entry (at, actor, action, subject, detail) values (?, ?, ?, ?, ?)",
            ("2026-01-01 00:00:00", FORMULA, FORMULA, FORMULA, "{}"),
        )
    file = cast.ask(cast.people["ada"], "GET", "admin/audit.csv?until=2026-01-02").text
    line = list(csv.reader(io.StringIO(file.lstrip("\ufeff"))))[1]

    assert line[1:4] == [f"'{FORMULA}"] * 3


def test_a_long_log_is_read_in_pages(cast: Cast) -> None:
    with sqlite_of(cast.product) as database:
        database.executemany(
            "insert into audit_entry (at, actor, action, subject, detail) values (?, 'x', 'planted', ?, '{}')",
            [("2025-01-01 00:00:00", f"thing {n}") for n in range(120)],
        )
    first, last = (page(cast, f"admin/audit?what=planted&page={n}") for n in (1, 3))

    assert "Page 1 of 3" in first
    assert "120 entries" in first
    assert len(re.findall(r">thing \d+<", last)) == 20
    assert 'rel="next"' not in last


def test_a_forbidden_page_says_so_and_tells_nothing(cast: Cast) -> None:
    answer = cast.ask(cast.people["red-ina"], "GET", "admin/audit")

    assert answer.status_code == 403
    assert "This page is for the admins of this site." in answer.text
    assert "audit" not in re.sub(r"<[^>]+>", "", answer.text).lower()
