"""The instructor's day in a real browser, on what a learner really handed in."""

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from bioskills_browser import (
    GRADED_MS,
    RUN,
    button,
    card,
    examine,
    hand_in_without_check,
    open_lab,
    panel,
    start,
    write_answers,
    write_texts,
)
from bioskills_tests import sign_in
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

ZONE = ZoneInfo("Europe/Berlin")
PRACTICE, DELIVERY = "Practice", "Check the delivery"
LOGOUT_FELT_S = 60
RETURN = re.compile(r"^Return to \d learners?$")


@pytest.fixture
def ina(product, new_context):
    """The instructor's window, signed in at the address that everybody types."""
    page = new_context().new_page()
    sign_in(page, product, "ina")
    page.wait_for_url("**/services/campus/**")
    return page


def row(page, title):
    return page.locator("table.board tbody tr").filter(has_text=title)


def day(days: int) -> datetime:
    """Return 17:45 in the run's zone, some days from now."""
    there = datetime.now(ZONE) + timedelta(days=days)
    return there.replace(hour=17, minute=45, second=0, microsecond=0)


def fill_date(form, when: datetime) -> None:
    form.locator("input[name=date]").fill(f"{when:%Y-%m-%d}")
    form.locator("input[name=time]").fill(f"{when:%H:%M}")


def form_of(page, heading):
    return page.locator("form.panel").filter(has=page.get_by_role("heading", name=heading))


def test_the_first_page_of_an_instructor_is_the_campus_and_each_step_is_one_click(
    product, ina, new_context, picture
):
    expect(ina.get_by_role("heading", name="Courses", level=1)).to_be_visible()
    ina.get_by_role("link", name="First steps with sequences").click()
    expect(row(ina, PRACTICE).get_by_text("Released")).to_be_visible()
    expect(row(ina, PRACTICE).get_by_text("Handed in")).to_be_visible()
    picture(ina, "instructor-1-run")

    # Close, after a page that says what that means; then open again.
    ina.get_by_role("link", name=DELIVERY).click()
    ina.get_by_role("link", name="Close for hand-ins").click()
    expect(ina.get_by_role("heading", name=f"Close {DELIVERY} for hand-ins?")).to_be_visible()
    expect(ina.get_by_text("Miro Petrov")).to_be_visible()
    picture(ina, "instructor-2-close")
    ina.get_by_role("link", name="Leave it open").click()
    expect(ina.locator("h1")).to_contain_text("Open")
    ina.get_by_role("link", name="Close for hand-ins").click()
    ina.get_by_role("button", name="Close for hand-ins").click()
    expect(ina.get_by_role("status")).to_contain_text("It is closed.")

    # The learner is told, in a sentence, and offered nothing that would fail.
    learner = open_lab(new_context(timezone_id="Europe/Lisbon"), product, "miro")
    expect(card(learner, DELIVERY).get_by_text("Your instructor has closed it")).to_be_visible()
    expect(card(learner, DELIVERY).get_by_role("button", name="Start")).to_have_count(0)
    picture(learner, "instructor-3-learner-closed")
    ina.get_by_role("button", name="Open for learners").click()
    expect(ina.get_by_role("status")).to_contain_text("It is open.")

    # Another due date for all, more time for one; the learner's clock shows it.
    due, longer = day(12), day(15)
    fill_date(form_of(ina, "Due date for everybody"), due)
    form_of(ina, "Due date for everybody").get_by_role("button").click()
    expect(ina.get_by_role("status")).to_contain_text("17:45")
    more = form_of(ina, "More time")
    more.locator("select").select_option(label="Miro Petrov (p-000002)")
    fill_date(more, longer)
    more.get_by_role("button").click()
    expect(ina.get_by_role("status")).to_contain_text("1 learner has more time.")
    picture(ina, "instructor-4-assignment")
    panel(learner).get_by_role("button", name="Refresh").click()
    lisbon = longer.astimezone(ZoneInfo("Europe/Lisbon"))
    due_line = card(learner, DELIVERY).locator("time").first
    expect(due_line).to_contain_text(f"{lisbon:%H:%M}")
    expect(due_line).to_contain_text("extended for you")
    assert due_line.get_attribute("datetime").startswith(
        f"{longer.astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%M}"
    )
    picture(learner, "instructor-5-learner-extended")


