"""A learner's first minutes, from the link to the lab; and the admin who gave it out."""

import re
from collections.abc import Iterator

import pytest
from bioskills_accounts import GOOD, link_for
from bioskills_browser import examine, keep_picture
from bioskills_product import Product, running_product
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """An installation of these tests' own: they choose other passwords."""
    with running_product() as found:
        yield found


def test_from_the_link_to_the_lab(product, new_context):
    page = new_context(java_script_enabled=True).new_page()
    page.goto(link_for(product, "sofia", "reset"))
    found = examine(page, "join", widths=WIDTHS)
    page.get_by_role("button", name="Continue").click()
    assert "key=" not in page.url
    page.get_by_label("New password").fill("password12345")
    page.get_by_label("The same again").fill("password12345")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("alert")).to_contain_text("one of the first")
    found += examine(page, "join-password", widths=WIDTHS)
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.get_by_role("button", name="Set password").click()
    page.locator(".bsh-lab h1").wait_for()

    assert found == []


def test_the_way_in_needs_no_script(product, new_context):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(link_for(product, "ina", "reset"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.get_by_role("button", name="Set password").click()

    expect(page.get_by_role("heading", name="Courses")).to_be_visible()


def test_every_page_before_the_hub(product, new_context):
    page = new_context().new_page()
    page.goto(f"{product.url}/hub/login")
    found = examine(page, "sign-in", widths=WIDTHS)
    page.get_by_label("Username").fill("max")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    found += examine(page, "sign-in-refused", widths=WIDTHS)
    page.goto(f"{product.url}/hub/join?key=unknown")
    found += examine(page, "join-unknown", widths=WIDTHS)
    page.goto(link_for(product, "max", "reset"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/services/campus/**")
    off = ("second-factor-off", "/second-factor/off")
    for name, path in (("password", ""), ("second-factor", "/second-factor"), off):
        page.goto(f"{product.url}/hub/password{path}")
        found += examine(page, name, widths=WIDTHS)

    assert found == []


def test_the_pages_of_the_admin(product, new_context):
    page = new_context().new_page()
    page.goto(link_for(product, "ada", "reset"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password").fill(GOOD + " ada")
    page.get_by_label("The same again").fill(GOOD + " ada")
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/services/campus/**")
    here = f"{product.campus}people/demo/invitations"
    page.goto(here)
    found = examine(page, "invitations", widths=WIDTHS)
    page.get_by_role("link", name=re.compile("New password … Lea")).click()
    found += examine(page, "invitations-plan", widths=WIDTHS)
    page.get_by_role("button", name="Issue and show the sheet").click()
    expect(page.get_by_role("heading", name="1 link was issued")).to_be_visible()
    found += examine(page, "invitations-sheet", widths=WIDTHS)
    page.emulate_media(media="print")
    keep_picture(page, "page-invitations-print")
    page.emulate_media(media="screen")
    page.goto(f"{here}/revoke")
    found += examine(page, "invitations-revoke", widths=WIDTHS)

    assert found == []
