"""Every page that a German can reach says everything in German, and fits a telephone.

Follows each link of the pages of a learner, an instructor and an admin. What a course or
a person wrote is in their own language; everything else comes from the catalogue.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

import pytest
from babel.messages.pofile import read_po
from bioskills_browser import keep_picture, sideways
from bioskills_handins import HandIns
from bioskills_product import running_product
from bioskills_tests import ROOT
from playwright.sync_api import Page

pytestmark = [pytest.mark.ui, pytest.mark.integration]

CATALOGUE = ROOT / "extensions" / "base" / "locale" / "de" / "LC_MESSAGES" / "bioskills.po"
VALUE = re.compile(r"\\\{\w*(?:!r)?(?::[^}]*)?\\\}|%\\\(\w+\\\)s")
BARE_VALUE = re.compile(r"\{[^}]*\}|%\(\w+\)s")
WORD = re.compile(r"[A-Za-z]{2,}")
DOORS = {
    "lea": ("", "passport", "looks", "your-settings", "papers", "accessibility"),
    "ina": ("courses", "course-versions", "tokens"),
    "ada": ("admin", "people", "people/upload"),
}
WORDS = """
() => {
    const ours = node => !node.closest("code, pre, script, style, .mono, [lang]:not(html)");
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode())
        if (ours(walker.currentNode.parentElement)) found.push(walker.currentNode.data);
    for (const name of ["aria-label", "title", "placeholder", "alt"])
        for (const one of document.querySelectorAll(`[${name}]`))
            if (ours(one)) found.push(one.getAttribute(name));
    return found.map(text => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}
"""
"""The text nodes of a page and what is read aloud, without code."""


@cache
def english() -> re.Pattern[str]:
    """Return what matches a sentence that German says in other words."""
    with CATALOGUE.open("rb") as file:
        found = read_po(file, locale="de")
    said = {form for m in found for form in forms(m.string)}
    kept = {form for m in found if m.id for form in forms(m.id) if form not in said}
    # One word beside a value is not enough: "3 of 4", "this and that".
    telling = [
        form for form in kept if len(WORD.findall(BARE_VALUE.sub("", form))) > 1 or form.isalpha()
    ]
    return re.compile(
        "|".join(VALUE.sub(".+", re.escape(" ".join(form.split()))) for form in telling)
    )


def forms(text: str | list[str] | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def kind(address: str) -> str:
    """Return a page's address without what differs from one of its kind to the next."""
    parts = urlsplit(address)
    keys = sorted(re.findall(r"(\w+)=", parts.query))
    return re.sub(r"p-\d+|\d{2,}|/[ps]\d\b", "*", parts.path) + "?" * bool(keys) + ",".join(keys)


def pages_of(page: Page, campus: str, doors: tuple[str, ...]) -> Iterator[str]:
    """Open every page that links lead to from these doors, one of each kind; yield what each is."""
    to_see, seen = deque(campus + door for door in doors), set[str]()
    while to_see:
        address = to_see.popleft()
        if kind(address) in seen:
            continue
        seen.add(kind(address))
        page.goto(address)
        yield kind(address).removeprefix(urlsplit(campus).path) or "first"
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
        to_see.extend(
            link.partition("#")[0]
            for link in links
            if link.startswith(campus) and not re.search(r"language|\.(csv|xlsx)\b|sign-", link)
        )


def faults_of(page: Page, name: str) -> Iterator[str]:
    if page.locator("html").get_attribute("lang") != "de":
        yield f"{name}: the page does not say that it is German"
    for text in page.evaluate(WORDS):
        if english().fullmatch(text):
            yield f"{name}: {text!r} is English"
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        keep_picture(page, f"de-{re.sub(r'[^a-z]+', '-', name).strip('-')}-{width}")
        if sideways(page) > 0:
            yield f"{name}: {sideways(page)} px too wide at {width}"


@pytest.fixture(scope="module")
def german_product() -> Iterator[object]:
    """A German site: what its grader stores with a result is German, whoever reads it."""
    with running_product(SITE_LANGUAGE="de") as found:
        yield found


@pytest.fixture(scope="module")
def graded(german_product) -> None:
    """Work of two people."""
    product = german_product
    for name in ("lea", "miro"):
        HandIns(product, name).hand_in("p1")
    for name in ("lea", "miro"):
        assert HandIns(product, name).graded("p1")


def test_an_english_sentence_is_found():
    assert english().fullmatch("Your settings")
    assert english().fullmatch("3 of 4 labs are running.")
    assert not english().fullmatch("Ihre Einstellungen")


@pytest.mark.parametrize("name", DOORS)
def test_every_page_is_german_and_fits(german_product, graded, new_context, name):
    product = german_product
    page = new_context(locale="de-DE").new_page()
    page.goto(product.campus)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(product.password(name))
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/services/campus/**")
    names = []
    found = []
    for one in pages_of(page, product.campus, DOORS[name]):
        names.append(one)
        found += faults_of(page, one)

    assert len(names) >= len(DOORS[name])
    assert sorted(set(found)) == []
