"""Random damage: whatever plain nbgrader grades has the same scores after the repair, and nothing is lost.

nbgrader's own steps, gradebook and files; only cells are run in this process, since
hundreds of kernels would take minutes.
"""

import ast
import contextlib
import copy
import io
import json
import random
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from bioskills_tiny import ADD, FILE, Book, Tiny, by, packed
from nbgrader.preprocessors import NbGraderPreprocessor

from bioskills.graders.repair import repair

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

JUNK = [None, True, 0, -1, 3.5, "", "x", "add", [], ["x"], [1], {}, {"a": 1}, 10**20, "\ud83d"]
MARKS = ["grade", "solution", "locked", "task", "points", "grade_id", "checksum", "cell_type", "x"]
KEYS = ["source", "outputs", "metadata", "id", "execution_count", "attachments", "cell_type"]
SEEDS = 36
GROUPS = 3


class RunHere(NbGraderPreprocessor):  # type: ignore[misc]
    """Run the cells of a notebook in this process."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Run every code cell that nbclient would run."""
        names: dict[str, Any] = {}
        for cell in nb.cells:
            is_run = cell.cell_type == "code" and cell.source.strip()
            if is_run and "skip-execution" not in cell.metadata.get("tags", []):
                cell.outputs = run(cell.source, names)
        return nb, resources


def run(source: str, names: dict[str, Any]) -> list[Any]:
    """Return the outputs of a cell: the value of its last line, or an error."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            tree = ast.parse(source)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "cell", "exec"), names)
            value = eval(ast.unparse(last), names) if last else None
    except (Exception, SystemExit) as error:  # noqa: BLE001
        name = type(error).__name__
        return [nbformat.v4.new_output("error", ename=name, evalue="", traceback=[name])]
    data = {"text/plain": repr(value)}
    result = nbformat.v4.new_output("execute_result", data, execution_count=1)
    return [] if value is None else [result]


def one(chance: random.Random, book: Book) -> Book:
    found: Book = chance.choice([cell for cell in book["cells"] if isinstance(cell, dict)])
    return found


def marks(chance: random.Random, book: Book) -> dict[str, Any]:
    found: dict[str, Any] = chance.choice(book["cells"])["metadata"]["nbgrader"]
    return found


def inserted(chance: random.Random, book: Book, cell: Any) -> None:
    book["cells"].insert(chance.randrange(len(book["cells"]) + 1), cell)


def doubled(chance: random.Random, book: Book) -> None:
    again = copy.deepcopy(one(chance, book))
    again["source"] = chance.choice([again["source"], "", "pass", "Because of this.", "add = None"])
    inserted(chance, book, again)


def flipped(chance: random.Random, book: Book) -> None:
    found, flag = marks(chance, book), chance.choice(MARKS[:4])
    found[flag] = not found.get(flag)


def turned(chance: random.Random, book: Book) -> None:
    chance.choice(book["cells"])["cell_type"] = chance.choice(["code", "markdown", "raw", "x"])


def without_ids(chance: random.Random, book: Book) -> None:
    book["nbformat_minor"] = chance.randrange(6)
    for cell in book["cells"]:
        cell.pop("id", None)


def old(_chance: random.Random, book: Book) -> None:
    third = nbformat.convert(nbformat.reads(json.dumps(book), 4), 3)
    book.clear()
    book.update(json.loads(nbformat.writes(third, 3)))


DAMAGE: list[Callable[[random.Random, Book], object]] = [
    lambda c, b: b["cells"].remove(c.choice(b["cells"])),
    doubled,
    lambda c, b: inserted(c, b, b["cells"].pop(c.randrange(len(b["cells"])))),
    flipped,
    turned,
    without_ids,
    old,
    lambda c, b: marks(c, b).update({c.choice(MARKS): c.choice(JUNK)}),
    lambda c, b: marks(c, b).pop(c.choice(MARKS)),
    lambda c, b: c.choice(b["cells"])["metadata"].pop("nbgrader"),
    lambda c, b: c.choice(b["cells"])["metadata"].update(nbgrader=c.choice(JUNK)),
    lambda c, b: c.choice(b["cells"]).update({c.choice(KEYS): c.choice(JUNK)}),
    lambda c, b: c.choice(b["cells"]).pop(c.choice(KEYS)),
    lambda c, b: c.choice(b["cells"])["metadata"].update(
        tags=c.choice([*JUNK, ["skip-execution"]])
    ),
    lambda c, b: b["metadata"].update(kernelspec=c.choice(JUNK)),
    lambda c, b: b.update({c.choice(["nbformat", "nbformat_minor", "metadata"]): c.choice(JUNK)}),
    lambda c, b: inserted(c, b, c.choice(JUNK)),
]


def damaged(tiny: Tiny, seed: int) -> tuple[Book, Book]:
    """Return a notebook before and after random damage."""
    chance = random.Random(seed)
    before = chance.choice([tiny.empty(), tiny.solved(), tiny.empty()])
    if chance.random() < 0.3:
        by(before, "add_answer")["source"] = ADD
    after = copy.deepcopy(before)
    for _ in range(chance.choice([1, 1, 2, 3])):
        with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError, ValueError):
            chance.choice(DAMAGE)(chance, after)
    return before, after


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return Tiny(tmp_path_factory.mktemp("tiny"))


def honest(tiny: Tiny, book: Book) -> dict[str, float]:
    """Return what right answers in this notebook can earn by machine."""
    right = {"add": 2.0, "multiply": 3.0}
    empty = tiny.empty()
    answers = {name: by(book, f"{name}_answer")["source"] for name in right}
    return {
        name: points if answers[name] != by(empty, f"{name}_answer")["source"] else 0.0
        for name, points in right.items()
    }


def check(tiny: Tiny, seed: int, *, restore: bool) -> None:
    before, after = damaged(tiny, seed)
    files = {FILE: packed(after)}
    stopped, stock = tiny.stock(files, RunHere)
    repaired = repair(files, tiny.expected, restore=restore)
    if repaired.unreadable:
        assert stopped, seed
        return
    error, scores = tiny.stock(repaired.files, RunHere)

    assert error == "", seed
    assert all(
        (points or 0) <= honest(tiny, before).get(n, 0) for n, (points, *_) in scores.items()
    )
    if not stopped and not any(mend.changes_score for mend in repaired.mended):
        assert scores == stock, seed


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_damage_changes_no_score_that_nbgrader_gives(tiny: Tiny, group: int) -> None:
    for seed in range(group, SEEDS, GROUPS):
        check(tiny, seed, restore=True)


def test_without_restoring_every_score_of_nbgrader_is_the_same(tiny: Tiny) -> None:
    for seed in range(SEEDS, SEEDS + SEEDS // 4):
        check(tiny, seed, restore=False)
