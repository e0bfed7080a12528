"""An empty database of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bioskills.base.store import Store, ensure_schema


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'bioskills.sqlite'}"
    ensure_schema(url)
    found = Store(url)
    yield found
    found.close()
