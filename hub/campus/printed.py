"""Say where what a learner's code printed belongs in the feedback.

Law: the grader chose what may be shown (nothing from after the first hidden
test); here nothing is added to it. Each text is told once: with the criterion
whose answer or test printed it, or with the other cells. Pure.
"""

from collections.abc import Iterable, Mapping

from bioskills.base.text import _
from bioskills.base.wire import Printed

MOST_CHARS = 64_000


def printed_by(cell: str, answer: str | None, shown: Mapping[str, str]) -> str:
    """Return what the answer of a criterion printed, and then its test.

    Args:
        cell: Key of the graded cell.
        answer: grade_id of the cell that it tests; None where it is an answer itself.
        shown: What may be shown, by cell key.
    """
    texts = (shown.get(key, "") for key in _keys(cell, answer))
    return "\n".join(text for text in texts if text)


def printed_elsewhere(
    criteria: Iterable[tuple[str, str | None]], shown: Mapping[str, str]
) -> list[Printed]:
    """Return what all cells printed that belong to no criterion, in the order of the notebook.

    Args:
        criteria: Key of each graded cell with the grade_id of the cell that it tests.
        shown: What may be shown, by cell key.
    """
    told = {key for cell, answer in criteria for key in _keys(cell, answer)}
    return [
        Printed(cell=key, title=_title(key), text=text)
        for key, text in shown.items()
        if key not in told
    ]


def _keys(cell: str, answer: str | None) -> list[str]:
    tested = f"{cell.partition('/')[0]}/{answer}"
    return [tested, cell] if answer and tested != cell else [cell]


def _title(key: str) -> str:
    book, _slash, name = key.partition("/")
    if name.startswith("#"):
        return _("Code cell {n} of {notebook}").format(n=name[1:], notebook=book)
    return name.replace("_", " ")
