"""A change of a cohort can be taken back whole, or is refused; a copy moves every date."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bioskills.base.problems import InputError
from bioskills.base.store import Store
from bioskills.base.tables import Assignment, CourseVersion, Membership, Person, Run
from bioskills.base.tables_cohorts import CohortChange
from bioskills.hub.cohort_end import copy_cohort, remove_cohort
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_record import last_change, undo
from bioskills.hub.cohort_view import cohorts, find_cohort
from bioskills.hub.cohort_wish import WantedPerson, WantedRun, Wish

NOW = datetime(2027, 3, 20, 12, tzinfo=UTC)
LEA = WantedPerson("lea", "Lea Brandt", "lea@example.org", ("learner",), ("evening",))
INA = WantedPerson("ina", "Ina Keller", None, ("instructor", "learner"))
BERLIN = "Europe/Berlin"
RUN = WantedRun(
    "spring-first",
    "first",
    "",
    datetime(2027, 3, 22, 8, tzinfo=UTC),
    datetime(2027, 6, 1, 7, tzinfo=UTC),
    BERLIN,
)


def wish(*people: WantedPerson, **rest: object) -> Wish:
    return Wish("spring", "Spring", people, **{"runs": (), **rest})


def apply(store: Store, wanted: Wish, at: datetime = NOW) -> list[str]:
    with store.transaction() as session:
        return [str(change) for change in apply_wish(session, wanted, actor="t", now=at)]


def taken_back(store: Store, at: datetime = NOW + timedelta(hours=1)) -> list[str]:
    with store.transaction() as session:
        return undo(session, "spring", actor="t", at=at)


def people(store: Store, at: datetime = NOW + timedelta(hours=2)) -> dict[str, tuple[str, ...]]:
    with store.reading() as session:
        return {p.name: p.roles for line in cohorts(session, at) for p in line.people}


def install(store: Store) -> None:
    manifest = {"assignments": [{"id": "p1", "release": "automatic", "due_offset_days": 7}]}
    row = CourseVersion(course="first", version="1.0.0", sha256="1", manifest=manifest)
    row.mapping, row.notes, row.installed_at = {}, {}, NOW
    with store.transaction() as session:
        session.add(row)


def test_an_undo_gives_back_who_left_and_takes_who_joined(store: Store) -> None:
    apply(store, wish(LEA))
    apply(store, wish(INA, seats=12, limits={"memory_mb": 512}))
    assert people(store) == {"ina": ("instructor", "learner")}

    said = taken_back(store)

    assert people(store) == {"lea": ("learner",)}
    assert said == ["1 person stays known, without this seat; work and results are kept."]
    with store.reading() as session:
        line = find_cohort(session, "spring", NOW)
    assert (line.seats, line.limits) == (None, {})
    assert line.people[0].tags == ("evening",)


def test_after_an_undo_the_same_file_can_be_applied_again(store: Store) -> None:
    apply(store, wish(LEA, INA))
    taken_back(store)
    assert people(store) == {}

    assert any("lea: learner in spring" in line for line in apply(store, wish(LEA, INA)))
    assert set(people(store)) == {"lea", "ina"}


def test_an_undo_is_refused_where_something_changed_since(store: Store) -> None:
    apply(store, wish(LEA))
    with store.transaction() as session:
        row = session.scalars(select(Membership)).one()
        row.valid_to = NOW + timedelta(days=9)

    with pytest.raises(InputError, match="changed again since, so nothing was taken back"):
        taken_back(store)
    assert people(store) == {"lea": ("learner",)}


def test_an_undo_is_taken_back_by_no_second_undo(store: Store) -> None:
    apply(store, wish(LEA))
    taken_back(store)

    with pytest.raises(InputError, match="no change that could be taken back"):
        taken_back(store)
    with store.reading() as session:
        assert last_change(session, "spring") is None


def test_an_undo_says_that_names_and_runs_stay(store: Store) -> None:
    install(store)
    apply(store, wish(LEA))
    renamed = WantedPerson("lea", "Lea B. Brandt", "lea@example.org", ("learner",), ("evening",))
    apply(store, wish(renamed, runs=(RUN,)))

    said = taken_back(store)

    assert sorted(said) == [
        "Changed names and addresses stay: the earlier ones are kept nowhere.",
        "The run spring-first stays: its work may have been fetched.",
    ]


def test_no_name_and_no_address_is_in_the_record_of_changes(store: Store) -> None:
    apply(store, wish(LEA))
    other = WantedPerson("lea", "Other Name", "other@example.org", ("learner",))
    apply(store, wish(other))

    with store.reading() as session:
        kept = str([row.rows for row in session.scalars(select(CohortChange))])
    assert not any(word in kept for word in ("Lea", "Other", "example.org"))


def test_the_end_of_a_cohort_takes_seats_of_every_source_and_an_undo_gives_them_back(
    store: Store,
) -> None:
    apply(store, wish(LEA, INA))
    with store.transaction() as session:
        for row in session.scalars(select(Membership).where(Membership.role == "instructor")):
            row.source = "claim"

    with store.transaction() as session:
        changes = remove_cohort(session, "spring", actor="t", now=NOW)

    assert [str(change).strip() for change in changes] == [
        "- ina: no longer instructor in spring",
        "- ina: no longer learner in spring",
        "- lea: no longer learner in spring",
    ]
    assert people(store) == {}
    assert taken_back(store) == []
    assert set(people(store)) == {"lea", "ina"}


def test_a_copy_moves_every_date_by_as_many_days_at_the_same_time_of_the_clock(
    store: Store,
) -> None:
    install(store)
    apply(store, wish(LEA, INA, runs=(RUN,), seats=24, limits={"memory_mb": 512}))
    with store.transaction() as session:
        session.scalars(select(Assignment)).one().due_at = datetime(2027, 4, 1, 16, tzinfo=UTC)

    with store.transaction() as session:
        copy_cohort(session, ("spring", "autumn"), date(2027, 11, 1), actor="t", now=NOW)

    with store.reading() as session:
        line = find_cohort(session, "autumn", NOW)
        due = session.scalars(
            select(Assignment.due_at).join(Run).where(Run.slug == "autumn-first")
        ).one()
    assert [(p.name, p.roles) for p in line.people] == [("ina", ("instructor",))]
    assert (line.seats, line.limits) == (24, {"memory_mb": 512})
    (run,) = line.runs
    assert run.slug == "autumn-first"
    assert run.opens_at == datetime(2027, 11, 1, 8, tzinfo=UTC), "09:00 in winter, as before"
    assert due == datetime(2027, 11, 11, 17, tzinfo=UTC), "18:00 by the clocks of November"


def test_a_copy_onto_a_cohort_that_is_there_is_refused(store: Store) -> None:
    apply(store, wish(LEA))

    with store.transaction() as session, pytest.raises(InputError) as caught:
        copy_cohort(session, ("spring", "spring"), date(2027, 9, 6), actor="t", now=NOW)

    assert len(caught.value.problems) == 2, "also that there is no run"


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (WantedPerson("lea.b", "Lea", "LEA@example.org", ("learner",)), "keep the name lea"),
        (WantedPerson("lea", "Lea", None, ("learner",), pseudonym="p-000099"), "not p-000099"),
        (WantedPerson("max", "Max", None, ("learner",), pseudonym="p-000001"), "none yet"),
    ],
)
def test_who_could_be_somebody_else_is_asked_about(
    store: Store, person: WantedPerson, told: str
) -> None:
    apply(store, wish(LEA))

    with pytest.raises(InputError, match=told):
        apply(store, wish(person))
    with store.reading() as session:
        assert list(session.scalars(select(Person.name))) == ["lea"]


def test_a_seat_with_dates_begins_and_ends_by_them(store: Store) -> None:
    later = WantedPerson(
        "lea",
        "Lea",
        None,
        ("learner",),
        since=NOW + timedelta(days=1),
        until=NOW + timedelta(days=9),
    )
    apply(store, wish(later))

    with store.reading() as session:
        (coming,) = find_cohort(session, "spring", NOW).people
        assert coming.coming(NOW)
        assert not find_cohort(session, "spring", NOW + timedelta(days=10)).people
    assert apply(store, wish(later)) == []


def test_a_person_may_be_in_two_cohorts_with_two_roles(store: Store) -> None:
    apply(store, wish(LEA))
    apply(
        store,
        Wish(
            "autumn",
            "Autumn",
            (WantedPerson("lea", "Lea Brandt", "lea@example.org", ("instructor", "learner")),),
            (),
        ),
    )

    with store.reading() as session:
        held = {line.slug: line.people[0].roles for line in cohorts(session, NOW)}
    assert held == {"autumn": ("instructor", "learner"), "spring": ("learner",)}


def test_an_undo_of_moved_dates_puts_the_earlier_ones_back(store: Store) -> None:
    until = NOW + timedelta(days=30)
    apply(store, wish(replace(LEA, until=until)))
    apply(store, wish(replace(LEA, until=until + timedelta(days=9))))

    taken_back(store)

    with store.reading() as session:
        assert session.scalars(select(Membership.valid_to)).one() == until


@pytest.mark.parametrize(
    ("slugs", "copied"),
    [
        (["monday", "friday"], ["autumn-friday", "autumn-monday"]),
        (["spring-a", "other"], ["autumn-a", "autumn-other"]),
        (["spring"], ["autumn"]),
        (["springtime"], ["autumn-first"]),
        (
            ["x" * 60 + "-one", "x" * 60 + "-two"],
            ["autumn-" + "x" * 55 + "-2", "autumn-" + "x" * 57],
        ),
    ],
)
def test_two_runs_of_one_course_stay_two_in_the_copy(
    store: Store, slugs: list[str], copied: list[str]
) -> None:
    install(store)
    runs = tuple(
        replace(RUN, slug=slug, closes_at=RUN.closes_at + timedelta(days=n))
        for n, slug in enumerate(slugs)
    )
    apply(store, wish(LEA, runs=runs))

    with store.transaction() as session:
        copy_cohort(session, ("spring", "autumn"), date(2027, 9, 6), actor="t", now=NOW)

    with store.reading() as session:
        line = find_cohort(session, "autumn", NOW)
    assert sorted(run.slug for run in line.runs) == copied
    assert len({run.closes_at for run in line.runs}) == len(slugs)
