"""An instructor's work in formgrader, by clicks from the first page."""

import re
from collections.abc import Iterator

import pytest
from bioskills_browser import GRADED_MS, examine
from bioskills_handins import HandIns
from bioskills_http import the
from bioskills_product import Product, running_product
from bioskills_tests import sign_in
from bioskills_waiting import halted
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

HOSTILE = "<img src=x onerror='window.pwned = 1'><script>window.pwned = 1</script>"


LOADED = "Boolean(window.formgrader && formgrader.grades && formgrader.grades.loaded)"


def make_hostile(book) -> None:
    show = f"from IPython.display import HTML, Javascript, display\ndisplay(HTML({HOSTILE!r}))\ndisplay(Javascript('window.pwned = 1'))"
    book["cells"] += [
        {
            "cell_type": "markdown",
            "id": "h-1",
            "metadata": {},
            "source": HOSTILE + " [x](javascript:pwned=1)",
        },
        {
            "cell_type": "code",
            "id": "h-2",
            "metadata": {},
            "source": show,
            "outputs": [],
            "execution_count": None,
        },
    ]


@pytest.fixture(scope="module")
def own() -> Iterator[Product]:
    """An installation of its own: in the common one every learner's first hand-in is another test's."""
    with running_product() as found:
        yield found


@pytest.fixture
def formgrader(own, new_context):
    """The page that *Open in formgrader* opens for ina, after lea handed in hostile work."""
    lea = HandIns(own, "lea")
    lea.hand_in("p1", make_hostile)
    assert lea.graded("p1")
    context = new_context()
    page = context.new_page()
    sign_in(page, own, "ina")
    page.wait_for_url("**/services/campus/**")
    page.get_by_role("link", name="First steps with sequences").click()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Open in formgrader").click()
    opened.value.wait_for_url("**/formgrader/manage_assignments")
    return opened.value


def until(page, expression: str) -> None:
    """Wait until an expression is true; asked from outside, since the page's CSP allows no eval."""
    for _turn in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def cell(page, name, row="p-000001"):
    return page.locator("#main-table tr").filter(has_text=row).locator(f".{name}")


def first_points(page):
    """Go to the first hand-in of p1; return the field for points of its first cell."""
    page.get_by_role("link", name="Manual Grading").click()
    page.get_by_role("link", name="p1").click()
    page.get_by_role("link", name="p1", exact=True).last.click()
    page.get_by_role("link", name="Submission #1").click()
    score = page.locator("input.score").first
    expect(score).to_be_visible()
    # nbgrader's page listens to its fields once it knows the points so far.
    until(page, LOADED)
    return score


def test_an_instructor_gives_points_and_presses_autograde(own, formgrader, picture) -> None:
    page = formgrader
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    cell(page, "num-submissions", "p1").get_by_role("link", name="1").click()
    expect(cell(page, "status")).to_contain_text("graded")
    picture(page, "formgrader-1-hand-ins")

    # Read the work and give points.
    score = first_points(page)
    expect(page.locator(".nbgrader_cell").first).to_be_visible()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
        score.fill("1.5")
        score.press("Escape")
    assert saved.value.ok
    picture(page, "formgrader-2-points")
    assert page.evaluate("window.pwned") is None

    # Ask for a grading; it is queued, and the column Status tells.
    page.get_by_role("link", name="Manual Grading").click()
    page.get_by_role("link", name="Manage Assignments").click()
    cell(page, "num-submissions", "p1").get_by_role("link", name="1").click()
    with halted(the(own, "bioskills.graders")):  # until what it is about to do was seen
        cell(page, "autograde").get_by_role("link").click()
        expect(page.get_by_role("status")).to_contain_text("the grader does the work")
        expect(cell(page, "status")).to_contain_text(re.compile("waiting|being graded"))
        picture(page, "formgrader-3-being-graded")
    expect(cell(page, "status")).to_contain_text("needs manual grading", timeout=GRADED_MS)
    expect(cell(page, "score")).to_contain_text("1.5 / 8")
    picture(page, "formgrader-4-graded-again")
    assert faults == []

    # What was given counts when it is put into the result, on the campus.
    campus = page.context.pages[0]
    campus.bring_to_front()
    campus.get_by_role("link", name="Grading", exact=True).click()
    campus.get_by_role("link", name="Put in points of 1 hand-in").click()
    expect(campus.locator(".given")).to_contain_text("1.5 of")
    assert examine(campus, "formgrader-5-points") == []
    campus.get_by_role("button", name="Put points of 1 hand-in into its result").click()
    expect(campus.get_by_role("status")).to_contain_text("The points of 1 hand-in are in its")
    campus.get_by_role("link", name="Back to Grading").click()
    expect(campus.get_by_role("link", name="Put in points")).to_have_count(0)


def test_what_another_hand_in_got_meanwhile_is_not_saved_and_said_so(
    own, formgrader, picture
) -> None:
    page = formgrader
    score = first_points(page)
    lea = HandIns(own, "lea")
    lea.hand_in("p1")
    assert lea.graded("p1")
    score.fill("1")
    score.press("Escape")

    said = page.get_by_role("dialog")
    expect(said).to_contain_text("Load the page again")
    expect(said.get_by_role("heading", name="Not saved")).to_be_visible()
    picture(page, "formgrader-6-not-saved")


def test_a_learner_who_knows_the_address_reads_why_not(product, new_context, picture) -> None:
    page = new_context().new_page()
    sign_in(page, product, "miro", f"{product.url}/hub/formgrader/demo-sequences-first-steps")

    expect(page.get_by_text("for the instructors and assessors of its course run")).to_be_visible()
    picture(page, "formgrader-7-refused")
