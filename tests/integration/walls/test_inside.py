"""What a learner's processes were born with, what they can ask for, and what they can wait for."""

import itertools
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import walls_attacks as attacks
from bioskills_http import listeners, rest, server_of
from bioskills_learners import Learner, at_work, learner
from bioskills_waiting import eventually
from walls_scene import Scene, holders, in_memory, lab_pid, lab_port, nothing_changed

from bioskills.hub.processes import PROC, pids_of, start_time

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root builds walls"),
]

OPEN_TO_ALL = {"kernels.sock", "warden.sock"}
"""Sockets that a learner may connect to; both know the learner by the kernel's word alone."""
HALF_OPEN = 1000
RANDOM = ("random", "uuid", "temporary", "authkey", "urandom")


@pytest.fixture
def sofia(scene: Scene) -> Iterator[Learner]:
    yield learner(scene.product, "sofia")
    rest(scene.product, "DELETE", "users/sofia/server")
    eventually(lambda: not pids_of({scene.product.uid("sofia")}))


# Born with


def test_a_kernel_is_its_learner_and_nobody_else(scene: Scene) -> None:
    found = scene.from_inside(attacks.born_with)

    assert set(found["uids"]) == {scene.miro.uid}
    assert found["umask"] == 0o077


def test_no_environment_holds_anything_of_others(scene: Scene) -> None:
    hers, his = (k.call(attacks.born_with) for k in (scene.victim, scene.attacker))

    shown = json.dumps([his["environ"], his["first environ"]])
    assert hers["environ"]["JUPYTERHUB_API_TOKEN"] not in shown
    assert str(scene.lea.uid) not in shown
    assert "'lea'" not in shown
    assert his["environ"]["JUPYTERHUB_API_TOKEN"] not in his["first environ"]
    assert [name for name in his["first environ"].split("\0") if "TOKEN" in name] == []


def test_nothing_random_is_the_same_for_two_learners_or_two_kernels(scene: Scene) -> None:
    with scene.miro.running() as second:
        found = [k.call(attacks.born_with) for k in (scene.victim, scene.attacker, second)]

    for name in (*RANDOM, *(["numpy"] if "numpy" in found[0] else [])):
        assert len({values[name] for values in found}) == len(found), name


def test_memory_holds_no_secret_of_somebody_who_came_before(scene: Scene) -> None:
    secrets = {"token": scene.victim.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])")}
    (file,) = (scene.runtime / str(scene.lea.uid)).glob(f"kernel-{scene.victim.id}.json")
    secrets["key of a kernel"] = json.loads(file.read_text())["key"]
    wanted = {name: value.strip().encode() for name, value in secrets.items()}
    hers, his = (pids_of({learner.uid}) for learner in (scene.lea, scene.miro))

    assert in_memory(hers, wanted) == set(wanted), "the look itself works"
    assert in_memory(his, wanted) == set()


def shared_files(scene: Scene) -> dict[str, list[int]]:
    """Return what processes of Miro's and of others hold open, both, at this moment."""
    before, held = pids_of({scene.miro.uid}), holders()
    his = {*before, *pids_of({scene.miro.uid})}
    return {x: pids for x, pids in held.items() if his & set(pids) and set(pids) - his}


def test_no_open_file_is_shared_with_others(scene: Scene) -> None:
    looks = [shared_files(scene) for _look in range(3)]
    # Who is born or ends while we look is in one look; what is shared is in all of them.
    found = {x: pids for x, pids in looks[0].items() if all(x in look for look in looks)}

    # The parent of labs keeps a duplicate of the lab's listening socket, so that nobody takes its port.
    kept = [thing for thing in found if thing == _listening(lab_port(scene.product, "miro"))]
    assert len(kept) <= 1
    assert {thing: pids for thing, pids in found.items() if thing not in kept} == {}