def test_what_cannot_be_meant_is_refused_at_its_field_with_what_was_typed(product, ina, picture):
    ina.goto(f"{product.campus}runs/{RUN}/assignments/s1")
    past = day(-3)
    form = form_of(ina, "More time")
    fill_date(form, past)
    form.get_by_role("button").click()

    expect(ina.get_by_role("alert")).to_contain_text("Nothing was changed.")
    expect(ina.get_by_role("alert")).to_contain_text("Nobody is chosen.")
    expect(ina.get_by_role("alert")).to_contain_text("in the past")
    expect(form.locator("input[name=date]")).to_have_value(f"{past:%Y-%m-%d}")
    expect(ina.locator("#faults")).to_be_focused()
    picture(ina, "instructor-6-refused")


def test_automatic_parts_come_back_as_preliminary_and_the_rubric_waits_for_a_person(
    product, ina, new_context, picture
):
    learner = open_lab(new_context(), product, "miro")
    start(learner, DELIVERY)
    write_answers(learner, "s1")
    write_texts(learner, "The plot was in the memory of the kernel only, the table on the disk.")
    hand_in_without_check(learner, DELIVERY)
    handed_in = time.monotonic()
    mine = card(learner, DELIVERY)
    expect(button(mine, "See feedback")).to_be_visible(timeout=GRADED_MS)
    print(f"preliminary feedback on s1 after {time.monotonic() - handed_in:.1f} s")
    expect(mine.get_by_text("With assessor")).to_be_visible()
    expect(mine.get_by_text("so far")).to_be_visible()
    button(mine, "See feedback").click()
    expect(learner.get_by_role("heading", name=f"Feedback on {DELIVERY}", level=1)).to_be_visible()
    expect(learner.get_by_text("these points are preliminary")).to_be_visible()
    picture(learner, "instructor-7-preliminary-in-lab")

    passport = learner.context.new_page()
    passport.goto(f"{product.campus}passport")
    expect(
        passport.locator("summary").filter(has_text="Waiting for assessor").first
    ).to_be_visible()
    passport.get_by_role("link", name=DELIVERY).first.click()
    expect(passport.get_by_text("This is preliminary.")).to_be_visible()
    picture(passport, "instructor-8-preliminary-on-campus")

    # The cool-down is said before anybody presses a button for nothing.
    expect(mine.get_by_text(re.compile("[Nn]ext attempt|again from"))).to_be_visible()

    # The instructor sees that a person is needed, and for what.
    ina.goto(f"{product.campus}runs/{RUN}")
    expect(row(ina, DELIVERY).get_by_text("1 hand-in", exact=True)).to_be_visible()
    expect(ina.get_by_text(f"Miro Petrov, {DELIVERY}").first).to_be_visible()
    picture(ina, "instructor-9-needs-a-person")
    ina.get_by_role("link", name=re.compile("See the hand-in")).click()
    expect(ina.get_by_role("heading", name=f"Feedback on {DELIVERY}", level=1)).to_be_visible()
    expect(ina.get_by_text("Waiting for assessor").first).to_be_visible()
    expect(ina.get_by_text("BEGIN HIDDEN TESTS")).to_have_count(0)


