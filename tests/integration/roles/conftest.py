"""One installation with every role in two cohorts, for all tests of this folder."""

from collections.abc import Iterator

import pytest
from bioskills_cast import Cast, cast_of


@pytest.fixture(scope="package")
def cast(product) -> Iterator[Cast]:
    """Everybody, signed in."""
    with cast_of(product) as found:
        yield found
