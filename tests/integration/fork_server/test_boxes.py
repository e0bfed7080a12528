"""A box's kernel from its first cell to its end: interrupts, floods, ends, other ways to start."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from bioskills_boxes import CELL_S, Open, back, said, why_ended

from bioskills.graders.sandbox import Limits, SandboxError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_a_loop_is_interrupted_and_the_next_cell_runs(open_: Open) -> None:
    kernel = open_()
    ran = kernel.run("while True: pass", 1.0, lambda _message: None)

    assert ran.reply is None
    assert said(kernel, "print(1 + 1)") == "2\n"


def test_a_loop_that_takes_no_interrupt_is_late(open_: Open) -> None:
    kernel = open_()
    kernel.grace_s = 1.0
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"

    assert why_ended(kernel, code, 1.0) == "late"


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.closerange(3, 1000); print(1)",
    ],
    ids=["exit", "kill", "segfault", "close"],
)
def test_a_kernel_that_ends_is_noticed_at_once(open_: Open, code: str) -> None:
    kernel, began = open_(), time.monotonic()

    assert why_ended(kernel, code, 4 * CELL_S) in {"died", "late"}
    assert time.monotonic() - began < 4 * CELL_S, "nobody waited until its time was over"


EDGE = """
import gc
def at(depth):
    return at(depth - 1) if depth else len(gc.get_objects())
for depth in range(4000, 0, -1):
    try: at(depth)
    except RecursionError: continue
    print('reached'); break
"""
LIES = """
class Path(str):
    def startswith(self, *_): return False
open(Path('/proc/self/environ')).close()
"""
BYTES = "open(b'/proc/self/environ').close()"
ENDLESS = "def f(): open('/dev/null').close(); f()\ntry: f()\nexcept RecursionError: pass"


@pytest.mark.parametrize(
    ("code", "heard"),
    [
        (EDGE, {"memory_search"}),
        (LIES, {"process_files"}),
        (BYTES, {"process_files"}),
        (ENDLESS, set()),
    ],
    ids=["at the edge", "lies", "bytes", "a beginner's endless call"],
)
def test_nothing_is_done_unheard_at_the_edge_or_under_a_false_name(
    open_: Open, code: str, heard: set[str]
) -> None:
    kernel = open_()
    said(kernel, code)
    kernel.check()

    assert {found for found, _detail in kernel.heard} == heard


def test_what_a_cell_prints_is_cut_in_the_kernel(open_: Open) -> None:
    kernel = open_()
    text = said(kernel, "for _ in range(30): print('x' * 1_000_000)")

    assert 1_000_000 <= len(text) < 1_000_200
    assert "the output ends here" in text
    assert said(kernel, "print('next')") == "next\n"


def test_what_programs_print_is_cut_too(open_: Open) -> None:
    kernel = open_()
    text = said(kernel, "import subprocess; subprocess.run('yes | head -c 20000000', shell=True)")

    assert 1_000_000 <= len(text) < 1_100_000


def test_more_than_a_line_carries_is_a_flood(open_: Open) -> None:
    kernel = open_()
    kernel.most_bytes = 4 << 20
    code = "from IPython.display import display\nfor _ in range(9): display({'text/plain': 'x' * 999_999}, raw=True)"

    assert why_ended(kernel, code) == "flood"


@pytest.mark.parametrize("line", [b"no json\n", b"[" * 200_000 + b"\n"], ids=["text", "deep"])
def test_nonsense_on_the_line_ends_the_box_alone(open_: Open, line: bytes) -> None:
    code = f"""
import os, socket, stat
for name in os.listdir('/proc/self/fd'):
    try:
        if stat.S_ISSOCK(os.fstat(int(name)).st_mode): os.write(int(name), {line[:1]!r} * {len(line) - 1} + b'\\n')
    except OSError: pass
"""
    assert why_ended(open_(), code) in {"flood", "died", "late"}


def test_a_kernel_that_starts_anew_runs_cells_and_is_interrupted(
    open_: Open, tmp_path: Path
) -> None:
    kernel = open_(cold="python3", limits=Limits(memory_mb=2000, processes=64, disk_mb=64))

    assert said(kernel, "x = 20 + 1; print(x * 2)") == "42\n"
    assert kernel.run("while True: pass", 1.0, lambda _message: None).reply is None
    assert said(kernel, "open('made', 'w').write('ab'); print(x)") == "21\n"
    flood = said(kernel, "for _ in range(30): print('x' * 100_000)")
    assert 1_000_000 <= len(flood) < 1_000_200
    assert "the output ends here" in flood
    assert back(kernel, tmp_path / "out")[1]["made"] == 2


def test_a_kernel_that_is_not_there_is_the_machines_fault(open_: Open) -> None:
    with pytest.raises(SandboxError):
        open_(cold="no-such-kernel")


def test_signals_of_the_grader_are_not_the_boxes(open_: Open) -> None:
    kernel = open_()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert said(kernel, "import time; time.sleep(0.2); print('ran')") == "ran\n"
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("code", "shown"), [("1;", []), ("1 ;  # so", []), ("1", ["1"])])
def test_a_hidden_cell_shows_its_last_value_or_not_as_a_seen_one_does(
    open_: Open, code: str, shown: list[str]
) -> None:
    kernel = open_()
    for veil in (False, True):
        kernel.check(veil=veil)
        found: list[dict[str, Any]] = []
        kernel.run(code, CELL_S, found.append)
        results = [m["content"]["data"] for m in found if m["msg_type"] == "execute_result"]
        assert [data["text/plain"] for data in results] == shown
    assert said(kernel, "print(In[2])") == ("\n" if shown else ";\n")
