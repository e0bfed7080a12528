"""The documentation says what the code says, and its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clone import CLONE, name_of, tracked_files

from bioskills.base.commands import build_parser, nouns
from bioskills.base.settings import SECTIONS, section_fields

REFERENCE = CLONE / "docs" / "reference"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LEAST_ALT_CHARS = 15
MOST_PICTURE_BYTES = 150 * 1024
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?((?:[\w./-]+/)?bioskills .*)$", re.MULTILINE)
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


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the words of each `bioskills` command that a page prints in a block."""
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in COMMAND.findall(block):
            yield shlex.split(line, comments=True)[1:]


def parses(words: list[str]) -> bool:
    points = [point for found in nouns().values() for point in found]
    try:
        build_parser(points).parse_args(words)
    except SystemExit as end:
        return not end.code
    return True


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_of_a_page_is_understood(page: Path) -> None:
    assert [words for words in commands_of(page) if not parses(words)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_picture_of_a_page_is_there_small_and_described(page: Path) -> None:
    faults = []
    for words, link in PICTURE.findall(page.read_text(encoding="utf-8")):
        file = page.parent / link
        if len(words) < LEAST_ALT_CHARS:
            faults.append(f"{link}: described by {words!r}")
        if not file.is_file() or file.stat().st_size > MOST_PICTURE_BYTES:
            faults.append(f"{link}: not there, or larger than {MOST_PICTURE_BYTES} bytes")

    assert faults == []


def test_every_picture_is_shown_on_some_page() -> None:
    shown = {
        os.path.normpath(page.parent / link)
        for page in PAGES
        for _words, link in PICTURE.findall(page.read_text(encoding="utf-8"))
    }
    kept = (CLONE / "docs" / "pictures").glob("*")

    assert sorted(name_of(path) for path in kept if str(path) not in shown) == []
