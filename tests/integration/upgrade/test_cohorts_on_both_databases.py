"""A cohort is applied, taken back, ended and copied on both databases alike."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import CourseVersion
from bioskills.hub.cohort_end import copy_cohort, remove_cohort
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_record import undo
from bioskills.hub.cohort_view import cohorts
from bioskills.hub.cohort_wish import WantedPerson, WantedRun, Wish

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 20, 12, 0, 0, 123456, tzinfo=UTC)
RUN = WantedRun("s-first", "first", "", NOW, NOW + timedelta(days=60), "Europe/Berlin")


def wish(*names: str) -> Wish:
    people = tuple(WantedPerson(name, name, None, ("instructor",), ("a",)) for name in names)
    return Wish("s", "S", people, (RUN,), {"memory_mb": 512}, 12, "course")


def test_apply_undo_end_and_copy(database: str) -> None:
    ensure_schema(database)
    store = Store(database)
    with store.transaction() as session:
        row = CourseVersion(course="first", version="1", sha256="1", manifest={"assignments": []})
        row.mapping, row.notes, row.installed_at = {}, {}, NOW
        session.add(row)

    def people() -> dict[str, list[str]]:
        with store.reading() as session:
            found = cohorts(session, NOW + timedelta(hours=9))
        return {line.slug: [person.name for person in line.people] for line in found}

    def change(hours: int, act: object, *given: object, **named: object) -> None:
        with store.transaction() as session:
            at = NOW + timedelta(hours=hours)
            key = "at" if act is undo else "now"
            act(session, *given, actor="t", **{key: at}, **named)  # type: ignore[operator]

    # A plan that is thrown away takes no number that a later person would miss.
    with store.transaction() as session:
        apply_wish(session, wish("plan"), actor="t", now=NOW)
        session.rollback()
    change(0, apply_wish, wish("lea", "max"))
    change(1, apply_wish, wish("lea", "ina"))
    assert people() == {"s": ["ina", "lea"]}
    change(2, undo, "s")
    assert people() == {"s": ["lea", "max"]}
    change(3, remove_cohort, "s")
    assert people() == {"s": []}
    change(4, undo, "s")
    change(5, copy_cohort, ("s", "t"), date(2027, 9, 6))
    assert people() == {"s": ["lea", "max"], "t": ["lea", "max"]}
    store.close()
