"""What happened while the notebooks of one assignment ran; filled by the step that runs them."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Record:
    """What happened while an assignment's notebooks ran.

    Attributes:
        ended: Why a kernel ended early, by notebook: *died*, *flood*, *late*, *spent*.
        languages: Of the kernels, as they name them, by notebook.
        unrun: Tests that were not run, by grade_id.
        unscorable: Tests whose value is no score, by grade_id.
        waits: Both, by `<notebook>/<grade_id>`: their 0 points are nobody's judgement.
        begun: Notebooks whose cells began to run.
        cells_s: Processor seconds of the cells, by the kernels' own word.
        kernels_s: Of the kernels in all: with what watches them.
        refused: Why no box could be made; empty where one was.
        left_behind: Entries of the working folder that are no regular files.
        said: Why a test got no answer in isolated mode, by `<notebook>/<grade_id>`.
    """

    ended: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    unrun: list[str] = field(default_factory=list)
    unscorable: list[str] = field(default_factory=list)
    waits: set[str] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)
    cells_s: float = 0.0
    kernels_s: float = 0.0
    refused: str = ""
    left_behind: int = 0
    said: dict[str, str] = field(default_factory=dict)

    def not_run(self, notebook: str, tests: Sequence[str]) -> None:
        """Note tests of a notebook that were not run to their end."""
        self.unrun += tests
        self.waits |= {f"{notebook}/{test}" for test in tests}

    def no_score(self, notebook: str, tests: Sequence[str]) -> None:
        """Note tests of a notebook whose value is no score."""
        self.unscorable += tests
        self.waits |= {f"{notebook}/{test}" for test in tests}

    def waiting_in(self, notebook: str) -> list[str]:
        """Return the grade_ids of a notebook's tests that wait for a person, sorted."""
        found = (cell.partition("/") for cell in self.waits)
        return sorted(test for book, _slash, test in found if book == notebook)
