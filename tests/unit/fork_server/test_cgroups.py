"""A learner's group: what it limits, what it counts, and that everything in it ends."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bioskills_waiting import eventually

from bioskills.fork_server import cgroups, killing
from bioskills.fork_server.cgroups import Mechanism

MARK = f"test-{os.getpid()}"
UID = 4_190_001
OTHER = 4_190_002
ALONE = 4_190_003

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="control groups belong to root")
with_groups = pytest.mark.skipif(cgroups.detect().kind == "none", reason=cgroups.detect().why)

BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
EATER = "b = []\nwhile True: b.append(bytearray(1 << 22))"
SLEEPER = "import time; time.sleep(600)"


@pytest.fixture
def group() -> Iterator[int]:
    cgroups.ensure(MARK, UID, {"memory_mb": 100, "processes": 40})
    yield UID
    for uid in (UID, OTHER):
        cgroups.kill_all(MARK, uid)
        cgroups.remove(MARK, uid)


def child(code: str, uid: int = UID, before: Callable[[], None] | None = None) -> subprocess.Popen:
    """Start Python in the group, as the learner."""

    def drop() -> None:
        if before:
            before()
        else:
            cgroups.join(MARK, uid)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)

    return subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        preexec_fn=drop,  # noqa: PLW1509  # this test has one thread
        start_new_session=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@as_root
@with_groups
def test_one_that_needs_too_much_memory_is_ended_and_counted(group: int) -> None:
    bystander = child(SLEEPER, OTHER, before=lambda: None)
    eater = child(EATER)

    assert eater.wait(200) == -signal.SIGKILL
    found = cgroups.counts(MARK, UID)
    assert found.oom_kills == 1
    assert found.memory_limit == 100 << 20
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


@as_root
@with_groups
def test_a_fork_bomb_is_held_counted_and_ended_whole(group: int) -> None:
    bomb = child(BOMB)
    assert eventually(lambda: (cgroups.counts(MARK, UID).processes_hits or 0) > 0)
    held = cgroups.counts(MARK, UID)

    assert cgroups.kill_all(MARK, UID)
    bomb.wait()

    assert held.processes_limit == 40
    assert held.processes is not None
    assert held.processes <= 40
    assert killing.running(UID) == set()
    assert cgroups.counts(MARK, UID).processes_limit == 40  # and the group can be used again


@as_root
@with_groups
def test_an_arrival_beyond_the_limit_is_refused(group: int) -> None:
    cgroups.ensure(MARK, UID, {"processes": 2})
    sleepers = [child(SLEEPER) for _ in range(2)]

    third = os.fork()
    if third == 0:
        try:
            cgroups.join(MARK, UID)
        except cgroups.TooManyProcessesError:
            os._exit(7)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(third, 0)[1]) == 7
    cgroups.kill_all(MARK, UID)
    [sleeper.wait() for sleeper in sleepers]


@as_root
@with_groups
def test_a_group_can_be_made_and_removed_twice_and_takes_new_limits(group: int) -> None:
    cgroups.ensure(MARK, UID, {"memory_mb": 200, "processes": 50})
    cgroups.ensure(MARK, UID, {"memory_mb": 50, "processes": 20})
    smaller = cgroups.counts(MARK, UID)
    cgroups.ensure(MARK, UID, {})
    free = cgroups.counts(MARK, UID)

    assert (smaller.memory_limit, smaller.processes_limit) == (50 << 20, 20)
    assert (free.memory_limit, free.processes_limit) == (None, None)
    assert cgroups.uids(MARK) == [UID]
    assert [cgroups.remove(MARK, UID) for _ in range(2)] == [True, True]
    assert cgroups.uids(MARK) == []
    assert cgroups.kill_all(MARK, UID)  # nobody is there: done


COMING_AND_GOING = """
import sys
from bioskills.fork_server import cgroups
for _ in range(300):
    cgroups.ensure(sys.argv[1], int(sys.argv[2]), {"processes": 20})
    cgroups.remove(sys.argv[1], int(sys.argv[2]))
