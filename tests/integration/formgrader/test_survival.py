"""A formgrader lives through a restart of the hub, and comes back when its service was killed."""

import pytest
from bioskills_formgrader import Formgrader, at_formgrader
from bioskills_handins import HandIns
from bioskills_http import find, kill, server_of
from bioskills_product import Product
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

PAGE = "formgrader/manage_assignments"
SERVICE = "bioskills.graders.formgrader"
IDLE_S = 60


def test_it_lives_through_a_killed_hub(ina: Formgrader) -> None:
    before = ina.pid
    kill(ina.product, "bioskills.hub.start_hub")
    back = eventually(lambda: ina.client.get(f"{ina.product.url}/hub/health").is_success)

    assert back
    assert eventually(lambda: server_of(ina.product, ina.account).get("ready"))
    assert eventually(lambda: ina.get(PAGE).is_success)
    assert before == ina.pid


def test_it_ends_with_its_service_and_the_next_visit_starts_it_again(ina: Formgrader) -> None:
    killed = kill(ina.product, SERVICE)
    gone = eventually(lambda: not ina.get(PAGE).is_success)
    again = eventually(lambda: find(ina.product, SERVICE) not in {0, killed})

    assert gone
    assert again
    assert ina.open()


@pytest.fixture
def brief(fresh_product: Product) -> Product:
    """An installation that stops what nobody uses after a minute."""
    fresh_product.environ["BIOSKILLS_LABS_IDLE_TIMEOUT_S"] = str(IDLE_S)
    fresh_product.start()
    return fresh_product


@pytest.mark.slow
def test_it_is_stopped_when_nobody_uses_it(brief: Product) -> None:
    HandIns(brief, "lea").hand_in("p1")
    with at_formgrader(brief, "ina") as ina:
        assert ina.open()

        def runs() -> bool:
            return bool(server_of(brief, ina.account))

        assert runs()
        assert eventually(lambda: not runs(), 5 * IDLE_S, 2)
        assert ina.open()
