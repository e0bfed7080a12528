"""Homes that grow: measured as their owner, held when full, let go when there is room."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bioskills_waiting import eventually

from bioskills.fork_server import cgroups, disk, killing, linux, measuring, rooms, watch
from bioskills.fork_server.config import Config
from bioskills.fork_server.disk import State, Step

UID = 4_190_020
NOBODY = 4_190_021
MB = 1 << 20

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="homes of others belong to root's tests")

LEARNER = """
import os, sys
home = sys.argv[1]
for line in sys.stdin:
    what, name, size = line.split()
    try:
        if what == "grow":
            with open(f"{home}/{name}", "ab", buffering=0) as f:
                for _ in range(int(size)): f.write(bytes(1024))
        if what == "delete":
            os.unlink(f"{home}/{name}")
        print("done", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


@pytest.fixture
def config() -> Iterator[Config]:
    # Not below pytest's own folder, where others may not pass.
    base = Path(tempfile.mkdtemp(prefix="bsh-disk-"))
    base.chmod(0o711)
    made = Config(
        mark=f"disk-{os.getpid()}",
        run_dir=base / "run",
        homes=base / "homes",
        log_dir=base / "log",
        first_uid=UID,
        last_uid=UID,
        hub_uid=NOBODY,
        relay_uid=NOBODY,
        probe_uid=NOBODY,
        environments={},
    )
    made.homes.mkdir(mode=0o711)
    rooms.ensure_folder(made.home(UID), UID)
    made.room(UID).mkdir(parents=True)
    rooms.finish(made, UID, {"home_mb": 8})
    before = os.umask(0o077)  # as the warden has it
    cgroups.ensure(made.mark, UID, {"processes": 100})
    os.umask(before)
    yield made
    cgroups.kill_all(made.mark, UID)
    cgroups.remove(made.mark, UID)
    subprocess.run(["rm", "-rf", base], check=True)


class Learner:
    """A process of the learner that writes and deletes files when told."""

    def __init__(self, config: Config, code: str) -> None:
        def drop() -> None:
            limits = disk.file_limits(disk.state_of(config, UID))
            cgroups.join(config.mark, UID)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            os.setgroups([])
            os.setresgid(UID, UID, UID)
            os.setresuid(UID, UID, UID)

        self.process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-c", code, str(config.home(UID))],
            preexec_fn=drop,  # noqa: PLW1509  # this test has one thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
        )

    def do(self, what: str, name: str, kb: int = 0) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what} {name} {kb}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def start(config: Config) -> Iterator[Callable[..., Learner]]:
    started: list[Learner] = []

    def start(code: str = LEARNER) -> Learner:
        started.append(Learner(config, code))
        return started[-1]

    yield start
    cgroups.kill_all(config.mark, UID)
    for each in started:
        each.process.communicate()


@pytest.fixture
def learner(start: Callable[..., Learner]) -> Learner:
    return start()


@as_root
def test_a_full_home_stops_growing_and_deleting_lets_it_go_on(
    config: Config, learner: Learner, start: Callable[..., Learner]
) -> None:
    for number in range(4):
        assert learner.do("grow", f"data{number}", 2048) == "done"
    full = disk.look(config, UID)
    refused = learner.do("grow", "data0", 1)
    small = learner.do("grow", "notebook", 100)
    later = start()
    refused_later = later.do("grow", "data1", 1)
    deleted = learner.do("delete", "data3"), learner.do("delete", "data2")
    free = disk.look(config, UID)

    assert (full.step, full.used >= full.limit) == (Step.SMALL, True)
    assert (refused, refused_later, small) == ("File too large", "File too large", "done")
    assert deleted == ("done", "done")
    assert (free.step, disk.file_limits(free)[0]) == (Step.FREE, 8 * MB)
    assert learner.do("grow", "data0", 1024) == later.do("grow", "data1", 1024) == "done"


@as_root
def test_a_full_home_that_goes_on_growing_takes_hardly_anything(
    config: Config, learner: Learner
) -> None:
    for number in range(17):
        learner.do("grow", f"data{number}", 512)

    state = disk.look(config, UID)

    assert state.step is Step.CLOSED
    assert learner.do("grow", "pictures", 300) == "File too large"
    assert learner.do("grow", "notebook", 200) == "done"


