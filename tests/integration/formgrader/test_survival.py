"""A formgrader lives through a restart of the hub, and comes back when its service was killed."""

import os
import signal
import time

import pytest
from bioskills_formgrader import Formgrader, at_formgrader
from bioskills_handins import HandIns
from bioskills_http import eventually, processes, rest
from bioskills_product import Product

from bioskills.hub.processes import PROC

pytestmark = pytest.mark.integration

PAGE = "formgrader/manage_assignments"
SERVICE = b"bioskills.graders.formgrader"
IDLE_S = 60


def pid_of(product: Product, word: bytes) -> int | None:
    """Return the process of a service by a word of its command line; None: it does not run."""
    for pid in processes(product):
        try:
            words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if word in words and words[0].endswith(b"python"):
            return pid
    return None


def kill(product: Product, word: bytes) -> int:
    """Kill a service that must run now; return the process it was."""
    pid = pid_of(product, word)
    assert pid, word
    os.kill(pid, signal.SIGKILL)
    return pid


def test_it_lives_through_a_killed_hub(ina: Formgrader) -> None:
    kill(ina.product, b"bioskills.hub.start_hub")
    time.sleep(1)
    back = eventually(lambda: ina.client.get(f"{ina.product.url}/hub/health").is_success, 60)

    assert back
    assert ina.get(PAGE).is_success
    ready = rest(ina.product, "GET", f"users/{ina.account}").json()["servers"][""]["ready"]
    assert ready


def test_it_ends_with_its_service_and_the_next_visit_starts_it_again(ina: Formgrader) -> None:
    killed = kill(ina.product, SERVICE)
    gone = eventually(lambda: not ina.get(PAGE).is_success, 20)
    again = eventually(lambda: pid_of(ina.product, SERVICE) not in {None, killed}, 60)

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
            return bool(rest(brief, "GET", f"users/{ina.account}").json()["servers"])

        assert runs()
        assert eventually(lambda: not runs(), 5 * IDLE_S, 2)
        assert ina.open()
