"""An admin's first day from an empty platform: a list is checked, compared, applied, taken back."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import xlsxwriter
from bioskills_accounts import GOOD as GOOD_PASSWORD
from bioskills_accounts import choose, link_for
from bioskills_browser import examine
from bioskills_http import visitor
from bioskills_product import Product, keep_logs, new_product
from bioskills_tests import COURSE, sign_in
from bioskills_waiting import eventually, remove
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

WIDTHS = (1280, 360)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADER = ["name", "display_name", "email", "roles", "tags"]
GOOD = [
    ["lea.brandt", "Lea Brandt", "lea@example.org", "learner", "evening"],
    ["zoe.k", "Zo\u00eb K\u0142os", "zoe@example.org", "learner", ""],
    ["ina.keller", "Ina Keller", "", "instructor assessor", ""],
]
ADMINS = (
    '[cohort]\nslug = "office"\ntitle = "Office"\n'
    '[[people]]\nname = "ada"\ndisplay_name = "Ada Admin"\nroles = ["admin"]\n'
)


def book(*people: list[str]) -> dict[str, object]:
    """Return a workbook as a browser's file chooser takes it."""
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target)
    sheets = {
        "people": [HEADER, *people],
        "cohort": [["slug", "title", "seats", "memory_mb"], ["autumn-27", "Autumn 2027", 24, 1024]],
        "runs": [
            ["course", "opens", "closes", "time_zone"],
            [COURSE.name, "2027-09-06T09:00", "2027-11-26", "Europe/Berlin"],
        ],
    }
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    made.close()
    return {"name": "people-autumn.xlsx", "mimeType": XLSX, "buffer": target.getvalue()}


@pytest.fixture(scope="module")
def empty_product() -> Iterator[Product]:
    """A running installation in which nobody is, but the admin whom root named."""
    found = new_product()
    found.demo = False
    found.start()
    file = found.data / "office.toml"
    file.write_text(ADMINS, encoding="utf-8")
    for words in (
        ("course", "install", str(COURSE)),
        ("cohort", "apply", str(file), "--platform-roles"),
    ):
        done = found.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    with visitor() as client:
        assert choose(client, found, link_for(found, "ada")).is_redirect
    found.chosen["ada"] = GOOD_PASSWORD
    yield found
    found.stop()
    keep_logs(found)
    remove(found.data)


@pytest.fixture
def ada(empty_product: Product, new_context: Callable[..., object]) -> Page:
    """The admin's window, signed in at the address that everybody types."""
    page = new_context().new_page()
    sign_in(page, empty_product, "ada")
    page.wait_for_url("**/services/campus/**")
    return page


def upload(page: Page, product: Product, *people: list[str]) -> None:
    page.goto(f"{product.campus}people/upload")
    page.get_by_label(re.compile("^File")).set_input_files(book(*people))
    page.get_by_role("button", name="Check the list").click()


def groups(product: Product) -> dict[str, list[str]]:
    token = (product.data / "state/hub/provision_token").read_text().strip()
    port = product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    answer = httpx.get(
        f"http://127.0.0.1:{port}/hub/api/groups",
        headers={"Authorization": f"token {token}"},
        trust_env=False,
    )
    return {group["name"]: sorted(group["users"]) for group in answer.raise_for_status().json()}


def test_the_saved_list_can_be_uploaded_again_and_changes_nothing(
    empty_product: Product, ada: Page, tmp_path: Path
) -> None:
    file = tmp_path / "saved.csv"
    file.write_text(
        "name,display_name,roles,cohort,to,tags,seats,memory_mb\n"
        "sam,=SUM(1),learner,saved,2029-06-30,a b,12,512\npat,Pat,instructor,saved,,,,\n"
    )
    assert empty_product.command("cohort", "apply", str(file)).returncode == 0
    ada.goto(f"{empty_product.campus}people/saved")
    with ada.expect_download() as saved:
        ada.get_by_role("link", name="Save the list as CSV").click()
    saved.value.save_as(tmp_path / "again.csv")
    text = (tmp_path / "again.csv").read_text(encoding="utf-8-sig")
    assert "'=SUM(1)" in text, "no cell can become a formula"

    (tmp_path / "again.csv").write_text(text.replace("'=SUM(1)", "=SUM(1)"), encoding="utf-8-sig")
    ada.goto(f"{empty_product.campus}people/upload")
    ada.get_by_label(re.compile("^File")).set_input_files(tmp_path / "again.csv")
    ada.get_by_role("button", name="Check the list").click()

    expect(ada.get_by_text("Nothing to change.").first).to_be_visible()


