"""The sentences about a hand-in that did not come as it was released.

Law: each says what was found, what was done about it, and where something is
left to do, what. Learner and instructor read the same words, so none of them
accuses anybody and none quotes a notebook.
"""

from collections.abc import Sequence

from bioskills.base.text import _, ngettext


def unreadable(code: str, notebook: str) -> str:
    """Return why a notebook file cannot be read; codes are those of `reading`."""
    again = _("It has no points yet, and a person looks at it.")
    return f"{_unreadable(code).format(file=f'{notebook}.ipynb')} {again}"


def _unreadable(code: str) -> str:
    known = {
        "empty": _("{file} is empty. Save your notebook again and hand in once more."),
        "page": _(
            "{file} is a web page and no notebook. Download the notebook itself and hand in once more."
        ),
        "archive": _(
            "{file} is a packed archive and no notebook. Unpack it, and hand in the notebook that is in it."
        ),
        "conflict": _(
            "{file} holds two versions of the same cells, marked by Git with <<<<<<< and >>>>>>>. Keep one of them, save, and hand in once more."
        ),
        "cut": _(
            "{file} ends in the middle, as when a copy or a download stops early. Hand it in once more."
        ),
        "deep": _(
            "{file} is nested so deeply that no program can read it as a notebook. Make a new copy of the assignment and put your answers into it."
        ),
        "cells": _(
            "{file} holds no cells that can be read. Make a new copy of the assignment and put your answers into it."
        ),
    }
    return known.get(code) or _(
        "{file} cannot be read as a notebook. Opening it in JupyterLab and saving it again usually mends it."
    )


def missing(notebook: str, code: str) -> str:
    """Return what is said where a notebook was not handed in.

    Args:
        notebook: Name without ending.
        code: What came in its place: `script`, `document`, `others` or nothing.
    """
    known = {
        "script": _(
            "You handed in a Python file and not the notebook {file}. A person looks at it; put your answers into the notebook and hand in again."
        ),
        "document": _(
            "You handed in a document and not the notebook {file}. A person looks at it; hand in the notebook itself."
        ),
        "others": _(
            "The notebook {file} is not among the files that you handed in, and has no points. Put your work into the notebook of that name and hand in again."
        ),
    }
    text = known.get(code) or _(
        "The notebook {file} is not among the files that you handed in. Put your work into the notebook of that name and hand in again."
    )
    return text.format(file=f"{notebook}.ipynb")


def renamed(notebook: str, path: str, others: Sequence[str]) -> str:
    """Return what is said where a file of another name was graded as the notebook."""
    said = _("{path} was graded as {file}.").format(path=path, file=f"{notebook}.ipynb")
    if not others:
        return said
    more = ngettext(
        "{names} could have been meant as well and was not graded; hand in one notebook only if that is wrong.",
        "{names} could have been meant as well and were not graded; hand in one notebook only if that is wrong.",
        len(others),
    )
    return f"{said} {more.format(names=', '.join(others))}"


def same(names: Sequence[str]) -> str:
    """Return what is added to a sentence about one cell where it is true of more."""
    return _("The same was found and done for these cells: {names}.").format(names=", ".join(names))


def timestamp() -> str:
    """Return what is said where the time of a hand-in cannot be read."""
    return _(
        "The time in timestamp.txt cannot be read, so this counts as handed in without a time. A person looks at it."
    )


def text(code: str, notebook: str) -> str:
    """Return how the text of a file was put right; codes are those of `reading`."""
    known = {
        "encoding": _("{file} was saved with other character codes than notebooks use (UTF-8)."),
        "conflict": _("{file} held marks of a Git conflict, which changed no cell's text."),
        "rest": _("{file} had something left over behind its end."),
        "wrapped": _("{file} held the notebook inside other data."),
        "shape": _("{file} was of an old or damaged form."),
    }
    said = known.get(code) or _("{file} had small faults in its punctuation.")
    return f"{said} {_('It was put right before grading.')}".format(file=f"{notebook}.ipynb")


def cell(code: str, notebook: str, name: str) -> str:
    """Return how one cell was put right; codes are those of `mending`."""
    return _cell(code).format(cell=name, file=f"{notebook}.ipynb")


def _cell(code: str) -> str:
    known = {
        "duplicate": _(
            "The cell {cell} was in {file} more than once. One of them was graded, where possible the last one with work in it; the others were run as ordinary cells."
        ),
        "joined": _("The answer {cell} came in pieces in {file}. They were put together again."),
        "retyped": _(
            "The cell {cell} in {file} had been turned into another kind of cell. It was turned back before grading."
        ),
        "marks": _(
            "The grading marks of the cell {cell} in {file} were damaged. They were put back before grading."
        ),
        "flags": _(
            "The grading marks of the cell {cell} in {file} said something else than in the assignment. They were put back before grading, and a person looks at it."
        ),
        "recognised": _(
            "The cell {cell} in {file} had lost its grading marks. It was recognised and graded."
        ),
        "put_back": _(
            "The locked cell {cell} was missing in {file}. It was put back before grading."
        ),
        "moved": _(
            "The test {cell} in {file} stood above the answer that it tests. It was moved below it before grading."
        ),
        "skip": _(
            "The locked cell {cell} in {file} carried a mark that keeps it from being run. The mark was taken away before grading, and a person looks at it."
        ),
        "not_found": _(
            "The answer {cell} could not be found in {file}. A person looks at the notebook."
        ),
    }
    return known.get(code) or _(
        "A cell of {file} carried grading marks that this assignment does not have. It was run as an ordinary cell."
    )
