"""The small world of the pages' tests."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Test folders are no packages: the builders are loaded by their path.
_spec = importlib.util.spec_from_file_location(
    "pages_builders", Path(__file__).parent / "builders.py"
)
assert _spec is not None
assert _spec.loader is not None
builders = importlib.util.module_from_spec(_spec)
sys.modules["pages_builders"] = builders
_spec.loader.exec_module(builders)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[object]:
    with builders.world_in(tmp_path) as world:
        yield world
