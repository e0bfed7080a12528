"""Find out which of the files that were handed in is the assignment's notebook.

Law: pure. A file of the right name is the one, whatever else is there. Without
it, a copy or a renamed file is taken where its name or its cells leave no
doubt; where several do, the likeliest is taken and the others are named.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bioskills.graders.repair.cells import plain_cells
from bioskills.graders.repair.model import Expected
from bioskills.graders.repair.reading import read
from bioskills.graders.repair.stock import marks_of, name_of

ENDING = ".ipynb"
_ENDINGS = re.compile(r"(?:\.ipynb)+(?:\.(?:txt|json|html?|download))?$|\.json$", re.IGNORECASE)
_COPY = re.compile(
    r"^(?:copy of|kopie von|copie de|copia de)\s+|"
    r"(?:[ _-]*(?:\(\d{1,6}\)|copy\s?\d{0,6}|kopie|checkpoint))+$"
)
_NUMBER = re.compile(r"(\d{1,6})\)?$")
_SCRIPTS = (".py", ".r", ".rmd", ".qmd", ".md")
_DOCUMENTS = (".html", ".htm", ".pdf", ".docx", ".odt", ".txt")
_HALF = 0.5


@dataclass(frozen=True)
class Chosen:
    """The file that stands for a notebook.

    Attributes:
        path: As handed in.
        others: Files that could have been meant as well.
    """

    path: str
    others: tuple[str, ...] = ()


def choose(
    notebook: str, files: Mapping[str, bytes], expected: Mapping[str, Expected]
) -> Chosen | None:
    """Return the file that is this notebook; None where none is."""
    exact = f"{notebook}{ENDING}"
    if exact in files:
        return Chosen(exact)
    taken = {f"{name}{ENDING}" for name in expected}
    ranks = {
        path: rank
        for path, data in files.items()
        if path not in taken and _ENDINGS.search(path)
        if (rank := _rank(notebook, path, data, expected))
    }
    if not ranks:
        return None
    best = max(sorted(ranks), key=lambda path: ranks[path])
    return Chosen(best, tuple(sorted(path for path in ranks if path != best)))


def instead(files: Collection[str]) -> str:
    """Return what was handed in where no notebook was: `script`, `document` or nothing."""
    endings = [PurePosixPath(path).suffix.lower() for path in files]
    if any(ending in _SCRIPTS for ending in endings):
        return "script"
    names = [path for path in files if PurePosixPath(path).name != "timestamp.txt"]
    return "document" if any(path.lower().endswith(_DOCUMENTS) for path in names) else ""


def plain_name(path: str) -> str:
    """Return a notebook's name without what systems and people add to it."""
    name = _ENDINGS.sub("", PurePosixPath(path).name)
    letters = unicodedata.normalize("NFKD", name).casefold()
    name = "".join(letter for letter in letters if not unicodedata.combining(letter)).strip()
    shorter = _COPY.sub("", name)
    while shorter and shorter != name:
        name, shorter = shorter, _COPY.sub("", shorter)
    return re.sub(r"[\s_-]+", " ", name).strip()


def _rank(
    notebook: str, path: str, data: bytes, expected: Mapping[str, Expected]
) -> tuple[bool, bool, bool, float, int] | None:
    """Return how well a file stands for a notebook, the best being the greatest; None where it does not."""
    named = plain_name(path) == plain_name(f"{notebook}{ENDING}")
    others = {plain_name(f"{name}{ENDING}") for name in expected if name != notebook}
    share = _share(data, expected[notebook])
    if not named and (share < _HALF or plain_name(path) in others):
        return None
    kept_by_jupyter = "checkpoint" in path
    top = "/" not in path
    number = _NUMBER.search(_ENDINGS.sub("", path))
    return (not kept_by_jupyter, named, top, share, int(number[1]) if number else 0)


def _share(data: bytes, expected: Expected) -> float:
    """Return how many of the notebook's cells a file has, 0 to 1."""
    wanted = {cell.name for cell in expected.cells}
    if not wanted:
        return 0.0
    book = read(data).book
    names = {name_of(marks_of(cell)) for cell in plain_cells(book)} if book else set()
    return len(wanted & names) / len(wanted)
