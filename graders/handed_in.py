"""Read what was handed in, and put right what plain nbgrader would lose of it.

Law: the files stay as they were handed in; what is graded is a copy in their
place, for as long as it is graded.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioskills.base.wire import Flag, Job
from bioskills.graders import scratch_book
from bioskills.graders.reading_back import answers, modules_in, notebooks_in, tree_sha256
from bioskills.graders.repair import Repaired, repair
from bioskills.graders.repair.model import Expected
from bioskills.graders.repair.sources import expected_of
from bioskills.graders.source_cells import source_cells
from bioskills.graders.watching import read_over
from bioskills.graders.workshop import RELEASED


@dataclass(frozen=True)
class HandIn:
    """One hand-in in its slot, as it came.

    Attributes:
        folder: Its files.
        data: The assignment's data files.
        released: Notebooks as they were released, by name; may be empty.
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        books: Its notebooks that can be read, by name.
        mark: Hash of its notebooks.
    """

    folder: Path
    data: Path
    released: Mapping[str, Any]
    sources: Mapping[str, str]
    books: Mapping[str, Any]
    mark: str

    @classmethod
    def read(cls, job: Job, slot: Path) -> "HandIn":
        """Return what lies in a slot."""
        assignment = job.assignments[0]
        folder = slot / "submitted" / job.learner / assignment
        return cls(
            folder=folder,
            data=slot / "source" / assignment,
            released=notebooks_in(slot / RELEASED),
            sources=source_cells(slot / "gradebook.db", assignment),
            books=notebooks_in(folder),
            mark=tree_sha256(folder),
        )

    def answers(self) -> dict[str, str]:
        """Return the learner's source of every answer cell."""
        return {
            f"{name}/{key}": text
            for name, book in self.books.items()
            for key, text in answers(book).items()
        }

    def flags(self) -> list[Flag]:
        """Return what its texts hold that is no answer."""
        modules = modules_in(self.folder, self.data)
        return read_over(self.books, self.released, self.sources, modules)

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Keep the files aside, while their folder holds what is graded; put them back afterwards."""
        aside = self.folder.with_name(f".{self.folder.name}.as-handed-in")
        self.folder.rename(aside)
        try:
            shutil.copytree(aside, self.folder)
            yield aside
        finally:
            shutil.rmtree(self.folder)
            aside.rename(self.folder)


def mend(
    gradebook: Any, assignment: str, folder: Path, released: Path, *, restore: bool
) -> Repaired:
    """Repair the notebooks in a folder that nbgrader would lose.

    Args:
        gradebook: nbgrader's, open.
        assignment: Its name.
        folder: What is graded; changed in place.
        released: The notebooks as they were released.
        restore: Whether what nbgrader grades with a loss is put right, too.
    """
    texts = {path.stem: path.read_bytes() for path in released.glob("*.ipynb")}
    files = {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}
    key = (scratch_book.content_key(), assignment, tuple(sorted(texts.items())))
    found = repair(files, _expected(gradebook, assignment, texts, key), restore=restore)
    for name in files.keys() - found.files.keys():
        (folder / name).unlink()
    for name, content in found.files.items():
        if files.get(name) != content:
            (folder / name).write_bytes(content)
    return found


_last_expected: dict[object, Mapping[str, Expected]] = {}
"""What the last assignment's notebooks hold: a class hands in the same one."""


def _expected(
    gradebook: Any, assignment: str, texts: Mapping[str, bytes], key: object
) -> Mapping[str, Expected]:
    if key not in _last_expected:
        _last_expected.clear()
        _last_expected[key] = expected_of(gradebook, assignment, texts)
    return _last_expected[key]


def flags_of_repairs(mended: Repaired) -> list[Flag]:
    """Return the repairs that a person should see before they count."""
    return [
        Flag(code=f"repair_{each.code}", cell=f"{each.notebook}/{each.cell}", message=each.sentence)
        for each in mended.mended
        if each.flagged
    ]
