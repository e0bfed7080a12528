"""A page on a learner's server, opened by somebody who is signed in, in a real Chromium.

The planted page tries what a page can try: to read a page of the campus, to
frame it, to change something, to sign its reader out.
"""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright
from sign_in_place import CHANGE, HOME, Place

pytestmark = [pytest.mark.integration, pytest.mark.ui]

PLANTED = b"<!doctype html><title>A notebook of mine</title><h1>Hello</h1>"

READ = """async url => {
  try { const answer = await fetch(url, {credentials: 'include'}); return await answer.text(); }
  catch (error) { return error.name; }
}"""
FRAME = """url => new Promise(done => {
  const frame = document.createElement('iframe');
  frame.onload = () => { try { done(frame.contentDocument.body.innerText); } catch (error) { done(error.name); } };
  frame.src = url; document.body.append(frame); setTimeout(() => done('nothing'), 5000);
})"""
CHANGE_BY_FETCH = """async url => {
  const body = new URLSearchParams({_csrf: 'guess'});
  try { await fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body}); } catch {}
}"""
CHANGE_BY_FORM = """url => {
  const form = document.createElement('form'); form.method = 'post'; form.action = url;
  form.innerHTML = '<input name=_csrf value=guess>'; document.body.append(form); form.submit();
}"""


class Notebook(BaseHTTPRequestHandler):
    """Answers every address of a learner's server with the planted page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PLANTED)

    def log_message(self, *_args: object) -> None:
        """Stay silent."""


@pytest.fixture
def lab() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Notebook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def window(place: Place, lab: int) -> Iterator[BrowserContext]:
    public = urlsplit(place.hub).port
    ports = {**place.ports, "max.hub.localhost": lab}
    rules = ", ".join(f"MAP {host}:{public} 127.0.0.1:{port}" for host, port in ports.items())
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium on the PATH. Debian: apt install chromium"
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=program, args=[*arguments, f"--host-resolver-rules={rules}"]
        )
        yield chromium.new_context()
        chromium.close()


def signed_in(place: Place, window: BrowserContext) -> Page:
    page = window.new_page()
    page.goto(place.page(HOME))
    page.get_by_label("Username").fill("lea")
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(place.page(HOME))
    return page


def planted(place: Place, window: BrowserContext) -> Page:
    page = window.new_page()
    page.goto(place.hub.replace("//hub.", "//max.hub."))
    assert page.title() == "A notebook of mine"
    return page


def test_a_planted_page_can_neither_read_nor_change_anything(
    place: Place, window: BrowserContext
) -> None:
    mine, foreign = signed_in(place, window), planted(place, window)
    csrf = mine.evaluate("JSON.parse(document.body.innerText).csrf")
    place.changed.clear()

    read = foreign.evaluate(READ, place.page(HOME))
    framed = foreign.evaluate(FRAME, place.page(HOME))
    foreign.evaluate(CHANGE_BY_FETCH, place.page(CHANGE))
    foreign.evaluate(CHANGE_BY_FETCH, place.page("/services/campus/sign-out"))
    foreign.evaluate(CHANGE_BY_FORM, place.page(CHANGE))
    foreign.wait_for_url(place.page(CHANGE))

    assert read == "TypeError"
    assert csrf not in str(framed)
    assert "sent by a page of another address" in foreign.content()
    assert place.changed == []
    mine.reload()
    assert mine.evaluate("JSON.parse(document.body.innerText).name") == "lea"


def test_a_person_signs_out_with_the_button_and_is_out_at_the_hub_too(
    place: Place, window: BrowserContext
) -> None:
    page = signed_in(place, window)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(place.page("/services/campus/nothing"))
    said.clear()
    page.goto(place.page("/services/campus/passport"))
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{place.hub}login*")

    # The content policy must let the form go to the hub.
    assert [text for text in said if "Content Security Policy" in text] == []
    page.goto(place.page(HOME))
    assert page.url.startswith(f"{place.hub}login")
