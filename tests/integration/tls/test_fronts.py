"""The fronts of the how-to page carry a whole day's work over TLS, and keep no secret."""

import asyncio
import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from bioskills_http import kill
from bioskills_product import Product
from bioskills_provider import Provider, agree, begin, query_of, sign_in_at_provider
from bioskills_tls import HOST, Front, Verified
from bioskills_waiting import eventually
from tornado.httpclient import HTTPRequest
from tornado.netutil import DefaultLoopResolver, OverrideResolver
from tornado.websocket import websocket_connect

pytestmark = pytest.mark.integration

SECRET_LINK = "x" * 43
LIMIT_MB = 90  # Below what the hub takes, so that it is the front that refuses.


@contextmanager
def browser(front: Front) -> Iterator[httpx.Client]:
    with httpx.Client(
        transport=Verified(front), follow_redirects=True, timeout=60, trust_env=False
    ) as client:
        yield client


@contextmanager
def person(front: Front) -> Iterator[httpx.Client]:
    mounts = {"https://": Verified(front), "http://": httpx.HTTPTransport()}
    with httpx.Client(mounts=mounts, follow_redirects=True, timeout=60, trust_env=False) as client:
        yield client


def test_the_sign_in_page_is_served_over_a_verified_certificate_and_http_2(front: Front) -> None:
    command = [
        "curl", "--silent", "--show-error", "--http2", "--cacert", str(front.ca), "--noproxy", "*",
        "--resolve", f"{HOST}:{front.port}:127.0.0.1", "--output", "/dev/null",
        "--write-out", "%{http_code} %{http_version} %{ssl_verify_result}", f"{front.url}/hub/login",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stdout == "200 2 0", done.stderr


def test_a_browser_that_comes_without_tls_is_sent_to_it(front: Front) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{front.plain}/hub/login",
        headers={"Host": HOST},
        trust_env=False,
        follow_redirects=False,
    )

    assert answer.status_code in {301, 308}
    assert answer.headers["location"].startswith(f"https://{HOST}")


def test_every_cookie_is_secure_and_no_sibling_host_can_plant_one(
    front: Front, provider: Provider
) -> None:
    with person(front) as client:
        sent = begin(client, front.url)
        back = client.get(agree(client, sent.headers["location"], "s-lea"), follow_redirects=False)
    made = [c for answer in (sent, back) for c in answer.headers.get_list("set-cookie")]
    lasting = [cookie for cookie in made if "=;" not in cookie and '=""' not in cookie]

    assert any(cookie.startswith("__Host-oauthenticator-state=") for cookie in lasting)
    assert any(cookie.startswith("__Host-jupyterhub-hub-login=") for cookie in lasting)
    assert [cookie for cookie in lasting if "secure" not in cookie.lower()] == []
    wide = [cookie.partition("=")[0] for cookie in lasting if "domain" in cookie.lower()]
    assert wide == ["jupyterhub-session-id"]  # proves nobody: it names what a sign-out ends


def test_pages_say_that_this_host_and_those_below_it_are_reached_over_tls_alone(
    front: Front,
) -> None:
    with browser(front) as client:
        answer = client.get(f"{front.url}/hub/login")

    assert answer.headers.get_list("strict-transport-security") == [
        "max-age=31536000; includeSubDomains"
    ]


def test_what_a_browser_says_about_its_address_is_not_believed(
    front: Front, behind: Product
) -> None:
    forged = {
        "X-Forwarded-For": "192.0.2.66",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example.org",
        "Forwarded": "proto=http;host=evil.example.org;for=192.0.2.66",
        "X-Scheme": "http",
    }
    with browser(front) as client:
        sent = client.get(f"{front.url}/hub/oauth_login", headers=forged, follow_redirects=False)
        client.get(f"{front.url}/hub/no-such-page", headers=forged)
    log = (behind.data / "state/log/hub.log").read_text

    expected = f"{front.url}/hub/oauth_callback"
    assert query_of(sent.headers["location"])["redirect_uri"] == expected
    assert all("secure" in c.lower() for c in sent.headers.get_list("set-cookie"))
    assert eventually(lambda: "404 GET /hub/no-such-page (@127.0.0.1)" in log())
    assert "192.0.2.66" not in log()


def test_a_lab_has_a_host_of_its_own_and_its_kernel_answers_over_a_websocket(
    front: Front, provider: Provider
) -> None:
    with person(front) as client:
        assert sign_in_at_provider(client, front.url, "s-lea").status_code == 302
        client.get(f"{front.url}/hub/spawn/lea")
        host = f"lea.{HOST}"
        base = f"https://{host}:{front.port}/user/lea"
        assert eventually(lambda: client.get(f"{base}/api/status").status_code == 200)
        page = client.get(f"{base}/lab")
        assert page.url.host == host
        assert page.status_code == 200
        xsrf = next(
            cookie.value
            for cookie in client.cookies.jar
            if cookie.name == "_xsrf" and cookie.domain.startswith("lea.")
        )
        made = client.post(
            f"{base}/api/kernels", headers={"X-XSRFToken": xsrf}, json={"name": "python3"}
        )
        assert made.status_code == 201, made.text
        kernel = made.json()["id"]
        ask = client.build_request("GET", f"{base}/api/kernels/{kernel}/channels")
        answer = asyncio.run(
            kernel_info(front, str(ask.url).replace("https", "wss", 1), ask.headers["cookie"])
        )
        assert answer["content"]["status"] == "ok"
        assert answer["content"]["language_info"]["name"] == "python"
        client.delete(f"{base}/api/kernels/{kernel}", headers={"X-XSRFToken": xsrf})


