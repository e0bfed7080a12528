"""Notebooks in a kernel of another language: same scores as plain nbgrader, same walls as Python."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_corpus import (
    Book,
    Corpus,
    answer,
    book,
    change,
    check,
    essay,
    fill,
    hidden,
    plain,
    read_book,
    solved,
    write_book,
)
from bioskills_other_kernels import SHELL, environments_with_shell
from bioskills_stock import Difference, Reference, Stock, compared, standing

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
COUNT = "count() { grep -c '^>' \"$1\"; }"
TURN = 'turn() { echo "$1" | rev | tr ACGT TGCA; }'
ASKED = """
echo "uid $(id -u)"
echo "links $(sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' ')"
[ "$(ls -d /proc/[0-9]* | wc -l)" -lt 10 ] && echo "few processes"
for place in '{course}' '{tree}' /root /home /run/bioskills; do [ -e "$place" ] && echo "sees $place"; done
grep -r 'TAAT[C]' . && echo 'sees the tests'
echo made > made.txt
"""
LEARNERS = {
    "right": {"count": COUNT, "turn": TURN, "why": "Because."},
    "wrong": {"count": "count() { echo 3; }", "turn": 'turn() { echo "$1"; }'},
    "loops": {"count": "count() { while :; do :; done; }", "turn": TURN},
    "sleeps": {"count": "count() { sleep 600; }", "turn": TURN},
    "no-shell": {"count": "count() { if", "turn": TURN},
    "warns": {
        "count": f"{COUNT}\necho 'no harm here' >&2",
        "turn": f"{TURN[:-1]}; echo hm >&2; }}",
    },
    "untouched": {},
    "ends": {"count": COUNT, "turn": "exit 0"},
}
"""What each hands in; `ends` is lost by plain nbgrader."""
SCORES = {
    "right": (2.0, 3.0),
    "wrong": (0.0, 0.0),
    "loops": (0.0, 3.0),
    "sleeps": (0.0, 3.0),
    "no-shell": (0.0, 3.0),
    "warns": (2.0, 0.0),
    "untouched": (0.0, 0.0),
    "prying": (0.0, 3.0),
}


def equal(command: str, value: object) -> str:
    return f'[ "$({command})" = {value} ]'


def checked(seen: str, secret: str) -> str:
    """Return a cell whose status is that of the first test that fails."""
    return f"(set -e\n{seen}\n{hidden(secret)}\n)"


def source() -> Book:
    """Return a notebook of shell commands with visible and hidden tests."""
    cells = [
        plain("printf '>a\\nAC\\n>b\\nGT\\n' > two.fasta; : > none.fasta"),
        answer("count", solved("", COUNT)),
        check("count_test", 2, checked(equal("count two.fasta", 2), equal("count none.fasta", 0))),
        answer("turn", solved("", TURN)),
        check("turn_test", 3, checked(equal("turn AACG", "CGTT"), equal("turn GATTA", "TAATC"))),
        essay("why", 4, "Why?"),
    ]
    return book(cells, SHELL)


def make(root: Path) -> None:
    write_book(root / "source" / "sh" / "sh.ipynb", source())
    stub = {"bash": "# YOUR CODE HERE\nfalse"}
    lines = [
        "c = get_config()",
        "c.CourseDirectory.course_id = 'shell'",
        "c.ExecutePreprocessor.timeout = 8",  # a busy machine takes a while for an honest cell
        f"c.ClearSolutions.code_stub = {stub!r}",
    ]
    (root / "nbgrader_config.py").write_text("\n".join(lines) + "\n")


def hand_in(root: Path) -> None:
    released = read_book(root / "release" / "sh" / "sh.ipynb")
    prying = ASKED.format(course=root.parent, tree=Path(__file__).parents[3])
    for learner, answers in {**LEARNERS, "prying": {"count": prying, "turn": TURN}}.items():
        write_book(root / "submitted" / learner / "sh" / "sh.ipynb", fill(released, answers))


def settle(root: Path) -> None:
    """Note one learner who never handed anything in."""
    change(root, "insert into student (id) values ('absent')")


CORPUS = Corpus("shell", ("sh",), make, hand_in, settle)


@pytest.fixture(scope="module")
def environments() -> Iterator[Path]:
    """The environments, the course's with a kernel for the shell."""
    with environments_with_shell() as root:
        yield root


@pytest.fixture(scope="module")
def reference(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """What plain nbgrader makes of the course."""
    folder = tmp_path_factory.mktemp("shell")
    return Stock(folder, environments).reference(CORPUS, folder)


@pytest.fixture(scope="module")
def ours(
    reference: Reference, environments: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Difference, Path]:
    """What differs in ours, and the folder that it graded."""
    folder = tmp_path_factory.mktemp("ours") / "course"
    return compared(reference, CORPUS, folder, environments=environments), folder


def test_a_course_in_another_language_gets_what_nbgrader_gives_it(
    reference: Reference, ours: tuple[Difference, Path]
) -> None:
    found, _folder = ours

    assert found.wrong == []
    assert (found.unsteady, found.lost) == ([], ["sh/ends"])
    scores = {
        name: tuple(
            reference.graded[f"sh/{name}/sh/{cell}_test auto_score"] for cell in ("count", "turn")
        )
        for name in SCORES
    }
    assert scores == SCORES
    assert not [path for path in reference.graded if "absent" in path]


def test_a_shell_that_ends_keeps_what_was_earned_and_asks_for_a_person(
    ours: tuple[Difference, Path],
) -> None:
    found, folder = ours

    graded = standing(folder, ["sh"])
    assert graded["sh/ends/sh/count_test auto_score"] == 2
    assert graded["sh/ends/sh/turn_test auto_score"] == 0
    waits = [graded[f"sh/ends/sh/{cell}_test needs_manual_grade"] for cell in ("count", "turn")]
    assert waits == [0, 1]
    assert "ends: While your notebook ran, bash itself ended" in found.said
    assert "sh: 8 graded, 1 for a person, 0 unchanged." in found.said


def test_a_shell_sees_nothing_of_the_platform(ours: tuple[Difference, Path]) -> None:
    _found, folder = ours
    cells = read_book(folder / "autograded" / "prying" / "sh" / "sh.ipynb")["cells"]
    said = "".join(
        "".join(output["text"])
        for cell in cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    )

    # Nothing but a loopback, itself in the list of processes, and no place of ours.
    facts = [line for line in said.splitlines() if line.startswith(("uid", "links", "sees"))]
    assert facts[1:] == ["links lo"]
    if os.geteuid() == 0:
        assert int(facts[0].split()[1]) > 1000
    assert "few processes" in said
