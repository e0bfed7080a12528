"""The instructor's door in a real browser: grades, late work, decisions, who looked, who left."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from bioskills_browser import card, examine, open_lab
from bioskills_product import Product, running_product
from bioskills_tests import sign_in
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

ZONE = ZoneInfo("Europe/Berlin")
DELIVERY = "Check the delivery"
WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """An installation of these tests' own: nobody has handed anything in."""
    with running_product() as found:
        yield found


@pytest.fixture
def ina(product, new_context):
    """The instructor's window on the page of the course, reached by clicks."""
    page = new_context().new_page()
    sign_in(page, product, "ina")
    page.wait_for_url("**/services/campus/**")
    page.get_by_role("link", name="First steps with sequences").click()
    return page


def open_assignment(page) -> None:
    page.locator("table.board").get_by_role("link", name=DELIVERY, exact=True).click()


def decide(page, kind: str, learner: str, reason: str) -> None:
    page.get_by_role("link", name="More time, excuse, another attempt").click()
    page.get_by_label(re.compile(f"^{learner}")).check()
    page.get_by_label(re.compile(f"^{kind}")).check()
    there = datetime.now(ZONE) + timedelta(days=10)
    page.locator("#date").fill(f"{there:%Y-%m-%d}")
    page.locator("#time").fill("17:45")
    page.get_by_label("Reason, which the learner reads").fill(reason)
    page.get_by_role("button", name="Decide").click()


def test_grades_are_sorted_named_and_taken_as_a_file_by_clicks(ina):
    ina.get_by_role("link", name="Grades").click()
    expect(ina.get_by_role("heading", name="Grades", level=1)).to_be_visible()
    expect(ina.locator("table.grades")).not_to_contain_text("Miro Petrov")
    ina.get_by_role("link", name="Names").click()
    expect(ina.locator("table.grades")).to_contain_text("Miro Petrov")
    ina.get_by_role("link", name="Total without practice").click()
    expect(ina.locator("th[aria-sort=descending]")).to_contain_text("Total")
    with ina.expect_download() as taken:
        ina.get_by_role("link", name="Excel").click()
    assert taken.value.suggested_filename.endswith(".xlsx")
    assert examine(ina, "door-grades", widths=WIDTHS) == []


def test_the_rule_for_late_work_is_set_by_keyboard_and_read_on_the_learners_card(
    product, ina, new_context
):
    open_assignment(ina)
    ina.get_by_role("link", name="Change the rule for late work").focus()
    ina.keyboard.press("Enter")
    expect(ina.get_by_role("heading", name="Late work", level=1)).to_be_visible()
    assert examine(ina, "door-late", widths=WIDTHS) == []
    ina.get_by_label("Taken for some days").focus()
    ina.keyboard.press("Space")
    ina.keyboard.press("Tab")
    ina.keyboard.type("3")
    ina.keyboard.press("Tab")
    ina.keyboard.press("Control+a")
    ina.keyboard.type("10")
    ina.keyboard.press("Enter")
    expect(ina.get_by_role("status")).to_contain_text("The rule for late work is set.")

    learner = open_lab(new_context(), product, "miro")

    expect(card(learner, DELIVERY)).to_contain_text("each day begun costs 10 % of the points")


def test_a_decision_is_made_read_by_the_learner_and_taken_back(product, ina, new_context):
    open_assignment(ina)
    decide(ina, "Excuse", "Miro Petrov", "You were ill.")
    expect(ina.get_by_role("status")).to_contain_text("1 learner is excused.")
    assert examine(ina, "door-decisions", widths=WIDTHS) == []

    learner = open_lab(new_context(), product, "miro")
    expect(card(learner, DELIVERY)).to_contain_text("You are excused: You were ill.")

    ina.get_by_role("button", name="Take back").click()
    expect(ina.get_by_role("status")).to_contain_text("It is taken back.")
    expect(ina.get_by_text("Nothing is decided for anybody here.")).to_be_visible()


def test_a_refused_decision_says_every_fault_and_keeps_what_was_typed(ina):
    open_assignment(ina)
    ina.get_by_role("link", name="More time, excuse, another attempt").click()
    ina.locator("#time").fill("17:45")
    ina.get_by_role("button", name="Decide").click()

    expect(ina.get_by_role("alert")).to_contain_text("Nobody is chosen.")
    expect(ina.get_by_role("alert")).to_contain_text("The reason is empty.")
    expect(ina.locator("#time")).to_have_value("17:45")
    expect(ina.locator("#faults")).to_be_focused()
    assert examine(ina, "door-refused", widths=WIDTHS) == []


def test_the_learner_sees_who_looked_and_the_instructor_sees_who_left(product, ina, new_context):
    ina.get_by_role("link", name="Grades").click()
    learner = new_context().new_page()
    sign_in(learner, product, "sofia", product.campus)
    learner.wait_for_url("**/services/campus/**")
    learner.get_by_role("link", name="Who looked at my work").click()
    expect(learner.get_by_role("table")).to_contain_text("saw your points in the table of grades")
    assert examine(learner, "door-looks", widths=WIDTHS) == []

    learner.get_by_role("link", name="Passport").first.click()
    learner.get_by_role("link", name="Leave the cohort").click()
    assert examine(learner, "door-leave", widths=WIDTHS) == []
    learner.get_by_label("Reason").fill("No time in this half year.")
    learner.get_by_role("button", name="Leave the cohort").click()
    expect(learner.get_by_role("heading", name="You have left", level=1)).to_be_visible()

    ina.get_by_role("link", name="Cohort demo").click()
    ina.get_by_role("link", name="Who left").click()
    expect(ina.get_by_role("table")).to_contain_text("by their own wish")
    assert examine(ina, "door-left", widths=WIDTHS) == []
    ina.get_by_role("button", name="Give the seat back").click()
    expect(ina.get_by_text("Nobody has left this cohort.")).to_be_visible()


def test_the_view_as_a_learner_says_so_and_offers_nothing_to_send(ina):
    open_assignment(ina)
    ina.get_by_role("link", name=re.compile("^as learner ?: Miro Petrov$")).click()

    expect(ina.get_by_role("heading", name="As Miro Petrov sees it", level=1)).to_be_visible()
    expect(ina.get_by_text("and you are still yourself.")).to_be_visible()
    expect(ina.locator("main form")).to_have_count(0)
    assert examine(ina, "door-as-learner", widths=WIDTHS) == []
