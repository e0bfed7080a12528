"""What goes into a repair and what comes out of it.

Law: values only. `Expected` is what the released assignment holds, `Mended`
is one thing that was put right, in a sentence that learner and instructor both
read; neither ever holds a learner's text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bioskills.graders.repair import words

CODE, MARKDOWN, RAW = "code", "markdown", "raw"
MOST_SENTENCES = 2


@dataclass(frozen=True)
class SourceCell:
    """One cell as the gradebook holds it (nbgrader's SourceCell with its flags).

    Attributes:
        name: nbgrader's grade_id.
        cell_type: `code` or `markdown`.
        source: The text; of a test it may hold hidden parts, which never leave here.
        locked: Whether nbgrader puts the text back whatever was handed in.
        grade: Whether the cell has points that a machine or a person gives.
        solution: Whether the learner writes here.
        task: Whether it is a task in nbgrader's sense: locked text that a person grades.
        points: Most points; None where the cell has none.
        checksum: nbgrader's checksum; None where the gradebook has none.
    """

    name: str
    cell_type: str
    source: str
    locked: bool = False
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float | None = None
    checksum: str | None = None

    @property
    def is_test(self) -> bool:
        """Say whether a machine scores this cell by running it."""
        return self.grade and not self.solution and self.cell_type == CODE


@dataclass(frozen=True)
class Expected:
    """One notebook of the assignment.

    Attributes:
        cells: Its cells in the gradebook, in order.
        kernelspec: As the gradebook holds it; nbgrader writes it over the learner's.
        released: The released notebook's bytes, where they are at hand: they help to
            recognise cells that lost their marks.
        kernels: Kernel names that can be started where the gradebook names none.
        in_order: Whether `cells` stand in the order of the notebook. The gradebook keeps
            none; a released notebook that can be read makes it known in any case.
    """

    cells: tuple[SourceCell, ...]
    kernelspec: Mapping[str, object] = field(default_factory=dict)
    released: bytes = b""
    kernels: frozenset[str] = frozenset({"python3"})
    in_order: bool = True


@dataclass(frozen=True)
class Mended:
    """One thing that was put right, or that a person should know.

    Attributes:
        code: What kind of thing, such as `put_back`.
        notebook: Name without ending.
        cell: grade_id; empty for the whole notebook.
        sentence: For the learner and the instructor.
        changes_score: Whether stock nbgrader would have graded what was handed in, and
            may have come to another score.
        flagged: Whether a person should look before this counts.
    """

    code: str
    notebook: str
    cell: str
    sentence: str
    changes_score: bool = False
    flagged: bool = False


@dataclass(frozen=True)
class Repaired:
    """What to grade, and what to say about it.

    Attributes:
        files: The files to grade, by path. Untouched ones are the very bytes that came;
            a notebook that cannot be read is left out, as nbgrader must not see it.
        mended: Every thing that was put right, in order.
        unreadable: By notebook, why it cannot be read. It gets 0 points and needs a person.
        missing: By notebook, what is said where it was not handed in. nbgrader gives it
            0 points, as long as it finds another notebook of the assignment.
        found: How many notebooks of the assignment are there to be graded.
    """

    files: dict[str, bytes]
    mended: tuple[Mended, ...] = ()
    unreadable: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    found: int = 0

    @property
    def sentences(self) -> list[str]:
        """Return what was put right; of many cells with the same fault the first, then all names."""
        groups: dict[tuple[str, str], list[Mended]] = {}
        for mend in self.mended:
            groups.setdefault((mend.code, mend.notebook), []).append(mend)
        said = [sentence for group in groups.values() for sentence in _in_short(group)]
        return list(dict.fromkeys(said))

    @property
    def nothing_to_grade(self) -> bool:
        """Say whether no notebook of the assignment is there that can be read."""
        return self.found == 0

    @property
    def needs_person(self) -> bool:
        """Say whether a person must look, whatever nbgrader finds."""
        flagged = any(mend.flagged for mend in self.mended)
        return flagged or bool(self.unreadable) or self.nothing_to_grade

    @property
    def reason(self) -> str:
        """Return what a person must know about notebooks without points and flagged cells."""
        flagged = [mend.sentence for mend in self.mended if mend.flagged]
        said = [*self.unreadable.values(), *self.missing.values(), *flagged]
        return " ".join(dict.fromkeys(said))


def _in_short(group: list[Mended]) -> list[str]:
    first, *others = group
    names = [mend.cell for mend in others if mend.cell]
    if len(names) <= MOST_SENTENCES:
        return [mend.sentence for mend in group]
    return [f"{first.sentence} {words.same(names)}"]
