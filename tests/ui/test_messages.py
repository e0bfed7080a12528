"""A message to the cohort, from the instructor's form to the learner's panel and back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from bioskills_browser import examine, look, open_lab, panel
from bioskills_tests import sign_in
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

SAID = "Thursday's session begins at 10:30.\nSame link <as before>."
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def ina(product, new_context):
    page = new_context().new_page()
    sign_in(page, product, "ina")
    page.wait_for_url("**/services/campus/**")
    return page


def open_messages(page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Cohort demo").click()
    page.get_by_role("link", name="Messages").click()
    page.get_by_role("heading", name="Messages", level=1).wait_for()


def fill(page, text: str, days: int) -> None:
    until = datetime.now(ZONE) + timedelta(days=days)
    page.get_by_label("Message", exact=True).fill(text)
    end = page.get_by_role("group", name="Shown until")
    end.get_by_label("Day").fill(f"{until:%Y-%m-%d}")
    end.get_by_label("Time").fill("18:00")


def test_a_message_is_written_read_taken_away_and_shown_again(product, new_context, ina):
    open_messages(ina)
    expect(ina.get_by_text("No message was written to this cohort.")).to_be_visible()
    found = examine(ina, "messages-none")
    fill(ina, SAID, days=-1)
    ina.get_by_role("button", name="Show the message").click()
    expect(ina.get_by_role("alert")).to_contain_text("over before it is read")
    expect(ina.get_by_label("Message", exact=True)).to_have_value(SAID)
    found += examine(ina, "messages-refused")
    fill(ina, SAID, days=2)
    ina.get_by_role("button", name="Show the message").click()
    banner = ina.get_by_role("region", name="Message to Demo cohort")
    expect(banner).to_contain_text("Same link <as before>.")
    found += examine(ina, "messages-one")

    lab = open_lab(new_context(), product, "sofia")
    here = panel(lab).get_by_role("region", name="Message to Demo cohort")
    expect(here).to_contain_text("Same link <as before>.")
    found += look(lab, "panel-message")
    passport = lab.context.new_page()
    passport.goto(f"{product.campus}passport")
    expect(passport.get_by_role("region", name="Message to Demo cohort")).to_be_visible()

    ina.get_by_role("button", name="Take away").click()
    expect(ina.get_by_role("row").filter(has_text="Thursday")).to_contain_text("Taken away")
    expect(banner).to_have_count(0)
    passport.reload()
    expect(passport.get_by_role("region", name="Message to Demo cohort")).to_have_count(0)
    panel(lab).get_by_role("button", name="Refresh").click()
    expect(here).to_have_count(0)

    ina.get_by_role("button", name="Show again").click()
    expect(banner).to_be_visible()
    ina.get_by_role("link", name="Change").click()
    ina.get_by_label("Message", exact=True).fill("It begins at 11:00.")
    ina.get_by_role("button", name="Keep the change").click()
    expect(banner).to_contain_text("11:00")
    ina.get_by_role("button", name="Take away").click()
    expect(banner).to_have_count(0)
    assert found == []


@pytest.mark.parametrize("name", ["lea", "max"])
def test_who_does_not_teach_the_cohort_cannot_open_its_messages(product, signed_in, name):
    answer = signed_in(name).goto(f"{product.campus}cohorts/demo/messages")

    assert answer.status == 403


def test_an_assessor_reads_messages_and_has_no_form(product, signed_in):
    page = signed_in("asta")

    assert page.goto(f"{product.campus}cohorts/demo/messages").status == 200
    expect(page.get_by_role("button", name="Show the message")).to_have_count(0)
