"""What the tests that click share: the panel, the notebook, axe and pictures."""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from bioskills_tests import COURSE, ROOT, sign_in
from playwright.sync_api import BrowserContext, Locator, Page, expect

ARTEFACTS = ROOT / "tests" / "artefacts"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (1360, 390)
THEMES = ("light", "dark")
OURS = ".bsh-lab"
LAB_SIZES = ((1360, 900), (390, 844))
RUN = "demo-sequences-first-steps"
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
GRADED_MS = 240_000  # figures are printed; a loaded machine fails no test


# ---- the Lab


def open_lab(context: BrowserContext, product, name: str) -> Page:
    """Sign in and wait for the panel with its courses."""
    page = context.new_page()
    sign_in(page, product, name)
    page.locator(".bsh-lab h1").wait_for()
    page.locator(".bsh-lab").get_by_role("heading", name="Next").wait_for()
    # Until Lab has put back its tabs it moves the focus about.
    page.locator("#jp-main-dock-panel .lm-TabBar-tab").first.wait_for()
    return page


def panel(page: Page) -> Locator:
    return page.locator("#bioskills-training")


def card(page: Page, title: str) -> Locator:
    """Find the card of an assignment by a part of its title."""
    return panel(page).locator(".bsh-card").filter(has=page.get_by_role("heading", name=title))


def button(within: Locator, label: str) -> Locator:
    """Find a card's button: its label, then the card's title for screen readers."""
    return within.get_by_role("button", name=re.compile(rf"^{label} ?:"))


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def hand_in_without_check(page: Page, title: str) -> None:
    """Press the quiet button and agree that answers are missing."""
    button(card(page, title), "Hand in without checking").click()
    anyway = dialog(page).get_by_role("button", name="Hand in anyway")
    closing = dialog(page).get_by_role("button", name="Close")
    anyway.or_(closing).first.wait_for()
    if anyway.is_visible():
        anyway.click()
    closing.click()


def start(page: Page, title: str) -> None:
    """Fetch an assignment; its notebook opens."""
    button(card(page, title), "Start").click()
    page.locator(".jp-Notebook:visible .jp-CodeCell").first.wait_for()
    expect(button(card(page, title), "Check my work")).to_be_visible()


@cache
def solutions(assignment: str) -> dict[str, str]:
    """Return the right answer of each code cell, by the first line that identifies it."""
    book = json.loads((COURSE / "assignments" / assignment / f"{assignment}.ipynb").read_text())
    answers = {}
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "### BEGIN SOLUTION" in source:
            bare = source.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
            answers[source.splitlines()[0]] = bare
    return answers


def write_answers(page: Page, assignment: str, skip: Iterable[str] = ()) -> None:
    """Type the right answers into the open notebook as a person does."""
    for first_line, source in solutions(assignment).items():
        if first_line not in skip:
            cells = page.locator(".jp-Notebook:visible .jp-CodeCell")
            cells.filter(has_text=first_line).first.locator(".cm-content").click()
            page.keyboard.press("Control+a")
            page.keyboard.insert_text(source)


def write_texts(page: Page, text: str) -> None:
    """Answer every open question in words, in its Markdown cell."""
    # Instructions quote the placeholder, too; an answer is nothing but it.
    alone = page.locator("p").filter(has_text=re.compile(r"^\s*YOUR ANSWER HERE\s*$"))
    empty = page.locator(".jp-Notebook:visible .jp-MarkdownCell").filter(has=alone)
    expect(empty).not_to_have_count(0)
    for left in reversed(range(empty.count())):
        empty.first.locator(".jp-RenderedMarkdown").dblclick()
        page.locator(".jp-Notebook:visible .jp-MarkdownCell.jp-mod-active .cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
        page.keyboard.press("Shift+Enter")
        expect(empty).to_have_count(left)


# ---- accessibility


def axe_faults(page: Page, scope: str = "") -> list[str]:
    """Return what axe-core finds: WCAG 2.0 to 2.2, A and AA, and its best practices."""
    page.evaluate(AXE_SCRIPT)
    options = {"runOnly": list(RULES), "resultTypes": ["violations"]}
    found = page.evaluate(
        "([scope, options]) => axe.run(scope || document, options)", [scope, options]
    )
    return [
        f"{fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def examine(page: Page, name: str, scope: str = "", widths: Iterable[int] = WIDTHS) -> list[str]:
    """Look at a campus page in both themes and widths; keep the pictures, return the faults."""
    faults = []
    size = page.viewport_size
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{name}-{theme}-{width}"
            keep_picture(page, f"page-{where}")
            faults += [f"{where}: {fault}" for fault in axe_faults(page, scope)]
            if sideways(page) > 0:
                faults.append(f"{where}: {sideways(page)} px wider than the window")
    page.set_viewport_size(size)
    return faults


def switch_theme(page, theme: str) -> None:
    """Choose a theme in Lab's own menu."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    page.locator(".lm-Menu-item", has_text="Theme").first.click()
    label = re.compile(f"^JupyterLab {theme.title()}$")
    page.locator(".lm-Menu-itemLabel", has_text=label).click()
    light = str(theme == "light").lower()
    page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")


def look(page, name: str, sizes=LAB_SIZES) -> list[str]:
    """Look at what is ours in the Lab as it is now; keep the pictures, return the faults."""
    faults = []
    before = page.viewport_size
    theme = "light" if page.locator("body[data-jp-theme-light=true]").count() else "dark"
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(TWO_FRAMES)  # Lab lays itself out in the next one
        page.wait_for_timeout(150)
        keep_picture(page, f"lab-{name}-{theme}-{width}")
        faults += [f"{name}-{theme}-{width}: {fault}" for fault in axe_faults(page, OURS)]
    page.set_viewport_size(before)
    return faults


def in_both_themes(page, name: str) -> list[str]:
    found = []
    for theme in reversed(THEMES):
        switch_theme(page, theme)
        found += look(page, name)
    return found


def keep_picture(page: Page, name: str) -> Path:
    """Keep a picture of the whole page."""
    ARTEFACTS.mkdir(exist_ok=True)
    path = ARTEFACTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
