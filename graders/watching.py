"""Watch, around each graded cell, whether tests still mean what they say.

Law: what is found asks a person to look; it never takes a point. The guard in
the kernel says what was changed there, a canary must fail as a failing test
does, and the learner's text is read. Only what came from nbgrader's own files is
told from what a learner wrote by comparing texts, never by marks that can be copied.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bioskills.base.wire import Flag
from bioskills.courses.free_names import binds, needs
from bioskills.graders.box import BoxKernel
from bioskills.graders.canary import canary, hides_its_error, passed
from bioskills.graders.flag_words import flags
from bioskills.graders.screening import Written, screen

CANARY_S = 30.0
MOST_NAMES = 6


class Watch:
    """Collects what is found while one hand-in is graded."""

    def __init__(self) -> None:
        self._found: list[Flag] = []
        self._last = ""

    def before(self, kernel: BoxKernel, cell: str, source: str, answers: str) -> None:
        """Look at the kernel before a graded cell: is it as it was, and does a failing test fail?

        Args:
            kernel: Where the cell is about to run.
            cell: `<notebook>/<grade_id>`.
            source: Its text.
            answers: The texts of the cells before it.
        """
        self._last = cell
        self._note(kernel.check(veil=True) if kernel.is_guarded else [], cell)
        if not kernel.is_python:
            return
        nonce, numpy = secrets.token_hex(16), "numpy" in source
        names = sorted(needs(source) & binds(answers))[:MOST_NAMES]
        code = canary(nonce, names, numpy=numpy)
        ran = kernel.run(code, CANARY_S, lambda _message: None, silent=True, brief=True)
        if not passed(ran.reply or {"status": "ok"}, nonce, names, numpy=numpy):
            self._note([("canary_passed", "")], cell)

    def after(
        self, kernel: BoxKernel, cell: str, reply: Mapping[str, Any], outputs: Sequence[Any]
    ) -> None:
        """Look again: a learner's function may have changed something while it was tested."""
        if hides_its_error(reply, outputs):
            self._note([("error_hidden", "")], cell)
        if kernel.is_guarded:
            self._note(kernel.check(), cell)

    def look(self, kernel: BoxKernel, cell: str) -> None:
        """Look at the kernel of the answers, in which the test does not run."""
        self._note(kernel.check(), cell)

    def refused(self, cell: str, *, odd: bool) -> None:
        """Note that an answer gave a test what is no data."""
        self._note([("not_plain", "")] if odd else [], cell)

    def ended(self, kernel: BoxKernel) -> None:
        """Take over what was heard at any time."""
        self._note(kernel.heard, self._last)

    def _note(self, found: Iterable[tuple[str, str]], cell: str) -> None:
        self._found += flags(found, cell)

    def flags(self) -> list[Flag]:
        """Return each kind once, at the first cell where it was seen."""
        first: dict[str, Flag] = {}
        for each in self._found:
            first.setdefault(each.code, each)
        return list(first.values())


def read_over(
    submitted: Mapping[str, Any],
    released: Mapping[str, Any],
    sources: Mapping[str, str],
    modules: Mapping[str, str] | None = None,
) -> list[Flag]:
    """Return what the texts of a hand-in hold that is no answer.

    Args:
        submitted: Notebooks as handed in, by name.
        released: Notebooks as released, by name; may be empty.
        sources: The gradebook's source of each cell, by `<notebook>/<grade_id>`.
        modules: Texts of the other Python files that were handed in, by name.
    """
    written, provided = [], []
    for name, book in submitted.items():
        given = dict(_texts(name, released.get(name, {"cells": []})))
        known = {*given.values(), *(t for key, t in sources.items() if key.startswith(f"{name}/"))}
        for cell, text in _texts(name, book):
            if text in known:
                provided.append(text)
            else:
                written.append(Written(cell, text, given.get(cell) or sources.get(cell, "")))
    written += [Written(name, text) for name, text in (modules or {}).items()]
    return screen(written, sources.values(), provided)


def _texts(name: str, book: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and text of every code cell."""
    for number, cell in enumerate(book["cells"]):
        if cell.get("cell_type") == "code":
            marks = cell.get("metadata", {})
            own = marks.get("nbgrader", {}) if isinstance(marks, dict) else {}
            key = own.get("grade_id") if isinstance(own, dict) else ""
            source = cell.get("source")
            text = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
            yield f"{name}/{key or cell.get('id') or number}", text
