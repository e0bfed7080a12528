"""The hub's log names what failed, and not each request that went well."""

import logging

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from bioskills.hub.request_log import log_what_matters


class Answer(RequestHandler):
    def get(self, status: str) -> None:
        self.set_status(int(status))


async def test_what_went_well_is_no_news_and_what_was_refused_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    application = Application([(r"/(\d+)", Answer)], log_function=log_what_matters)
    listener, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_sockets([listener])
    client = AsyncHTTPClient()
    with caplog.at_level(logging.DEBUG):
        for status in (200, 302, 403, 500):
            await client.fetch(
                f"http://127.0.0.1:{port}/{status}", raise_error=False, follow_redirects=False
            )
    client.close()
    server.stop()
    await server.close_all_connections()

    said = [r.getMessage().split()[0] for r in caplog.records if "GET /" in r.getMessage()]
    assert said == ["403", "500"]
