"""What a learner sees when something is away, dies, or is not allowed any more."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager, suppress

import pytest
from bioskills_browser import (
    GRADED_MS,
    button,
    card,
    dialog,
    hand_in_without_check,
    open_lab,
    panel,
    start,
)
from bioskills_product import ENVIRONMENTS
from bioskills_tests import sign_in
from bioskills_waiting import eventually
from playwright.sync_api import Error, expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

PRACTICE, DELIVERY = "Practice", "Check the delivery"


def supervisor(product, *words: str) -> None:
    """Speak to the installation's own supervisor."""
    program = str(ENVIRONMENTS / "hub" / "bin" / "supervisorctl")
    config = str(product.data / "state/machine/supervisord.conf")
    subprocess.run([program, "-c", config, *words], check=True, capture_output=True, timeout=60)


@contextmanager
def without_campus(product):
    """Stop the campus, and start it again whatever happens meanwhile."""
    supervisor(product, "stop", "campus")
    try:
        yield
    finally:
        supervisor(product, "start", "campus")


def kernels_of(product, name: str) -> list[int]:
    """Return the kernels of a learner's lab, found by the uid that owns them."""
    uid = product.uid(name)
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid:
                with open(f"/proc/{pid}/cmdline", "rb") as line:
                    found += [int(pid)] if b"ipykernel" in line.read() else []
        except OSError:
            continue
    return found


def test_while_the_campus_is_away_nothing_is_lost_and_handing_in_works_afterwards(
    product, second_cohort, new_context, picture
):
    page = open_lab(new_context(), product, "lou")
    start(page, PRACTICE)
    with without_campus(product):
        hand_in = button(card(page, PRACTICE), "Hand in without checking")
        hand_in.click()
        dialog(page).get_by_role("button", name="Hand in anyway").click()
        mine = card(page, PRACTICE)
        expect(mine.get_by_text("Not handed in")).to_be_visible()
        expect(mine.locator(".bsh-fault")).to_contain_text("nothing is lost")
        picture(page, "failed-1-hand-in-while-away")
        panel(page).get_by_role("button", name="Refresh").click()
        expect(panel(page).get_by_role("region", name="Problem")).to_contain_text("nothing is lost")
        expect(panel(page).get_by_role("region", name="Problem")).to_contain_text("was known")
        expect(mine).to_be_visible()
        picture(page, "failed-2-refresh-while-away")

        # The campus's own pages are away, too, and the proxy says so in a page.
        other = page.context.new_page()
        answer = other.goto(f"{product.campus}passport")
        assert answer.status in {503, 504}
        expect(other.locator("body")).not_to_contain_text("Traceback")
        picture(other, "failed-3-campus-page-while-away")

    button(card(page, PRACTICE), "Try to hand in again").click()
    anyway = dialog(page).get_by_role("button", name="Hand in anyway")
    anyway.click()
    expect(dialog(page).get_by_text("Handed in").first).to_be_visible()
    dialog(page).get_by_role("button", name="Close").click()
    expect(panel(page).get_by_role("region", name="Problem")).to_have_count(0)


def test_a_sign_in_outlives_a_restart_of_campus_and_hub(product, new_context):
    page = new_context().new_page()
    sign_in(page, product, "ina", product.campus)
    page.wait_for_url("**/services/campus/courses")
    with without_campus(product):
        pass
    supervisor(product, "restart", "hub")
    # Our page for what does not answer loads itself again: a visit may meet that.
    eventually(lambda: status_of(page, f"{product.campus}courses") == 200, step=0.5)

    expect(page.get_by_role("heading", name="Courses", level=1)).to_be_visible()


def status_of(page, address: str) -> int:
    """Return how a page answers; 0 where another navigation came between."""
    with suppress(Error):
        return page.goto(address).status
    return 0


def test_a_kernel_that_dies_during_a_check_is_told_and_the_next_check_works(
    product, second_cohort, new_context, picture
):
    page = open_lab(new_context(), product, "uma")
    start(page, PRACTICE)
    # The notebook's own kernel is another one: it is there before the check begins.
    expect(page.get_by_text("Python 3 (course) | Idle")).to_be_visible()
    before = set(kernels_of(product, "uma"))
    begun = product.data / "homes" / str(product.uid("uma")) / "begun"
    slow = f"import time; open({str(begun)!r}, 'w').close(); time.sleep(600)\n"
    first = page.locator(".jp-Notebook:visible .jp-CodeCell")
    first = first.filter(has_text="def count_records").first.locator(".cm-content")
    first.click()
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text(slow)
    button(card(page, PRACTICE), "Check my work").click()
    expect(card(page, PRACTICE).get_by_text("Checking your work")).to_be_visible()
    assert eventually(begun.exists), "a kernel that dies in its start is another case"
    for pid in set(kernels_of(product, "uma")) - before:
        os.kill(pid, signal.SIGKILL)

    told = card(page, PRACTICE)
    stopped = told.get_by_text("The kernel stopped while a cell ran.").first
    expect(stopped).to_be_visible()
    expect(told.get_by_text("Checking your work")).to_have_count(0)
    picture(page, "failed-4-kernel-died")

    first.click()
    page.keyboard.press("Control+Home")
    for _letter in slow:
        page.keyboard.press("Delete")
    button(told, "Check my work").click()
    expect(told.locator(".bsh-check")).to_contain_text("not pass yet", timeout=GRADED_MS)
    picture(page, "failed-5-checked-after-all")


def test_the_last_attempt_is_said_to_be_the_last_and_no_further_is_offered(
    product, second_cohort, new_context, picture
):
    page = open_lab(new_context(), product, "uma")
    start(page, DELIVERY)
    hand_in_without_check(page, DELIVERY)
    mine = card(page, DELIVERY)
    expect(button(mine, "See feedback")).to_be_visible(timeout=GRADED_MS)
    expect(mine.get_by_text("Attempt 1 of 1 · 0 left")).to_be_visible()
    button(mine, "See feedback").click()
    expect(page.get_by_role("heading", name=f"Feedback on {DELIVERY}", level=1)).to_be_visible()

    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    picture(page, "failed-6-no-attempt-left")


def test_who_opens_a_second_time_in_vain_is_told_why(product, second_cohort, new_context):
    """The server part asks the campus, which counts: the panel's buttons are no wall."""
    page = open_lab(new_context(), product, "uma")
    answer = page.evaluate(
        """async () => {
            const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
            const reply = await fetch('/user/uma/bioskills/hand-in', {
                method: 'POST', headers: {'X-XSRFToken': xsrf, 'Content-Type': 'application/json'},
                body: JSON.stringify({run: 'second-run', assignment: 's1', anyway: true})});
            return [reply.status, await reply.text()];
        }"""
    )

    assert answer[0] == 409, answer
    assert "You have used the only attempt of" in json.loads(answer[1])["message"]
