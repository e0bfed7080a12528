"""The main job, end to end, in a real browser (step 0; it stays green).

A learner signs in, works in a real JupyterLab on real sequence data, hands in,
is graded by the real grader, and sees which competence that proves.
"""

import re
import time

import pytest
from bioskills_browser import GRADED_MS, button, card, write_answers
from bioskills_http import the
from bioskills_tests import sign_in
from bioskills_waiting import halted
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

MOST_CLICKS = 12
PROGRESS = re.compile(r"Place \d+ in the queue|Running: \d+ of \d+ cells|It is being graded")
WRITE_DOWN = """() => {
  window.said = new Set();
  const note = () => document.querySelectorAll('.bsh-card p').forEach(p => window.said.add(p.textContent));
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_a_learner_hands_in_and_an_outcome_changes_in_the_passport(product, new_context, picture):
    context = new_context()
    page = context.new_page()
    counter = {"clicks": 0}

    def click(locator):
        counter["clicks"] += 1
        locator.click()

    sign_in(page, product, "lea")
    counter["clicks"] += 1
    page.locator(".bsh-lab h1").wait_for()
    practice = card(page, "Practice")
    expect(button(practice, "Start")).to_be_visible()
    picture(page, "thread-1-lab")

    click(button(practice, "Start"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    write_answers(page, "p1")
    click(button(practice, "Check my work"))
    expect(button(practice, "Hand in")).to_be_visible()
    picture(page, "thread-2-checked")

    page.evaluate(WRITE_DOWN)
    with halted(the(product, "bioskills.graders")):  # until the learner was told what it will do
        click(button(practice, "Hand in"))
        page.get_by_role("dialog").get_by_text("Handed in").first.wait_for()
        handed_in = time.monotonic()
        picture(page, "thread-3-receipt")
        assert counter["clicks"] < MOST_CLICKS
        click(page.get_by_role("dialog").get_by_role("button", name="Close"))
        expect(practice.get_by_text(PROGRESS)).to_be_visible()

    expect(button(practice, "See feedback")).to_be_visible(timeout=GRADED_MS)
    print(
        f"{counter['clicks']} clicks to the receipt closed, feedback after {time.monotonic() - handed_in:.1f} s"
    )
    said = page.evaluate("[...window.said]")
    print("while it was graded the card said:", said)
    assert any(PROGRESS.match(sentence) for sentence in said), said
    click(button(practice, "See feedback"))
    expect(page.get_by_role("heading", name="Feedback on Practice", level=1)).to_be_visible()
    expect(page.get_by_text("BEGIN HIDDEN TESTS")).to_have_count(0)
    picture(page, "thread-4-feedback")

    passport = context.new_page()
    passport.goto(f"{product.campus}passport")
    expect(passport.get_by_role("heading", name="Competence passport")).to_be_visible()
    expect(passport.get_by_text("Developing").first).to_be_visible()
    picture(passport, "thread-5-passport")
