"""The first day of every persona, from an empty platform, by pages alone.

The admin brings people in and invites them by links; an instructor brings the course; then
each of the others opens their link and does what they came for. One day after the other:
each fixture is what the persona before has done.
"""

import io
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
import xlsxwriter
from bioskills_accounts import GOOD, choose, link_for
from bioskills_browser import (
    ARTEFACTS,
    GRADED_MS,
    button,
    card,
    examine,
    hand_in_without_check,
    keep_picture,
    start,
    write_answers,
    write_texts,
)
from bioskills_handins import HandIns
from bioskills_http import visitor
from bioskills_product import ENVIRONMENTS, Product, running_product
from bioskills_tests import COURSE
from bioskills_waiting import eventually
from playwright.sync_api import Browser, Page, expect

from bioskills.courses.package import canonical_zip, read_course

pytestmark = [pytest.mark.ui, pytest.mark.integration]

WIDTHS = (1280, 360)
WINDOW = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"}
PATIENCE_MS = 60_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COHORT, RUN, TITLE = "autumn", "autumn-sequences", "First steps with sequences"
DELIVERY = "Check the delivery"
BECAUSE = ("k_where_because", "k_frames_because")
STAFF = {
    "ina": ("Ina Keller", "instructor"),
    "asta": ("Asta Nystr\u00f6m", "assessor"),
    "cara": ("Cara Lind", "certifier"),
    "max": ("Max Meyer", "manager"),
    "fay": ("Fay Moreau", "funder"),
}
LEARNERS = {"lea": "Lea Brandt"} | {f"learner-{n:02}": f"Learner {n}" for n in range(1, 12)}
BUSY = [f"learner-{n:02}" for n in range(1, 7)]
ADMINS = (
    '[cohort]\nslug = "office"\ntitle = "Office"\n'
    '[[people]]\nname = "ada"\ndisplay_name = "Ada Admin"\nroles = ["admin"]\n'
)


def people_list(*, with_run: bool) -> dict[str, object]:
    """Return a workbook of the cohort as a browser's file chooser takes it."""
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target)
    people = [[name, title, role] for name, (title, role) in STAFF.items()]
    people += [[name, title, "learner"] for name, title in LEARNERS.items()]
    sheets = {
        "people": [["name", "display_name", "roles"], *people],
        "cohort": [["slug", "title"], [COHORT, "Autumn cohort"]],
    }
    if with_run:
        opens = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        closes = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
        head = ["slug", "course", "opens", "closes", "time_zone"]
        sheets["runs"] = [head, [RUN, COURSE.name, opens, closes, "Europe/Berlin"]]
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    made.close()
    return {"name": "autumn.xlsx", "mimeType": XLSX, "buffer": target.getvalue()}


@pytest.fixture(scope="module")
def empty() -> Iterator[Product]:
    """An installation in which nobody is but the admin whom root named."""
    with running_product(demo=False, PAPERS_AT_FIRST_SIGN_IN="true") as found:
        file = found.data / "office.toml"
        file.write_text(ADMINS, encoding="utf-8")
        done = found.command("cohort", "apply", str(file), "--platform-roles")
        assert done.returncode == 0, done.stdout + done.stderr
        yield found


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Each person's own window, which stays open."""
    opened: list[Page] = []

    @cache
    def of(_name: str) -> Page:
        context = browser.new_context(**WINDOW)
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context.new_page())
        return opened[-1]

    yield of
    for page in opened:
        page.context.close()


def join(page: Page, link: str) -> None:
    """Open an invitation, choose a password, and read who runs this."""
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("button", name="Go on").click()


def bring(page: Page, product: Product, *, with_run: bool) -> None:
    """Upload the list, look at the difference, apply it."""
    page.goto(f"{product.campus}people/upload")
    page.get_by_label(re.compile("^File")).set_input_files(people_list(with_run=with_run))
    page.get_by_label(re.compile("admin or manager of the whole site")).set_checked(True)
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("button", name=re.compile(r"^Apply \d+ changes?$")).click()
    expect(page.get_by_role("status").first).to_contain_text("applied")


