"""Of two who switch a second factor on at the same time, one key counts."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Person
from bioskills.base.tables_accounts import Account
from bioskills.hub import second_factor
from bioskills.hub.reception import Reception
from bioskills.hub.secrets_store import ensure_secret
from bioskills.hub.state import secret_files

AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def test_a_key_that_comes_second_takes_the_first_ones_place_in_no_case(
    store: Store, tmp_path: Path
) -> None:
    settings = Settings.model_validate({"paths": {"data_dir": str(tmp_path)}})
    file = secret_files(places_of(settings)).second_factor
    file.parent.mkdir(parents=True)
    ensure_secret(file)
    with store.transaction() as session:
        session.add(Person(name="ada", pseudonym="p-000001", display_name="Ada"))
        session.flush()
        session.add(Account(person_id=1, password_hash="-"))
    reception = Reception(settings, store, clock=lambda: AT)
    keys = [second_factor.new_key() for _person_and_thief in range(2)]

    async def both() -> list[list[str] | None]:
        tries = (reception.switch_on("ada", key, code_of(key)) for key in keys)
        return await asyncio.gather(*tries)

    given = asyncio.run(both())
    kept = reception.known("ada")

    assert kept is not None
    assert given.count(None) == 1
    winner = keys[given.index(next(codes for codes in given if codes))]
    assert reception.sealer.open(str(kept.totp_sealed), "ada") == winner


def code_of(key: bytes) -> str:
    return second_factor._totp(key).generate(int(AT.timestamp())).decode()
