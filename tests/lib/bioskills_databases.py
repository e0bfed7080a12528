"""Both databases that people may choose, real and empty: fixtures for whoever imports them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bioskills_postgresql import Server, running_postgresql

__all__ = ["database", "postgresql"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bioskills.sqlite'}"
    new: Callable[[], str] = request.getfixturevalue("postgresql").new_database
    return new()
