"""Say what is wrong with something a person gave us.

Law: a problem names what happened with the value, the rule, and the next
step; all problems of one input are reported at once, never only the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One fault of an input.

    Attributes:
        where: File, line, key or field, as the person would look for it.
        what: What happened, with the value.
        rule: The rule that it breaks; may be empty where `what` says it.
        next: What to do now, as a command where there is one.
    """

    where: str
    what: str
    rule: str = ""
    next: str = ""

    def __str__(self) -> str:
        return " ".join(
            part for part in (f"{self.where}: {self.what}", self.rule, self.next) if part
        )


class InputError(Exception):
    """An input was refused; nothing of it was applied."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class SetupError(Exception):
    """The machine or its state does not allow this; the text ends with the next step."""


def nearest(word: str, words: Iterable[str], alike: float = 0.6) -> str:
    """Return the known word closest to this one, or an empty string.

    Args:
        word: What a person wrote.
        words: What there is.
        alike: From 0 to 1: how alike two words must be to count.
    """
    found = get_close_matches(word, list(words), n=1, cutoff=alike)
    return found[0] if found else ""
