"""Applying a cohort file makes the table as the file says, once, and touches nobody else's seats."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from bioskills.base.problems import InputError
from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import (
    Assignment,
    AuditEntry,
    Cohort,
    CourseVersion,
    Job,
    Membership,
    Person,
    Run,
)
from bioskills.hub.cohort_command import changes_of
from bioskills.hub.cohort_file import WantedPerson, WantedRun, Wish
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.membership import everybody

NOW = datetime(2027, 3, 22, 12, tzinfo=UTC)
OPENS, CLOSES = datetime(2027, 3, 22, 8, tzinfo=UTC), datetime(2027, 6, 1, 7, tzinfo=UTC)


def someone(name: str, *roles: str) -> WantedPerson:
    return WantedPerson(name, name.title(), f"{name}@example.org", tuple(sorted(roles)))


def run(version: str = "", course: str = "first", slug: str = "spring-first") -> WantedRun:
    return WantedRun(slug, course, version, OPENS, CLOSES, "Europe/Berlin")


def wish(*people: WantedPerson, runs: Iterable[WantedRun] = (), cohort: str = "spring") -> Wish:
    return Wish(cohort, cohort.title(), people, tuple(runs))


def applied(store: Store, wanted: Wish) -> list[str]:
    with store.transaction() as session:
        return [
            str(c).strip()
            for c in apply_wish(session, wanted, actor="test", now=NOW, platform_roles=True)
        ]


def held(store: Store) -> dict[str, set[tuple[str, str]]]:
    with store.reading() as session:
        found = everybody(session, NOW + timedelta(days=1))
    return {name: {(seat.cohort, seat.role) for seat in seats} for name, seats in found.items()}


def rows(store: Store, table: type[Any]) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table)))


def cohort_limits(store: Store) -> dict[str, Any]:
    return {cohort.slug: cohort.limits for cohort in rows(store, Cohort)}


def install(store: Store, version: str, days: int = 0) -> None:
    manifest = {
        "assignments": [
            {"id": "p1", "release": "automatic", "due_offset_days": 7},
            {"id": "s1", "release": "after_review", "due_offset_days": 1000},
        ]
    }
    row = CourseVersion(course="first", version=version, sha256=version, manifest=manifest)
    row.mapping, row.notes, row.installed_at = {}, {}, NOW + timedelta(days=days)
    with store.transaction() as session:
        session.add(row)


def test_a_new_cohort_has_its_people_and_seats(store: Store) -> None:
    said = applied(store, wish(someone("lea", "learner"), someone("ina", "instructor", "admin")))

    assert held(store) == {
        "lea": {("spring", "learner")},
        "ina": {("spring", "instructor"), ("platform", "admin")},
    }
    assert said[0] == "+ spring: new cohort “Spring”"
    assert "+ lea: new person Lea" in said
    assert "+ ina: admin in platform" in said


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    install(store, "1.0.0")
    wanted = wish(someone("lea", "learner"), runs=[run()])
    applied(store, wanted)
    entries = len(rows(store, AuditEntry))

    assert applied(store, wanted) == []
    assert len(rows(store, AuditEntry)) == entries


def test_who_leaves_the_file_loses_the_seat_and_stays_a_person(store: Store) -> None:
    applied(store, wish(someone("lea", "learner"), someone("miro", "learner")))

    said = applied(store, wish(someone("lea", "learner")))

    assert said == ["- miro: no longer learner in spring"]
    assert held(store) == {"lea": {("spring", "learner")}}
    assert [person.name for person in rows(store, Person)] == ["lea", "miro"]


def test_an_admin_who_leaves_the_file_is_no_admin_any_more(store: Store) -> None:
    applied(store, wish(someone("lea", "learner"), someone("ada", "admin")))

    said = applied(store, wish(someone("lea", "learner")))

    assert said == ["- ada: no longer admin in platform"]
    assert "ada" not in held(store)


def test_an_admin_named_by_two_files_stays_one_until_both_let_go(store: Store) -> None:
    ada, lea = someone("ada", "admin"), someone("lea", "learner")
    applied(store, wish(ada, lea))
    applied(store, wish(ada, lea, cohort="autumn"))

    applied(store, wish(lea))
    assert ("platform", "admin") in held(store)["ada"]
    applied(store, wish(lea, cohort="autumn"))
    assert "ada" not in held(store)


def test_seats_from_another_source_are_never_touched(store: Store) -> None:
    applied(store, wish(someone("lea", "learner"), someone("miro", "learner")))
    with store.transaction() as session:
        for name, role in (("lea", "assessor"), ("miro", "learner")):
            person = session.scalars(select(Person).where(Person.name == name)).one()
            spring = session.scalars(select(Cohort).where(Cohort.slug == "spring")).one()
            session.add(
                Membership(person_id=person.id, cohort_id=spring.id, role=role, source="claim")
            )

    applied(store, wish(someone("lea", "learner")))

    assert held(store) == {
        "lea": {("spring", "learner"), ("spring", "assessor")},
        "miro": {("spring", "learner")},
    }


def test_another_cohorts_file_changes_nothing_here(store: Store) -> None:
    applied(store, wish(someone("lea", "learner")))
    applied(store, wish(someone("miro", "learner"), cohort="autumn"))

    assert held(store)["lea"] == {("spring", "learner")}


def test_names_mails_and_titles_are_corrected(store: Store) -> None:
    applied(store, wish(someone("lea", "learner")))
    lea = WantedPerson("lea", "Lea Brandt", None, ("learner",))

    said = applied(store, Wish("spring", "Spring 27", (lea,), ()))

    assert said == [
        "~ spring: title “Spring” → “Spring 27”",
        "~ lea: display_name Lea → Lea Brandt",
        "~ lea: email lea@example.org → -",
    ]


def test_limits_are_set_changed_and_given_up_as_the_file_says(store: Store) -> None:
    lea = someone("lea", "learner")
    told = "~ spring: limit {}, for each lab from its next start"

    def limited(**limits: int) -> list[str]:
        return applied(store, Wish("spring", "Spring", (lea,), (), limits))

    assert told.format("memory_mb as in the settings → 4096") in limited(memory_mb=4096)
    assert limited(memory_mb=4096) == []
    assert limited(memory_mb=512, processes=64) == [
        told.format("memory_mb 4096 → 512"),
        told.format("processes as in the settings → 64"),
    ]
    assert cohort_limits(store) == {"spring": {"memory_mb": 512, "processes": 64}, "platform": None}
    assert limited(processes=64) == [told.format("memory_mb 512 → as in the settings")]
    limited()
    assert cohort_limits(store)["spring"] is None


def test_a_plan_says_what_an_apply_says_and_changes_nothing(store: Store) -> None:
    install(store, "1.0.0")
    wanted = wish(someone("lea", "learner"), runs=[run()])

    planned = changes_of(store, wanted, apply=False, actor="test", platform_roles=True)
    left = [rows(store, table) for table in (Person, Cohort, Membership, Run, Job, AuditEntry)]
    done = changes_of(store, wanted, apply=True, actor="test", platform_roles=True)

    assert left == [[]] * 6
    assert planned == done != []
    assert [entry.action for entry in rows(store, AuditEntry)] == ["cohort.apply"]


def test_a_run_takes_the_newest_version_and_its_assignments(store: Store) -> None:
    install(store, "1.0.0")
    install(store, "1.1.0", days=1)

    applied(store, wish(someone("lea", "learner"), runs=[run()]))

    (made,) = rows(store, Run)
    with store.reading() as session:
        assert session.get_one(CourseVersion, made.course_version_id).version == "1.1.0"
    first, second = sorted(rows(store, Assignment), key=lambda a: a.position)
    assert first.due_at == datetime(2027, 3, 29, 16, tzinfo=UTC), "18:00 in Berlin's summer"
    assert second.due_at == CLOSES, "never after the run"
    assert [(job.kind, job.run_id) for job in rows(store, Job)] == [("release", made.id)]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (run(course="second"), "course second is not installed"),
        (run("9.9.9"), "course first 9.9.9 is not installed"),
    ],
)
def test_a_run_of_a_course_that_is_not_there_is_refused_whole(
    store: Store, wanted: WantedRun, told: str
) -> None:
    install(store, "1.0.0")

    with pytest.raises(InputError, match=told):
        applied(store, wish(someone("lea", "learner"), runs=[wanted]))

    assert rows(store, Person) == []


def test_a_run_keeps_its_version_and_its_cohort(store: Store) -> None:
    install(store, "1.0.0")
    install(store, "1.1.0", days=1)
    lea = someone("lea", "learner")
    applied(store, wish(lea, runs=[run("1.0.0")]))

    with pytest.raises(InputError, match="keeps the course version"):
        applied(store, wish(lea, runs=[run("1.1.0")]))
    with pytest.raises(InputError, match="belongs to another cohort"):
        applied(store, wish(lea, runs=[run()], cohort="autumn"))
    assert applied(store, wish(lea, runs=[run()])) == [], "a file without a version keeps it"


def test_the_dates_of_a_run_can_move(store: Store) -> None:
    install(store, "1.0.0")
    lea = someone("lea", "learner")
    applied(store, wish(lea, runs=[run()]))
    later = WantedRun("spring-first", "first", "", OPENS, CLOSES + timedelta(days=7), "UTC")

    said = applied(store, wish(lea, runs=[later]))

    assert [line.split(" ")[2] for line in said] == ["closes", "time"]
    assert rows(store, Run)[0].closes_at == CLOSES + timedelta(days=7)


def test_pseudonyms_are_numbered_and_never_given_twice(store: Store) -> None:
    applied(store, wish(*(someone(name, "learner") for name in ("a", "b", "c"))))

    assert [p.pseudonym for p in rows(store, Person)] == ["p-000001", "p-000002", "p-000003"]


ROLE_SETS = st.sets(
    st.sampled_from(["learner", "instructor", "assessor", "admin", "manager"]), min_size=1
)
PEOPLE = st.dictionaries(st.sampled_from("abcdef"), ROLE_SETS, min_size=1)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=PEOPLE, second=PEOPLE)
def test_going_to_another_file_and_back_gives_the_first_again(
    tmp_path_factory: pytest.TempPathFactory,
    first: dict[str, set[str]],
    second: dict[str, set[str]],
) -> None:
    a, b = (
        wish(*(someone(name, *roles) for name, roles in sorted(found.items())))
        for found in (first, second)
    )
    store = empty_store(tmp_path_factory.getbasetemp())
    applied(store, a)
    once = held(store)

    applied(store, b)
    assert set(held(store)) == set(second)
    known = {person.name: person.pseudonym for person in rows(store, Person)}
    applied(store, a)

    assert held(store) == once
    assert {name: set(roles) for name, roles in first.items()} == {
        name: {role for _cohort, role in found} for name, found in once.items()
    }
    assert {person.name: person.pseudonym for person in rows(store, Person)} == known
    assert applied(store, a) == []
    store.close()


def empty_store(folder: Path) -> Store:
    """One file for all examples, emptied: making the tables each time would take minutes."""
    url = f"sqlite:///{folder / 'property.sqlite'}"
    ensure_schema(url)
    store = Store(url)
    with store.transaction() as session:
        for table in (Membership, AuditEntry, Person, Cohort):
            session.execute(delete(table))
    return store
