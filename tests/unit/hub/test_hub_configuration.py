"""What our settings make of the hub, and what is refused before it starts."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyterhub.orm import new_session_factory
from sqlalchemy import select, text
from traitlets.config import Config

from bioskills.base.places import database_url
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.store import Store, schema_revisions
from bioskills.base.tables import Cohort, Membership, Person
from bioskills.base.tables_accounts import Account
from bioskills.hub.apply import (
    apply_all,
    apply_network,
    first_page,
    refuse_public_demo,
    refuse_unsafe,
)
from bioskills.hub.authenticator import DEFAULT_ROLE, AccountsAuthenticator
from bioskills.hub.demo import add_sign_ins, ensure_sign_ins, sign_ins_file
from bioskills.hub.membership import Seat
from bioskills.hub.state import ensure_state

FULL, NORMAL = 2, 1


@pytest.fixture
def settings() -> Iterator[Settings]:
    me = os.geteuid() or 61_000
    # Not pytest's own folder: the campus's uid must reach it, as in an installation.
    with tempfile.TemporaryDirectory(prefix="bsh-unit-") as folder:
        Path(folder).chmod(0o755)
        yield Settings.model_validate(
            {"paths": {"data_dir": f"{folder}/data"}, "labs": {"service_uid": me}}
        )


@pytest.fixture
def config(settings: Settings) -> Config:
    ensure_state(settings)
    found, mask = Config(), os.umask(0o077)
    apply_all(found, settings)
    os.umask(mask)
    return found


def modes(session: object) -> tuple[str, int]:
    return (
        session.scalar(text("PRAGMA journal_mode")),  # type: ignore[attr-defined]
        session.scalar(text("PRAGMA synchronous")),  # type: ignore[attr-defined]
    )


def test_the_hubs_database_is_quick_and_ours_durable_in_the_same_process(
    settings: Settings, config: Config
) -> None:
    factory = new_session_factory(config.JupyterHub.db_url, **config.JupyterHub.db_kwargs)
    ours = Store(database_url(settings))
    with factory() as hub, ours.reading() as session:
        assert modes(hub) == ("wal", NORMAL)
        assert hub.scalar(text("PRAGMA foreign_keys")) == 1
        assert modes(session) == ("wal", FULL)
    with ours.transaction() as session:
        assert modes(session) == ("wal", FULL)
    factory.kw["bind"].dispose()
    ours.close()


def test_setting_it_twice_gives_the_same(settings: Settings, config: Config) -> None:
    before = {key: dict(value) for key, value in config.items()}
    mask = os.umask(0o077)
    apply_all(config, settings)
    os.umask(mask)

    door = "default_url"
    after = {key: dict(value) for key, value in config.items()}
    assert before["JupyterHub"].pop(door) is not after["JupyterHub"].pop(door)
    # What a template calls is made anew each time; that it is there is what can be compared.
    words = [set(each["JupyterHub"].pop("template_vars")) for each in (before, after)]
    assert words[0] == words[1]
    assert after == before


def test_every_sign_in_needs_the_proof_that_one_browser_began_it(config: Config) -> None:
    assert config.JupyterHub.oauth_require_pkce is True


@pytest.mark.parametrize(
    "network",
    [
        {"address": "0.0.0.0"},
        {"address": "192.0.2.1"},
        {"address": "::"},
        {"address": "hub.example"},
        {"public_url": "https://hub.example.org"},
    ],
)
def test_demo_sign_in_is_refused_off_loopback(network: dict[str, str]) -> None:
    found = Settings.model_validate({"network": network})
    with pytest.raises(SetupError, match="Demo sign-ins would be reached by"):
        refuse_public_demo(found, demo=True)
    refuse_public_demo(found, demo=False)


def test_one_origin_for_all_labs_has_to_be_asked_for() -> None:
    with pytest.raises(SetupError, match="accept_single_origin"):
        refuse_unsafe(Settings.model_validate({"network": {"host": ""}}))


@pytest.mark.parametrize(
    ("network", "own"),
    [
        ({"public_url": "https://hub.example.org"}, True),
        ({"public_url": "https://hub.example.org", "accept_single_origin": True}, False),
        ({}, False),
    ],
)
def test_the_sign_in_cookie_keeps_siblings_out_and_is_not_sent_to_labs(
    settings: Settings, network: dict[str, object], own: bool
) -> None:
    ensure_state(settings)
    found = Config()
    apply_network(found, Settings.model_validate({**settings.model_dump(), "network": network}))
    kept = found.JupyterHub.tornado_settings

    assert found.JupyterHub.cookie_host_prefix_enabled is own
    assert ("subdomain_host" in found.JupyterHub) is ("accept_single_origin" not in network)
    assert kept["cookie_options"] == {"secure": "public_url" in network}
    assert kept["cookie_options"] is not kept["xsrf_cookie_kwargs"]


def test_a_hub_without_learners_first_page_is_the_campus() -> None:
    assert first_page([Seat("spring", "instructor")], "campus") == "campus"
    assert first_page([Seat("spring", "learner")], "campus") == ""


def seated(settings: Settings) -> Store:
    store = Store(database_url(settings))
    with store.transaction() as session:
        session.add_all([Cohort(slug="spring", title="S")])
        for number, name in enumerate(("lea", "ina", "gone"), 1):
            session.add(Person(name=name, pseudonym=f"p-{number}", display_name=name))
        session.flush()
        for number, role in ((1, "learner"), (2, "instructor")):
            session.add(Membership(person_id=number, cohort_id=1, role=role, source="test"))
    return store


def test_only_who_has_a_seat_and_the_right_password_gets_in(
    settings: Settings, config: Config
) -> None:
    store = seated(settings)
    file = sign_ins_file(ensure_state(settings))
    passwords = ensure_sign_ins(store, file)
    gate = AccountsAuthenticator(config=config)

    def ask(name: str, password: str) -> object:
        return asyncio.run(gate.authenticate(None, {"username": name, "password": password}))

    assert ask("ina", passwords["ina"]) == {
        "name": "ina",
        "groups": ["instructors-spring"],
        "roles": [
            DEFAULT_ROLE,
            {
                "name": "instructor-spring",
                "description": "Instructor of spring",
                "scopes": [
                    "list:users!group=learners-spring",
                    "read:users:name!group=learners-spring",
                ],
            },
        ],
        "admin": False,
    }
    assert ask("LEA", passwords["lea"]) is not None, "names are written as people write them"
    assert [
        ask("lea", passwords["ina"]),
        ask("lea", ""),
        ask("eve", "\0"),
        ask("eve", ""),
        ask("lea", "pass\u00e9"),
        ask("gone", passwords["gone"]),
    ] == [None] * 6
    with store.reading() as session:
        kept = session.scalars(select(Account.password_hash)).all()
    assert not [hashed for hashed in kept if passwords["lea"] in hashed]
    gate._store().close()
    store.close()


def test_the_hub_is_told_every_role_with_its_people(settings: Settings, config: Config) -> None:
    store = seated(settings)
    gate = AccountsAuthenticator(config=config)

    roles = asyncio.run(gate.load_managed_roles())

    assert [(role["name"], role["users"]) for role in roles] == [
        ("instructor-spring", ["ina"]),
        ("formgrader", []),
    ]
    gate._store().close()
    store.close()


def test_passwords_are_kept_and_those_of_nobody_dropped(settings: Settings) -> None:
    file = sign_ins_file(ensure_state(settings))
    store = seated(settings)
    first = ensure_sign_ins(store, file)

    assert add_sign_ins(file, ["lea", "new"]).keys() == {"new"}
    assert add_sign_ins(file, ["new"]) == {}
    assert ensure_sign_ins(store, file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    store.close()


def test_an_old_database_is_not_migrated_without_a_copy(settings: Settings) -> None:
    ensure_state(settings)
    url = database_url(settings)
    newest = schema_revisions(url)[1]
    for revision, told in (("0001", "Run: bioskills upgrade"), ("9999", "made by a newer version")):
        store = Store(url)
        with store.transaction() as session:
            session.execute(text("update alembic_version set version_num = :r"), {"r": revision})
        store.close()
        with pytest.raises(SetupError, match=told):
            ensure_state(settings)
        assert schema_revisions(url) == (revision, newest)


def test_an_empty_database_gets_its_tables(settings: Settings) -> None:
    ensure_state(settings)

    store = Store(database_url(settings))
    with store.reading() as session:
        assert session.scalars(select(Person)).all() == []
    store.close()
