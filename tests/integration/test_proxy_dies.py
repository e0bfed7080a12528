"""When the proxy is killed, every page, lab and kernel is reachable again without anybody's help."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from bioskills_http import Lab, eventually, processes, server_of, sign_in, start_lab, visitor
from bioskills_loopback import client
from bioskills_product import Product

from bioskills.hub.processes import PROC

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services as other uids"),
]

LEARNERS = ("lea", "max")
BACK_S = 30
"""Far below the 300 s after which a hub looks by itself; the bar of 10 s is for `make bench-proxy`."""


@pytest.fixture
def labs(fresh_product: Product) -> Iterator[list[Lab]]:
    """Labs of two learners in an installation whose proxy may be killed."""
    fresh_product.start()
    return [start_lab(fresh_product, name) for name in LEARNERS]


def pid_of(product: Product, *words: str) -> int:
    """Return the installation's process with these words in its command line."""
    for pid in processes(product):
        with suppress(OSError):
            command = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            if all(word.encode() in command for word in words) and b"setpriv" not in command[0]:
                return pid
    # Never 0: a signal to 0 would reach these tests themselves.
    pytest.fail(f"no process has the words {words}")


def proxy_pid(product: Product) -> int:
    """Return the process that holds the port people type."""
    return pid_of(product, "--api-port", str(product.port))


def kill_proxy(product: Product) -> float:
    """End the proxy without a warning; return when."""
    dead = proxy_pid(product)
    assert dead
    os.kill(dead, signal.SIGKILL)
    return time.monotonic()


def answers(lab: Lab) -> bool:
    """Say whether this learner's own server answers at the address people use."""
    try:
        return "started" in lab.call("GET", "api/status", follow_redirects=False).text
    except httpx.TransportError:
        return False


def campus_answers(product: Product) -> bool:
    with visitor() as person:
        try:
            return person.get(f"{product.campus}healthz", follow_redirects=False).is_success
        except httpx.TransportError:
            return False


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
            died = kill_proxy(product)
            assert (await socket.receive(timeout=30)).type.name in {"CLOSE", "CLOSED", "CLOSING"}
        assert eventually(lambda: all(answers(lab) for lab in labs), BACK_S, 0.1)
        assert eventually(lambda: campus_answers(product), BACK_S, 0.1)
        print(f"{word} time: every route answered {time.monotonic() - died:.1f} s after the kill")
        async with browser(lab) as session, session.ws_connect(channels) as socket:
            assert await asked(socket, "print(kept)") == f"{word}\n"
    secret = (product.data / "state/proxy/token").read_text().strip()
    assert secret not in (PROC / str(proxy_pid(product)) / "cmdline").read_text()


def test_a_lab_started_while_the_proxy_is_away_is_reached_as_soon_as_it_is_back(
    fresh_product: Product,
) -> None:
    product = fresh_product
    product.start()
    hub = f"http://hub.localhost:{product.environ['BIOSKILLS_NETWORK_HUB_PORT']}"
    with visitor() as person:
        assert sign_in(person, product, "lea")
        kill_proxy(product)
        person.get(f"{hub}/hub/spawn/lea", follow_redirects=False)
        assert eventually(lambda: server_of(product, "lea").get("ready"))
        assert eventually(lambda: campus_answers(product), BACK_S)
        page = f"http://lea.hub.localhost:{product.port}/user/lea/lab"
        assert eventually(lambda: "jupyter-config-data" in person.get(page).text, BACK_S)


def test_what_does_not_answer_shows_our_own_page_even_with_the_hub_away(
    labs: list[Lab],
) -> None:
    lab = labs[0]
    for pid, url in (
        (lab.pid, f"http://{lab.name}.hub.localhost:{lab.product.port}/user/{lab.name}/lab"),
        (pid_of(lab.product, "bioskills.hub.campus"), lab.product.campus),
        (pid_of(lab.product, "bioskills.hub.start_hub"), f"{lab.product.url}/hub/home"),
    ):
        os.kill(pid, signal.SIGKILL)
        with visitor() as person:
            shown = person.get(url, follow_redirects=False)
        assert shown.status_code == httpx.codes.SERVICE_UNAVAILABLE, url
        assert "No answer right now" in shown.text
        assert "appears to be down" not in shown.text
