"""The hub's log names what failed, and not each request that went well."""

import logging
from collections.abc import Iterator

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.log import access_log
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from bioskills.hub.request_log import log_what_matters


@pytest.fixture
def heard(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.LogCaptureFixture]:
    """What tornado's logger says, wherever another part of Jupyter has led it in this process."""
    for name, value in {"propagate": False, "disabled": False, "level": logging.DEBUG}.items():
        monkeypatch.setattr(access_log, name, value)
    access_log.addHandler(caplog.handler)
    yield caplog
    access_log.removeHandler(caplog.handler)


class Answer(RequestHandler):
    def get(self, status: str) -> None:
        self.set_status(int(status))


async def test_what_went_well_is_no_news_and_what_was_refused_is_logged(
    heard: pytest.LogCaptureFixture,
) -> None:
    application = Application([(r"/(\d+)", Answer)], log_function=log_what_matters)
    listener, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_sockets([listener])
    client = AsyncHTTPClient()
    for status in (200, 302, 403, 500):
        await client.fetch(
            f"http://127.0.0.1:{port}/{status}", raise_error=False, follow_redirects=False
        )
    client.close()
    server.stop()
    await server.close_all_connections()

    said = [r.getMessage().split()[0] for r in heard.records if "GET /" in r.getMessage()]
    assert said == ["403", "500"]
