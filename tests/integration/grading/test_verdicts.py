"""Every submission ends with a verdict and a reason in plain words, and leaves nothing running."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bioskills_waiting import eventually

pytestmark = pytest.mark.integration


def in_boxes() -> list[str]:
    """Return the command lines of everything that this process's own boxes hold."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            inside = "/box/work" in os.readlink(folder / "cwd") or any(
                line.split()[4:5] == ["/box"] and "size=" in line
                for line in (folder / "mountinfo").read_text().splitlines()
            )
            if inside and f"bsh-own-{os.getpid()}-" in (folder / "mountinfo").read_text():
                found.append((folder / "cmdline").read_text(errors="replace"))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    # A killed process is seen until the kernel is through with it.
    assert eventually(lambda: not in_boxes()), in_boxes()


def break_first_test(class_: Any, change: Callable[[Any], object]) -> Any:
    """Return the solution with its first test cell changed."""
    book = json.loads(class_.work("p1", class_.solution("p1"))["p1.ipynb"])
    cells = book["cells"]
    change((cells, next(c for c in cells if c["metadata"]["nbgrader"]["grade"])))
    return class_.with_book("p1", book)


def copied_twice(found: Any) -> None:
    cells, test = found
    cells.append(json.loads(json.dumps(test)))


def unlocked(found: Any) -> None:
    found[1]["metadata"]["nbgrader"].update(locked=False, solution=True)


def points(result: Any) -> list[str | None]:
    return [cell.auto_points for cell in result.cells]


UNREADABLE = {
    "not-a-notebook": b"\x89PNG\r\n\x1a\n\0\0\0",
    "truncated": b'{"cells": [{"cell_type": "code", "metad',
    "deep": b"[" * 200_000,
}


