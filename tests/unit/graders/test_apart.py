"""No code of a learner's gets into the box of the tests."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bioskills.graders.apart import Isolation


@pytest.fixture
def isolation(tmp_path: Path) -> Isolation:
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "reads.csv").write_text("a,b")
    (source / "helper.py").write_text("given = 1")
    (source / "p1.ipynb").write_text("hidden")
    return Isolation(
        sources={"p1/setup": "import math", "p1/answer": "pass", "p1/test": "assert gc('A') == 0"},
        released={"p1": {"cells": [{"cell_type": "code", "source": "plot(1)", "metadata": {}}]}},
        folder=source,
    )


def cell(source: str, **marks: Any) -> Any:
    metadata = {"nbgrader": marks} if marks else {}
    return SimpleNamespace(
        cell_type="code",
        source=source,
        metadata=metadata,
        get=lambda key, other=None: {"source": source, "metadata": metadata}.get(key, other),
    )


def test_the_clean_folder_holds_data_and_the_authors_code(
    isolation: Isolation, tmp_path: Path
) -> None:
    graded = tmp_path / "graded"
    (graded / "data").mkdir(parents=True)
    (graded / "numpy").mkdir()
    for name, text in {
        "data/reads.csv": "a,b",
        "own.csv": "c",
        "helper.py": "given = 1",
        "tempfile.py": "bad",
        "numpy/__init__.py": "bad",
        "p1.ipynb": "hidden",
        "matplotlibrc": "backend: bad",
        "fast.cpython-311-x86_64-linux-gnu.so": "bad",
    }.items():
        (graded / name).write_text(text)
    (graded / "link.csv").symlink_to("/etc/passwd")

    with isolation.files(graded) as clean:
        there = {str(path.relative_to(clean)) for path in clean.rglob("*") if path.is_file()}

    assert there == {"data/reads.csv", "own.csv", "helper.py"}


def test_the_authors_code_counts_only_as_the_author_wrote_it(
    isolation: Isolation, tmp_path: Path
) -> None:
    graded = tmp_path / "graded"
    graded.mkdir()
    (graded / "helper.py").write_text("given = 2")

    with isolation.files(graded) as clean:
        assert list(clean.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/box/work/out.csv", True),
        ("/box/work/new/", True),
        ("/tmp/delivery/a.fasta", True),
        ("/box/work/data/reads.csv", False),
        ("/box/work/data//reads.csv", False),
        ("/box/work/helper.py", False),
        ("/box/work/Numpy.PY", False),
        ("/box/work/.pdbrc", False),
    ],
)
def test_an_answer_may_change_its_own_data_alone(
    path: str, may: bool, isolation: Isolation
) -> None:
    assert isolation.may_change(path) is may


def test_where_a_cell_runs_is_told_by_its_text(isolation: Isolation) -> None:
    cells = [
        cell("import math ", grade_id="setup", locked=True),
        cell("def gc(s): return 0", grade_id="answer", solution=True),
        cell("plot(1)"),
        cell("plot(2)"),
        cell("assert gc('A') == 0", grade_id="test", grade=True),
        cell("assert True", grade_id="test", grade=True),
        cell("import os", grade_id="setup", locked=True),
    ]

    steps = isolation.steps("p1", cells)

    assert [steps[index].place for index in range(7)] == [
        "both", "learner", "both", "learner", "clean", "learner", "learner",
    ]  # fmt: skip
    assert steps[4].names == ("gc",)
