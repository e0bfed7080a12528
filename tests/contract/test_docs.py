"""The documentation says what the code says, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from clone import CLONE, name_of, tracked_files

from bioskills.base.commands import nouns
from bioskills.base.settings import SECTIONS, section_fields

REFERENCE = CLONE / "docs" / "reference"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGES = [
    path
    for path in tracked_files()
    if path.suffix == ".md"
    and "courses" not in path.relative_to(CLONE).parts[:1]
    and "node_modules" not in path.parts
]


def test_reference_pages_are_what_the_code_says() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_option_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    options = [f"### {section}.{key}\n" for section in SECTIONS for key in section_fields(section)]

    assert [option for option in options if option not in page] == []


def test_every_option_says_what_it_does() -> None:
    fields = {f"{s}.{k}": f for s in SECTIONS for k, f in section_fields(s).items()}

    assert [
        name for name, field in fields.items() if not (field.description or "").endswith(".")
    ] == []


def test_every_command_is_documented() -> None:
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")

    assert [noun for noun in nouns() if f"## bioskills {noun}" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    local = [
        link.partition("#")[0] for link in LINK.findall(text) if not re.match(r"[a-z]+:|#", link)
    ]

    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_page_is_reached_from_the_index() -> None:
    docs = CLONE / "docs"
    index = (docs / "index.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(docs)) for path in docs.rglob("*.md")} - {"index.md", "README.md"}

    assert sorted(page for page in pages if page not in index) == []
