"""Nobody but the proxy says where a browser is: guessing waits, whatever a request claims."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from bioskills_accounts import hidden
from bioskills_http import ToThisMachine, start_lab, visitor
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


def test_what_the_proxy_heard_is_believed(product: Product) -> None:
    assert statuses(product.url, "from-two-places") == [WRONG] * 5 + [TOO_SOON]
    with from_address("127.0.0.2") as client:
        assert fail(client, product.url, "from-two-places", "") == WRONG

    log = (product.data / "state/log/hub.log").read_text()
    assert "A sign-in failed, from 127.0.0.1\n" in log
    assert "A sign-in failed, from 127.0.0.2\n" in log


@contextmanager
def from_address(address: str) -> Iterator[httpx.Client]:
    """A browser at another address of this machine's loopback."""
    transport = ToThisMachine(local_address=address)
    with httpx.Client(transport=transport, timeout=60, trust_env=False) as client:
        yield client


def test_a_forger_past_the_proxy_holds_up_nobody_at_the_address_that_was_claimed(
    product: Product,
) -> None:
    """The proxy hears 127.0.0.1 of these tests, so that is what a forger would claim."""
    with visitor() as forger, visitor() as person:
        for _time in range(5):
            assert fail(forger, hub_itself(product), "held-up", "127.0.0.1") == WRONG

        assert fail(forger, hub_itself(product), "held-up", "127.0.0.1") == TOO_SOON
        assert fail(person, product.url, "held-up", "") == WRONG


FROM_A_LAB = """
import http.cookiejar, re, urllib.error, urllib.parse, urllib.request
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
address, told = "http://127.0.0.1:{port}/hub/login", []
for number in range(6):
    head = {{"X-Forwarded-For": f"203.0.113.{{number}}"}}
    page = browser.open(urllib.request.Request(address, headers=head)).read().decode()
    form = {{"_xsrf": re.search('name="_xsrf" value="([^"]+)"', page)[1]}}
    data = urllib.parse.urlencode({{**form, "username": "from-a-lab", "password": "wrong"}}).encode()
    try:
        browser.open(urllib.request.Request(address, data=data, headers=head))
    except urllib.error.HTTPError as error:
        told.append(error.code)
print(told)
"""


def test_a_learner_in_a_closed_room_forges_no_address(product: Product) -> None:
    lab = start_lab(product, "sofia")
    with lab.kernel() as run:
        told = run(FROM_A_LAB.format(port=product.environ["BIOSKILLS_NETWORK_HUB_PORT"]))

    assert told.strip() == str([int(WRONG)] * 5 + [int(TOO_SOON)])
    log = (product.data / "state/log/hub.log").read_text()
    assert "A sign-in failed, from this machine, uid " in log
    assert "203.0.113." not in "".join(
        line for line in log.splitlines() if "sign-in failed" in line
    )
