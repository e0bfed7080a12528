"""How forked kernels start, are interrupted, end, and outlive what may end."""

import os
import signal
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_kernels import House, Learner, kernel_house
from bioskills_waiting import eventually

from bioskills.fork_server.linux import start_time

pytestmark = pytest.mark.integration

DEBUGGING: dict[str, dict[str, object]] = {
    "debugInfo": {},
    "initialize": {"clientID": "test", "adapterID": "", "linesStartAt1": True},
    "attach": {},
    "dumpCell": {"code": "x = 1"},
    "disconnect": {"restart": False, "terminateDebuggee": True},
}


def lives(pid: int) -> bool:
    return start_time(pid) != 0


@pytest.fixture
def lab(kernels: House) -> Iterator[Learner]:
    """A lab that is ended after the test, with one forked kernel `k`."""
    lab = kernels.learner(2)
    assert lab.do("start", name="k")["forked"]
    yield lab
    if lab.uid in kernels.learners:
        kernels.leave(lab)


@pytest.fixture
def own() -> Iterator[House]:
    """A warm parent that a test may end, without anything of a course."""
    if os.geteuid() != 0:
        pytest.skip("only root forks kernels for others")
    with kernel_house(preload={}) as house:
        yield house


@pytest.mark.parametrize(
    "cell",
    [
        "print('x', flush=True)\nwhile True: pass",
        "import time; print('x', flush=True); time.sleep(60)",
        "import subprocess; print('x', flush=True); subprocess.run(['sleep', '60'])",
        "print('x', flush=True); input('name? ')",
        "import numpy as np; print('x', flush=True)\nwhile True: np.ones((500, 500)) @ np.ones((500, 500))",
    ],
)
def test_a_running_cell_can_be_interrupted_and_the_kernel_works_on(lab: Learner, cell: str) -> None:
    lab.do("begin", name="k", code=cell)

    said = lab.do("interrupt", name="k")

    assert said["ename"] == "KeyboardInterrupt"
    assert lab.text("k", "print(1)") == "1\n"


def test_a_learner_can_answer_a_question(lab: Learner) -> None:
    assert lab.text("k", "print('hello', input('who? '))", answers=["Lea"]) == "hello Lea\n"


@pytest.mark.parametrize("now", [False, True])
def test_a_restart_gives_a_new_forked_kernel(lab: Learner, now: bool) -> None:
    lab.text("k", "x = 1; import atexit; atexit.register(lambda: open('ended', 'w').close())")
    before = int(lab.text("k", "import os; print(os.getpid())"))

    info = lab.do("restart", name="k", now=now)

    assert info["forked"]
    assert info["pid"] != before
    assert not lives(before)
    assert "NameError" in lab.text("k", "x")
    assert (lab.home / "ended").exists() is not now
    (lab.home / "ended").unlink(missing_ok=True)


@pytest.mark.parametrize("now", [False, True])
def test_a_shutdown_ends_the_kernel_and_says_how(lab: Learner, now: bool) -> None:
    pid = int(lab.text("k", "import os; print(os.getpid())"))

    said = lab.do("shutdown", name="k", now=now)

    assert said == {"alive": False, "status": -signal.SIGKILL if now else 0}
    assert not lives(pid)


def test_what_a_kernel_started_ends_with_it(lab: Learner) -> None:
    child = int(lab.text("k", "import subprocess as s; p = s.Popen(['sleep', '99']); print(p.pid)"))

    lab.do("shutdown", name="k", now=True)

    assert eventually(lambda: not lives(child))


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os._exit(5)", 5),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    ],
)
def test_a_kernel_that_dies_is_noticed(lab: Learner, ending: str, status: int) -> None:
    pid = int(lab.text("k", "import os; print(os.getpid())"))
    lab.do("begin", name="k", code=f"print('x', flush=True); import time; time.sleep(.3); {ending}")

    assert eventually(lambda: not lab.do("alive", name="k"))
    assert not lives(pid)
    assert lab.do("shutdown", name="k", now=True)["status"] in (status, None)


def test_quit_ends_the_kernel(lab: Learner) -> None:
    lab.do("begin", name="k", code="print('x', flush=True); quit()")

    assert eventually(lambda: not lab.do("alive", name="k"))


def test_a_thread_left_behind_is_waited_for_at_the_end(lab: Learner) -> None:
    code = "import threading as t, time; w = lambda: (time.sleep(.5), open('late', 'w').close()); t.Thread(target=w).start()"
    lab.text("k", code)

    lab.do("shutdown", name="k")

    assert (lab.home / "late").exists()


def test_the_debugger_is_answered_and_attaches(lab: Learner) -> None:
    said = [
        lab.do("debugger", name="k", command=command, seq=number, arguments=arguments)
        for number, (command, arguments) in enumerate(DEBUGGING.items(), start=1)
    ]

    assert said == [True] * len(DEBUGGING)
    assert lab.text("k", "print(1)") == "1\n"


