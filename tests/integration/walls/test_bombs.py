"""What one learner uses up is missing to nobody else; whoever did it can go on afterwards."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import walls_attacks as attacks
import walls_bombs as bombs
from bioskills_learners import Kernel, KernelDiedError, Learner, learner
from bioskills_product import Product, running_product
from bioskills_waiting import eventually
from walls_scene import lab_pid, lab_port

from bioskills.hub.processes import pids_of, start_time

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root builds walls"),
]

LIMITS = {"MEMORY_MB": 512, "PROCESSES": 96, "TMP_MB": 32, "SHM_MB": 16, "HOME_MB": 64}
SLOWEST_S = 30
"""Longest that a small cell of somebody else may take on a loaded machine; usually some hundredths."""
BOMB_S = 6
MB_A_SECOND = 100
"""How fast a home is filled: a watcher looks now and then, and what is written in between stays."""


@dataclass
class Class:
    """Lea works; Miro has the bombs."""

    product: Product
    lea: Kernel
    miro: Learner

    @contextmanager
    def meanwhile(self, what: str) -> Iterator[None]:
        """Have Lea work until the end of the bomb, and say how long she waited at most."""
        alone = self.lea.latency()
        yield
        end, worst = time.monotonic() + BOMB_S - 1, 0.0
        while time.monotonic() < end:
            worst = max(worst, self.lea.latency(1))
            time.sleep(0.05)
        print(f"{what}: a cell of Lea's took {alone:.3f} s before, {worst:.3f} s at most")
        assert worst < SLOWEST_S

    def runs(self) -> None:
        """Show that Lea can still start, save and hear."""
        with self.lea.learner.running() as kernel:
            said = kernel.run(
                "from pathlib import Path; p = Path.home() / 'saved'; p.write_text('x' * 9999)\n"
                "import tempfile; tempfile.TemporaryFile().write(b'x' * 9999)\n"
                "import subprocess; print(subprocess.run(['echo', 'well'], capture_output=True, text=True).stdout)"
            )
        assert said.strip() == "well", said

    def recovers(self) -> None:
        """Show that Miro himself can go on: at the latest with a new lab."""
        self.miro.stop()
        assert eventually(lambda: not pids_of({self.miro.uid})), pids_of({self.miro.uid})
        learner(self.product, "miro")
        with self.miro.running() as kernel:
            assert kernel.run("print(1)").strip() == "1"


def held_mb(home: Path) -> int:
    """Return the megabytes of the files of a home, which somebody may be deleting meanwhile."""
    found = 0
    for path in home.rglob("*"):
        with suppress(FileNotFoundError):
            found += path.lstat().st_size
    return found >> 20


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    attacks.keep_a_key()
    with running_product(**{f"LABS_{name}": str(LIMITS[name]) for name in LIMITS}) as found:
        yield found


@pytest.fixture(scope="module")
def lea(product: Product) -> Iterator[Kernel]:
    with learner(product, "lea").running() as kernel:
        yield kernel


@pytest.fixture
def room(product: Product, lea: Kernel) -> Class:
    lea.reconnect()
    return Class(product, lea, learner(product, "miro"))


def test_a_fork_bomb_is_felt_by_nobody_else_and_ends_with_its_lab(room: Class) -> None:
    with room.miro.running() as kernel, room.meanwhile("fork bomb"):
        kernel.call(bombs.forks, 600)
        assert eventually(lambda: len(pids_of({room.miro.uid})) > LIMITS["PROCESSES"] // 2)
        assert len(pids_of({room.miro.uid})) <= LIMITS["PROCESSES"] + 2
    room.runs()
    room.recovers()


def test_a_program_that_takes_all_memory_is_ended_and_the_kernel_lives(room: Class) -> None:
    with room.miro.running() as kernel, room.meanwhile("memory bomb"):
        how = kernel.call(bombs.eats, 4 * LIMITS["MEMORY_MB"], timeout_s=60)
        assert how == -9
        assert kernel.run("print('alive')").strip() == "alive"
    room.runs()


def test_a_kernel_that_takes_all_memory_is_ended_and_its_lab_lives(room: Class) -> None:
    lab = lab_pid(room.product, "miro")
    with (
        room.miro.running() as kernel,
        room.meanwhile("memory bomb in the kernel"),
        pytest.raises(KernelDiedError),
    ):
        kernel.call(bombs.eats_here, 4 * LIMITS["MEMORY_MB"], timeout_s=60)

    assert lab_pid(room.product, "miro") == lab
    with room.miro.running() as again:
        assert again.run("print(1)").strip() == "1"
    room.runs()


@pytest.mark.parametrize(
    ("folder", "limit"),
    [("/tmp", "TMP_MB"), ("/dev/shm", "SHM_MB"), ("/var/tmp", "TMP_MB"), ("/run/lock", "SHM_MB")],
)
def test_a_filled_private_folder_fills_nothing_of_others(
    room: Class, folder: str, limit: str
) -> None:
    with room.miro.running() as kernel, room.meanwhile(f"{folder} filled"):
        written, why = kernel.call(bombs.fills, folder, 400, 0.005)
        assert written <= LIMITS[limit]
        assert why == "No space left on device"
        assert not [*Path(folder).glob("filled-*")], "nothing of it lies on the machine's own disk"
        kernel.call(bombs.removes, folder)
    room.runs()


def test_a_filled_home_stops_growing_and_can_be_emptied(room: Class) -> None:
    home = room.product.data / "homes" / str(room.miro.uid)
    with room.miro.running() as kernel, room.meanwhile("home filled"):
        try:
            why = kernel.call(bombs.fills, str(home), 600, 1 / MB_A_SECOND, timeout_s=90)[1]
        except KernelDiedError:
            why = "everything was ended"
    held = held_mb(home)
    print(f"home of {LIMITS['HOME_MB']} MB: {held} MB held, then: {why}")

    assert why in {"File too large", "everything was ended"}
    assert held <= LIMITS["HOME_MB"] + 3 * MB_A_SECOND
    room.runs()
    _empty(home)
    room.recovers()


def _empty(home: Path) -> None:
    for path in home.glob("filled-*"):
        path.unlink()


def test_a_busy_learner_leaves_the_others_their_share(room: Class) -> None:
    with room.miro.running() as kernel, room.meanwhile("sixteen busy processes"):
        kernel.call(bombs.spins, 16, BOMB_S)


def test_all_terminals_of_one_leave_the_others_theirs(room: Class) -> None:
    with room.miro.running() as kernel:
        assert kernel.call(bombs.opens_terminals, 4000) < 100
        assert room.lea.run("import os; print(len(os.openpty()))").strip() == "2"


def test_the_log_of_a_lab_fills_no_disk(room: Class) -> None:
    with room.miro.running() as kernel:
        pid = lab_pid(room.product, "miro")
        written = kernel.call(bombs.writes_to_the_log, pid, 8 * LIMITS["HOME_MB"])
    log = room.product.data / f"state/log/labs/lab-{room.miro.uid}.log"

    assert written <= LIMITS["HOME_MB"]
    assert not log.exists() or log.stat().st_size <= LIMITS["HOME_MB"] << 20
    room.recovers()


def test_whoever_stops_all_he_may_holds_up_no_watch_and_no_end(room: Class) -> None:
    sofia = learner(room.product, "sofia")
    hers, his = (room.product.data / "homes" / str(u) for u in (sofia.uid, room.miro.uid))
    kernel = room.miro.kernel()
    kernel.call(bombs.fills, str(his), LIMITS["HOME_MB"] + 4, 0.05)
    kernel.begin(bombs.stops_everybody, 90)
    with sofia.running() as other, suppress(KernelDiedError):
        other.call(bombs.fills, str(hers), 600, 1 / MB_A_SECOND, timeout_s=60)
    held = held_mb(hers)
    kernel.socket.close()
    sofia.stop()

    assert held <= LIMITS["HOME_MB"] + 3 * MB_A_SECOND, "the watch over Sofia's home went on"
    _empty(hers)
    _empty(his)
    room.recovers()


DOORS = {
    "kernels.sock": ('{"op":"start"}', "{}", '{"op":'),
    "warden.sock": ('{"op":"usage"}', "{}", '{"op":"close"}'),
    "labs.sock": ("{}",),
}


@pytest.mark.parametrize(("door", "line"), [(d, x) for d, lines in DOORS.items() for x in lines])
def test_a_door_that_one_rattles_at_opens_for_the_others(room: Class, door: str, line: str) -> None:
    alone = _seconds_of_a_kernel(room.lea.learner)
    with room.miro.running() as kernel:
        run_dir = Path(kernel.run("import os; print(os.environ['JUPYTER_RUNTIME_DIR'])").strip())
        kernel.call(bombs.asks, str(run_dir.parent / door), line, 12, BOMB_S)
        time.sleep(0.3)
        meanwhile = _seconds_of_a_kernel(room.lea.learner)
        begun = time.monotonic()
        learner(room.product, "sofia").stop()
        whole = time.monotonic() - begun
        time.sleep(BOMB_S)
    print(
        f"{door} {line}: kernel {alone:.2f} s alone, {meanwhile:.2f} s; a lab and its end {whole:.2f} s"
    )
    assert meanwhile < alone + SLOWEST_S
    assert whole < 2 * SLOWEST_S


def _seconds_of_a_kernel(person: Learner) -> float:
    begun = time.monotonic()
    with person.running():
        return time.monotonic() - begun


def test_many_connections_of_one_leave_the_hub_and_the_campus_to_the_others(room: Class) -> None:
    ports = [int(room.product.environ[f"BIOSKILLS_NETWORK_{n}_PORT"]) for n in ("HUB", "CAMPUS")]
    call = (
        "import time, urllib.request as u; t = time.monotonic()\n"
        f"u.build_opener(u.ProxyHandler({{}})).open('http://127.0.0.1:{ports[0]}/hub/health', timeout=30)\n"
        "print(time.monotonic() - t)"
    )
    with room.miro.running() as kernel:
        for port in ports:
            kernel.call(bombs.dials, port, 1000, BOMB_S)
        time.sleep(1)
        waited = float(room.lea.run(call))
        page = httpx.get(
            f"{room.product.url}/hub/login".replace("hub.localhost", "127.0.0.1"),
            trust_env=False,
            timeout=30,
        )

    print(f"the hub answered Lea's program after {waited:.3f} s")
    assert waited < SLOWEST_S
    assert page.status_code < 500


def test_keys_of_whoever_started_everything_are_not_handed_on(room: Class) -> None:
    if not attacks.keys_of_the_session():
        pytest.skip("this kernel keeps no keys")
    with room.miro.running() as kernel:
        assert kernel.call(attacks.keys_of_the_session) == []


def test_nothing_is_left_of_a_learner_who_is_stopped(room: Class) -> None:
    with room.miro.running() as kernel:
        kernel.call(bombs.spins, 3, 600)
        kernel.call(bombs.forks, 600)
        port, lab = lab_port(room.product, "miro"), lab_pid(room.product, "miro")
        room.miro.stop()

    assert eventually(lambda: not pids_of({room.miro.uid}))
    assert not start_time(lab)
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{port}/", timeout=3, trust_env=False)
