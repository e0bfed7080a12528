"""Labs are forked, live through the hub's end, queue in order, and end whole."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest
from bioskills_http import (
    Lab,
    end_lab,
    kill,
    lab_of,
    page_config,
    rest,
    server_of,
    start_lab,
    state_of,
    stop_lab,
    the,
)
from bioskills_product import Product
from bioskills_waiting import eventually, halted

from bioskills.hub.processes import PROC, pids_of, start_time

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each learner an own uid"),
]


@pytest.fixture(scope="module")
def installation(mortal_product: Product) -> Product:
    """An installation whose hub and fork server may be killed; two labs start at one time."""
    return mortal_product


def command_of(pid: int) -> str:
    return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def warden_of(product: Product) -> tuple[str, str]:
    """Return words of the installation's warden."""
    return "bioskills.fork_server", str(product.data / "state/machine/fork.json")


def hub_answers(product: Product) -> bool:
    return rest(product, "GET", "info").status_code in {200, 403}


def is_me(lab: Lab) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return lab.call("GET", "api/status").is_success
    return False


def test_a_lab_is_forked_from_the_warm_parent_and_shows_its_page(installation: Product) -> None:
    lab = start_lab(installation, "lea")

    parent = int(lab.status["PPid"])
    assert "bioskills.fork_server.labs" in command_of(parent)
    assert page_config(lab)["hubUser"] == "lea"
    assert (PROC / str(lab.pid) / "ns/net").readlink() != (PROC / "self/ns/net").readlink()
    stop_lab(lab)
    assert eventually(lambda: not pids_of({lab.uid}))


def test_a_lab_and_its_kernel_live_through_the_hubs_end_and_can_still_be_stopped(
    installation: Product,
) -> None:
    lab = start_lab(installation, "lea")
    hub = installation.data / "state/hub/hub.sqlite"
    with lab.kernel() as run:
        run("kept = 41")
        for _time in range(2):
            killed = kill(installation, "bioskills.hub.start_hub")
            assert eventually(lambda: hub_answers(installation)), hub
            assert the(installation, "bioskills.hub.start_hub") != killed

            assert lab_of(installation, "lea").pid == lab.pid
            assert eventually(lambda: server_of(installation, "lea").get("ready"))
            assert eventually(lambda: is_me(lab))
            assert run("print(kept + 1)").strip() == "42"

    stop_lab(lab)
    assert eventually(lambda: not pids_of({lab.uid}))
    assert not start_time(lab.pid)


def test_a_lab_that_was_killed_is_noticed_and_what_it_left_ends(installation: Product) -> None:
    lab = start_lab(installation, "miro")
    with lab.kernel() as run:
        run("import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)")
        os.kill(lab.pid, signal.SIGKILL)

        begun = time.monotonic()
        assert eventually(lambda: not server_of(installation, "miro"))
        assert eventually(lambda: not pids_of({lab.uid}))
    print(f"a killed lab is noticed after {time.monotonic() - begun:.1f} s")
    assert state_of(installation, "miro") == {}
    stop_lab(start_lab(installation, "miro"))


def test_a_lab_that_ended_while_no_hub_was_there_leaves_nothing(installation: Product) -> None:
    lab = start_lab(installation, "sofia")
    with lab.kernel() as run:
        run("import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)")
        kill(installation, "bioskills.hub.start_hub")
        os.kill(lab.pid, signal.SIGKILL)

        assert eventually(lambda: hub_answers(installation))
        assert eventually(lambda: not server_of(installation, "sofia"))
        assert eventually(lambda: not pids_of({lab.uid}))


@pytest.mark.parametrize("part", ["warden", "labs"])
def test_a_lab_starts_although_its_part_of_the_fork_server_was_just_killed(
    installation: Product, part: str
) -> None:
    kept = start_lab(installation, "ina")
    words = {"warden": warden_of(installation), "labs": ("bioskills.fork_server.labs",)}
    kill(installation, *words[part])

    begun = time.monotonic()
    lab = start_lab(installation, "miro")

    print(f"{part} killed; a lab was ready after {time.monotonic() - begun:.1f} s")
    assert eventually(lambda: is_me(lab))
    assert eventually(lambda: is_me(kept)), "a lab that ran goes on"
    stop_lab(lab)
    stop_lab(kept)
    assert eventually(lambda: not pids_of({lab.uid, kept.uid}))


def is_pending(product: Product, name: str) -> bool:
    # Before the first sign-in the hub does not know the person.
    with contextlib.suppress(httpx.HTTPStatusError):
        return server_of(product, name).get("pending") == "spawn"
    return False


def progress_of(product: Product, name: str, said: list[str]) -> None:
    """Read what a waiting person is told, to the end."""
    token = (product.data / "state/hub/provision_token").read_text()
    port = product.environ["BIOSKILLS_NETWORK_HUB_PORT"]
    url = f"http://127.0.0.1:{port}/hub/api/users/{name}/server/progress"
    headers = {"Authorization": f"token {token}"}
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=60) as answer:
        for line in filter(None, answer.iter_lines()):
            said += [json.loads(line.removeprefix("data:"))["message"]]


def in_background(act: Callable[[], object]) -> threading.Thread:
    found = threading.Thread(target=act)
    found.start()
    return found


def test_who_waits_is_told_their_place_and_everybody_arrives(installation: Product) -> None:
    names = ["lea", "miro", "sofia", "asta", "max"]
    heard: dict[str, list[str]] = {name: [] for name in names}
    threads = []
    for name in names:
        end_lab(installation, name)
    with halted(the(installation, "bioskills.fork_server.labs")):
        for name in names:
            threads.append(in_background(lambda n=name: start_lab(installation, n)))
            assert eventually(lambda n=name: is_pending(installation, n))
            threads.append(in_background(lambda n=name: progress_of(installation, n, heard[n])))
        assert eventually(lambda: all(len(said) > 1 for said in heard.values())), heard
    for thread in threads:
        thread.join()

    told = {name: " ".join(said) for name, said in heard.items()}
    waiting = [said for said in told.values() if "in the queue" in said or "the next" in said]
    assert len(waiting) == len(names) - 2, told
    assert [name for name in names if "You are number 3 in the queue." in told[name]] == ["max"]
    assert "Your lab is the next to start. About" in told["sofia"]
    assert all(server_of(installation, name)["ready"] for name in names)
