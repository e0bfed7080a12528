"""What the hub says is believed for a short while, and silence is never an answer."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bioskills.hub.campus.hub_api import HubApi, HubAwayError, Identity

LEA = {"name": "lea", "kind": "user", "scopes": ["access:services!service=campus"]}


@dataclass
class Hub:
    """A server that answers as a hub would, or as none would."""

    status: int = 200
    body: bytes = json.dumps(LEA).encode()
    asked: list[str] = field(default_factory=list)
    seconds: float = 0.0
    api: HubApi | None = None

    def ask(self, token: str = "t") -> Identity | None:
        assert self.api is not None
        return self.api.identity(token)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(self.headers["Authorization"])
            self.send_response(hub.status)
            self.send_header("Content-Length", str(len(hub.body)))
            self.end_headers()
            self.wfile.write(hub.body)

        do_POST = do_GET  # noqa: N815 - the name that the library calls

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    hub.api = HubApi(
        f"http://127.0.0.1:{server.server_port}/hub/api", "own", 10, timer=lambda: hub.seconds
    )
    yield hub
    hub.api.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_speaks_for_whom_the_hub_names(hub: Hub) -> None:
    assert hub.ask("secret") == Identity("lea", "user", frozenset(LEA["scopes"]))
    assert hub.asked == ["token secret"]


@pytest.mark.parametrize(("seconds", "asked"), [(0.0, 1), (9.9, 1), (10.0, 2), (60.0, 2)])
def test_an_answer_is_believed_for_less_than_its_age(hub: Hub, seconds: float, asked: int) -> None:
    hub.ask()
    hub.seconds = seconds
    hub.ask()

    assert len(hub.asked) == asked


def test_tokens_are_not_mistaken_for_each_other(hub: Hub) -> None:
    hub.ask("one")
    hub.ask("two")

    assert hub.asked == ["token one", "token two"]


@pytest.mark.parametrize("status", [401, 403])
def test_an_unknown_token_speaks_for_nobody_and_is_asked_again(hub: Hub, status: int) -> None:
    hub.status = status

    assert [hub.ask(), hub.ask()] == [None, None]
    assert len(hub.asked) == 2


def test_a_token_that_was_good_is_forgotten_when_the_hub_says_no(hub: Hub) -> None:
    hub.ask()
    hub.seconds, hub.status = 11.0, 403

    assert hub.ask() is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (502, b"bad gateway"), (404, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"{}")],
)
def test_an_odd_answer_is_neither_yes_nor_no(hub: Hub, status: int, body: bytes) -> None:
    hub.status, hub.body = status, body

    with pytest.raises(HubAwayError):
        hub.ask()


def test_silence_is_not_covered_by_an_old_answer(hub: Hub) -> None:
    hub.ask()
    hub.seconds, hub.status = 11.0, 500

    with pytest.raises(HubAwayError):
        hub.ask()


@pytest.mark.parametrize(("status", "given"), [(400, None), (403, None)])
def test_a_refused_code_gives_no_token(hub: Hub, status: int, given: None) -> None:
    hub.status = status
    assert hub.api is not None

    assert hub.api.redeem("service-campus", "code", "http://x/", "verifier") is given


def test_a_hub_that_does_not_know_the_campus_is_told_apart_from_a_bad_code(hub: Hub) -> None:
    hub.status = 401
    assert hub.api is not None

    with pytest.raises(HubAwayError, match="does not know the campus"):
        hub.api.redeem("service-campus", "code", "http://x/", "verifier")
