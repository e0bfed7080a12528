"""One learner's hand-in on the running product, and its instructor at the formgrader."""

from collections.abc import Iterator

import pytest
from bioskills_formgrader import Formgrader, at_formgrader
from bioskills_handins import HandIns
from bioskills_product import Product


@pytest.fixture(scope="session")
def lea(product: Product) -> HandIns:
    """A learner whose practice was handed in and graded."""
    found = HandIns(product, "lea")
    found.hand_in("p1")
    assert found.graded("p1")
    return found


@pytest.fixture
def ina(product: Product, lea: HandIns) -> Iterator[Formgrader]:
    """The instructor, at the formgrader."""
    del lea
    with at_formgrader(product, "ina") as found:
        assert found.open()
        yield found
