"""One hub and one campus for all tests of this folder."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Test folders are no packages: what the tests share is loaded by its path.
_spec = importlib.util.spec_from_file_location("sign_in_place", Path(__file__).parent / "place.py")
assert _spec is not None
assert _spec.loader is not None
shared = importlib.util.module_from_spec(_spec)
sys.modules["sign_in_place"] = shared
_spec.loader.exec_module(shared)


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    with shared.place_in(tmp_path_factory.mktemp("hub")) as found:
        yield found
