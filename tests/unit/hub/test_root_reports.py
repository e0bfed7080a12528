"""Root answers one fixed question, when a file's time says so, and not more often than it may."""

import os
from pathlib import Path

import pytest
from bioskills_waiting import eventually

from bioskills.base.places import Places
from bioskills.hub import root_reports
from bioskills.hub.root_reports import Reports, ask_for_report, is_asked, read_report


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("BIOSKILLS_PATHS_DATA_DIR", str(tmp_path))
    found = Places(tmp_path, tmp_path / "env", tmp_path / "homes")
    for folder in (found.reports, found.campus, found.homes, found.logs):
        folder.mkdir(parents=True)
    return found


def one_report(reports: Reports, places: Places, before: float = 0.0) -> bool:
    """Let it tick until a report newer than this is there."""

    def newer() -> bool:
        reports.tick()
        report = read_report(places)
        return report is not None and report.at.timestamp() > before

    return eventually(newer)


def test_nothing_is_done_unasked_before_its_time(places: Places) -> None:
    reports = Reports(places, os.getgid(), Clock())
    reports.tick()

    assert read_report(places) is None
    assert list(places.reports.iterdir()) == []


def test_a_wish_is_answered_with_the_doctors_checks(places: Places) -> None:
    reports = Reports(places, os.getgid(), Clock())
    ask_for_report(places)
    assert is_asked(places, read_report(places))

    assert one_report(reports, places)
    report = read_report(places)
    assert report is not None
    assert {"settings", "python", "disk"} <= {check.name for check in report.checks}
    assert not is_asked(places, report)
    assert (places.reports / root_reports.REPORT).stat().st_mode & 0o777 == 0o640


def test_it_is_answered_once_and_again_only_after_a_pause(places: Places) -> None:
    clock = Clock()
    reports = Reports(places, os.getgid(), clock)
    ask_for_report(places)
    assert one_report(reports, places)
    first = read_report(places)
    assert first is not None
    ask_for_report(places)
    reports.tick()
    assert is_asked(places, read_report(places)), "asked again too soon: nothing begins"

    clock.now += root_reports.PAUSE_S
    assert one_report(reports, places, first.at.timestamp())


def test_it_looks_by_itself_once_a_day(places: Places) -> None:
    clock = Clock()
    reports = Reports(places, os.getgid(), clock)
    clock.now += root_reports.FIRST_AFTER_S

    assert one_report(reports, places)


def test_a_link_in_the_place_of_the_wish_is_followed_nowhere(
    places: Places, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody reads this")
    (places.campus / root_reports.WISH).symlink_to(secret)
    reports = Reports(places, os.getgid(), Clock())
    reports.end()

    assert secret.read_text() == "nobody reads this"
    assert is_asked(places, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": 1}', "null"])
def test_a_report_that_cannot_be_read_is_none(places: Places, text: str) -> None:
    (places.reports / root_reports.REPORT).write_text(text)

    assert read_report(places) is None
