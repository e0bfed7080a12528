"""A German learner's first day: told once who runs this, then everything in German."""

import re
from collections.abc import Iterator

import pytest
from bioskills_browser import axe_faults, examine, keep_picture, panel, sideways
from bioskills_product import running_product
from playwright.sync_api import Page, expect
from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.hub.papers import Line, Part, last_seen, parts_of, put_in_force

pytestmark = [pytest.mark.ui, pytest.mark.integration]

PHONE = {"width": 360, "height": 800}
GERMAN = {"locale": "de-DE", "timezone_id": "Europe/Berlin"}
FACTS = {
    "PAPERS_AT_FIRST_SIGN_IN": "true",
    "PAPERS_RETENTION": "bis 12 Monate nach Kursende",
    "SITE_OPERATOR": "Musterschule GmbH",
    "SITE_HELP_CONTACT": "hilfe@example.org",
}


@pytest.fixture(scope="module")
def told_product() -> Iterator[object]:
    """An installation that tells its people first, as every real one does."""
    with running_product(**FACTS) as found:
        yield found


def language_of(page: Page) -> str:
    return page.locator("html").get_attribute("lang")


def sign_in(page: Page, product, name: str, address: str = "") -> None:
    page.goto(address or product.url)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(product.password(name))
    page.locator("button[type=submit]").click()


def both_widths(page: Page, name: str, scope: str = "") -> list[str]:
    return examine(page, name, scope, widths=(1280, 360))


def hub_page_at(page: Page, name: str) -> list[str]:
    """Look at a page of the hub, whose own style sheet is not ours, in both themes and widths."""
    faults = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            keep_picture(page, f"hub-{name}-{theme}-{width}")
            faults += [f"{name}-{theme}-{width}: {fault}" for fault in axe_faults(page)]
            faults += [f"{name}-{width}: too wide"] if sideways(page) > 0 else []
    page.set_viewport_size({"width": 1280, "height": 900})
    return faults


def test_a_german_learner_s_first_day(told_product, new_context):
    page = new_context(**GERMAN).new_page()
    page.goto(told_product.url)
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    assert language_of(page) == "de"
    found = hub_page_at(page, "sign-in-de")

    sign_in(page, told_product, "lea")
    page.wait_for_url("**/papers/first?next=lab")
    assert language_of(page) == "de"
    paper = page.get_by_role("main")
    expect(paper).to_contain_text("Musterschule GmbH")
    expect(paper).to_contain_text("bis 12 Monate nach Kursende")
    found += both_widths(page, "paper-de")
    page.get_by_role("button", name="Weiter").click()

    expect(panel(page).get_by_role("heading", name="Mein Lernen")).to_be_visible()
    expect(panel(page).get_by_role("heading", name="Als Nächstes")).to_be_visible()
    expect(panel(page)).to_contain_text("Hilfe: hilfe@example.org")
    expect(panel(page).get_by_role("button", name=re.compile("^Beginnen ?:")).first).to_be_visible()
    # What the server part and the campus word reaches the panel in German, too.
    expect(panel(page)).to_contain_text(re.compile("Lektion 1 von \\d+, etwa \\d+ Minuten"))
    keep_picture(page, "lab-german")
    found += axe_faults(page, ".bsh-lab")

    page.goto(f"{told_product.campus}passport")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kompetenzpass")
    assert language_of(page) == "de"
    found += both_widths(page, "passport-de")
    page.goto(f"{told_product.url}/hub/spawn")
    expect(panel(page).get_by_role("heading", name="Mein Lernen")).to_be_visible()

    assert found == []


def test_who_begins_at_the_campus_is_told_there_first(told_product, new_context):
    page = new_context().new_page()
    sign_in(page, told_product, "ina", f"{told_product.campus}tokens")
    page.wait_for_url("**/papers/first?next=*")
    assert language_of(page) == "en"
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/services/campus/tokens")
    page.goto(f"{told_product.campus}papers")
    expect(page.get_by_role("heading", name="Who sees it")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_have_count(0)


def test_a_choice_of_language_and_zone_is_kept(told_product, new_context):
    page = new_context().new_page()
    sign_in(page, told_product, "asta", f"{told_product.campus}courses")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Asta Nyström").click()
    found = both_widths(page, "your-settings")
    page.get_by_label("Time zone").fill("Europe/Belrin")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no time zone 'Europe/Belrin'.")
    expect(page.get_by_role("main")).to_contain_text("Did you mean Europe/Berlin?")
    found += both_widths(page, "your-settings-fault")
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_contain_text("Gespeichert.")
    assert language_of(page) == "de"
    found += both_widths(page, "your-settings-saved")
    page.goto(f"{told_product.campus}runs/demo-sequences-first-steps")
    expect(page.get_by_role("main")).to_contain_text("America/New_York")

    assert found == []


def test_signed_out_people_read_the_papers_and_choose_a_language(told_product, new_context):
    page = new_context().new_page()
    page.goto(told_product.url)
    page.get_by_role("link", name="Accessibility").click()
    expect(page.get_by_role("heading", name="What we aim at")).to_be_visible()
    found = both_widths(page, "accessibility")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Barrierefreiheit dieser Website")).to_be_visible()
    page.goto(told_product.url)
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "/hub/login" in page.url
    page.get_by_role("link", name="Privacy").click()
    expect(page.get_by_role("heading", name="Who runs this")).to_be_visible()

    assert found == []


def test_a_changed_text_is_shown_again_with_what_changed(told_product, new_context):
    page = new_context(locale="en-GB").new_page()
    sign_in(page, told_product, "max", f"{told_product.campus}your-settings")
    page.goto(f"{told_product.campus}papers/first")
    page.get_by_role("button", name="Go on").click()
    store = Store(f"sqlite:///{told_product.data}/state/db/bioskills.sqlite")
    with store.transaction() as session:
        kept = last_seen(session, session.scalar(select(Person.id).where(Person.name == "max")))
        before = parts_of(kept[1], "en")
        after = [Part("Who runs this", (Line("Another company."),)), *before[1:]]
        put_in_force(session, {"en": after, "de": after}, now())
        assert kept[0].language == "en"
    store.close()

    page.goto(f"{told_product.campus}tokens")
    page.wait_for_url("**/papers/first?next=*")
    expect(page.get_by_role("status")).to_contain_text("This text has changed")
    changed = page.get_by_role("region", name="What changed")
    expect(changed).to_contain_text("Another company.")
    changed.get_by_text("How it was before").click()
    expect(changed).to_contain_text("Musterschule GmbH")
    found = both_widths(page, "paper-changed")
    page.get_by_role("button", name="Go on").click()
    page.goto(f"{told_product.campus}your-settings")
    expect(page.get_by_role("heading", name="Your settings")).to_be_visible()

    assert found == []
