"""Choose which output of a graded notebook its learner may see again.

Law: once a text that the learner's file does not hold has entered the process,
nothing that the process says is shown any more, in no form and of no cell: it
may quote that text, plain or encoded. What was said before is shown as short
plain text: no picture, no HTML, no colour, no control character. When in
doubt, less is shown. Pure.

A text of the grader's own: a hidden test, or any cell that runs otherwise than
it was handed in. All notebooks of a hand-in share one folder, so the first
such text in one notebook also ends what is shown of those that run later.

An output with a display name can be written anew by any later cell. So of
outputs that are more than a stream of text only their number is told, except
where the caller sealed the notebook before the first text of the grader's own.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bioskills.base.text import _

Book = Mapping[str, Any]

CELL_BYTES = 4_000
ALL_BYTES = 64_000
MOST_CELLS = 200
_RAW_CHARS = 8 * CELL_BYTES
_NAME_CHARS = 80

HIDDEN_TESTS = "BEGIN HIDDEN TESTS"
"""What nbgrader takes out of a release, and puts back before it grades."""

_COLOURS = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # a title, or a link
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # a colour, or a movement
    r"|\x1b[^\[\]]?"
)
_LINE = re.compile(r"(?:Cell In\[(\d+)\]|Input In \[(\d+)\]), line (\d+)")
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "image/gif")


def shown(
    executed: Mapping[str, Book],
    submitted: Mapping[str, Book],
    sources: Mapping[str, str],
    *,
    sealed: bool = False,
) -> dict[str, str]:
    """Return what each cell printed that ran before the first hidden test, as plain text.

    Args:
        executed: Graded notebooks by name, in the order in which they ran. One that holds
            hidden tests and is not among them may have run before all others; not so if sealed.
        submitted: The same notebooks as they were handed in.
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        sealed: Whether `executed` was copied before the first cell that `is_secret` ran,
            so that no later cell can have changed an output in it.

    Returns:
        Text by `<notebook>/<grade_id>`, or `<notebook>/#<n>` for the n-th code cell where
        it has no grade_id. Cells that printed nothing are left out.
    """
    found: dict[str, str] = {}
    left = ALL_BYTES
    if not sealed and _left_out(executed, sources):
        return {}
    for key, cell in _before_secrets(executed, submitted, sources):
        text = _cut(_said(cell, sealed=sealed), min(CELL_BYTES, left))
        if text and len(found) < MOST_CELLS:
            found[key if key not in found else f"{key}#{len(found)}"] = text
            left -= len(text.encode())
    return found


def is_secret(cell: Book, theirs: frozenset[str], sources: Mapping[str, str], book: str) -> bool:
    """Say whether running this cell tells the process something that its learner does not have.

    Args:
        cell: A code cell as it runs.
        theirs: What `texts_of` the notebook that was handed in.
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        book: The notebook's name.
    """
    written = _source(cell)
    kept = sources.get(f"{book}/{_grade_id(cell)}", "")
    return HIDDEN_TESTS in written or HIDDEN_TESTS in kept or _normal(written) not in theirs


def texts_of(submitted: Book) -> frozenset[str]:
    """Return the texts of a notebook's cells, for `is_secret`."""
    return frozenset(_normal(_source(cell)) for cell in _cells(submitted))


def plain(text: str) -> str:
    """Return text without colours and characters that nobody sees; what a line overwrote is gone."""
    bare = _COLOURS.sub("", text[:_RAW_CHARS]).replace("\r\n", "\n")
    last = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in bare.split("\n"))
    return "".join(_visible(last))


def _before_secrets(
    executed: Mapping[str, Book], submitted: Mapping[str, Book], sources: Mapping[str, str]
) -> Iterator[tuple[str, Book]]:
    for name, book in executed.items():
        theirs = texts_of(submitted.get(name, {}))
        code = (cell for cell in _cells(book) if cell.get("cell_type") == "code")
        for number, cell in enumerate(code, 1):
            if is_secret(cell, theirs, sources, name):
                return
            yield f"{name}/{plain(_grade_id(cell))[:_NAME_CHARS] or f'#{number}'}", cell


def _left_out(executed: Mapping[str, Book], sources: Mapping[str, str]) -> bool:
    """Say whether a notebook with hidden tests ran of which nothing is known."""
    secret = (key for key, source in sources.items() if HIDDEN_TESTS in source)
    return any(key.rpartition("/")[0] not in executed for key in secret)


def _said(cell: Book, *, sealed: bool) -> str:
    outputs = cell.get("outputs")
    listed = outputs if isinstance(outputs, list) else []
    texts = (_output(cell, output, sealed=sealed) for output in listed if isinstance(output, dict))
    return plain(_joined(texts)).strip("\n")


def _joined(texts: Iterable[str]) -> str:
    """Join texts, each beginning a line, up to what is read at most."""
    whole = ""
    for text in texts:
        whole += ("\n" if whole and not whole.endswith("\n") else "") + text[:_RAW_CHARS]
        if len(whole) > _RAW_CHARS:
            break
    return whole


def _output(cell: Book, output: Book, *, sealed: bool) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return _joined_text(output.get("text"))
    if kind == "error":
        return _error(cell, output)
    if not sealed:
        return _("[a figure or a value: run the cell in your lab to see it]")
    data = output.get("data")
    return _value(data if isinstance(data, dict) else {})


def _value(data: Mapping[str, Any]) -> str:
    """Name a picture by kind and size: it can hold any text. A value is its plain text."""
    for kind in _PICTURES:
        if kind in data:
            kilobytes = len(_joined_text(data[kind])) // 1000 + 1
            return _("[a figure, {kind}, about {n} kB]").format(kind=kind, n=kilobytes)
    return _joined_text(data.get("text/plain"))


def _error(cell: Book, output: Book) -> str:
    name = _joined_text(output.get("ename"))[:_NAME_CHARS]
    value = _joined_text(output.get("evalue"))
    said = f"{name}: {value}" if value else name
    number = _line_of(cell, output)
    lines = _source(cell).splitlines()
    if not 0 < number <= len(lines):
        return said
    own = _("line {n} of this cell: {line}").format(n=number, line=lines[number - 1].strip())
    return f"{said}\n{own}"


def _line_of(cell: Book, output: Book) -> int:
    """Return the line of this very cell at which the error was raised; 0 where none is named."""
    traceback = output.get("traceback")
    text = "\n".join(map(str, traceback)) if isinstance(traceback, list) else ""
    mine = str(cell.get("execution_count"))
    places = _LINE.findall(_COLOURS.sub("", text[:_RAW_CHARS]))
    return next((int(line[:9]) for new, old, line in places if (new or old) == mine), 0)


def _visible(text: str) -> Iterator[str]:
    for character in text:
        if character in "\n\t" or not unicodedata.category(character).startswith("C"):
            yield "\n" if character in "\u2028\u2029" else character


def _cut(text: str, most: int) -> str:
    whole = text.encode()
    if len(whole) <= most:
        return text
    note = "\n" + _("[more was printed; the beginning is shown]")
    room = most - len(note.encode())
    return whole[:room].decode("utf-8", "ignore") + note if room > 0 else ""


def _cells(book: Book) -> list[Book]:
    cells = book.get("cells")
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def _source(cell: Book) -> str:
    return _joined_text(cell.get("source"))


def _normal(source: str) -> str:
    """Return a text without what editors and file formats change by themselves."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _grade_id(cell: Book) -> str:
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return str(about.get("grade_id", "")) if isinstance(about, dict) else ""


def _joined_text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
