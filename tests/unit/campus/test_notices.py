"""A message to a cohort: what can be written, and who reads it when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bioskills.base.problems import InputError
from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import AuditEntry, Cohort
from bioskills.hub.campus.notices import (
    MOST_CHARS,
    MOST_DAYS,
    Desk,
    Writing,
    now_shown,
    state_of,
    written,
)
from bioskills.hub.campus.pages_changes import Typed

NOW = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"
LATER = Typed("2027-03-12", "18:00")


@pytest.fixture
def store(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'db.sqlite'}"
    ensure_schema(url)
    store = Store(url)
    with store.transaction() as session:
        session.add_all([Cohort(slug="spring", title="Spring"), Cohort(slug="autumn", title="A")])
    yield store
    store.close()


def desk(session, slug="spring", now=NOW) -> Desk:
    cohort = session.scalars(select(Cohort).where(Cohort.slug == slug)).one()
    return Desk(session, cohort, "p-000001", ZONE, now)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        written(Writing("", Typed("soon", ""), Typed("2027-03-12", "25:00")), ZONE, NOW)

    assert [p.where for p in refused.value.problems] == [
        "text", "start_date", "start_time", "end_time",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "end", "told"),
    [
        ("x" * (MOST_CHARS + 1), LATER, "at most"),
        ("room\u202e 12", LATER, "U+202E"),
        ("room 12", Typed("2027-03-09", "18:00"), "over before it is read"),
        ("room 12", Typed("2027-12-09", "18:00"), f"more than {MOST_DAYS} days"),
    ],
)
def test_what_nobody_should_write_is_refused_with_the_reason(text, end, told) -> None:
    with pytest.raises(InputError, match=told.replace("+", r"\+")):
        written(Writing(text, end=end), ZONE, NOW)


def test_times_are_those_of_the_site_and_an_empty_beginning_is_now() -> None:
    text, start, end = written(Writing(" Room 12 \n", end=LATER), ZONE, NOW)

    assert (text, start) == ("Room 12", NOW)
    assert end == datetime(2027, 3, 12, 17, 0, tzinfo=UTC)


def test_a_cohort_reads_its_own_messages_in_their_time(store: Store) -> None:
    with store.transaction() as session:
        desk(session).add(Writing("Room 12", end=LATER))
        desk(session, "autumn").add(Writing("Not for spring", end=LATER))

    def read(at: datetime) -> list[str]:
        with store.reading() as session:
            return [notice.text for notice in now_shown(session, ["spring"], at)]

    assert read(NOW) == ["Room 12"]
    assert read(NOW - timedelta(minutes=1)) == []
    assert read(NOW + timedelta(days=3)) == []


def test_one_that_was_taken_away_is_shown_again_until_its_time_is_over(store: Store) -> None:
    with store.transaction() as session:
        at = desk(session)
        notice = at.add(Writing("Room 12", end=LATER))
        at.end(notice)
        assert state_of(notice, NOW) == "ended"
        assert now_shown(session, ["spring"], NOW) == []
        at.show_again(notice)
        assert state_of(notice, NOW) == "shown"
        at.end(notice)
        desk(session, now=NOW + timedelta(days=5)).show_again(notice)
        assert notice.ended_at is not None


def test_a_change_that_is_refused_leaves_the_message_as_it_was(store: Store) -> None:
    with store.transaction() as session:
        notice = desk(session).add(Writing("Room 12", end=LATER))
        with pytest.raises(InputError):
            desk(session).change(notice, Writing("", end=LATER))
        assert notice.text == "Room 12"


def test_moving_the_end_does_not_move_the_beginning(store: Store) -> None:
    with store.transaction() as session:
        notice = desk(session).add(Writing("Room 12", end=LATER))
        hour = NOW + timedelta(hours=1)
        desk(session, now=hour).change(notice, Writing("Room 13", end=Typed("2027-03-13", "18:00")))
        assert (notice.text, notice.shown_from) == ("Room 13", NOW)


def test_each_change_is_in_the_audit_log_without_the_text(store: Store) -> None:
    with store.transaction() as session:
        at = desk(session)
        notice = at.add(Writing("Room 12", end=LATER))
        at.end(notice)
        at.end(notice)

    with store.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
        assert [entry.action for entry in entries] == ["wrote message", "ended message"]
        assert "Room 12" not in repr([entry.detail for entry in entries])


@given(st.text(max_size=60), st.text(max_size=12), st.text(max_size=12))
def test_whatever_is_typed_is_understood_or_refused(text: str, day: str, hour: str) -> None:
    told: list[str] = []
    try:
        found, start, end = written(Writing(text, Typed(day, hour), LATER), ZONE, NOW)
        told = [found] if start < end else []
    except InputError as error:
        told = [problem.what for problem in error.problems]
    assert told
    assert all(told)
