"""Any process may die at any moment: work goes on, new work begins, nothing is left behind.

Lea and Miro work while each part is killed twice. What the design promises: a
running notebook notices nothing but a cut connection, and whoever comes next
has a lab and a kernel within seconds: 10 on a machine that does nothing else; the
figures are printed.
"""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from bioskills_http import processes, rest, server_of, sign_in, visitor
from bioskills_learners import Kernel, KernelDiedError, Learner, at_work, learner
from bioskills_product import ENVIRONMENTS, Product, running_product
from bioskills_waiting import eventually
from websocket import WebSocketException

from bioskills.hub.processes import PROC, pids_of, start_time

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services as other uids"),
]

TIMES = 2
PARTS = {
    "hub": "bioskills.hub.start_hub",
    "proxy": "proxy",
    "campus": "bioskills.hub.campus",
    "warden": "-m bioskills.fork_server /",
    "parent of labs": "bioskills.fork_server.labs",
    "parent of kernels": "bioskills.fork_server.kernels",
    "relay": "bioskills.fork_server.relay",
}
"""A piece of each part's command line."""


@dataclass
class Work:
    """Two people in the middle of something."""

    product: Product
    lea: Kernel
    miro: Kernel

    @property
    def identities(self) -> dict[int, int]:
        """Every process of both, with its start."""
        uids = {self.lea.learner.uid, self.miro.learner.uid}
        return {pid: start_time(pid) for pid in pids_of(uids)}

    def remember(self, number: int) -> None:
        """Put a number into both notebooks."""
        for kernel in (self.lea, self.miro):
            kernel.run(f"number = {number}")

    def remembered(self, number: int) -> bool:
        """Whether both notebooks still know it; connects again where the connection was cut."""
        return all(_known(kernel) == str(number) for kernel in (self.lea, self.miro))


def _known(kernel: Kernel) -> str:
    try:
        return kernel.run("print(number)", 5).strip()
    except (KernelDiedError, TimeoutError):
        with suppress(OSError, WebSocketException):
            kernel.reconnect()
        return ""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running_product() as found:
        yield found


@pytest.fixture
def work(product: Product) -> Iterator[Work]:
    people = [learner(product, name) for name in ("lea", "miro")]
    found = Work(product, people[0].kernel(), people[1].kernel())
    yield found
    found.lea.close()
    found.miro.close()


def pids_of_part(product: Product, words: str) -> list[int]:
    """Return the processes of a part: started by the supervisor or by the warden."""
    supervisor = _children(product.process.pid)
    services = [pid for top in supervisor for pid in _children(top)]
    every = [*services, *(pid for top in services for pid in _children(top))]
    learners = range(product.lab_uid, product.lab_uid + 170)
    return [p for p in every if words in _command(p) and _owner(p) not in learners]


def one_of_part(product: Product, part: str) -> list[int]:
    """Return the process of a part as soon as it is the only one."""
    assert eventually(lambda: len(pids_of_part(product, PARTS[part])) == 1), part
    return pids_of_part(product, PARTS[part])


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(x) for x in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    return []