def test_an_admins_first_day_from_an_empty_platform(empty_product: Product, ada: Page) -> None:
    page, found = ada, []
    head = page.get_by_role("navigation", name="Main")
    head.get_by_role("link", name="People").click()
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    page.get_by_role("link", name="Upload a list").click()
    found += examine(page, "people-2-upload", widths=WIDTHS)

    # Two faults, both at once, each with its line, its value and the way to mend it.
    wrong = [GOOD[0], [*GOOD[1][:2], "zoe@example", *GOOD[1][3:]], [*GOOD[2][:3], "teacher", ""]]
    upload(page, empty_product, *wrong)
    expect(page.get_by_role("heading", name="2 places need mending", level=1)).to_be_visible()
    expect(page.locator("#faults")).to_be_focused()
    rows = page.locator("table.faults tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("zoe@example")
    expect(rows.nth(0)).to_contain_text("3")
    expect(rows.nth(1)).to_contain_text("Did you mean instructor?")
    found += examine(page, "people-3-faults", widths=WIDTHS)

    # Mended: the difference, which changes nothing yet.
    upload(page, empty_product, *GOOD)
    expect(page.get_by_role("heading", name="Autumn 2027", level=1)).to_be_visible()
    expect(page.get_by_text("3 rows, all good")).to_be_visible()
    expect(page.locator("tbody").get_by_text("Joins")).to_have_count(3)
    expect(page.get_by_role("heading", name="Will it fit?")).to_be_visible()
    found += examine(page, "people-4-compare", widths=WIDTHS)
    page.get_by_role("link", name=re.compile("^Leaves")).click()
    expect(page.get_by_text("No person is in this part.")).to_be_visible()
    page.get_by_role("link", name=re.compile("^All")).click()

    # Applied: people are listed, and the hub was told.
    page.get_by_role("button", name=re.compile(r"^Apply \d+ changes$")).click()
    expect(page.get_by_role("status").first).to_contain_text("changes were applied")
    expect(page.get_by_text("The running hub was told.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Zo\u00eb K\u0142os")).to_be_visible()
    assert eventually(
        lambda: groups(empty_product).get("learners-autumn-27") == ["lea.brandt", "zoe.k"]
    )
    found += examine(page, "people-5-applied", widths=WIDTHS)
    page.get_by_role("link", name="People", exact=True).first.click()
    expect(page.get_by_role("row").filter(has_text="Autumn 2027")).to_contain_text("2 of 24 seats")
    found += examine(page, "people-6-cohorts", widths=WIDTHS)

    # The same list again changes nothing.
    upload(page, empty_product, *GOOD)
    expect(page.get_by_text("Nothing to change.").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Apply"))).to_have_count(0)
    found += examine(page, "people-7-nothing", widths=WIDTHS)

    # Taken back, after a page that says what that means.
    page.get_by_role("link", name="See the cohort").click()
    page.get_by_role("link", name="Undo the last change").click()
    expect(page.get_by_text("seats that it gave end")).to_be_visible()
    found += examine(page, "people-8-undo", widths=WIDTHS)
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_role("status").first).to_contain_text("taken back")
    expect(page.get_by_text("Nobody is in this cohort yet.")).to_be_visible()
    assert eventually(lambda: groups(empty_product).get("learners-autumn-27") == [])
    # The page loads itself again once the hub was told; only then does it stay.
    expect(page.get_by_text("The running hub was told.")).to_be_visible()
    found += examine(page, "people-9-empty", widths=WIDTHS)

    assert found == []


def test_a_list_that_moved_meanwhile_is_shown_again_and_not_applied(
    empty_product: Product, ada: Page
) -> None:
    ada.goto(f"{empty_product.campus}people/upload")
    ada.get_by_label("Or paste rows").fill("name;roles;cohort\nmia;learner;moving\n")
    ada.get_by_role("button", name="Check the list").click()
    expect(ada.get_by_role("button", name=re.compile("^Apply"))).to_be_visible()
    file = empty_product.data / "moving.csv"
    file.write_text("name,roles,cohort\nnoa,learner,moving\n")
    assert empty_product.command("cohort", "apply", str(file)).returncode == 0

    ada.get_by_role("button", name=re.compile("^Apply")).click()

    expect(ada.get_by_role("alert")).to_contain_text("so nothing was applied")
    expect(ada.get_by_role("row").filter(has_text="noa")).to_contain_text("Leaves")
    assert groups(empty_product)["learners-moving"] == ["noa"]


def test_the_end_of_a_cohort_and_its_copy_by_keyboard_alone(
    empty_product: Product, ada: Page
) -> None:
    found = []
    upload(ada, empty_product, *GOOD)
    apply = ada.get_by_role("button", name=re.compile("^Apply"))
    apply.focus()
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("status").first).to_contain_text("applied")
    ada.get_by_role("link", name="Copy to the next cohort").focus()
    ada.keyboard.press("Enter")
    ada.get_by_label("Short name").fill("Spring 28")
    ada.get_by_label("Its first run opens on").fill("2028-03-06")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("alert")).to_contain_text("1-40 of a-z")
    expect(ada.get_by_label("Its first run opens on")).to_have_value("2028-03-06")
    found += examine(ada, "people-copy", widths=WIDTHS)
    ada.get_by_label("Short name").fill("spring-28")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("status").first).to_contain_text("next cohort is made")
    expect(ada.get_by_role("row").filter(has_text="spring-28-")).to_contain_text("6 March 2028")
    expect(ada.get_by_role("rowheader", name="Ina Keller")).to_be_visible()
    expect(ada.get_by_text("Lea Brandt")).to_have_count(0)

    ada.get_by_role("link", name="End this cohort").focus()
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("Work, evidence and credentials are kept.")).to_be_visible()
    found += examine(ada, "people-remove", widths=WIDTHS)
    ada.get_by_role("button", name="End this cohort").focus()
    ada.keyboard.press("Enter")
    expect(ada.get_by_text("Nobody is in this cohort yet.")).to_be_visible()

    assert found == []