@pytest.fixture(scope="module")
def ada(empty: Product, window: Callable[[str], Page]) -> Page:
    """The admin, signed in for the first time."""
    page = window("ada")
    join(page, link_for(empty, "ada"))
    expect(page.get_by_role("link", name="People", exact=True)).to_be_visible()
    return page


@pytest.fixture(scope="module")
def links(empty: Product, ada: Page) -> dict[str, str]:
    """Everybody's link, as the sheet in the admin's window shows it."""
    bring(ada, empty, with_run=False)
    ada.goto(f"{empty.campus}people/{COHORT}/invitations")
    found = invited(ada)
    ada.get_by_role("link", name="People", exact=True).click()
    ada.get_by_role("link", name="Invite admins and managers").click()
    return found | invited(ada)


def invited(page: Page) -> dict[str, str]:
    """Issue everybody's link on the page of the invitations; return them by name."""
    page.get_by_role("link", name=re.compile(r"^Invite \d+ (person|people)")).click()
    page.get_by_role("button", name="Issue and show the sheet").click()
    page.get_by_role("heading", name=re.compile("issued$")).wait_for()
    cards = page.locator(".card-to-cut").all()
    return {c.locator("strong").inner_text(): c.locator(".link").inner_text() for c in cards}


@pytest.fixture(scope="module")
def ina(empty: Product, ada: Page, links: dict[str, str], window: Callable[[str], Page]) -> Page:
    """The instructor, who brought the course; the admin planned its run."""
    page = window("ina")
    join(page, links["ina"])
    expect(page.get_by_text("No course runs in your cohorts yet.")).to_be_visible()
    page.get_by_role("link", name="Courses and versions").click()
    zipped = {"name": "course.zip", "mimeType": "application/zip"}
    zipped["buffer"] = canonical_zip(read_course(COURSE))
    page.get_by_label("ZIP of the course folder").set_input_files(zipped)
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_role("button", name=re.compile("^Install version")).click()
    expect(page.get_by_role("status")).to_contain_text("is installed")
    bring(ada, empty, with_run=True)
    page.get_by_role("link", name="Courses", exact=True).first.click()
    page.get_by_role("link", name=TITLE).first.click()
    assert eventually(lambda: is_open(page), 240, 1), "the grader prepares what learners get"
    return page


def is_open(page: Page) -> bool:
    page.reload()
    row = page.locator("table.board tbody tr").filter(has_text=DELIVERY)
    return row.locator(".st", has_text="Open").count() > 0


@pytest.fixture(scope="module")
def lea(empty: Product, ina: Page, links: dict[str, str], window: Callable[[str], Page]) -> Page:
    """The learner, who worked in JupyterLab and handed in; others handed in, too."""
    del ina
    page = window("lea")
    join(page, links["lea"])
    page.locator(".bsh-lab h1").wait_for()
    start(page, DELIVERY)
    write_answers(page, "s1")
    write_texts(page, "The plot was in the memory of the kernel, the table is on the disk.")
    hand_in_without_check(page, DELIVERY)
    for name in BUSY:
        with visitor() as client:
            assert choose(client, empty, links[name]).is_redirect
        HandIns(empty, name, RUN).hand_in("p1")
    for name in BUSY:
        assert HandIns(empty, name, RUN).graded("p1")
    expect(button(card(page, DELIVERY), "See feedback")).to_be_visible(timeout=GRADED_MS)
    return page


@pytest.fixture(scope="module")
def asta(lea: Page, links: dict[str, str], window: Callable[[str], Page]) -> Page:
    """The assessor at her first page."""
    del lea
    page = window("asta")
    join(page, links["asta"])
    expect(page.get_by_role("heading", name="What waits for you", level=1)).to_be_visible()
    return page


