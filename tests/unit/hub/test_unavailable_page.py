"""The page of what does not answer needs nobody else and allows nothing but itself."""

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

from bioskills.base.settings import Settings
from bioskills.base.text import _
from bioskills.hub.unavailable_page import NAMES, unavailable_page, write_pages

SITE = {"site": {"title": "A & <B>", "help_contact": "help@example.org"}}


class Reader(HTMLParser):
    """Collect tags with their attributes, and the text of style and script."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"style", "script"} and data.strip():
            self.inside.setdefault(self.tags[-1][0], data)


def read(settings: Settings) -> Reader:
    reader = Reader()
    reader.feed(unavailable_page(settings))
    return reader


def policy(reader: Reader) -> str:
    return next(str(a["content"]) for _tag, a in reader.tags if a.get("http-equiv"))


def test_its_policy_allows_its_own_style_and_script_by_hash_and_nothing_else() -> None:
    reader = read(Settings())

    for kind, text in reader.inside.items():
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy(reader)
    assert set(reader.inside) == {"style", "script"}
    assert policy(reader).startswith("default-src 'none'")
    assert "unsafe" not in policy(reader)


def test_it_loads_nothing_and_never_reloads_by_a_clock() -> None:
    reader = read(Settings())

    assert [a for _tag, a in reader.tags if "src" in a or a.get("rel") == "stylesheet"] == []
    assert "refresh" not in [a.get("http-equiv") for _tag, a in reader.tags]
    assert not [name for _tag, a in reader.tags for name in a if name.startswith("on")]


def test_it_says_where_to_go_and_whom_to_ask() -> None:
    page = unavailable_page(Settings.model_validate(SITE))

    assert re.search(r'<a class="button" href="">', page)
    assert "http://hub.localhost:8000/hub/home" in page
    assert "help@example.org" in page
    assert "A &amp; &lt;B&gt;" in page
    assert "<B>" not in page


def test_it_lies_under_every_name_that_the_proxy_looks_for(tmp_path: Path) -> None:
    for _time in range(2):
        folder = write_pages(Settings(), tmp_path / "pages")

    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert folder.stat().st_mode & 0o077 == 0


def test_it_speaks_the_site_s_language_and_nobody_else_does_after_it() -> None:
    page = unavailable_page(Settings.model_validate({"site": {"language": "de"}}))

    assert '<html lang="de">' in page
    assert "Zurzeit keine Antwort" in page
    assert _("Passport") == "Passport"
