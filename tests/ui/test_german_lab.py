"""JupyterLab speaks the language of whose lab it is, unless they chose another one in Lab itself."""

import re
from collections.abc import Iterator

import pytest
from bioskills_browser import axe_faults, keep_picture, open_lab, panel
from bioskills_product import Product, running_product
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

GERMAN = {"locale": "de-DE"}


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """An installation of these tests alone: a lab keeps the language that it began with."""
    with running_product() as found:
        yield found


def menu(page: Page, label: str):
    return page.locator("#jp-MainMenu .lm-MenuBar-itemLabel").get_by_text(label, exact=True)


def german_lab(context, product, name: str) -> Page:
    page = context.new_page()
    page.goto(product.url)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(product.password(name))
    page.locator("button[type=submit]").click()
    expect(panel(page).get_by_role("heading", name="Mein Lernen")).to_be_visible()
    return page


def test_a_german_learner_s_lab_is_german_and_an_english_learner_s_is_not(product, new_context):
    page = german_lab(new_context(**GERMAN), product, "lea")

    for label in ("Datei", "Bearbeiten", "Anzeigen", "Einstellungen", "Hilfe"):
        expect(menu(page, label)).to_be_visible()
    expect(panel(page).get_by_role("heading", name="Als Nächstes")).to_be_visible()
    keep_picture(page, "lab-german-menus")
    assert axe_faults(page, ".bsh-lab") == []

    english = open_lab(new_context(), product, "miro")

    expect(menu(english, "File")).to_be_visible()
    expect(menu(english, "Datei")).to_have_count(0)
    expect(panel(english).get_by_role("heading", name="My training")).to_be_visible()


def test_who_chooses_a_language_in_jupyterlab_keeps_it(product, new_context):
    page = german_lab(new_context(**GERMAN), product, "sofia")
    menu(page, "Einstellungen").click()
    page.locator(".lm-Menu-item", has_text="Sprache").first.hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Engli")).click()
    with page.expect_navigation():
        page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(menu(page, "File")).to_be_visible()

    # The next lab is made for who reads German, and finds what they chose in their home.
    page.goto(f"{product.url}/hub/home")
    page.locator("#stop").click()
    expect(page.locator("#stop")).to_be_hidden()
    page.goto(f"{product.url}/hub/spawn")

    expect(panel(page).get_by_role("heading", name="My training")).to_be_visible()
    expect(menu(page, "File")).to_be_visible()
