"""The roles' table names every address that is served, and none that is not."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from bioskills.base.places import database_url, places_of
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema
from bioskills.base.tables import ROLES
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.authenticator import MembershipMixin
from bioskills.hub.campus.__main__ import make_site
from bioskills.hub.campus.app import create_app
from bioskills.hub.role_routes import CAMPUS_ROUTES, HUB_ROUTES, Opening


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Every method and address that a campus really serves."""
    settings = Settings.model_validate(
        {"paths": {"data_dir": str(tmp_path_factory.mktemp("campus"))}}
    )
    places = places_of(settings)
    for folder in (places.campus, places.database):
        folder.mkdir(parents=True, mode=0o700)
    for name in ("hub_token", "grader_token"):
        (places.campus / name).write_text(name * 4)
        (places.campus / name).chmod(0o600)
    ensure_schema(database_url(settings))
    site = make_site(settings)
    found = set(addresses(site))
    site.store.close()
    site.hub.close()
    return found


def addresses(site) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(create_app(site).routes):
        path = (
            route.path.removeprefix(CAMPUS_PREFIX) if route.path.startswith(CAMPUS_PREFIX) else ".."
        )
        for method in route.methods or {"GET"}:
            yield method, path


def rows(table: tuple[Opening, ...]) -> list[tuple[str, str]]:
    return [(opening.method, opening.path) for opening in table]


def test_every_address_of_the_campus_is_in_the_table(served: set[tuple[str, str]]) -> None:
    missing = sorted(served - set(rows(CAMPUS_ROUTES)))

    assert missing == [], f"say in hub/role_routes.py who opens {missing}"


def test_the_table_names_no_address_that_is_not_served(served: set[tuple[str, str]]) -> None:
    assert sorted(set(rows(CAMPUS_ROUTES)) - served) == []


def test_every_handler_that_we_add_to_the_hub_is_in_the_table() -> None:
    authenticator = MembershipMixin(database_url="sqlite://")

    async def handlers() -> list[Any]:
        # What follows the dates of seats needs the hub's loop.
        return authenticator.get_handlers(None)

    ours = [
        handler
        for handler in asyncio.run(handlers())
        if handler[1].__module__.startswith("bioskills.")
    ]
    known = {opening.path.partition("/{")[0] for opening in HUB_ROUTES}
    paths = {str(handler[0]).partition("/(")[0].strip("/") for handler in ours}

    assert sorted(paths - known) == [], "say in hub/role_routes.py who opens it"
    assert sorted(known - paths) == []


def test_no_address_stands_in_the_table_twice() -> None:
    for table in (CAMPUS_ROUTES, HUB_ROUTES):
        found = rows(table)
        assert sorted(row for row in set(found) if found.count(row) > 1) == []


@pytest.mark.parametrize("opening", [*CAMPUS_ROUTES, *HUB_ROUTES], ids=lambda o: o.path)
def test_a_row_names_roles_where_its_reach_asks_for_them_and_nowhere_else(
    opening: Opening,
) -> None:
    asks = opening.reach in {"held", "cohort", "platform"}

    assert bool(opening.roles) == asks
    assert set(opening.roles) <= set(ROLES)
    assert bool(opening.programs) == (opening.reach == "programs")


def test_what_a_program_opens_no_page_does() -> None:
    assert [o.path for o in CAMPUS_ROUTES if o.page and o.programs] == []
