"""A cell's time is its own: what it waited for the processor takes nobody's points."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bioskills_waiting import eventually

from bioskills.graders import cell_clock
from bioskills.graders.cell_clock import CROWD, FULL_S, SLACK, Clock, FamilyClock

BILLION = 1_000_000_000


class Machine:
    """A clock on the wall and the kernel's note of how long the process has waited."""

    def __init__(self, file: Path) -> None:
        self.file, self.now = file, 100.0
        self.waited(0.0)

    def waited(self, seconds: float) -> None:
        self.file.write_text(f"5 {int(seconds * BILLION)} 7\n")

    def clock(self, limit_s: float | None) -> Clock:
        clock = Clock(0, None)
        clock._file, clock._limit = str(self.file), limit_s
        clock._began, clock._waited = self.now, clock._delay()
        clock._room = self.now
        return clock


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "schedstat")
    monkeypatch.setattr(cell_clock.time, "monotonic", lambda: made.now)
    return made


def test_on_an_idle_machine_time_is_over_at_the_limit(machine: Machine) -> None:
    clock = machine.clock(10.0)
    machine.now += 9.9
    assert not clock.is_over()
    machine.now += 0.2
    assert clock.is_over()


def test_waiting_for_a_processor_is_not_counted(machine: Machine) -> None:
    clock = machine.clock(10.0)
    machine.now += 30.0
    machine.waited(25.0)
    assert not clock.is_over()
    machine.now += 6.0
    assert clock.is_over()


def test_what_was_waited_for_before_is_not_given_to_this_cell(machine: Machine) -> None:
    machine.waited(500.0)
    clock = machine.clock(10.0)
    machine.now += 11.0
    assert clock.is_over()


def test_no_waiting_is_without_end(machine: Machine) -> None:
    clock = machine.clock(10.0)
    machine.now += 10.0 * SLACK + 1
    machine.waited(10.0 * SLACK)
    assert clock.is_over()


@pytest.mark.parametrize("text", ["", "no numbers here", "5"])
def test_where_nothing_is_noted_the_wall_decides(machine: Machine, text: str) -> None:
    clock = machine.clock(10.0)
    machine.file.write_text(text)
    machine.now += 11.0
    assert clock.is_over()


def test_no_limit_is_never_over(machine: Machine) -> None:
    clock: Any = machine.clock(None)
    machine.now += 1e9
    assert not clock.is_over()


@pytest.fixture(params=["4:pids:/bioskills-x/61900\n", "0::/bioskills-x/61900\n"])
def group(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control group, as both versions lay it out, and the process's file that names it."""
    monkeypatch.setattr(cell_clock, "GROUPS", tmp_path)
    made = tmp_path / ("pids" if "pids" in request.param else "") / "bioskills-x" / "61900"
    made.mkdir(parents=True)
    (made / "pids.max").write_text("max\n")
    (tmp_path / "cgroup").write_text(f"7:cpu:/elsewhere\n{request.param}")
    return made


@pytest.mark.parametrize(("tasks", "over"), [(CROWD, False), (CROWD + 1, True)])
def test_waiting_behind_own_processes_is_counted(
    machine: Machine, group: Path, tasks: int, over: bool
) -> None:
    (group / "pids.current").write_text(f"{tasks}\n")
    clock = machine.clock(10.0)
    clock._groups = machine.file.with_name("cgroup")
    machine.now += 11.0
    machine.waited(10.5)

    assert clock.is_over() is over


@pytest.mark.parametrize(
    ("seconds", "tasks", "over"),
    [(FULL_S - 1, 40, False), (FULL_S + 1, 39, False), (FULL_S + 1, 40, True)],
)
def test_a_box_that_stays_full_is_over_before_its_time(
    machine: Machine, group: Path, seconds: float, tasks: int, over: bool
) -> None:
    (group / "pids.max").write_text("40\n")
    (group / "pids.current").write_text("5\n")
    clock = machine.clock(10.0)
    clock._groups = machine.file.with_name("cgroup")
    machine.now += 4.0
    assert not clock.is_over()

    (group / "pids.current").write_text(f"{tasks}\n")
    machine.now += seconds
    assert clock.is_over() is over


@pytest.fixture
def crowd() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that sleeps, while five that it started share one processor."""
    core = str(min(os.sched_getaffinity(0)))
    loops = "for _ in 1 2 3 4 5; do sh -c 'while :; do :; done' & done; echo; exec sleep 99"
    with subprocess.Popen(
        ["taskset", "-c", core, "sh", "-c", loops], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        # Before it sleeps it waits for the processor itself.
        assert eventually(lambda: "(sleep) S" in Path(f"/proc/{process.pid}/stat").read_text())
        yield process
        os.killpg(process.pid, 9)


def test_a_kernel_further_down_waits_for_its_cell(crowd: "subprocess.Popen[bytes]") -> None:
    own, family = Clock(crowd.pid, 10.0), FamilyClock(crowd.pid, 10.0)
    began = time.monotonic()
    time.sleep(1.5)

    assert own.waited() < 0.3
    # One of five gets a fifth: it waits the longest part of the time, and never more than all.
    assert 0.4 < family.waited() < time.monotonic() - began + 0.5
    assert family.left() > own.left() + 0.3