@as_root
def test_half_as_much_again_ends_what_goes_on_and_leaves_the_files(
    config: Config, learner: Learner, start: Callable[..., Learner]
) -> None:
    for number in range(6):
        learner.do("grow", f"data{number}", 2048)
    closed = disk.look(config, UID)
    still = disk.look(config, UID)
    assert learner.process.poll() is None  # much, but it no longer grows
    for number in range(9):
        learner.do("grow", f"more{number}", 4)

    ended = disk.look(config, UID)

    assert [state.step for state in (closed, still, ended)] == [Step.CLOSED] * 3
    assert learner.process.wait(90) == -signal.SIGKILL
    assert len(list(config.home(UID).iterdir())) == 15
    again = start()
    assert disk.look(config, UID).step is Step.CLOSED
    assert again.do("grow", "data0", 1) == "File too large"
    assert [again.do("delete", f"data{n}") for n in range(4)] == ["done"] * 4
    assert disk.look(config, UID).step is Step.FREE


@as_root
def test_processes_that_are_born_meanwhile_are_held_too(
    config: Config, start: Callable[..., Learner]
) -> None:
    family = start(
        "import os, time\nfor n in range(40):\n  if os.fork() == 0: time.sleep(600)\n  time.sleep(.01)",
    )
    groups = tuple(cgroups.folders(config.mark, UID, cgroups.here()).values())
    assert eventually(lambda: len(killing.members(groups)) > 5, step=0.01)

    disk.hold(config.mark, UID, 4096)
    family.process.wait(90)
    disk.hold(config.mark, UID, 4096)

    members = killing.members(groups)
    assert len(members) >= 30
    assert {_soft_limit(pid) for pid in members} == {"4096"}


def _soft_limit(pid: int) -> str:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[3] for line in lines if line.startswith("Max file size"))


