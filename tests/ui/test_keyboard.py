"""Everything a learner does, with a keyboard alone; and the focus is always seen."""

import pytest
from bioskills_browser import GRADED_MS, RUN, button, card, dialog, open_lab, panel
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

PRACTICE = "Practice"
MOST_TABS = 60

FOCUS_IS_SEEN = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
}"""


def tab_to(page, target) -> None:
    """Press Tab until the target has the focus, which must then be seen."""
    for _press in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            assert page.evaluate(FOCUS_IS_SEEN), target
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{target} was not reached by {MOST_TABS} times Tab")


def tab_back_to(page, target) -> None:
    for _press in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            assert page.evaluate(FOCUS_IS_SEEN), target
            return
        page.keyboard.press("Shift+Tab")
    pytest.fail(f"{target} was not reached by {MOST_TABS} times Shift+Tab")


def open_panel(page) -> None:
    """Close and open the panel from the side bar, as arrow keys and Enter do."""
    tab = page.get_by_role("tab", name="My training")
    tab.focus()
    assert page.evaluate(FOCUS_IS_SEEN)
    page.keyboard.press("Enter")


def read_feedback(page, mine) -> None:
    see = button(mine, "See feedback")
    expect(see).to_be_visible(timeout=GRADED_MS)
    tab_to(page, see)
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Feedback on Practice", level=1)
    expect(heading).to_be_visible()
    feedback = page.locator(".bsh-feedback")
    first = feedback.get_by_role("navigation", name="Criteria").get_by_role("button").first
    tab_to(page, first)
    page.keyboard.press("Enter")
    expect(feedback.locator(":focus")).to_have_text(first.inner_text())


def test_a_learner_works_from_start_to_feedback_by_keyboard_alone(product, new_context, picture):
    page = open_lab(new_context(), product, "miro")
    mine = card(page, PRACTICE)
    open_panel(page)
    if not panel(page).is_visible():
        page.keyboard.press("Enter")
    refresh = panel(page).get_by_role("button", name="Refresh")
    tab_to(page, refresh)
    tab_to(page, button(mine, "Start"))
    picture(page, "keyboard-1-focus-on-start")
    page.keyboard.press("Enter")
    page.locator(".jp-Notebook:visible .jp-CodeCell").first.wait_for()

    # From the notebook back to the panel: Escape leaves the cell, the side bar is a tab stop.
    expect(button(mine, "Check my work")).to_be_visible()
    open_panel(page)
    if not panel(page).is_visible():
        page.keyboard.press("Enter")
    tab_to(page, button(mine, "Check my work"))
    page.keyboard.press("Enter")
    expect(mine.locator(".bsh-check")).to_be_visible(timeout=GRADED_MS)
    # The button that was pressed keeps the focus, so that nobody has to begin again.
    expect(button(mine, "Check my work")).to_be_focused()
    place = mine.locator(".bsh-check").get_by_role("button").first
    tab_back_to(page, place)
    tab_to(page, button(mine, "Hand in without checking"))
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    picture(page, "keyboard-2-dialog")

    # Escape is the same as going back: nothing is sent, and the focus is where it was.
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(button(mine, "Hand in without checking")).to_be_focused()
    expect(mine.get_by_text("Being graded")).to_have_count(0)
    page.keyboard.press("Enter")
    anyway = dialog(page).get_by_role("button", name="Hand in anyway")
    anyway.wait_for()
    tab_to(page, anyway)
    page.keyboard.press("Enter")
    closing = dialog(page).get_by_role("button", name="Close")
    expect(closing).to_be_focused()
    picture(page, "keyboard-3-receipt")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(panel(page).locator(":focus")).to_have_count(1)

    read_feedback(page, mine)
    picture(page, "keyboard-4-feedback")


@pytest.mark.parametrize("path", ["courses", f"runs/{RUN}", "cohorts/demo", "tokens", "nonsense"])
def test_the_first_tab_of_a_page_is_the_way_past_its_head(product, signed_in, path):
    page = signed_in("ina")
    page.goto(product.campus + path)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    assert page.evaluate(FOCUS_IS_SEEN)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    first = page.evaluate("document.activeElement.closest('main, footer')?.tagName")
    assert first in {"MAIN", "FOOTER"}


def test_every_stop_of_a_page_shows_its_focus_and_none_is_hidden(product, signed_in):
    page = signed_in("ina")
    page.goto(f"{product.campus}runs/{RUN}/assignments/p1")
    stops = 0
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if where.startswith("<body"):
            break
        stops += 1
        assert page.evaluate(FOCUS_IS_SEEN), where
        assert page.evaluate(
            """() => {
                const box = document.activeElement.getBoundingClientRect();
                const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return !top || document.activeElement.contains(top) || top.contains(document.activeElement);
            }"""
        ), where

    assert stops > 15
