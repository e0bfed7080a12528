"""Make a notebook out of the bytes of a file.

Law: pure, and never an error, whatever the bytes are. A fault is mended only
where there is one way to read it; where there are two, a person decides. What
nbformat itself reads is said to be `as_is`, and nothing was changed.
"""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DEEPEST = 100
"""Levels of nesting that are kept: nbconvert, which copies by recursion, stops at some 400."""
_MARK = re.compile(r"^(?:<{7}|={7}|>{7})", re.MULTILINE)
# A string without end reaches to the end: every text is gone through once, never again and again.
_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_PAGE = re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """A file, read.

    Attributes:
        book: The notebook; None where there is none.
        mended: Codes of what had to be put right in the text.
        fault: Code of what is wrong where there is no notebook.
    """

    book: dict[str, Any] | None = None
    mended: tuple[str, ...] = ()
    fault: str = ""

    @property
    def as_is(self) -> bool:
        """Say whether nbformat reads the very same from the file."""
        return self.book is not None and not self.mended


def read(data: bytes) -> Reading:
    """Return the notebook in a file, or what is wrong with it."""
    if not data.strip(b"\0 \t\r\n"):
        return Reading(fault="empty")
    try:
        text, mended = _decoded(data)
        return _parsed(text, mended)
    except (RecursionError, MemoryError):
        return Reading(fault="deep")
    except ValueError:
        return Reading(fault=_fault(data))


def depth(value: object) -> int:
    """Return how deeply lists and dicts are nested in each other."""
    levels, at = 0, [value]
    while at := [part for part in at if isinstance(part, dict | list)]:
        levels += 1
        at = [v for part in at for v in (part.values() if isinstance(part, dict) else part)]
    return levels


def written(book: dict[str, Any]) -> bytes:
    """Return the file of a notebook; halves of characters become U+FFFD."""
    text = json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True)
    return f"{whole(text)}\n".encode()


def whole(text: str) -> str:
    """Join the halves of characters that lie side by side, replace those that are alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        if not data.startswith(codecs.BOM_UTF8) and b"\0" not in data[:4]:
            return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    for encoding in (_marked(data), "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return text.lstrip("\ufeff"), ("encoding",)
    raise ValueError("no text")


def _marked(data: bytes) -> str:
    """Return the encoding that the first bytes give away."""
    return json.detect_encoding(data) if data[:4] else "utf-8"


def _parsed(text: str, mended: tuple[str, ...]) -> Reading:
    for code, attempt in _ATTEMPTS.items():
        try:
            found = attempt(text)
        except ValueError:
            continue
        return _as_book(found, (*mended, code) if code else mended, text)
    raise ValueError("no JSON")


def _as_book(found: object, mended: tuple[str, ...], text: str) -> Reading:
    content = found.get("content") if isinstance(found, dict) and "cells" not in found else None
    if isinstance(content, dict):
        found, mended = content, (*mended, "wrapped")
    if not isinstance(found, dict) or not _has_cells(found):
        return Reading(fault="cells")
    # Halves of characters are read without complaint, and stop nbconvert when it writes.
    if _HALF.search(text) and _has_halves(found):
        mended = (*mended, "shape")
    return Reading(found, mended)


def _has_cells(book: dict[str, Any]) -> bool:
    return any(isinstance(book.get(key), list) for key in ("cells", "worksheets"))


def _has_halves(found: object) -> bool:
    text = json.dumps(found, ensure_ascii=False)
    return whole(text) is not text


def _strictly(text: str) -> object:
    return json.loads(text)


def _leniently(text: str) -> object:
    """Read text with commas too many, and with control characters inside of strings."""
    return json.loads(_COMMA.sub(lambda found: found[1] or "", text), strict=False)


def _without_rest(text: str) -> object:
    """Read what stands before a rest that is no notebook by itself.

    Raises:
        ValueError: There is a second one, and nobody knows which is meant.
    """
    text = text.lstrip()
    found, end = json.JSONDecoder(strict=False).raw_decode(text)
    rest = text[end:].strip("\0 \t\r\n")
    if '"cells"' in rest:
        raise ValueError("a second notebook")
    return found


def _without_conflict(text: str) -> object:
    """Read text with Git's marks where both sides have the same cells.

    Raises:
        ValueError: The sides differ in a cell's text, kind or marks.
    """
    ours, theirs = (_leniently(side) for side in _sides(text))
    if _essence(ours) != _essence(theirs):
        raise ValueError("two versions")
    return ours


def _sides(text: str) -> tuple[str, str]:
    """Return both versions of a text with Git's marks: `<<<<<<<`, perhaps `|||||||`, `=======`, `>>>>>>>`."""
    sides: tuple[list[str], list[str]] = ([], [])
    at: tuple[int, ...] = (0, 1)
    for line in text.splitlines(keepends=True):
        turn = _TURNS.get(line[:7])
        if turn is None:
            for side in at:
                sides[side].append(line)
        else:
            at = turn
    return "".join(sides[0]), "".join(sides[1])


def _essence(book: object) -> list[tuple[object, ...]]:
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise ValueError("no cells")  # noqa: TRY004 - a fault of the file, like the others
    return [
        (cell.get("cell_type"), _joined(cell.get("source")), _marks(cell))
        for cell in cells
        if isinstance(cell, dict)
    ]


def _joined(source: object) -> object:
    is_list = isinstance(source, list) and all(isinstance(line, str) for line in source)
    return "".join(source) if is_list else source  # type: ignore[arg-type]


def _marks(cell: dict[str, Any]) -> object:
    metadata = cell.get("metadata")
    return metadata.get("nbgrader") if isinstance(metadata, dict) else None


_TURNS: dict[str, tuple[int, ...]] = {"<" * 7: (0,), "|" * 7: (), "=" * 7: (1,), ">" * 7: (0, 1)}
_ATTEMPTS: dict[str, Callable[[str], object]] = {
    "": _strictly,
    "punctuation": _leniently,
    "rest": _without_rest,
    "conflict": _without_conflict,
}


def _fault(data: bytes) -> str:
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        return "archive"
    if _PAGE.match(data):
        return "page"
    text = data.decode("utf-8", "replace")
    if len(_MARK.findall(text)) >= 3:  # noqa: PLR2004 - a conflict has three marks
        return "conflict"
    starts = text.lstrip("\ufeff \t\r\n").startswith("{")
    return "cut" if starts and not text.rstrip("\0 \t\r\n").endswith("}") else "text"