@as_root
def test_what_is_measured_is_what_lies_on_the_disk(config: Config) -> None:
    home = config.home(UID)
    (home / "a/b/c").mkdir(parents=True)
    (home / "a/b/data").write_bytes(bytes(3 * MB))
    os.link(home / "a/b/data", home / "a/again")  # a second name costs nothing
    (home / "link").symlink_to("/usr")  # nor does what a link names
    with (home / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    os.mkfifo(home / "pipe")
    for path in (home, *home.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
    du = subprocess.run(["du", "-s", "-B1", home], capture_output=True, text=True, check=True)

    found = measuring.measure(home, UID, NOBODY)

    # Link, pipe and the sparse file hold no block, and count one each all the same.
    assert found[:2] == (int(du.stdout.split()[0]) + 3 * 4096, True)


@as_root
def test_many_empty_files_fill_a_home_too(config: Config) -> None:
    for number in range(1000):
        (config.home(UID) / str(number)).touch()
    assert measuring.measure(config.home(UID), UID, NOBODY)[0] >= 1000 * 4096


@as_root
def test_another_file_system_in_a_home_is_not_entered(config: Config) -> None:
    inner = config.home(UID) / "mounted"
    inner.mkdir()
    linux.mount("tmpfs", str(inner), "tmpfs", 0, "size=4m,mode=777")
    try:
        (inner / "big").write_bytes(bytes(2 * MB))
        assert measuring.measure(config.home(UID), UID, NOBODY).used < MB
    finally:
        linux.umount(str(inner))


@as_root
def test_a_folder_that_cannot_be_read_is_known_as_not_counted(config: Config) -> None:
    closed = config.home(UID) / "closed"
    closed.mkdir(mode=0o700)  # root's: the learner's rights do not open it
    (closed / "data").write_bytes(bytes(2 * MB))

    found = measuring.measure(config.home(UID), UID, NOBODY)

    assert not found.whole
    assert found.used < MB


@as_root
def test_a_folder_without_end_is_measured_for_a_bounded_time(config: Config) -> None:
    deep = config.home(UID)
    way = os.open(deep, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=way)
        os.chown("d", UID, UID, dir_fd=way)
        below = os.open("d", os.O_RDONLY, dir_fd=way)
        os.close(way)
        way = below
    os.close(way)

    found = measuring.measure(config.home(UID), UID, NOBODY)

    assert not found.whole
    assert found.used >= 200 * 4096


@as_root
def test_a_learner_cannot_end_the_measuring(config: Config, start: Callable[..., Learner]) -> None:
    for number in range(3000):
        (config.home(UID) / f"f{number}").touch()
    start("import os, time\nwhile True:\n  try: os.kill(-1, 9)\n  except OSError: pass")
    time.sleep(0.3)

    found = [measuring.measure(config.home(UID), UID, NOBODY).whole for _ in range(5)]

    assert found == [True] * 5


@as_root
def test_a_learner_cannot_hold_up_whoever_sets_the_limits(
    config: Config, start: Callable[..., Learner]
) -> None:
    start("import os\nwhile True:\n  try: os.kill(-1, 19)\n  except OSError: pass")
    time.sleep(0.3)

    disk.hold(config.mark, UID, 4096)  # that it returns is what is asked

    assert cgroups.kill_all(config.mark, UID)
    assert killing.of_uid(UID, 10)


@as_root
def test_the_watcher_looks_at_a_new_room_and_is_told_when_it_ended(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SOONEST_S", 0.0)
    (config.home(UID) / "data").write_bytes(bytes(9 * MB))
    watcher = watch.Watcher(config)

    watcher.look()
    pid, status = os.wait()

    assert watcher.ended(pid, status)
    assert not watcher.ended(pid, status)
    assert disk.state_of(config, UID).step is Step.CLOSED


@as_root
def test_a_home_is_due_at_once_where_the_disk_lost_as_much_as_it_might_take(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FAST_S", 0.0)
    monkeypatch.setattr(watch, "SOONEST_S", 600.0)
    # A disk of its own: others fill the machine's.
    linux.mount("tmpfs", str(config.homes), "tmpfs", 0, "size=200m,mode=711")
    try:
        rooms.ensure_folder(config.home(UID), UID)
        watcher = watch.Watcher(config)
        watcher.look()
        watcher.look()
        assert watcher._pid == 0  # ten minutes are not over, and nobody fills the disk

        (config.home(UID) / "data").write_bytes(bytes(40 * MB))
        watcher.look()
        pid, status = os.wait()

        assert watcher.ended(pid, status)
        assert disk.state_of(config, UID).step is Step.CLOSED
    finally:
        linux.umount(str(config.homes))


@as_root
def test_a_room_that_goes_away_during_a_look_is_forgotten(config: Config) -> None:
    rooms.remove(config, UID)
    watcher = watch.Watcher(config)

    watcher.look()

    assert not watcher.ended(1, 0)


@pytest.mark.parametrize(
    ("share", "before", "expected"),
    [
        (0.0, Step.FREE, Step.FREE),
        (0.999, Step.FREE, Step.FREE),
        (1.0, Step.FREE, Step.SMALL),
        (1.05, Step.SMALL, Step.CLOSED),
        (1.5, Step.CLOSED, Step.END),
        (1.5, Step.FREE, Step.CLOSED),  # who starts again must be able to delete
        (1.01, Step.CLOSED, Step.SMALL),
        (0.96, Step.CLOSED, Step.SMALL),  # not yet: it would fill up again at once
        (0.96, Step.SMALL, Step.SMALL),
        (0.949, Step.SMALL, Step.FREE),
    ],
)
def test_what_a_home_may_still_write(share: float, before: Step, expected: Step) -> None:
    known = State(used=int(share * 1000) - 1, limit=1000, step=before)

    assert disk.step_of(int(share * 1000), 1000, known) is expected


def test_a_home_without_limit_is_always_free() -> None:
    assert disk.step_of(1 << 50, 0, State()) is Step.FREE
    assert disk.file_limits(State()) == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (State(0, 4096 * MB), 60.0),  # far from full: seldom
        (State(3840 * MB, 4096 * MB), 8.0),
        (State(4095 * MB, 4096 * MB), 5.0),  # nearly full: soon
        (State(4096 * MB, 4096 * MB, Step.SMALL), 3.0),  # who deletes need not wait for long
        (State(0, 0), 60.0),  # without a limit there is nothing to look for
        (State(0, 4096 * MB, cpu_s=5.0), 250.0),  # a dear one: 2 % of a processor
    ],
)
def test_how_soon_a_home_is_looked_at_again(state: State, seconds: float) -> None:
    assert watch.pause_of(state) == pytest.approx(seconds)


def test_what_holds_homes_here_is_said(tmp_path: Path) -> None:
    assert disk.mechanism(tmp_path) in {"quota", "watcher"}