SAID = {
    "not-a-notebook": "cannot be read as a notebook",
    "truncated": "ends in the middle",
    "deep": "nested so deeply",
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_is_no_notebook_is_for_a_person(class_: Any, kind: str) -> None:
    result = class_.grade("p1", {**class_.released("p1"), "p1.ipynb": UNREADABLE[kind]})

    # Every test is there, without points, and asks for a person: no row is missing.
    assert (result.verdict, points(result)) == ("needs_person", ["0"] * 3)
    assert all(cell.needs_person for cell in result.cells)
    assert SAID[kind] in result.reason


def test_a_notebook_of_another_name_is_graded_and_says_which_it_was(class_: Any) -> None:
    work = class_.work("p1", class_.solution("p1"))
    work["my work.ipynb"] = work.pop("p1.ipynb")
    result = class_.grade("p1", work)

    # It can only be this one: nothing is lost by a name.
    assert (result.verdict, points(result)) == ("graded", ["2", "3", "3"])
    assert any("my work" in sentence for sentence in result.mended)


def test_a_test_that_is_there_twice_is_graded_once(class_: Any) -> None:
    result = class_.grade("p1", break_first_test(class_, copied_twice))

    # The copy changes no answer, so the original is graded as it was.
    assert (result.verdict, points(result)) == ("graded", ["2", "3", "3"])
    assert result.mended


def test_a_test_without_its_marks_is_graded_and_looked_at(class_: Any) -> None:
    result = class_.grade("p1", break_first_test(class_, unlocked))

    # Points are those of the released test; that somebody turned it into an answer is for a person.
    assert (result.verdict, points(result)) == ("needs_person", ["2", "3", "3"])
    assert result.reason


def test_a_deleted_test_is_put_back(class_: Any) -> None:
    result = class_.grade("p1", break_first_test(class_, lambda found: found[0].remove(found[1])))

    # A learner gains and loses nothing by leaving a test out.
    assert (result.verdict, points(result)) == ("graded", ["2", "3", "3"])
    assert result.mended


def test_a_loop_without_end_costs_its_own_cells_only(class_: Any) -> None:
    answers = class_.solution("p1") | {
        "count_records_answer": "def count_records(path):\n    while True: pass"
    }
    result = class_.grade("p1", class_.work("p1", answers), bench=class_.quick(cell_timeout_s=3))

    cells = {cell.cell: cell for cell in result.cells}
    assert (result.verdict, cells["p1/count_records"].auto_points) == ("graded", "0")
    assert "did not come to an end" in cells["p1/count_records"].comment
    assert cells["p1/cut_out"].auto_points == "3"


def test_work_that_takes_too_long_in_all_is_for_a_person(class_: Any) -> None:
    answers = class_.solution("p1") | {"count_records_answer": "import time; time.sleep(60)"}
    result = class_.grade("p1", class_.work("p1", answers), bench=class_.quick(job_timeout_s=12))

    assert result.verdict == "needs_person"
    assert "did not finish in the time allowed" in result.reason


@pytest.mark.parametrize(
    "code",
    ["import os; os._exit(0)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
    ids=["exit", "kill"],
)
def test_a_kernel_that_ends_itself_is_for_a_person(class_: Any, code: str) -> None:
    result = class_.grade("p1", class_.work("p1", {"count_records_answer": code}))

    assert (result.verdict, points(result)) == ("needs_person", ["0"] * 3)
    assert "Python itself ended" in result.reason
    # Formgrader and the board list it: its points are nobody's judgement yet.
    assert all(cell.needs_person for cell in result.cells)


def test_a_kernel_that_ends_late_keeps_what_was_earned_before(class_: Any) -> None:
    answers = class_.solution("p1")
    answers["cut_out_answer"] += "\nimport os; os._exit(0)"
    result = class_.grade("p1", class_.work("p1", answers))

    assert (result.verdict, points(result)) == ("needs_person", ["2", "3", "0"])
    assert "no points: cut_out" in result.reason
    assert [cell.needs_person for cell in result.cells] == [False, False, True]


def test_ending_everything_in_sight_ends_nothing_of_ours(class_: Any) -> None:
    code = "import os, signal; os.kill(-1, signal.SIGKILL)"
    result = class_.grade(
        "p1", class_.work("p1", class_.solution("p1") | {"count_records_answer": code})
    )

    # The kernel is alone in its box with the first process, which no signal from inside reaches.
    assert (result.verdict, points(result)) == ("graded", ["0", "3", "3"])


def test_a_flood_of_prints_has_a_verdict(class_: Any) -> None:
    flood = "for _ in range(50): print('x' * 1_000_000)\n"
    answers = class_.solution("p1")
    answers["cut_out_answer"] += "\n" + flood
    result = class_.grade("p1", class_.work("p1", answers))

    assert result.verdict in {"graded", "needs_person"}
    assert result.reason or [cell.auto_points for cell in result.cells] == ["2", "3", "3"]


def test_a_process_in_the_background_ends_with_the_grading(class_: Any) -> None:
    answers = class_.solution("p1")
    answers["cut_out_answer"] += (
        "\nimport subprocess\n"
        "subprocess.Popen(['sh', '-c', 'while :; do echo flood; sleep 0.01; done # left-behind'],"
        " start_new_session=True)"
    )
    result = class_.grade("p1", class_.work("p1", answers))

    assert [cell.auto_points for cell in result.cells] == ["2", "3", "3"]


def test_other_files_do_no_harm(class_: Any) -> None:
    work = class_.work("p1", class_.solution("p1"))
    more = {
        "photo.jpg": os.urandom(2_000_000),
        "deep/er/x.bin": b"\0",
        "timestamp.txt/x": b"",
        "other.ipynb": b"?",
    }
    result = class_.grade("p1", {**work, **more})

    assert result.verdict == "graded"
    assert [cell.auto_points for cell in result.cells] == ["2", "3", "3"]


def test_half_characters_do_no_harm(class_: Any) -> None:
    answers = class_.solution("p1")
    answers["cut_out_answer"] += "\n# \ud83d alone\nprint('\\ud83d')"
    result = class_.grade("p1", class_.work("p1", answers))

    assert result.verdict in {"graded", "needs_person"}
    assert result.model_dump_json()


def test_a_missing_course_environment_blames_the_machine(class_: Any, tmp_path: Path) -> None:
    from bioskills.graders.sandbox import SandboxError  # noqa: PLC0415

    bench = class_.quick(course=tmp_path)
    with pytest.raises(SandboxError, match="has no kernel"):
        class_.grade("p1", class_.released("p1"), bench=bench)


def test_a_failed_check_is_named_and_never_quoted(class_: Any) -> None:
    answers = class_.solution("p1") | {
        "other_strand_answer": "def other_strand(seq):\n    return str(Seq(seq.upper()).reverse_complement())"
    }
    result = class_.grade("p1", class_.work("p1", answers))

    assert {cell.cell: cell.failed_checks for cell in result.cells} == {
        "p1/count_records": [],
        "p1/other_strand": ["lower_case"],
        "p1/cut_out": [],
    }
    assert "ggatc" not in result.model_dump_json()
