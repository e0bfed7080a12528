"""A role that asks for a second factor counts once there is one; other seats go on."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Cohort, Membership, Person, now
from bioskills.base.tables_accounts import Account
from bioskills.hub.factor_due import acting_seats, who_lacks
from bioskills.hub.membership import Seat

LEARNS, CERTIFIES = Seat("autumn", "learner"), Seat("autumn", "certifier")
PEOPLE = {"lea": [LEARNS], "miro": [CERTIFIES, LEARNS]}


def settings(method: str = "accounts", roles: tuple[str, ...] = ("certifier",)) -> Settings:
    return Settings.model_validate(
        {"sign_in": {"method": method, "second_factor_roles": list(roles)}}
    )


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    with store.transaction() as found:
        cohort = Cohort(slug="autumn", title="A")
        found.add(cohort)
        found.flush()
        for number, (name, held) in enumerate(PEOPLE.items(), 1):
            person = Person(name=name, pseudonym=f"p-{number:06d}", display_name=name)
            found.add(person)
            found.flush()
            found.add(Account(person_id=person.id, password_hash="-"))
            for seat in held:
                row = {"person_id": person.id, "cohort_id": cohort.id, "role": seat.role}
                found.add(Membership(**row, source="test"))
        found.flush()
        yield found


def test_a_seat_that_waits_is_left_out_and_the_others_count(session: Session) -> None:
    assert who_lacks(session, settings(), PEOPLE) == ["miro"]
    assert acting_seats(session, settings(), "miro", now()) == [LEARNS]
    assert acting_seats(session, settings(), "lea", now()) == [LEARNS]


def test_with_a_second_factor_every_seat_counts(session: Session) -> None:
    session.get_one(Account, 2).totp_sealed = "sealed"
    session.flush()

    assert who_lacks(session, settings(), PEOPLE) == []
    assert acting_seats(session, settings(), "miro", now()) == [CERTIFIES, LEARNS]


def test_nothing_waits_where_no_role_asks_or_a_provider_proves_people(session: Session) -> None:
    for given in (settings(roles=()), settings("oidc")):
        assert who_lacks(session, given, PEOPLE) == []
        assert acting_seats(session, given, "miro", now()) == [CERTIFIES, LEARNS]