def test_a_learners_own_settings_and_start_files_are_read(lab: Learner) -> None:
    profile = ".ipython/profile_default"
    files = {
        f"{profile}/startup/first.py": "from_startup = __name__",
        f"{profile}/ipython_config.py": "c.InteractiveShell.ast_node_interactivity = 'all'",
        f"{profile}/ipython_kernel_config.py": "c.IPKernelApp.exec_lines = ['from_line = 2']",
        ".config/matplotlib/matplotlibrc": "lines.linewidth: 7.5",
        "work/matplotlibrc": "lines.linewidth: 9.5",
    }
    lab.text(
        "k",
        f"""
import pathlib
for name, text in {files!r}.items():
    path = pathlib.Path.home() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
""",
    )
    code = "import matplotlib as m\nprint(from_startup, from_line, m.rcParams['lines.linewidth'])"

    for mode in ("cold", "forked"):
        lab.do("start", name=f"{mode}-home", mode=mode)
        lab.do("start", name=f"{mode}-work", mode=mode, cwd=str(lab.home / "work"))
        assert lab.text(f"{mode}-home", code) == "__main__ 2 7.5\n"
        assert lab.text(f"{mode}-work", code) == "__main__ 2 9.5\n"
        outputs = lab.do("run", name=f"{mode}-home", code="1\n2")["outputs"]
        assert [kind for kind, _content in outputs] == ["execute_result"] * 2
    for name in files:
        (lab.home / name).unlink()


def test_kernels_that_start_at_the_same_time_all_start(lab: Learner) -> None:
    infos = lab.do("start_all", names=[f"k{number}" for number in range(10)])

    assert [info["forked"] for info in infos] == [True] * 10
    assert len({info["pid"] for info in infos}) == 10


def test_kernels_end_with_their_lab(kernels: House, lab: Learner) -> None:
    pid = int(lab.text("k", "import os; print(os.getpid())"))

    kernels.leave(lab)

    assert eventually(lambda: not lives(pid))


def test_a_new_manager_finds_the_kernel_again_and_signals_no_other_process(lab: Learner) -> None:
    assert lab.do("adopted", name="k") is True
    # The number is the same, the start is not: a stranger.
    assert lab.do("adopted", name="k", started_differs=True) is False
    assert lab.text("k", "print(1)") == "1\n"


def test_running_kernels_outlive_the_warm_parent_and_new_ones_start_cold(own: House) -> None:
    lab = own.learner()
    pid = lab.do("start", name="k")["pid"]
    lab.text("k", "x = 5")

    own.stop_parent(signal.SIGKILL)

    assert lab.do("alive", name="k") is True
    assert lab.text("k", "print(x)") == "5\n"
    lab.do("begin", name="k", code="print('x', flush=True)\nwhile True: pass")
    assert lab.do("interrupt", name="k")["ename"] == "KeyboardInterrupt"
    info = lab.do("start", name="other")
    assert (info["forked"], info["cold_reason"]) == (False, "unreachable")
    assert "cold: unreachable" in lab.log.read_text()
    lab.do("signal", name="k", number=signal.SIGKILL)
    assert eventually(lambda: not lab.do("alive", name="k"))
    assert not lives(pid)
    own.start_parent()
    assert lab.do("restart", name="other")["forked"]


THREAD_AT_IMPORT = (
    "import threading, time; threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
)


def test_a_parent_that_cannot_fork_with_its_modules_serves_without_them() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root forks kernels for others")
    site = Path(sysconfig.get_path("purelib"))
    module = site / f"bioskills_test_{os.getpid()}.py"
    module.write_text(THREAD_AT_IMPORT)
    try:
        with kernel_house(preload={"course": (module.stem, "not_there")}, cache="") as house:
            assert house.learner().do("start", name="k")["forked"]
            assert "2 threads are running" in (house.base / "parent.log").read_text()
    finally:
        module.unlink()


def test_a_kernel_without_a_room_is_refused_and_starts_cold(own: House) -> None:
    lab = own.learner()
    lab.do("env", name="IN_THE_ROOM", value="yes")
    (own.config.room(lab.uid) / "limits.json").unlink()

    info = lab.do("start", name="k")

    assert (info["forked"], info["cold_reason"]) == (False, "no_room")


def test_a_course_that_wants_it_starts_cold(lab: Learner) -> None:
    for name in ("cold-course", "warm-course"):
        lab.text("k", f"import os; os.makedirs('{name}/lessons', exist_ok=True)")
    lab.do("env", name="BIOSKILLS_COLD_COURSES", value="other:cold-course")

    cold = lab.do("start", name="a", cwd=str(lab.home / "cold-course" / "lessons"))
    warm = lab.do("start", name="b", cwd=str(lab.home / "warm-course"))

    assert (cold["forked"], cold["cold_reason"]) == (False, "cold_course")
    assert warm["forked"]
    assert lab.do("restart", name="a")["cold_reason"] == "cold_course"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kernel": "other"}, "other_program"),
        ({"env": {"PYTHONPATH": "/somewhere"}}, "read_at_start"),
        ({"env": {"LONG": "x" * 70_000}}, "bad_request"),
    ],
)
def test_what_a_fork_cannot_be_starts_cold_and_says_so(
    lab: Learner, options: dict[str, object], reason: str
) -> None:
    info = lab.do("start", name="a", **options)

    assert (info["forked"], info["cold_reason"]) == (False, reason)
    assert f"cold: {reason}" in lab.log.read_text()
    assert lab.text("a", "print(1)") == "1\n"


def test_memory_runs_out_for_kernels_before_the_lab(lab: Learner) -> None:
    lab.do("start", name="c", mode="cold")

    for name in ("k", "c"):
        assert lab.text(name, "print(open('/proc/self/oom_score_adj').read())").strip() == "300"
    assert Path(f"/proc/{lab.pid}/oom_score_adj").read_text().strip() == "0"
