"""A real Chromium for the tests that click.

Pictures of every page that a test looks at are kept in tests/artefacts/.
Every request of every window is looked at: none may leave this machine.
"""

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from bioskills_browser import keep_picture
from bioskills_cohorts import bring_in, cohort_text
from bioskills_tests import sign_in
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
WINDOW = {
    "viewport": {"width": 1360, "height": 900},
    "locale": "en-GB",
    "timezone_id": "Europe/Berlin",
    # A colour half way between two themes is no fault: what fades over is not what is looked at.
    "reduced_motion": "reduce",
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a machine without it fails, loudly."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium on the PATH. Debian: apt install chromium"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


def is_here(address: str) -> bool:
    """Say whether an address is on this machine, or is no address of the network at all."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return parts.scheme in {"data", "blob", "about"} or (
        host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
    )


def watch(context: BrowserContext, outside: list[str]) -> None:
    """Write down every request and web socket to another machine."""

    def note(address: str) -> None:
        if not is_here(address):
            outside.append(address)

    context.on("request", lambda request: note(request.url))
    context.on("page", lambda page: page.on("websocket", lambda socket: note(socket.url)))


@pytest.fixture(scope="session")
def outside(browser: Browser) -> list[str]:
    """Requests to other machines by any window of the session."""
    return []


@pytest.fixture
def new_context(browser: Browser, outside: list[str]) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser windows that share nothing."""
    opened: list[BrowserContext] = []

    def new(**options: object) -> BrowserContext:
        context = browser.new_context(**{**WINDOW, **options})
        context.set_default_timeout(PATIENCE_MS)
        watch(context, outside)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
    assert not outside, f"requests to other machines: {outside}"


@pytest.fixture(scope="session")
def signed_in(product, browser: Browser, outside: list[str]) -> Iterator[Callable[[str], Page]]:
    """Return a person's campus window, signed in once a session; for looking only."""
    known: dict[str, Page] = {}

    def page_of(name: str) -> Page:
        if name not in known:
            context = browser.new_context(**WINDOW)
            context.set_default_timeout(PATIENCE_MS)
            watch(context, outside)
            page = known[name] = context.new_page()
            sign_in(page, product, name, product.campus)
            page.wait_for_url("**/services/campus/**")
        return known[name]

    yield page_of
    for page in known.values():
        page.context.close()
    assert not outside, f"requests to other machines: {outside}"


@pytest.fixture(scope="session")
def second_cohort(product) -> None:
    """Bring in a run whose practice is returned by hand, one of next week, and no run at all."""
    bring_in(
        product,
        cohort_text(
            "second",
            {"nora": "instructor", "tom": "learner", "uma": "learner", "lou": "learner"},
            runs=True,
        ),
        cohort_text("later", {"emil": "instructor"}, runs=True, opens_in_days=5),
        cohort_text("bare", {"olga": "instructor", "kim": "instructor learner"}, runs=False),
    )


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture of a page."""
    return lambda page, name: keep_picture(page, name) and None
