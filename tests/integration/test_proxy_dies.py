"""When the proxy is killed, every page, lab and kernel is reachable again without anybody's help."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from bioskills_http import (
    Lab,
    end_lab,
    kill,
    server_of,
    sign_in,
    start_lab,
    the,
    visitor,
)
from bioskills_loopback import client
from bioskills_product import Product
from bioskills_waiting import eventually, halted

from bioskills.hub.processes import PROC

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services as other uids"),
]

LEARNERS = ("lea", "max")
ESTABLISHED = "01"
BACK_S = 90
"""Far below the 300 s after which a hub looks by itself; the bar of 10 s is for `make bench-proxy`."""


@pytest.fixture
def labs(mortal_product: Product) -> Iterator[list[Lab]]:
    """Labs of two learners in an installation whose proxy may be killed."""
    yield [start_lab(mortal_product, name) for name in LEARNERS]
    assert eventually(lambda: campus_answers(mortal_product))
    for name in LEARNERS:
        eventually(lambda n=name: end_lab(mortal_product, n) or True)


def proxy_of(product: Product) -> tuple[str, str]:
    """Return words of the process that holds the port people type."""
    return "--api-port", str(product.port)


def answers(lab: Lab) -> bool:
    """Say whether this learner's own server answers at the address people use."""
    return "started" in lab.call("GET", "api/status", follow_redirects=False).text


def campus_answers(product: Product) -> bool:
    with visitor() as person:
        return person.get(f"{product.campus}healthz", follow_redirects=False).is_success


async def asked(socket: ClientWebSocketResponse, code: str) -> str:
    """Run code over a kernel's websocket, as a browser does; return what it printed."""
    header = {"msg_id": os.urandom(8).hex(), "msg_type": "execute_request", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    about = {"username": "", "session": "browser", "date": "2026-01-01T00:00:00Z"}
    request = {"header": {**header, **about}, "content": content, "channel": "shell"}
    await socket.send_json({**request, "parent_header": {}, "metadata": {}, "buffers": []})
    said, left = "", {"idle", "reply"}
    while left:
        message = json.loads(await socket.receive_str(timeout=60))
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        said += message["content"].get("text", "")
        if message["msg_type"] == "execute_reply":
            left.discard("reply")
        if message["content"].get("execution_state") == "idle":
            left.discard("idle")
    return said


def browser(lab: Lab) -> ClientSession:
    headers = {"Authorization": f"token {lab.environ['JUPYTERHUB_API_TOKEN']}"}
    return client(headers=headers)


async def test_a_killed_proxy_comes_back_with_every_route_and_kernels_keep_their_state(
    labs: list[Lab],
) -> None:
    product, lab = labs[0].product, labs[0]
    kernel = lab.call("POST", "api/kernels").raise_for_status().json()["id"]
    channels = f"ws://{lab.name}.hub.localhost:{product.port}/user/{lab.name}/api/kernels/{kernel}/channels"
    for word in ("first", "second"):
        async with browser(lab) as session, session.ws_connect(channels) as socket:
            await asked(socket, f"kept = '{word}'")
            died = time.monotonic()
            kill(product, *proxy_of(product))
            assert (await socket.receive(timeout=BACK_S)).type.name in {
                "CLOSE",
                "CLOSED",
                "CLOSING",
            }
        assert eventually(lambda: all(answers(lab) for lab in labs), BACK_S, 0.1)
        assert eventually(lambda: campus_answers(product), BACK_S, 0.1)
        print(f"{word} time: every route answered {time.monotonic() - died:.1f} s after the kill")
        async with browser(lab) as session, session.ws_connect(channels) as socket:
            assert await asked(socket, "print(kept)") == f"{word}\n"
    secret = (product.data / "state/proxy/token").read_text().strip()
    assert secret not in (PROC / str(the(product, *proxy_of(product))) / "cmdline").read_text()


def test_a_lab_started_while_the_proxy_is_away_is_reached_as_soon_as_it_is_back(
    mortal_product: Product,
) -> None:
    product = mortal_product
    hub = f"http://hub.localhost:{product.environ['BIOSKILLS_NETWORK_HUB_PORT']}"
    with visitor() as person:
        assert sign_in(person, product, "lea")
        end_lab(product, "lea")
        kill(product, *proxy_of(product))
        person.get(f"{hub}/hub/spawn/lea", follow_redirects=False)
        assert eventually(lambda: server_of(product, "lea").get("ready"))
        assert eventually(lambda: campus_answers(product), BACK_S)
        page = f"http://lea.hub.localhost:{product.port}/user/lea/lab"
        assert eventually(lambda: "jupyter-config-data" in person.get(page).text, BACK_S)


def test_what_does_not_answer_shows_our_own_page_even_with_the_hub_away(
    labs: list[Lab],
) -> None:
    lab, product = labs[0], labs[0].product
    port = urlsplit(lab.environ["JUPYTERHUB_SERVICE_URL"]).port or 0
    with ThreadPoolExecutor() as other:
        # Halted, or the hub would take the route away before anybody asks.
        with halted(the(product, "bioskills.hub.start_hub")):
            os.kill(lab.pid, signal.SIGKILL)
            before = callers_of(port)
            page = f"http://{lab.name}.hub.localhost:{product.port}/user/{lab.name}/lab"
            asked = other.submit(shown, page)
            assert eventually(lambda: asked.done() or callers_of(port) - before)
        assert_is_ours(asked.result())
    # Halted, or what ended would be back before we look.
    with halted(the(product, "supervisor.supervisord")):
        kill(product, "bioskills.hub.campus")
        assert_is_ours(shown(product.campus))
        kill(product, "bioskills.hub.start_hub")
        assert_is_ours(shown(f"{product.url}/hub/home"))


def callers_of(port: int) -> set[str]:
    """Return the ends, on this machine, of connections to a port of it."""
    rows = [line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    ended = f":{port:04X}"
    return {row[1] for row in rows if row[2].endswith(ended) and row[3] == ESTABLISHED}


def shown(url: str) -> httpx.Response:
    with visitor() as person:
        return person.get(url, follow_redirects=False)


def assert_is_ours(page: httpx.Response) -> None:
    """Look at a page that did not answer."""
    assert page.status_code == httpx.codes.SERVICE_UNAVAILABLE, page.url
    assert "No answer right now" in page.text
    assert "appears to be down" not in page.text
