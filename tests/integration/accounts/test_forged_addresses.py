"""Nobody but the proxy says where a browser is: guessing waits, whatever a request claims."""

import httpx
import pytest
from bioskills_accounts import hidden
from bioskills_http import visitor
from bioskills_product import Product

pytestmark = pytest.mark.integration

WRONG, TOO_SOON = httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS


def fail(client: httpx.Client, place: str, name: str, claimed: str) -> int:
    """Fail to sign in, with an address that the request claims; return what was answered."""
    head = {"X-Forwarded-For": claimed, "X-Real-Ip": claimed} if claimed else {}
    # The hub ties an unsigned-in form to the address as well, so each claim fetches its own.
    page = client.get(f"{place}/hub/login", headers=head).text
    data = {"_xsrf": hidden(page, "_xsrf"), "username": name, "password": "wrong"}
    answer = client.post(f"{place}/hub/login", data=data, headers=head)
    assert answer.status_code == TOO_SOON or "do not belong together" in answer.text
    return answer.status_code


def statuses(place: str, name: str) -> list[int]:
    """Fail six times, each time as from another address; return what was answered."""
    with visitor() as client:
        return [fail(client, place, name, f"203.0.113.{n}") for n in range(6)]


def hub_itself(product: Product) -> str:
    return f"http://hub.localhost:{product.environ['BIOSKILLS_NETWORK_HUB_PORT']}"


def test_who_speaks_to_the_hubs_port_past_the_proxy_forges_no_address(product: Product) -> None:
    assert statuses(hub_itself(product), "past-the-proxy") == [WRONG] * 5 + [TOO_SOON]


def test_who_speaks_to_the_proxy_from_this_machine_forges_no_address(product: Product) -> None:
    assert statuses(product.url, "through-the-proxy") == [WRONG] * 5 + [TOO_SOON]


def test_a_forger_past_the_proxy_holds_up_nobody_at_the_address_that_was_claimed(
    product: Product,
) -> None:
    """The proxy hears 127.0.0.1 of these tests, so that is what a forger would claim."""
    with visitor() as forger, visitor() as person:
        for _time in range(5):
            assert fail(forger, hub_itself(product), "held-up", "127.0.0.1") == WRONG

        assert fail(forger, hub_itself(product), "held-up", "127.0.0.1") == TOO_SOON
        assert fail(person, product.url, "held-up", "") == WRONG