@pytest.fixture(scope="module")
def judged(asta: Page, ina: Page) -> Page:
    """The assessor judged in formgrader, and the instructor put it into the result."""
    with asta.context.expect_page() as opened:
        asta.get_by_role("link", name=f"Open formgrader of {RUN}").click()
    give_points(opened.value)
    asta.bring_to_front()
    asta.reload()
    expect(asta.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(asta.get_by_role("heading", name="Judged, not in results yet")).to_be_visible()
    ina.get_by_role("link", name="Grading", exact=True).first.click()
    ina.get_by_role("link", name="Put in points of 1 hand-in").click()
    expect(ina.locator(".given")).to_contain_text("Asta Nystr\u00f6m")
    ina.get_by_role("button", name="Put points of 1 hand-in into its result").click()
    expect(ina.get_by_role("status")).to_contain_text("The points of 1 hand-in are in its")
    return asta


def give_points(page: Page) -> None:
    """Give full points to the answers that only a person can read."""
    page.wait_for_url("**/formgrader/manage_assignments")
    page.get_by_role("link", name="Manual Grading").click()
    page.get_by_role("link", name="s1").click()
    page.get_by_role("link", name="s1", exact=True).last.click()
    page.get_by_role("link", name="Submission #1").click()
    for name in BECAUSE:
        score = page.locator(f"input.score#{name}")
        expect(score).to_be_visible()
        # nbgrader's page listens to its fields once it knows the points so far.
        page.wait_for_timeout(100)
        while not page.evaluate("Boolean(window.formgrader && formgrader.grades.loaded)"):
            page.wait_for_timeout(100)
        with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
            score.fill("3")
            score.press("Escape")
        assert saved.value.ok


def test_an_admin_fills_an_empty_platform_and_invites_everybody(
    empty: Product, ada: Page, links: dict[str, str]
) -> None:
    assert set(links) == {*STAFF, *LEARNERS}
    ada.goto(f"{empty.campus}people/{COHORT}")
    expect(ada.get_by_role("rowheader", name="Lea Brandt")).to_be_visible()


def test_an_instructor_brings_the_course_and_sees_it_open(ina: Page) -> None:
    expect(ina.get_by_role("heading", name=TITLE, level=1)).to_be_visible()
    expect(ina.get_by_text("12 learners").first).to_be_visible()
    keep_picture(ina, "day-instructor-run")


def test_a_learner_hands_in_and_gets_feedback(lea: Page) -> None:
    button(card(lea, DELIVERY), "See feedback").click()
    expect(lea.get_by_role("heading", name=f"Feedback on {DELIVERY}", level=1)).to_be_visible()
    keep_picture(lea, "day-learner-feedback")


def test_an_assessor_finds_what_waits_and_reads_it(asta: Page) -> None:
    found = examine(asta, "day-assessor-waiting", widths=WIDTHS)
    row = asta.get_by_role("row").filter(has_text="Lea Brandt")
    expect(row).to_contain_text("2 answers to read.")
    row.get_by_role("link", name=re.compile("^Read the hand-in")).click()
    expect(asta.get_by_role("heading", name=f"Feedback on {DELIVERY}", level=1)).to_be_visible()
    asta.get_by_role("link", name="Waits for you").click()
    expect(asta.get_by_role("heading", name="What waits for you", level=1)).to_be_visible()

    assert found == []


def test_what_an_assessor_judged_is_put_in_by_an_instructor(judged: Page) -> None:
    judged.reload()
    expect(judged.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(judged.get_by_role("heading", name="Judged, not in results yet")).to_have_count(0)

    assert examine(judged, "day-assessor-done", widths=WIDTHS) == []


@pytest.mark.usefixtures("judged")
def test_a_certifier_sees_who_has_reached_what(
    links: dict[str, str], window: Callable[[str], Page]
) -> None:
    page = window("cara")
    join(page, links["cara"])
    page.get_by_role("link", name="Autumn cohort").click()
    expect(page.get_by_role("heading", name="Learners and units")).to_be_visible()
    expect(page.get_by_text("Lea Brandt")).to_have_count(0)
    page.get_by_role("link", name="Names", exact=True).click()
    lea = page.get_by_role("row").filter(has_text="Lea Brandt").first
    expect(lea).to_contain_text("Not ready")
    expect(lea).to_contain_text(re.compile("Achieved|Exceeded"))
    found = examine(page, "day-certifier-units", widths=WIDTHS)
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
    page.screenshot(path=ARTEFACTS / "day-certifier-top.png")  # the whole page is long
    page.get_by_role("link", name="Ready", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody is in this part.")).to_be_visible()
    found += examine(page, "day-certifier-none", widths=WIDTHS)
    page.get_by_role("link", name="All", exact=True).click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Excel").click()
    assert saved.value.suggested_filename == f"units-{COHORT}.xlsx"

    assert found == []


@pytest.mark.usefixtures("judged")
def test_a_manager_sees_figures_and_nobodys_name(
    links: dict[str, str], window: Callable[[str], Page]
) -> None:
    page = window("max")
    join(page, links["max"])
    expect(page.get_by_role("heading", name="Figures", level=1)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Autumn cohort")).to_contain_text("12")
    found = examine(page, "day-manager-figures", widths=WIDTHS)
    page.get_by_role("link", name="Autumn cohort").click()
    expect(page.get_by_role("row").filter(has_text=TITLE)).to_contain_text("7 of 12")
    for title in ("Lea Brandt", "Learner 1"):
        expect(page.get_by_text(title)).to_have_count(0)
    found += examine(page, "day-manager-cohort", widths=WIDTHS)
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label(re.compile("^To")).fill("2020-01-31")
    page.keyboard.press("Enter")
    expect(page.locator(".figs").last).to_contain_text("0 of 12")
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    assert saved.value.suggested_filename == f"figures-{COHORT}.csv"

    assert found == []


@pytest.mark.usefixtures("judged")
def test_a_funder_sees_sums_and_no_small_number(
    links: dict[str, str], window: Callable[[str], Page]
) -> None:
    page = window("fay")
    join(page, links["fay"])
    expect(page.get_by_role("heading", name="What you fund", level=1)).to_be_visible()
    figures = page.locator(".figs > div")
    expect(figures.filter(has_text="Learners")).to_contain_text("10")
    expect(figures.filter(has_text="Reached a unit")).to_contain_text("not shown")

    assert examine(page, "day-funder", widths=WIDTHS) == []


@pytest.mark.usefixtures("judged")
def test_the_learner_reads_who_looked(empty: Product, lea: Page) -> None:
    lea.goto(f"{empty.campus}looks")

    expect(lea.get_by_role("row").filter(has_text="Asta Nystr\u00f6m").first).to_be_visible()
    expect(lea.get_by_text("gave points or a comment in formgrader").first).to_be_visible()


def test_a_door_that_is_not_yours_says_so(empty: Product, judged: Page) -> None:
    for path in ("units", f"units/{COHORT}", "figures", "funded", "people"):
        judged.goto(empty.campus + path)
        expect(judged.get_by_role("heading", name="This is not open to you")).to_be_visible()


def supervisor(product: Product, *words: str) -> None:
    """Speak to the installation's own supervisor."""
    program = str(ENVIRONMENTS / "hub" / "bin" / "supervisorctl")
    config = str(product.data / "state/machine/supervisord.conf")
    subprocess.run([program, "-c", config, *words], check=True, capture_output=True, timeout=120)


def test_while_the_hub_is_away_every_door_says_so_and_opens_again(
    empty: Product, ada: Page, judged: Page
) -> None:
    found, away = [], "The hub does not answer"

    def says_so(page: Page, path: str) -> bool:
        # Who somebody is is believed for some seconds.
        page.goto(empty.campus + path)
        return page.get_by_role("alert").filter(has_text=away).count() > 0

    supervisor(empty, "stop", "hub")
    try:
        for page, path in (
            (ada, "admin"),
            (ada, "admin/labs"),
            (ada, "people"),
            (judged, "waiting"),
        ):
            assert eventually(lambda page=page, path=path: says_so(page, path), 60, 0.5)
            expect(page.get_by_text("Nothing was changed")).to_be_visible()
        found += examine(ada, "day-hub-away", widths=WIDTHS)
    finally:
        supervisor(empty, "start", "hub")
    assert eventually(lambda: not says_so(ada, "people"), 120, 1)
    expect(ada.get_by_role("heading", name="People", level=1)).to_be_visible()

    assert found == []