async def kernel_info(front: Front, url: str, cookies: str) -> dict:
    """Ask a kernel who it is, as a notebook in a browser does."""
    request = HTTPRequest(
        url,
        headers={"Cookie": cookies, "Origin": f"https://lea.{HOST}:{front.port}"},
        ca_certs=str(front.ca),
        request_timeout=60,
    )
    names = {f"lea.{HOST}": "127.0.0.1"}
    resolver = OverrideResolver(resolver=DefaultLoopResolver(), mapping=names)
    socket = await websocket_connect(request, resolver=resolver)
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": "kernel_info_request", "session": uuid.uuid4().hex,
        "username": "lea", "version": "5.3", "date": "",
    }  # fmt: skip
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}}
    await socket.write_message(json.dumps({**message, "channel": "shell", "buffers": []}))
    try:
        async with asyncio.timeout(60):
            while True:
                found = json.loads(await socket.read_message())
                if found["header"]["msg_type"] == "kernel_info_reply":
                    return found
    finally:
        socket.close()
        async with asyncio.timeout(60):  # None says that the other side has closed it, too.
            while await socket.read_message() is not None:
                pass


def sent(front: Front, size: int) -> str:
    """Return the status of a form of this size, sent without signing in."""
    command = [
        "curl", "--silent", "--http1.1", "--cacert", str(front.ca), "--noproxy", "*",
        "--resolve", f"{HOST}:{front.port}:127.0.0.1", "--output", "/dev/null",
        "--write-out", "%{http_code}", "--data-binary", "@-", "--header", "Expect:",
        f"{front.url}/hub/login",
    ]  # fmt: skip
    done = subprocess.run(command, input=b"x" * size, capture_output=True, timeout=60)
    return done.stdout.decode()


def test_what_is_larger_than_the_limit_is_refused_by_the_front(front: Front) -> None:
    assert sent(front, 1024) == "403", "the hub, which asks for a token"

    # Caddy reads while it sends. At the limit it breaks off: which word comes first is a race
    # between its own and the proxy's about the half that it got, or nobody says one (000). The
    # hub's 403 it never is.
    words = {"413"} if front.kind == "nginx" else {"413", "400", "502", "503", "000"}
    assert sent(front, (LIMIT_MB + 1) * 1024**2) in words


def test_no_secret_and_no_name_of_a_person_stands_in_any_log_of_the_front(
    front: Front, provider: Provider
) -> None:
    with person(front) as client:
        sent = begin(client, front.url)
        back = agree(client, sent.headers["location"], "s-lea")
        client.get(back)
        client.get(f"{front.url}/hub/join/{SECRET_LINK}")
        client.get(f"{front.url}/hub/join/{SECRET_LINK}?token={SECRET_LINK}")
        client.get(f"https://lea.{HOST}:{front.port}/user/lea/lab?token={SECRET_LINK}")
        client.get(f"{front.url}/hub/health")
    plain = {"Host": HOST, "Referer": f"{front.url}/hub/join/{SECRET_LINK}"}
    url = f"http://127.0.0.1:{front.plain}/hub/join/{SECRET_LINK}"
    httpx.get(url, headers=plain, trust_env=False, follow_redirects=False)

    assert eventually(lambda: "/hub/health" in front.wrote())
    wrote = front.wrote()
    assert "/hub/join/" in wrote
    assert "/hub/oauth_callback" in wrote
    assert SECRET_LINK not in wrote
    assert query_of(back)["code"] not in wrote
    assert query_of(back)["state"] not in wrote
    assert "/user/lea" not in wrote
    assert "lea." not in wrote


def test_a_hub_that_is_away_gets_no_secret_written_down_either(
    front: Front, behind: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with browser(front) as client, behind_nothing(behind):
        answer = client.get(f"{front.url}/hub/join/{SECRET_LINK}?again={SECRET_LINK}")
        assert answer.status_code == 502

    assert SECRET_LINK not in front.wrote()


@contextmanager
def behind_nothing(product: Product) -> Iterator[None]:
    """Take the proxy away for a moment; its supervisor brings another."""
    kill(product, "--host-routing")
    yield
    assert eventually(
        lambda: httpx.get(f"http://127.0.0.1:{product.port}/hub/health", trust_env=False).is_success
    )
