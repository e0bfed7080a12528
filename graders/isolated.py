"""Say what runs where in isolated mode: answers in one process, tests in a clean one.

Law: pure. Tests never meet the interpreter in which a learner's code ran; what
they need of it is named here and crosses as plain data. What the assignment
gave runs on both sides. Which side decides a name is whoever bound it last.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bioskills.base.text import _
from bioskills.courses.free_names import binds, needs

CALL_LIMIT_S = 10.0
"""Wall seconds of one call over the line, unless the cell's own limit is shorter."""
Kind = Literal["given", "answer", "test"]
Place = Literal["learner", "clean", "both"]
_COMMAND = re.compile(r"^([ \t]*(?:[\w, ]+=[ \t]*)?)[%!?].*$", re.MULTILINE)
"""A line of IPython's own, perhaps with names that it binds."""


@dataclass(frozen=True)
class Part:
    """A code cell in the order of the notebook.

    Attributes:
        kind: *given*: as the assignment released it; *answer*: the learner may write
            here, also a cell that a learner added; *test*: graded.
    """

    cell: str
    source: str
    kind: Kind


@dataclass(frozen=True)
class Step:
    """Where a cell runs.

    Attributes:
        place: *both*: first in the learner's process, then in the clean one.
        names: What is borrowed for the clean process before it runs there.
        maybe: What is borrowed if the clean process has no such name: nobody binds it in
            plain sight.
    """

    cell: str
    place: Place
    names: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


def plan(parts: Iterable[Part]) -> list[Step]:
    """Return the steps of a notebook, in order."""
    owner: dict[str, Kind] = {}
    steps = []
    for part in parts:
        source = _COMMAND.sub(r"\1None", part.source)
        needed, bound = needs(source), binds(source)
        if part.kind == "answer":
            steps.append(Step(part.cell, "learner"))
        else:
            names = sorted(name for name in needed if owner.get(name) == "answer")
            maybe = sorted(name for name in needed if name not in owner)
            place: Place = "clean" if part.kind == "test" else "both"
            steps.append(Step(part.cell, place, tuple(names), tuple(maybe)))
        owner.update(dict.fromkeys(bound, part.kind))
    return steps


def refusal(code: str, name: str) -> str:
    """Return the sentence for a name that could not be lent, for learner and instructor."""
    words = {
        "late": _("{name} took longer than a call may."),
        "missing": _("{name} was not there when it was tested."),
        "not_plain": _("{name} gave an object; in this assignment answers are plain data."),
        "too_large": _("{name} gave more data than an answer may hold."),
        "categorical": _("{name} gave categories of pandas; turn them to text with astype(str)."),
        "many_levels": _("{name} gave a table with several levels; use reset_index() first."),
    }
    general = _("{name} gave something that cannot be read as data.")
    return words.get(code, general).format(name=name)
