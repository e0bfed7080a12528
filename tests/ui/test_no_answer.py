"""A page that does not answer says so in our words, and opens by itself when it is back."""

import subprocess
from contextlib import contextmanager

import pytest
from bioskills_browser import WIDTHS, axe_faults, keep_picture, sideways
from bioskills_product import ENVIRONMENTS
from bioskills_tests import sign_in
from bioskills_waiting import eventually
from playwright.sync_api import expect

pytestmark = [pytest.mark.ui, pytest.mark.integration]


@contextmanager
def without_campus(product):
    """Stop the campus, and start it again whatever happens meanwhile."""
    program = str(ENVIRONMENTS / "hub" / "bin" / "supervisorctl")
    config = str(next((product.data / "state").glob("*/supervisord.conf")))
    for verb in ("stop", "start"):
        command = [program, "-c", config, verb, "campus"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        if verb == "stop":
            yield


def test_a_campus_page_that_is_away_is_told_and_opens_by_itself(mortal_product, new_context):
    faults, complaints = [], []
    page = new_context().new_page()
    page.on("console", lambda line: complaints.append(line.text))
    sign_in(page, mortal_product, "ina", mortal_product.campus)
    expect(page.get_by_role("heading", name="Courses", level=1)).to_be_visible()
    with without_campus(mortal_product):
        assert page.goto(f"{mortal_product.campus}courses").status == 503
        expect(page.get_by_role("heading", name="No answer right now")).to_be_visible()
        expect(page.get_by_text("opens here by itself")).to_be_visible()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                keep_picture(page, f"no-answer-{theme}-{width}")
                faults += axe_faults(page) + [f"{width}: too wide"] * (sideways(page) > 0)
        assert faults == []
        assert not [line for line in complaints if "Content Security Policy" in line]
    expect(page.get_by_role("heading", name="Courses", level=1)).to_be_visible()


def test_without_javascript_the_page_says_what_to_press(mortal_product, new_context):
    page = new_context(java_script_enabled=False).new_page()
    with without_campus(mortal_product):
        page.goto(f"{mortal_product.campus}courses")
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
        expect(page.get_by_text("opens here by itself")).to_be_hidden()

    def opens() -> bool:
        """Press as a person does, until there is an answer."""
        page.get_by_role("link", name="Try again").click()
        return page.get_by_role("heading", name="No answer right now").count() == 0

    assert eventually(opens)
