"""axe-core finds nothing on any page or panel of ours, light and dark, wide and narrow."""

import pytest
from bioskills_browser import (
    GRADED_MS,
    RUN,
    axe_faults,
    button,
    card,
    dialog,
    examine,
    in_both_themes,
    look,
    open_lab,
    panel,
    start,
    write_answers,
)
from bioskills_tests import sign_in
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

PRACTICE = "Practice"


def test_axe_itself_finds_what_is_wrong(product, signed_in):
    page = signed_in("ina")
    page.goto(f"{product.campus}courses")
    page.evaluate("document.querySelector('main').append(new Image())")

    assert any(fault.startswith("image-alt") for fault in axe_faults(page))


def test_the_panel_its_dialogs_and_the_feedback_in_lab(product, new_context):
    page = open_lab(new_context(), product, "sofia")
    mine = card(page, PRACTICE)
    found = in_both_themes(page, "1-new")
    start(page, PRACTICE)
    button(mine, "Check my work").click()
    expect(mine.locator(".bsh-check")).to_be_visible(timeout=GRADED_MS)
    mine.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    found += in_both_themes(page, "2-checked")
    button(mine, "Hand in without checking").click()
    dialog(page).wait_for()
    found += look(page, "3-not-written")
    dialog(page).get_by_role("button", name="Go on working").click()
    write_answers(page, "p1", skip=["def count_records(path):"])
    button(mine, "Hand in without checking").click()
    dialog(page).get_by_role("button", name="Hand in anyway").click()
    dialog(page).get_by_text("Fingerprint").wait_for()
    found += look(page, "4-receipt")
    dialog(page).get_by_role("button", name="Close").click()
    expect(button(mine, "See feedback")).to_be_visible(timeout=GRADED_MS)
    button(mine, "See feedback").click()
    expect(page.get_by_role("heading", name="Feedback on Practice", level=1)).to_be_visible()
    found += in_both_themes(page, "5-feedback")
    expect(panel(page).get_by_role("region", name="Last feedback")).to_contain_text("points")

    assert found == []


INSTRUCTOR = {
    "courses": "courses",
    "run": f"runs/{RUN}",
    "assignment": f"runs/{RUN}/assignments/p1",
    "assignment-delivery": f"runs/{RUN}/assignments/s1",
    "close": f"runs/{RUN}/assignments/p1/close",
    "return-none": f"runs/{RUN}/assignments/p1/return",
    "grading-of-a-run": f"runs/{RUN}/grading",
    "cohort": "cohorts/demo",
    "cohort-names": "cohorts/demo?names=1&order=progress",
    "passport-of-another": "passport/p-000003",
    "tokens": "tokens",
    "forbidden": "runs/nobodys-run",
    "not-found": "nonsense",
}
EMPTY = {
    "emil": {
        "empty-run": "runs/later-run",
        "empty-grading": "runs/later-run/grading",
        "empty-cohort": "cohorts/later",
    },
    "olga": {"empty-courses": "courses", "empty-tokens": "tokens", "empty-plan": "cohorts/bare"},
    "kim": {"both-roles": ""},
    "lou": {"empty-passport": "passport", "not-for-learners": "courses"},
}


def test_every_page_of_a_learner(product, signed_in):
    page = signed_in("sofia")
    page.goto(f"{product.campus}passport")
    found = examine(page, "passport")
    link = page.get_by_role("link", name=PRACTICE)
    if link.count():
        link.first.click()
        expect(page.get_by_role("heading", name="Feedback on Practice", level=1)).to_be_visible()
        found += examine(page, "feedback")

    assert found == []


@pytest.mark.parametrize("name", INSTRUCTOR)
def test_every_page_of_an_instructor(product, signed_in, name):
    page = signed_in("ina")
    page.goto(product.campus + INSTRUCTOR[name])

    assert examine(page, name) == []


def test_a_page_that_refuses_and_a_page_with_a_new_token(product, signed_in):
    page = signed_in("ina")
    page.goto(f"{product.campus}runs/{RUN}/assignments/p1")
    form = page.locator("form.panel").filter(has=page.get_by_role("heading", name="More time"))
    form.locator("input[name=date]").fill("2020-01-01")
    form.locator("input[name=time]").fill("10:00")
    form.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found = examine(page, "refused")
    page.goto(f"{product.campus}tokens")
    page.get_by_label("Name").fill("office computer")
    page.get_by_role("button", name="Make token").click()
    assert page.get_by_label("New token").input_value().startswith("bsh_")
    found += examine(page, "token-made")
    page.get_by_role("button", name="Revoke office computer").click()
    expect(page.get_by_text("revoked")).to_be_visible()
    found += examine(page, "token-revoked")

    assert found == []


@pytest.mark.parametrize("name", EMPTY)
def test_every_page_with_nothing_on_it(product, second_cohort, signed_in, name):
    page = signed_in(name)
    found = []
    for what, path in EMPTY[name].items():
        page.goto(product.campus + path)
        found += examine(page, what)

    assert found == []


def test_the_page_of_an_ended_session_and_the_switch_of_the_theme(product, new_context):
    page = new_context(color_scheme="dark").new_page()
    sign_in(page, product, "ina", f"{product.campus}courses")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Dark mode").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.context.clear_cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()

    assert examine(page, "signed-out") == []
