"""What a learner reads when memory, processes or the space for files are used up."""

import re
from collections.abc import Iterator

import pytest
from bioskills_browser import (
    button,
    card,
    dialog,
    in_both_themes,
    open_lab,
    panel,
    start,
)
from bioskills_product import Product, running_product
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]

PRACTICE = "Practice"
SOON_MS = 120_000
EAT = "pile = []\nwhile True: pile.append(bytearray(1 << 22))"
FORK = (
    "import os, time\n"
    "try:\n"
    "    for n in range(200):\n"
    "        if os.fork() == 0: time.sleep(300); os._exit(0)\n"
    "except OSError as error: print('refused:', error.strerror)"
)
FILL = (
    "import os\n"
    "try:\n"
    "    for n in range(60): open(os.path.expanduser(f'~/big{n}'), 'wb').write(bytes(1 << 20))\n"
    "except OSError as error: print('refused:', error.strerror)\n"
    "else: print('filled')"
)
EMPTY = "import glob, os\nfor name in glob.glob(os.path.expanduser('~/big*')): os.unlink(name)\nprint('emptied')"
GROW = (
    "import os, time\n"
    "for n in range(60):\n"
    "    try:\n"
    "        with open(os.path.expanduser('~/big0'), 'ab') as file: file.write(bytes(1 << 21))\n"
    "        print('grown'); break\n"
    "    except OSError: time.sleep(1)"
)


@pytest.fixture(scope="module")
def narrow() -> Iterator[Product]:
    """An installation whose labs have little of everything."""
    with running_product(LABS_MEMORY_MB="400", LABS_PROCESSES="80", LABS_HOME_MB="48") as found:
        yield found


def begin(page: Page) -> None:
    """Open the practice and wait until its kernel can work."""
    start(page, PRACTICE)
    expect(page.get_by_text("Python 3 (course) | Idle")).to_be_visible()


def run(page: Page, code: str) -> Locator:
    """Run code in a cell of the open notebook; give what it prints."""
    cells = page.locator(".jp-Notebook:visible .jp-CodeCell")
    cell = cells.nth(1)  # the first one is locked
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    return cell.locator(".jp-OutputArea-output")


def your_lab(page: Page) -> Locator:
    return panel(page).get_by_role("region", name="Your lab")


def toast(page: Page) -> Locator:
    return page.locator(".Toastify__toast")


def close_own_dialog_of_lab(page: Page) -> None:
    """Lab says itself that a kernel restarts; it does not know why."""
    dialog(page).get_by_role("button", name=re.compile("^(OK|Ok|Close|Dismiss)$")).click()


def test_one_whose_memory_is_used_up_reads_why_python_ended_and_goes_on(
    narrow, new_context, picture
):
    page = open_lab(new_context(), narrow, "lea")
    expect(your_lab(page)).to_have_count(0)  # while all is well there is nothing to say
    begin(page)

    run(page, EAT)
    expect(your_lab(page)).to_contain_text(
        "needed more memory than the 400 MB of your lab, so Python was ended. Your files are safe",
        timeout=SOON_MS,
    )
    expect(toast(page)).to_contain_text("so Python was ended.")
    expect(your_lab(page)).to_contain_text("fewer records at a time")
    picture(page, "limits-1-memory")
    close_own_dialog_of_lab(page)
    faults = in_both_themes(page, "limits-memory")
    your_lab(page).get_by_role("button", name="I have read this").click()

    expect(your_lab(page)).to_have_count(0)
    expect(toast(page)).to_have_count(0)
    expect(page.get_by_text("Python 3 (course) | Idle")).to_be_visible()
    expect(run(page, "print(6 * 7)")).to_contain_text("42", timeout=SOON_MS)
    page.reload()
    page.locator(".bsh-lab h1").wait_for()
    panel(page).get_by_role("button", name="Refresh").click()
    expect(panel(page).get_by_role("heading", name="Next")).to_be_visible()
    expect(your_lab(page)).to_have_count(0)  # said once, also after a reload
    assert not faults


def test_one_whose_processes_are_used_up_reads_it(narrow, new_context, picture):
    page = open_lab(new_context(), narrow, "miro")
    begin(page)
    expect(run(page, FORK)).to_contain_text("refused", timeout=SOON_MS)
    panel(page).get_by_role("button", name="Refresh").click()

    expect(your_lab(page)).to_contain_text("All 80 processes and threads of your lab were in use")
    expect(your_lab(page).locator(".bsh-meters")).to_contain_text("of 80")
    picture(page, "limits-2-processes")


def test_with_full_homes_work_is_handed_in_and_deleting_helps(narrow, new_context, picture):
    page = open_lab(new_context(), narrow, "sofia")
    begin(page)
    expect(run(page, FILL)).to_contain_text(re.compile("filled|refused"), timeout=SOON_MS)
    for _look in range(60):
        panel(page).get_by_role("button", name="Refresh").click()
        page.wait_for_timeout(2_000)
        if your_lab(page).get_by_text("you may use, so large files").count():
            break
    expect(your_lab(page)).to_contain_text("of the 48 MB you may use")
    expect(your_lab(page)).to_contain_text("you can still hand in")
    picture(page, "limits-3-home")
    faults = in_both_themes(page, "limits-home")

    # A notebook with a large output cannot be saved: that is said, and what was saved before
    # can be handed in, knowingly, with a true receipt.
    expect(run(page, "print('x' * 400_000)")).to_contain_text("xxx", timeout=SOON_MS)
    button(card(page, PRACTICE), "Check my work").click()
    close_own_dialog_of_lab(page)
    expect(card(page, PRACTICE).locator(".bsh-fault")).to_contain_text("could not be saved")
    picture(page, "limits-4-not-saved")
    button(card(page, PRACTICE), "Hand in without checking").click()
    close_own_dialog_of_lab(page)
    picture(page, "limits-5-hand-in-what-was-saved")
    dialog(page).get_by_role("button", name="Hand in what was saved").click()
    dialog(page).get_by_role("button", name="Hand in anyway").click()
    expect(dialog(page).get_by_text("Handed in").first).to_be_visible()
    dialog(page).get_by_role("button", name="Close").click()
    expect(button(card(page, PRACTICE), "See feedback")).to_be_visible(timeout=240_000)

    expect(run(page, EMPTY)).to_contain_text("emptied", timeout=SOON_MS)
    expect(run(page, GROW)).to_contain_text("grown", timeout=SOON_MS)
    panel(page).get_by_role("button", name="Refresh").click()
    expect(your_lab(page)).to_have_count(0)
    assert not faults