def _command(pid: int) -> str:
    with suppress(OSError):
        return (PROC / f"{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _owner(pid: int) -> int:
    with suppress(OSError):
        return (PROC / str(pid)).stat().st_uid
    return -1


def newcomer(product: Product) -> float:
    """Return the seconds until Sofia has signed in, has a lab, and a cell has run; then all ends.

    She presses the button once: waiting is the hub's part.
    """
    begun = time.monotonic()
    assert eventually(lambda: _tried(lambda: _pressed(product))), "nobody can sign in"
    ready = eventually(lambda: _tried(lambda: server_of(product, "sofia").get("ready")))
    assert ready, (product.data / "state/log/hub.log").read_text()[-3000:]
    sofia = at_work(product, "sofia")
    kernel = eventually(lambda: _tried(sofia.kernel))
    assert kernel, "no kernel"
    assert kernel.run("print(6 * 7)").strip() == "42"
    took = time.monotonic() - begun
    kernel.close()
    eventually(lambda: _tried(lambda: _stopped(sofia)))
    assert eventually(lambda: not pids_of({sofia.uid})), pids_of({sofia.uid})
    return took


def _pressed(product: Product) -> bool:
    """Sign in and press the button; a page that the hub does not answer yet is asked for again."""
    with visitor() as client:
        client.timeout = httpx.Timeout(5)
        assert sign_in(client, product, "sofia")
        return client.get(f"{product.url}/hub/spawn/sofia").status_code < httpx.codes.BAD_REQUEST


def _stopped(person: Learner) -> bool:
    person.stop()
    return True


def _tried(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (httpx.HTTPError, AssertionError, OSError, KernelDiedError, TimeoutError, KeyError):
        return None


@pytest.mark.parametrize("part", PARTS)
def test_notebooks_go_on_and_newcomers_come_in_when_it_is_killed_twice(
    work: Work, part: str
) -> None:
    for number in range(TIMES):
        work.remember(number)
        before = work.identities
        (victim,) = one_of_part(work.product, part)

        os.kill(victim, signal.SIGKILL)
        took = newcomer(work.product)

        known = eventually(lambda n=number: work.remembered(n))
        print(f"{part} killed: a newcomer's first cell after {took:.1f} s")
        assert known, f"{part}: a notebook lost what it knew"
        gone = {pid for pid, start in before.items() if start_time(pid) != start}
        assert gone == set()
        one_of_part(work.product, part)


def test_a_dead_kernel_is_started_again_and_nobody_else_notices(work: Work) -> None:
    for number in range(TIMES):
        work.remember(number)
        pid = int(work.lea.run("import os; print(os.getpid())"))

        os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        alive = eventually(lambda: _answers(work.lea))
        took = time.monotonic() - begun

        assert alive
        assert work.miro.run("print(number)").strip() == str(number)
        assert int(work.lea.run("import os; print(os.getpid())")) != pid
        print(f"kernel killed: it answers again after {took:.1f} s")


def _answers(kernel: Kernel) -> bool:
    try:
        return kernel.run("print('here')", 5).strip() == "here"
    except (KernelDiedError, TimeoutError):
        with suppress(OSError, WebSocketException):
            kernel.reconnect()
        return False


def test_a_dead_lab_is_noticed_cleared_away_and_started_again(work: Work) -> None:
    for number in range(TIMES):
        work.remember(number)
        uid = work.lea.learner.uid
        before = {pid: start_time(pid) for pid in pids_of({uid})}
        lab = min((pid for pid in before if before[pid]), key=lambda pid: before[pid])

        os.kill(lab, signal.SIGKILL)
        begun = time.monotonic()
        again = eventually(lambda: _tried(lambda: _open_again(work)))
        took = time.monotonic() - begun

        print(f"lab killed: {took:.1f} s until a kernel of a new one answers")
        assert again
        assert not before.keys() & set(pids_of({uid})), "what the dead lab left behind has ended"
        assert work.miro.run("print(number)").strip() == str(number)


def _open_again(work: Work) -> bool:
    """Do what Lea does: load the page again, as often as it takes."""
    person = learner(work.product, "lea")
    work.lea.close()
    work.lea = person.kernel()
    return True


def test_labs_are_known_again_after_the_hub_was_killed_and_can_be_stopped(work: Work) -> None:
    (hub,) = one_of_part(work.product, "hub")
    before = work.identities
    os.kill(hub, signal.SIGKILL)
    eventually(lambda: pids_of_part(work.product, PARTS["hub"]) not in ([], [hub]))

    ready = eventually(lambda: _tried(lambda: server_of(work.product, "lea").get("ready")))

    assert ready
    assert {p: s for p, s in before.items() if start_time(p) == s} == before
    work.lea.learner.stop()
    assert eventually(lambda: not pids_of({work.lea.learner.uid}))


def test_an_environment_made_again_replaces_its_parent_and_nothing_else(work: Work) -> None:
    work.remember(7)
    for kind, part in (("lab", "parent of labs"), ("course", "parent of kernels")):
        (old,) = one_of_part(work.product, part)
        mark = ENVIRONMENTS / kind / ".complete"
        os.utime(mark)

        replaced = eventually(
            lambda p=part, o=old: pids_of_part(work.product, PARTS[p]) not in ([], [o])
        )

        assert replaced, part
        print(f"{part} replaced: a newcomer after {newcomer(work.product):.1f} s")
    assert work.remembered(7)


def test_no_stranger_is_signalled_whose_number_stands_in_the_hubs_notes(work: Work) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    file = work.product.data / "state/hub/hub.sqlite"
    (hub,) = one_of_part(work.product, "hub")
    os.kill(hub, signal.SIGSTOP)
    changed = 0
    with closing(sqlite3.connect(file, timeout=30)) as database, database:
        rows = database.execute("select id, state from spawners where state is not null").fetchall()
        for row, text in rows:
            state = json.loads(text)
            if state.get("pid"):
                state["pid"] = stranger.pid
                changed += 1
                database.execute(
                    "update spawners set state = ? where id = ?", (json.dumps(state), row)
                )
    os.kill(hub, signal.SIGKILL)
    newcomer(work.product)
    for name in ("lea", "miro"):
        with suppress(httpx.HTTPError):
            rest(work.product, "DELETE", f"users/{name}/server")
    eventually(lambda: not server_of(work.product, "lea"), 30)

    assert changed >= 2
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_nothing_is_left_when_everything_was_killed_and_ended(
    fresh_product: Product,
) -> None:
    fresh_product.start()
    person = learner(fresh_product, "lea")
    kernel = person.kernel()
    kernel.socket.close()
    for words in ("warden", "hub", "proxy"):
        os.kill(one_of_part(fresh_product, words)[0], signal.SIGKILL)

    fresh_product.stop()

    assert eventually(lambda: processes(fresh_product) == []), processes(fresh_product)
    mounts = (PROC / "self/mountinfo").read_text()
    mark = _run_dir(fresh_product)
    assert mark not in mounts
    assert eventually(lambda: _groups(mark) == []), _groups(mark)


def _run_dir(product: Product) -> str:
    return "bsh-" + hashlib.sha256(str(product.data).encode()).hexdigest()[:8]


def _groups(mark: str) -> list[str]:
    name = mark.removeprefix("bsh-")
    found = []
    for top, folders, _files in os.walk("/sys/fs/cgroup"):
        found += [f"{top}/{folder}" for folder in folders if name in folder]
        if top.count("/") > 4:
            folders.clear()
    return found


def test_a_start_after_the_death_of_everything_ends_what_lived_on_and_no_stranger(
    fresh_product: Product,
) -> None:
    product = fresh_product
    product.start()
    lea = learner(product, "lea")
    kernel = lea.kernel()
    kernel.socket.close()
    left = pids_of({lea.uid})
    supervisor = _children(product.process.pid)
    wardens = pids_of_part(product, PARTS["warden"])
    for pid in [*wardens, *supervisor, product.process.pid]:
        os.kill(pid, signal.SIGKILL)
    product.process.wait()
    eventually(lambda: not set(processes(product)) - set(pids_of({lea.uid})))
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (product.data / "state/machine/supervisor.pid").write_text(f"{stranger.pid}\n")

    product.start()

    assert stranger.poll() is None
    assert [pid for pid in left if start_time(pid)] == []
    again = learner(product, "lea")
    with again.running() as second:
        assert second.run("print(1)").strip() == "1"
    assert at_work(product, "lea").uid == lea.uid
    stranger.kill()
    stranger.wait()
