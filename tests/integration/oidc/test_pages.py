"""What a person sees on the way in, in a real browser."""

from collections.abc import Iterator

import pytest
from bioskills_browser import examine
from bioskills_product import Product
from bioskills_provider import Provider
from playwright.sync_api import Page, sync_playwright

pytestmark = [pytest.mark.ui, pytest.mark.integration]

WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser.new_page(bypass_csp=True)
        browser.close()


def test_who_is_refused_reads_why_and_whom_to_ask_and_can_take_another_account(
    place: Product, provider: Provider, page: Page
) -> None:
    provider.put("s-eva", email="eva@example.org", email_verified=True)
    provider.put("s-ina", email="ina@example.org", email_verified=True)
    page.goto(f"{place.url}/hub/login")
    page.get_by_role("button", name="Sign in with Example University").click()
    page.locator("input[name=sub]").fill("s-eva")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_role("heading", name="You are not signed in here").wait_for()
    assert page.get_by_text("training@example.org").first.is_visible()
    faults = examine(page, "oidc-refused", "#bsh-refused", WIDTHS)
    page.get_by_role("link", name="Sign in with another account").click()
    assert "prompt=select_account" in page.url
    page.locator("input[name=sub]").fill("s-ina")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url("**/services/campus/**")

    assert faults == []
