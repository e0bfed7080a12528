"""What several suites share: the demo course's folder, and signing in as a person does."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "courses" / "sequences-first-steps"


def sign_in(page: "Page", product, name: str, address: str = "") -> None:
    """Sign in with the printed password, starting at an address of the product."""
    page.goto(address or product.url)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(product.password(name))
    page.get_by_role("button", name="Sign in").click()
