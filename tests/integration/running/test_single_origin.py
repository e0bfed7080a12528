"""One origin for everything runs only where it was accepted, and says so everywhere."""

import pytest
from bioskills_http import rest, sign_in, visitor
from bioskills_product import Product, running_product
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration

SAID = "All labs share one address with the platform"


def test_it_is_said_on_the_console_at_sign_in_and_on_the_campus_and_all_of_it_works() -> None:
    with running_product(NETWORK_ACCEPT_SINGLE_ORIGIN="true") as place, visitor() as client:
        assert SAID in place.said()
        assert SAID in client.get(f"{place.url}/hub/login").text
        assert sign_in(client, place, "ina")
        page = client.get(f"{place.url}/services/campus/")
        assert page.status_code == 200
        assert str(page.url).startswith(f"{place.url}/services/campus/")
        assert SAID in page.text
        rest(place, "POST", "users/ina/server").raise_for_status()
        lab = f"{place.url}/user/ina/lab"
        assert eventually(lambda: client.get(lab).status_code == 200)


def test_without_these_words_nothing_starts(fresh_product: Product) -> None:
    fresh_product.environ["BIOSKILLS_NETWORK_HOST"] = "192.0.2.7"
    done = fresh_product.command("run")

    assert done.returncode == 2
    assert "a number has no names below it" in done.stderr
    assert "network.accept_single_origin" in done.stderr