"""


@as_root
@with_groups
def test_groups_are_made_while_the_last_other_one_takes_the_folder_above_along() -> None:
    two = [
        subprocess.Popen(
            [sys.executable, "-c", COMING_AND_GOING, f"{MARK}-both", str(uid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for uid in (UID, OTHER)
    ]
    said = [process.communicate(timeout=100)[1] for process in two]

    assert [process.returncode for process in two] == [0, 0], said


@as_root
@with_groups
def test_a_group_in_use_is_not_removed(group: int) -> None:
    sleeper = child(SLEEPER)

    assert not cgroups.remove(MARK, UID)
    cgroups.kill_all(MARK, UID)
    sleeper.wait()
    assert cgroups.remove(MARK, UID)


@as_root
@with_groups
def test_time_on_the_processor_is_counted(group: int) -> None:
    worker = child("import time\nt = time.process_time()\nwhile time.process_time() < t + .3: pass")
    worker.wait()

    assert (cgroups.counts(MARK, UID).cpu_s or 0) >= 0.3


@as_root
@with_groups
def test_files_read_lately_do_not_count_as_memory(group: int) -> None:
    with tempfile.NamedTemporaryFile() as big:
        big.write(bytes(64 << 20))
        os.fsync(big.fileno())
        os.posix_fadvise(big.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.chmod(big.name, 0o644)
        reader = child(f"f = open({big.name!r}, 'rb')\nwhile f.read(1 << 20): pass")
        assert reader.wait() == 0

        assert (cgroups.counts(MARK, UID).memory or 0) < 32 << 20


@as_root
def test_where_there_are_no_groups_all_of_a_uid_still_ends() -> None:
    none = Mechanism("none", why="not_mounted")

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (30, 30))

    bomb = child(BOMB, ALONE, before=few)
    other = child(SLEEPER, OTHER, before=lambda: None)
    assert eventually(lambda: len(killing.running(ALONE)) >= 25)

    assert cgroups.kill_all(MARK, ALONE, at=none)
    bomb.wait()
    assert killing.running(ALONE) == set()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_without_groups_limits_hold_each_process() -> None:
    limits = {"memory_mb": 64, "processes": 9}
    none = Mechanism("none", why="not_mounted")
    memory_only = Mechanism("v1", (("memory", Path("/")),))

    assert cgroups.rlimits(limits, none) == {
        resource.RLIMIT_DATA: 64 << 20,
        resource.RLIMIT_NPROC: 9,
    }
    assert resource.RLIMIT_DATA not in cgroups.rlimits(limits, memory_only)
    assert cgroups.counts(MARK, UID, none) == cgroups.Counts(*[None] * 7)


@pytest.mark.parametrize("mark", ["", "../x", "a/b", "A", "-a", "x" * 33])
def test_a_mark_that_could_be_a_path_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="no group"):
        cgroups.folders(mark, UID, cgroups.here())


@as_root
@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("proc /proc proc rw 0 0\n", ("none", "not_mounted")),
        ("cgroup2 {here}/empty cgroup2 rw 0 0\n", ("none", "no_controllers memory pids")),
        ("cgroup {here}/gone cgroup rw,memory 0 0\n", ("none", "not_writable")),
        ("cgroup {here}/empty cgroup rw,memory 0 0\n", ("v1", "no_controllers pids")),
        ("cgroup {here}/empty cgroup rw,memory,pids 0 0\n", ("v1", "")),
        ("cgroup2 {here}/two cgroup2 rw 0 0\n", ("v2", "")),
    ],
)
def test_what_a_machine_offers_is_found(
    tmp_path: Path, mounts: str, expected: tuple[str, str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "two/cgroup.controllers").write_text("cpuset cpu io memory pids")
    (tmp_path / "two/cgroup.subtree_control").write_text("cpu memory pids")
    (tmp_path / "mounts").write_text(mounts.format(here=tmp_path))

    found = cgroups.detect(tmp_path / "mounts")

    assert (found.kind, found.why) == expected


# ---- version 2: the kernel's own files where it has them, else files of the same shape

UNIFIED = next(
    (
        Path(line.split()[1])
        for line in Path("/proc/self/mounts").read_text().splitlines()
        if line.split()[2] == "cgroup2"
    ),
    None,
)


@as_root
@pytest.mark.skipif(UNIFIED is None, reason="no cgroup2 is mounted")
def test_version_2_ends_a_group_as_a_whole() -> None:
    assert UNIFIED is not None
    at = Mechanism("v2", (("memory", UNIFIED),))
    folder = UNIFIED / f"bioskills-{MARK}" / str(UID)
    folder.mkdir(parents=True)

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (60, 60))
        cgroups.join(MARK, UID, at)

    bomb = child(BOMB, before=few)
    try:
        assert eventually(lambda: len(killing.members((folder,))) > 20)
        assert (cgroups.counts(MARK, UID, at).cpu_s or 0) > 0
    finally:
        assert cgroups.kill_all(MARK, UID, at=at)
        bomb.wait()
        assert cgroups.remove(MARK, UID, at)


def test_version_2_writes_and_reads_its_own_files(tmp_path: Path) -> None:
    at = Mechanism("v2", tuple((name, tmp_path) for name in ("memory", "pids", "cpu")))
    folder = tmp_path / f"bioskills-{MARK}" / str(UID)
    folder.mkdir(parents=True)
    for file in ("memory.max", "memory.swap.max", "pids.max", "cpu.weight"):
        (folder / file).write_text("")
    (folder / "memory.current").write_text("30000000\n")
    (folder / "memory.stat").write_text("anon 1\ninactive_file 10000000\n")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 4\noom 3\noom_kill 2\n")
    (folder / "pids.current").write_text("12\n")
    (folder / "pids.events").write_text("max 5\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\n")

    cgroups.ensure(MARK, UID, {"memory_mb": 64, "processes": 99, "cpu_share": 50}, at)

    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "cpu.weight").read_text() == "50"
    assert cgroups.counts(MARK, UID, at) == (20_000_000, 64 << 20, 2, 12, 99, 5, 2.5)
