"""An installation of these tests' own: they choose other passwords, and fail on purpose."""

from collections.abc import Iterator

import pytest
from bioskills_product import Product, running_product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """A running installation that no other suite signs in at."""
    with running_product() as found:
        yield found
