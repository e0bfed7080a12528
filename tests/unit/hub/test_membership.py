"""Who holds a seat, at which moment."""

from datetime import UTC, datetime, timedelta

import pytest

from bioskills.base.store import Store
from bioskills.base.tables import Cohort, Membership, Person
from bioskills.hub.membership import Seat, everybody, has_seat, people_in, seats, seats_and_limits

NOON = datetime(2027, 3, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def table(store: Store) -> Store:
    with store.transaction() as session:
        limits = {"memory_mb": 512}
        session.add_all(
            [Cohort(slug="spring", title="S", limits=limits), Cohort(slug="autumn", title="A")]
        )
        for number, name in enumerate(("zoe", "lea", "ina"), 1):
            session.add(Person(name=name, pseudonym=f"p-{number}", display_name=name.title()))
        session.flush()
        for person, cohort, role, source, begins, ends in (
            (1, 1, "learner", "a", None, None),
            (2, 1, "learner", "a", NOON - HOUR, NOON + HOUR),
            (2, 1, "learner", "b", NOON - HOUR, NOON + HOUR),
            (2, 2, "learner", "a", NOON + HOUR, None),
            (3, 1, "instructor", "a", None, NOON),
            (3, 2, "instructor", "a", None, None),
        ):
            session.add(
                Membership(
                    person_id=person,
                    cohort_id=cohort,
                    role=role,
                    source=source,
                    valid_from=begins,
                    valid_to=ends,
                )
            )
    return store


@pytest.mark.parametrize(
    ("name", "at", "held"),
    [
        ("zoe", NOON, [("spring", "learner")]),
        ("lea", NOON - 2 * HOUR, []),
        ("lea", NOON - HOUR, [("spring", "learner")]),
        ("lea", NOON, [("spring", "learner")]),
        ("lea", NOON + HOUR, [("autumn", "learner")]),
        ("ina", NOON - HOUR, [("autumn", "instructor"), ("spring", "instructor")]),
        ("ina", NOON, [("autumn", "instructor")]),
        ("nobody", NOON, []),
    ],
)
def test_a_seat_counts_from_its_first_moment_to_before_its_last(
    table: Store, name: str, at: datetime, held: list[tuple[str, str]]
) -> None:
    with table.reading() as session:
        assert seats(session, name, at) == [Seat(*seat) for seat in held]
        assert everybody(session, at).get(name, []) == [Seat(*seat) for seat in held]


@pytest.mark.parametrize(("at", "counted"), [(NOON - HOUR, 1), (NOON, 0)])
def test_the_limits_of_a_cohort_count_as_long_as_the_seat(
    table: Store, at: datetime, counted: int
) -> None:
    with table.reading() as session:
        held, limits = seats_and_limits(session, "ina", at)

    assert Seat("autumn", "instructor") in held
    assert limits == [{"memory_mb": 512}] * counted


def test_a_seat_in_one_cohort_says_nothing_about_another(table: Store) -> None:
    with table.reading() as session:
        assert has_seat(session, "ina", "autumn", ["instructor", "assessor"], NOON)
        assert not has_seat(session, "ina", "spring", ["instructor"], NOON)
        assert not has_seat(session, "ina", "autumn", ["learner"], NOON)


def test_the_people_of_a_cohort_are_listed_once_each_by_display_name(table: Store) -> None:
    with table.reading() as session:
        assert [p.name for p in people_in(session, "spring", "learner", NOON)] == ["lea", "zoe"]
        assert people_in(session, "spring", "instructor", NOON) == []
