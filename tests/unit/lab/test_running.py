"""A real kernel runs a real notebook."""

import json
from pathlib import Path

import pytest
from bioskills_lab.notebook import Cell, cells_of
from bioskills_lab.problems import Refused
from bioskills_lab.running import run_cells
from jupyter_client.kernelspec import KernelSpecManager

from .conftest import cell, notebook

pytestmark = pytest.mark.integration


def code(*sources: str) -> list[Cell]:
    return cells_of(
        notebook(cell("markdown", "# T"), *(cell("code", source) for source in sources))
    )


async def test_cells_after_an_error_run_as_with_the_grader(tmp_path: Path) -> None:
    run = await run_cells(code("x = 1", "1 / 0", "assert x == 2, '[two] x is wrong'"), tmp_path)
    assert {index: fault.name for index, fault in run.faults.items()} == {
        2: "ZeroDivisionError",
        3: "AssertionError",
    }
    assert run.faults[3].text == "[two] x is wrong"
    assert "\x1b" not in run.faults[2].traceback
    assert (run.reached, run.stopped) == (3, "")


async def test_the_kernel_works_in_the_assignment_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hi")
    assert not (await run_cells(code("assert open('a.txt').read() == 'hi'"), tmp_path)).faults


async def test_a_loop_that_never_ends_is_stopped_with_a_sentence(tmp_path: Path) -> None:
    run = await run_cells(code("while True:\n    print('x' * 1000)", "y = 1"), tmp_path, cell_s=2)
    assert "longer than 2 seconds" in run.stopped
    assert run.reached == -1


async def test_a_kernel_that_dies_is_told(tmp_path: Path) -> None:
    run = await run_cells(code("import os; os._exit(1)", "y = 1"), tmp_path)
    assert "kernel stopped" in run.stopped


async def test_the_whole_run_has_an_end(tmp_path: Path) -> None:
    run = await run_cells(code("import time; time.sleep(60)"), tmp_path, total_s=4)
    assert "longer than 4 seconds" in run.stopped


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"], ids=["missing", "ends"])
async def test_a_kernel_that_cannot_start_ends_in_a_sentence(tmp_path: Path, program: str) -> None:
    spec = {"argv": [program, "{connection_file}"], "display_name": "broken", "language": "python"}
    (tmp_path / "python3").mkdir()
    (tmp_path / "python3" / "kernel.json").write_text(json.dumps(spec))
    broken = KernelSpecManager(kernel_dirs=[str(tmp_path)], ensure_native_kernel=False)

    with pytest.raises(Refused, match="No kernel could be started"):
        await run_cells(code("1"), tmp_path, kernel_spec_manager=broken)
