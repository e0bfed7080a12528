"""A real Chromium for the tests that click.

Pictures of every page that a test looks at are kept in tests/artefacts/.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARTEFACTS = Path(__file__).parent.parent / "artefacts"
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a machine without it fails, loudly."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "No Chromium on the PATH. Debian: apt install chromium"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser windows that share nothing."""
    opened: list[BrowserContext] = []

    def new(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1360, "height": 900}, "locale": "en-GB", "timezone_id": "Europe/Berlin", **options})
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture of a page."""
    ARTEFACTS.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True) and None
