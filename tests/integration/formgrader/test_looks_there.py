"""What somebody sees of learners in formgrader is noted before it is shown."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from bioskills_formgrader import FIRST, Formgrader, at_formgrader
from bioskills_handins import RUN, HandIns
from bioskills_product import Product

from bioskills.graders.formgrader.pages import OPEN
from bioskills.graders.formgrader.sights import SHOW_NOBODY, SIGHTS

pytestmark = pytest.mark.integration


def looks(product: Product, by: str) -> set[tuple[str, str]]:
    """Return what was noted of the first learner's work in formgrader: what, and which."""
    file = product.data / "state/db/bioskills.sqlite"
    chosen = (
        "select what, subject from look join person seen on seen.id = look.person_id"
        " join person actor on actor.pseudonym = look.actor"
        " where seen.pseudonym = ? and actor.name = ? and what like 'formgrader_%'"
    )
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return set(database.execute(chosen, (FIRST, by)))


@pytest.fixture
def asta(product: Product, lea: HandIns) -> Iterator[Formgrader]:
    """An assessor, of whom no other test speaks here."""
    del lea
    with at_formgrader(product, "asta") as found:
        assert found.open()
        yield found


def test_every_open_page_and_call_of_nbgraders_is_known_to_show_somebody_or_nobody() -> None:
    assert set(OPEN) == set(SIGHTS) | SHOW_NOBODY
    assert not set(SIGHTS) & SHOW_NOBODY


def test_lists_and_hand_ins_that_are_opened_there_are_noted(
    product: Product, asta: Formgrader
) -> None:
    assert asta.send("GET", "formgrader/api/submissions/p1").is_success
    assert ("formgrader_points", f"{RUN}/p1") in looks(product, "asta")
    assert ("formgrader_work", f"{RUN}/p1") not in looks(product, "asta")

    rows = asta.send("GET", "formgrader/api/submitted_notebooks/p1/p1").json()
    (hers,) = [row["id"] for row in rows if row["student"] == FIRST]
    page = asta.get(f"formgrader/submissions/{hers}/")

    assert page.is_success
    assert ("formgrader_work", f"{RUN}/p1") in looks(product, "asta")


def test_points_of_one_learner_and_of_all_are_noted(product: Product, asta: Formgrader) -> None:
    assert asta.send("GET", f"formgrader/api/student_submissions/{FIRST}").is_success
    assert asta.send("GET", "formgrader/api/students").is_success

    assert ("formgrader_points", RUN) in looks(product, "asta")


def test_a_hand_in_that_is_not_there_is_not_found(ina: Formgrader) -> None:
    assert ina.get("formgrader/submissions/nothing/").status_code == 404
