"""Codes of an app are taken once, around now; recovery codes each once."""

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from bioskills.base.store import Store
from bioskills.base.tables import Person
from bioskills.base.tables_accounts import Account
from bioskills.hub import second_factor
from bioskills.hub.second_factor import Sealer

AT = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)


def code(key: bytes, at: datetime = AT) -> str:
    return TOTP(key, 6, SHA1(), 30).generate(int(at.timestamp())).decode()


def test_codes_of_the_step_before_and_after_are_taken_and_no_others() -> None:
    key = second_factor.new_key()
    taken = [
        off
        for off in range(-3, 4)
        if second_factor.step_of(key, code(key, AT + timedelta(seconds=30 * off)), AT) is not None
    ]

    assert taken == [-1, 0, 1]
    for wrong in ("", "12345", "abcdef", "1234567", "١٢٣٤٥٦"):
        assert second_factor.step_of(key, wrong, AT) is None


def test_a_key_opens_with_its_secret_for_its_owner_alone() -> None:
    key = second_factor.new_key()
    sealed = Sealer("secret").seal(key, "lea")

    assert Sealer("secret").open(sealed, "lea") == key
    assert Sealer("secret").open(sealed, "miro") is None
    assert Sealer("other").open(sealed, "lea") is None


def test_no_code_is_taken_twice_and_no_older_one_afterwards(store: Store) -> None:
    with store.transaction() as session:
        session.add(Person(id=1, name="lea", pseudonym="p-1", display_name="Lea"))
        session.flush()
        session.add(Account(id=1, person_id=1, password_hash="x"))
    taken = []
    for step in (10, 10, 9, 11):
        with store.transaction() as session:
            account = session.get_one(Account, 1)
            taken.append(second_factor.take_code(session, account, step))

    assert taken == [True, False, False, True]


def test_each_recovery_code_works_once_as_people_type_it() -> None:
    codes = second_factor.new_recovery_codes()
    account = Account(person_id=1, password_hash="x")
    second_factor.switch_on(account, "sealed", 1, codes)

    assert not set(codes) & set(account.recovery or [])
    assert second_factor.take_recovery(account, f" {codes[3].upper()} ")
    assert not second_factor.take_recovery(account, codes[3])
    assert second_factor.take_recovery(account, codes[4])
    assert not second_factor.take_recovery(account, "")
