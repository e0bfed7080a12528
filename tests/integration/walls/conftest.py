"""Two learners at work in one installation: Lea, whose things are wanted, and Miro, who wants them.

Test folders are no packages: what the tests share is loaded by its path.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_product import Product

for _name in ("attacks", "bombs", "scene"):
    _spec = importlib.util.spec_from_file_location(
        f"walls_{_name}", Path(__file__).parent / f"{_name}.py"
    )
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[f"walls_{_name}"] = _module
    _spec.loader.exec_module(_module)


@pytest.fixture(scope="package")
def scene(product: Product) -> Iterator[object]:
    if os.geteuid() != 0:
        pytest.skip("only root builds walls")
    with sys.modules["walls_scene"].scene_in(product) as found:
        yield found
