"""Copy a notebook right before its first hidden test runs.

Law: what is copied here was made while the process knew nothing but the
learner's own file, so no later cell can have changed it. Used by whoever sends
cells to the process, for one hand-in and one process's files.
"""

from collections.abc import Mapping
from copy import deepcopy

from bioskills.graders.showing import Book, is_secret, shown, texts_of


class Seal:
    """The notebooks of one hand-in as they were before the first hidden test.

    Say `before` for each code cell that is about to run, and `ended` after each notebook.
    """

    def __init__(self, submitted: Mapping[str, Book], sources: Mapping[str, str]) -> None:
        """Begin with nothing.

        Args:
            submitted: Notebooks as they were handed in, by name.
            sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        """
        self._submitted = dict(submitted)
        self._sources = sources
        self._theirs = {name: texts_of(book) for name, book in submitted.items()}
        self._books: dict[str, Book] = {}
        self.closed = False

    def before(self, name: str, book: Book, cell: Book) -> None:
        """Note that a code cell runs next; copy its notebook if it is the first with a secret."""
        theirs = self._theirs.get(name, frozenset())
        if not self.closed and is_secret(cell, theirs, self._sources, name):
            self._books[name] = deepcopy(book)
            self.closed = True

    def ended(self, name: str, book: Book) -> None:
        """Note that a notebook ran to its end, or as far as its process lived."""
        if not self.closed:
            self._books[name] = deepcopy(book)

    def shown(self) -> dict[str, str]:
        """Return what the learner may see again, by cell; see `showing.shown`."""
        return shown(self._books, self._submitted, self._sources, sealed=True)