def _listening(port: int) -> str:
    wanted = f"0100007F:{port:04X}"
    rows = [line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    return next((f"socket:[{row[9]}]" for row in rows if row[1] == wanted and row[3] == "0A"), "")


def test_the_files_of_ones_lab_lead_to_ones_own_log_and_nowhere_else(scene: Scene) -> None:
    pid = lab_pid(scene.product, "miro")

    found = [Path(p) for p in scene.from_inside(attacks.connections_of_my_lab, pid)]

    assert {p.name for p in found} <= {f"lab-{scene.miro.uid}.log", "null"}


# Ask for


def test_only_the_doors_for_learners_take_a_connection(scene: Scene) -> None:
    sockets = scene.sockets
    found = scene.from_inside(attacks.connected, sockets)

    assert len(sockets) >= 5
    assert {Path(path).name for path in found} <= OPEN_TO_ALL


@pytest.mark.parametrize("op", ["open", "close", "start", "release", "usage", "slot"])
def test_no_door_does_for_one_learner_what_concerns_another(scene: Scene, op: str) -> None:
    before = sorted(pids_of({scene.lea.uid}))
    for door in ("warden.sock", "labs.sock", "kernels.sock"):
        line = json.dumps({"op": op, "uid": scene.lea.uid})
        said = scene.from_inside(attacks.asked, str(scene.runtime / door), line)
        assert "failed" in said or said == "", (door, said)

    assert eventually(lambda: sorted(pids_of({scene.lea.uid})) == before)
    scene.victim.latency()


def test_usage_tells_ones_own_figures_alone(scene: Scene) -> None:
    door = str(scene.runtime / "warden.sock")

    said = scene.from_inside(attacks.asked, door, '{"op":"usage"}')

    assert "memory" in said
    assert str(scene.lea.uid) not in said


def test_the_token_of_a_lab_opens_nothing_of_others_by_the_hubs_api(scene: Scene) -> None:
    api = f"http://127.0.0.1:{scene.services['hub']}/hub/api"
    token = scene.attacker.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()
    allowed = [["GET", f"{api}/user", token]]
    wanted = [
        ["GET", f"{api}/users", token],
        ["GET", f"{api}/users/lea", token],
        ["POST", f"{api}/users/lea/tokens", token],
        ["POST", f"{api}/users/miro/tokens", token],
        ["DELETE", f"{api}/users/lea/server", token],
        ["POST", f"{api}/users/lea/activity", token],
        ["GET", f"{api}/groups", token],
        ["GET", f"{api}/services", token],
        ["GET", f"{api}/proxy", token],
        ["POST", f"{api}/shutdown", token],
        ["GET", f"{api}/metrics", token],
        ["GET", f"{api}/user", ""],
    ]

    assert scene.from_inside(attacks.answers, allowed) == [200]
    assert set(scene.from_inside(attacks.answers, wanted)) <= {401, 403, 404, 405}


def test_the_proxys_api_and_neighbours_labs_are_out_of_reach(scene: Scene) -> None:
    token = (scene.product.data / "state/proxy/token").read_text()
    calls = [
        ["GET", f"http://127.0.0.1:{scene.services['proxy_api']}/api/routes", token],
        ["GET", f"http://127.0.0.1:{lab_port(scene.product, 'lea')}/user/lea/api", ""],
    ]

    assert scene.from_inside(attacks.answers, calls) == [0, 0]
    assert 0 not in [httpx.request(m, a, trust_env=False).status_code for m, a, _t in calls]


# Wait for


def test_who_takes_the_port_of_a_dead_lab_hears_nothing_of_it(scene: Scene, sofia: Learner) -> None:
    port, pid = lab_port(scene.product, "sofia"), lab_pid(scene.product, "sofia")
    os.kill(pid, 9)
    assert eventually(lambda: not start_time(pid))

    scene.from_inside(attacks.listens, port)
    answers = []
    for _try in range(5):
        try:
            answers.append(sofia.call("GET", "api/status", timeout=1).text)
        except httpx.HTTPError:
            continue

    assert [text for text in answers if "stolen" in text] == []
    assert scene.from_inside(attacks.heard_there) == ""
    assert listeners({scene.miro.uid}) == [] or port not in listeners({scene.miro.uid})


def test_the_sockets_of_ones_lab_lead_nowhere_in_the_network_of_the_machine(
    scene: Scene, sofia: Learner
) -> None:
    pid = lab_pid(scene.product, "sofia")
    with sofia.running() as kernel:
        aim = ("127.0.0.1", scene.services["proxy_api"])
        kernel.begin(attacks.turned_sockets_of_my_lab, pid, *aim)
        home = scene.product.data / "homes" / str(sofia.uid)
        assert eventually((home / "turned").exists)

    tried, *connected = (home / "turned").read_text().splitlines()
    assert int(tried) >= 1, "there were sockets to turn"
    assert connected == []


def test_a_thousand_half_open_requests_of_one_delay_no_kernel_of_another(scene: Scene) -> None:
    door = str(scene.runtime / "kernels.sock")
    children = scene.from_inside(attacks.held_half_open, door, HALF_OPEN, 240)
    try:
        assert eventually(lambda: sum(map(files_of, children)) > HALF_OPEN, 30)
        begun = time.monotonic()
        with scene.lea.running() as kernel:
            took = time.monotonic() - begun
            parent = int(kernel.run("import os; print(os.getppid())"))
            forked_by = (PROC / str(parent) / "cmdline").read_text()
    finally:
        still_there = [pid for pid in children if start_time(pid)]
        for pid in still_there:
            os.kill(pid, signal.SIGKILL)

    print(f"a kernel of Lea's beside {HALF_OPEN} half-open requests: {took:.2f} s")
    assert "bioskills.fork_server.kernels" in forked_by, "nobody had to do without the parent"
    assert still_there == children, "and nobody waited until they had ended"


def files_of(pid: int) -> int:
    """Return how many files a process has open."""
    return len(list((PROC / str(pid) / "fd").iterdir()))


def test_links_in_a_home_lead_nobody_elsewhere_at_the_next_start(
    scene: Scene, sofia: Learner
) -> None:
    canary = scene.product.data / "canary"
    canary.mkdir(mode=0o755)
    (canary / "file").write_text("as it was")
    hers = scene.home / "canary"
    hers.mkdir()
    os.chown(hers, scene.lea.uid, scene.lea.uid)
    before = nothing_changed([canary, hers])
    with sofia.running() as kernel:
        planted = kernel.call(attacks.plant_links, [str(canary), str(hers), "/etc/passwd"])
    sofia.stop()

    _start_again(scene, sofia)

    assert len(planted) >= 1
    assert nothing_changed([canary, hers]) == before
    for folder in (canary, hers):
        shutil.rmtree(folder)


def _start_again(scene: Scene, person: Learner) -> None:
    """Start the lab; whoever planted links in their own home need not get one."""
    rest(scene.product, "POST", f"users/{person.name}/server")
    assert eventually(lambda: not server_of(scene.product, person.name).get("pending"))
    home = scene.product.data / "homes" / str(scene.product.uid(person.name))
    for path in itertools.chain(home.rglob("*")):
        if path.is_symlink():
            path.unlink()
    assert at_work(scene.product, person.name)