def test_a_list_makes_no_admin_unless_a_box_says_so(empty_product: Product, ada: Page) -> None:
    def send(*, ticked: bool) -> None:
        ada.goto(f"{empty_product.campus}people/upload")
        ada.get_by_label("Or paste rows").fill("name,roles,cohort\neve,admin,plot\n")
        ada.get_by_label(re.compile("admin or manager of the whole site")).set_checked(ticked)
        ada.get_by_role("button", name="Check the list").click()

    send(ticked=False)
    expect(ada.get_by_role("row").filter(has_text="admin")).to_contain_text("tick its box")
    send(ticked=True)
    expect(ada.get_by_role("row").filter(has_text="eve")).to_contain_text("admin")


def test_a_long_list_is_shown_in_part_and_applied_whole(empty_product: Product, ada: Page) -> None:
    rows = "".join(f"long-{n:03},learner,long\n" for n in range(400))
    ada.goto(f"{empty_product.campus}people/upload")
    ada.get_by_label("Or paste rows").fill(f"name,roles,cohort\n{rows}")
    ada.get_by_role("button", name="Check the list").click()
    expect(ada.locator("tbody tr")).to_have_count(200)
    ada.get_by_role("link", name="Show 200 more").click()
    expect(ada.locator("tbody tr")).to_have_count(400)
    ada.get_by_role("button", name=re.compile("^Apply")).click()
    # This installation keeps fewer user ids for labs than that, and says so.
    expect(ada.get_by_role("status").first).to_contain_text("801 changes were applied")
    expect(ada.get_by_role("status").first).to_contain_text("raise labs.uid_count")
    expect(ada.get_by_text("400 learners")).to_be_visible()
    assert eventually(lambda: len(groups(empty_product).get("learners-long", [])) == 400)


def test_the_people_pages_are_shut_to_everybody_else(empty_product: Product, new_context) -> None:
    file = empty_product.data / "plain.csv"
    file.write_text("name,roles,cohort\nplain,instructor,plain\n")
    assert empty_product.command("cohort", "apply", str(file)).returncode == 0
    with visitor() as client:
        assert choose(client, empty_product, link_for(empty_product, "plain")).is_redirect
    empty_product.chosen["plain"] = GOOD_PASSWORD
    page = new_context().new_page()
    sign_in(page, empty_product, "plain", f"{empty_product.campus}people")

    for path in ("people", "people/plain", "people/upload", "people/template/people.xlsx"):
        page.goto(empty_product.campus + path)
        expect(page.get_by_role("heading", name="This is not open to you")).to_be_visible()
    expect(page.get_by_role("link", name="People", exact=True)).to_have_count(0)
