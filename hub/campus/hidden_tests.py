"""Find the hidden tests of an assignment in a page that somebody else's program made.

Law: in doubt a page shows them. A page is compared as its text reads: without
markup, character references and spaces. Pure, but for reading the stored course.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from html.parser import HTMLParser

from bioskills.hub.campus.objects import Objects

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
LEAST_CHARS = 8
"""A shorter line, such as `)`, stands in many a page."""

OUTPUT_MARKS = ("jp-OutputArea", "output_area", "output_subarea")
"""What nbconvert's templates call the output of a cell."""


def hidden_lines(objects: Objects, sha256: str, assignment: str) -> frozenset[str]:
    """Return the lines of an assignment's hidden tests, without spaces.

    Args:
        objects: Where the course version is stored.
        sha256: Hash of the course version's ZIP.
        assignment: Name of the assignment.
    """
    with objects.open(sha256) as file, closing(zipfile.ZipFile(file)) as course:
        found = [
            line
            for path in course.namelist()
            if path.startswith(f"assignments/{assignment}/") and path.endswith(".ipynb")
            for line in _hidden_in(course.read(path))
        ]
    return frozenset(found)


def shows(page: str, lines: Iterable[str]) -> bool:
    """Say whether a page quotes one of these lines, or repeats what a cell put out.

    What a learner's code prints while hidden tests run can hold them in any code,
    so an output of a notebook counts as a quotation where there are hidden tests.
    """
    listed = list(lines)
    text = _bare(_text_of(page))
    quoted = any(line in text for line in listed if len(line) >= LEAST_CHARS)
    return quoted or (bool(listed) and any(mark in page for mark in OUTPUT_MARKS))


def _hidden_in(notebook: bytes) -> Iterator[str]:
    try:
        cells = json.loads(notebook)["cells"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError):
        return
    for source in sources:
        inside = False
        for line in source.splitlines():
            if BEGIN in line or END in line:
                inside = BEGIN in line
            elif inside and line.strip():
                yield _bare(line)


class _Text(HTMLParser):
    """Gathers the text of a page, character references resolved."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    parser.close()
    return "".join(parser.parts)


def _bare(text: str) -> str:
    return "".join(text.split())