def test_a_held_result_reaches_the_learner_by_the_button_return(
    product, second_cohort, new_context, picture
):
    learner = open_lab(new_context(), product, "tom")
    start(learner, PRACTICE)
    write_answers(learner, "p1")
    hand_in_without_check(learner, PRACTICE)
    mine = card(learner, PRACTICE)
    teacher = new_context().new_page()
    sign_in(teacher, product, "nora", f"{product.campus}runs/second-run/assignments/p1")
    tom = teacher.locator("tbody tr").filter(has_text="Tom Test")
    tom.wait_for()
    deadline = time.monotonic() + GRADED_MS / 1000
    while tom.get_by_text("Being graded").count() or tom.get_by_text("Handed in").count():
        assert time.monotonic() < deadline, teacher.locator("main").inner_text()
        time.sleep(1)
        teacher.reload()
    panel(learner).get_by_role("button", name="Refresh").click()
    expect(mine.get_by_role("button", name="See feedback")).to_have_count(0)
    picture(learner, "return-1-held")

    teacher.get_by_role("link", name=RETURN).click()
    expect(teacher.get_by_role("heading", name=re.compile("Return Practice"))).to_be_visible()
    expect(teacher.get_by_text("This cannot be taken back")).to_be_visible()
    picture(teacher, "return-2-plan")
    assert examine(teacher, "return") == []
    expect(tom).to_contain_text("8 of 8")
    teacher.get_by_role("button", name=RETURN).click()
    expect(teacher.get_by_role("status")).to_contain_text("Returned to")
    expect(tom.get_by_text("Returned")).to_be_visible()
    picture(teacher, "return-3-done")

    panel(learner).get_by_role("button", name="Refresh").click()
    button(mine, "See feedback").click()
    expect(learner.get_by_role("heading", name="Feedback on Practice", level=1)).to_be_visible()


def test_a_session_ends_with_the_hubs_own_sign_out(product, ina):
    elsewhere = ina.context.new_page()
    elsewhere.goto(f"{product.url}/hub/logout")
    left = time.monotonic()
    ina.goto(f"{product.campus}courses")
    while "services/campus/courses" in ina.url and time.monotonic() - left < LOGOUT_FELT_S:
        time.sleep(0.5)
        ina.goto(f"{product.campus}courses")

    print(f"signed out of the campus {time.monotonic() - left:.1f} s after the hub")
    expect(ina.get_by_label("Username")).to_be_visible()


def test_a_form_of_an_ended_session_changes_nothing_and_says_so(product, ina, picture):
    address = f"{product.campus}runs/{RUN}/assignments/s1"
    ina.goto(address)
    ina.context.clear_cookies()
    fill_date(form_of(ina, "Due date for everybody"), day(6))
    form_of(ina, "Due date for everybody").get_by_role("button").click()

    expect(ina.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(ina.get_by_text("nothing was changed")).to_be_visible()
    picture(ina, "instructor-signed-out")


@pytest.mark.usefixtures("second_cohort")
@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("lea", "courses", "This page is for instructors."),
        ("lea", f"runs/{RUN}/assignments/p1", "This page is for instructors."),
        ("lea", "cohorts/demo", "This page is for instructors."),
        ("lea", "tokens", "Tokens are for the instructors of a run."),
        ("lea", "passport/p-000002", "This page is for instructors."),
        ("nora", f"runs/{RUN}", "This page is for the instructors of another cohort."),
        ("nora", "cohorts/demo", "This page is for the instructors of another cohort."),
        ("nora", "passport/p-000001", "There is no learner p-000001 in a cohort of yours."),
    ],
)
def test_who_does_not_teach_a_cohort_is_refused_with_a_sentence(
    product, signed_in, name, path, said
):
    page = signed_in(name)
    answer = page.goto(product.campus + path)

    assert answer.status == 403
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_somebody_without_a_session_is_asked_to_sign_in_and_comes_back(product, new_context):
    page = new_context().new_page()
    wanted = f"{product.campus}runs/{RUN}"
    sign_in(page, product, "ina", wanted)

    page.wait_for_url(wanted)
    expect(page.get_by_role("heading", name="First steps with sequences")).to_be_visible()


@pytest.mark.usefixtures("second_cohort")
@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("emil", "runs/later-run", "Nobody is in this cohort yet."),
        ("emil", "runs/later-run/assignments/p1", "Nobody is in this cohort yet."),
        ("emil", "runs/later-run/assignments/p1/return", "Nothing waits to be returned."),
        ("emil", "cohorts/later", "Nobody is in this cohort yet."),
        ("olga", "courses", "No course runs in your cohorts yet."),
        ("olga", "cohorts/bare", "No course runs for this cohort yet."),
        ("olga", "tokens", "There is no run to make a token for yet."),
    ],
)
def test_a_page_with_nothing_on_it_says_what_will_be_there(product, signed_in, name, path, said):
    page = signed_in(name)
    answer = page.goto(product.campus + path)

    assert answer.status == 200
    expect(page.get_by_text(said)).to_be_visible()
