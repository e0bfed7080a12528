"""An admin's walk by clicks: what needs somebody, labs, queue, storage, settings, doctor, log."""

import re

import pytest
from bioskills_browser import examine
from bioskills_tests import sign_in
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

WIDTHS = (1280, 360)
SECTIONS = {
    "Overview": "Administration",
    "Labs": "Labs",
    "Grading jobs": "Grading jobs",
    "Storage": "Storage",
    "Settings": "Settings in effect",
    "Doctor": "Doctor",
    "Audit log": "Audit log",
}


def go(page: Page, section: str) -> None:
    """Click one link between the pages of the door."""
    page.get_by_role("navigation", name="Administration").get_by_role(
        "link", name=section, exact=True
    ).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SECTIONS[section])


def test_an_admins_walk_through_every_page(product, new_context, picture):
    page = new_context().new_page()
    sign_in(page, product, "ada")
    expect(page.get_by_role("heading", name="Administration", level=1)).to_be_visible()
    found = examine(page, "admin-overview-at-first", widths=WIDTHS)

    go(page, "Doctor")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("status")).to_contain_text("The checks are being made now.")
    found += examine(page, "admin-doctor-busy", widths=WIDTHS)
    again = page.get_by_role("link", name="Look again")
    done = page.get_by_role("rowheader", name="environments")
    for _look in range(120):
        if done.count():
            break
        again.click()
    expect(done).to_be_visible()

    go(page, "Labs")
    page.get_by_label("User name, pseudonym or mail address").fill("nobody at all")
    page.get_by_role("button", name="Start the lab").click()
    expect(page.get_by_role("alert")).to_contain_text("There is nobody called nobody at all.")
    found += examine(page, "admin-labs-refused", widths=WIDTHS)
    page.get_by_label("User name, pseudonym or mail address").fill("miro")
    page.get_by_role("button", name="Start the lab").click()
    expect(page.get_by_role("status")).to_contain_text("The lab of Miro")
    row = page.get_by_role("row").filter(has_text="Miro")
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text("of 2.0")
    found += examine(page, "admin-labs", widths=WIDTHS)
    row.get_by_role("link", name=re.compile("^Stop")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stop the lab of Miro")
    found += examine(page, "admin-stop", widths=WIDTHS)
    page.get_by_role("button", name="Stop the lab").click()
    expect(page.get_by_role("status")).to_contain_text("Miro")

    for section in ("Overview", "Grading jobs", "Storage", "Settings", "Doctor"):
        go(page, section)
        found += examine(page, f"admin-{section.lower().replace(' ', '-')}", widths=WIDTHS)
    go(page, "Audit log")
    page.get_by_label("What").select_option("stopped lab")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("table")).to_contain_text("Ada Admin")
    found += examine(page, "admin-audit", widths=WIDTHS)
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    assert "stopped lab" in taken.value.path().read_text()

    assert found == []


def test_the_whole_door_by_keyboard(product, signed_in):
    page = signed_in("ada")
    page.goto(f"{product.campus}admin")
    reached = []
    for _press in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))

    assert [name for name in SECTIONS if name not in reached] == []


@pytest.mark.parametrize("name", ["ina", "sofia", "max"])
def test_the_door_is_closed_to_everybody_else_and_says_so(product, signed_in, name):
    page = signed_in(name)
    page.goto(f"{product.campus}admin/labs")

    expect(page.get_by_role("heading", name="This is not open to you", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
