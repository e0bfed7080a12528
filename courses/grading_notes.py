"""Read `grading/<assignment>.yml` and `variants/<assignment>/*.yml`.

Law: what helps to grade is never released. Notes say what each test checks in
a learner's words; variants are the wrong answers that must lose points.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bioskills.courses.manifest import OutcomeId
from bioskills.courses.typed_yaml import Record, Text, parse_record

CheckId = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")]

# At the start of a string, so that an index such as `answers[name]` is not taken for one.
_MESSAGE_ID = re.compile(r"(?:^|[\"'])\[([a-z][a-z0-9_]*)\] ")


class Check(Record):
    """One assertion of a test cell.

    Attributes:
        id: The word in brackets at the start of the assertion's message.
        visible: Whether learners have the assertion in their copy.
        label: The kind of input it tries, as a learner reads it.
    """

    id: CheckId
    visible: Annotated[bool, Field(strict=True)]
    label: Text


class RubricLevel(Record):
    """What earns how many points of a cell that a person grades."""

    points: Annotated[float, Field(ge=0)]
    text: Text


class CellNotes(Record):
    """What learner and assessor read about one grade cell.

    Attributes:
        answer: grade_id of the answer cell that an automatic cell tests.
        hints: Where to look, what to compare, what kind of operation.
    """

    title: Text
    outcomes: tuple[OutcomeId, ...] = ()
    graded: Literal["automatic", "person"]
    answer: Text | None = None
    checks: tuple[Check, ...] = ()
    hints: tuple[Text, ...] = ()
    rubric: tuple[RubricLevel, ...] = ()

    def check(self, check_id: str) -> Check | None:
        """Return the check of this id, or None."""
        return next((check for check in self.checks if check.id == check_id), None)


class GradingNotes(Record):
    """Everything `grading/<assignment>.yml` says, by grade_id.

    Attributes:
        isolated: Whether tests run in a process that no learner's code ran in; answers
            cross as plain data.
    """

    cells: dict[Text, CellNotes]
    isolated: Annotated[bool, Field(strict=True)] = False


class Variant(Record):
    """A wrong answer, and what it must cost.

    Attributes:
        cell: grade_id of the answer cell whose text it replaces.
        source: The wrong answer.
        fails: grade_ids of the cells that must fail; all others must pass.
        passes_visible: Whether the visible tests let it pass, so that only a hidden one stops it.
        why: The misunderstanding behind the answer.
    """

    cell: Text
    source: Text
    fails: Annotated[tuple[Text, ...], Field(min_length=1)]
    passes_visible: Annotated[bool, Field(strict=True)]
    title: Text | None = None
    why: Text | None = None


def parse_grading_notes(text: str, file: str) -> GradingNotes:
    """Return the grading notes written in this YAML text.

    Raises:
        CourseError: with one fault per missing, unknown or wrong key.
    """
    return parse_record(GradingNotes, file, text)


def parse_variant(text: str, file: str) -> Variant:
    """Return the wrong answer written in this YAML text.

    Raises:
        CourseError: with one fault per missing, unknown or wrong key.
    """
    return parse_record(Variant, file, text)


def message_ids(source: str) -> list[str]:
    """Return the ids in brackets of the messages in a test, in order, each once."""
    return list(dict.fromkeys(_MESSAGE_ID.findall(source)))
