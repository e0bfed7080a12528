"""`bioskills run` starts whole or not at all, and leaves nothing behind."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from bioskills_http import (
    groups,
    listeners,
    people_of,
    processes,
    sign_in,
    start_lab,
    visitor,
)
from bioskills_product import Product, running_product
from bioskills_tests import COURSE
from bioskills_waiting import eventually

from bioskills.hub.processes import pids_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services as other uids"),
]

PORTS = ("PORT", "HUB_PORT", "PROXY_API_PORT", "CAMPUS_PORT")
GONE_S = 90
NEW = '[cohort]\nslug = "late"\n[[people]]\nname = "vera"\nroles = ["learner"]\n'


def taken(product: Product) -> list[str]:
    """Return the ports of the installation that somebody listens on."""
    found = []
    for name in PORTS:
        with socket.socket() as probe:
            if not probe.connect_ex(
                ("127.0.0.1", int(product.environ[f"BIOSKILLS_NETWORK_{name}"]))
            ):
                found.append(name)
    return found


def nothing_is_left(product: Product) -> bool:
    return processes(product) == [] and taken(product) == [] and not listeners(people_of(product))


def sign_ins(product: Product) -> dict[str, str]:
    found: dict[str, str] = json.loads((product.data / "state/hub/demo_sign_ins.json").read_text())
    return found


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """An installation that each test here ends, and leaves running."""
    with running_product() as found:
        yield found


def test_a_start_leaves_no_stack_in_any_log(product: Product) -> None:
    logs = sorted((product.data / "state/log").glob("*.log"))

    assert len(logs) > 3, "services write logs"
    assert [log.name for log in logs if "Traceback" in log.read_text()] == []


def test_people_passwords_and_uids_outlive_every_way_of_ending(
    product: Product, tmp_path: Path
) -> None:
    first = sign_ins(product)
    lab = start_lab(product, "lea")
    late = tmp_path / "late.toml"
    late.write_text(NEW)
    said = product.command("cohort", "apply", str(late)).stdout
    assert "New demo sign-ins" in said
    kept = sign_ins(product)
    assert set(kept) == {*first, "vera"}
    with closing(sqlite3.connect(product.data / "state/hub/hub.sqlite")) as hub:
        assert hub.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    running = product.command("upgrade")
    assert running.returncode == 2
    assert running.stderr.startswith("Services are running on port ")

    # Ctrl-C ends everything, labs too.
    begun = time.monotonic()
    assert product.stop() == 0, product.said()
    print(f"Ctrl-C to the end: {time.monotonic() - begun:.1f} s")
    assert nothing_is_left(product), processes(product)
    assert product.said().endswith("Stopped.\n")

    # Between two versions a person upgrades; the services own what it leaves.
    done = product.command("upgrade")
    assert done.returncode == 0, done.stderr
    (copy,) = (product.data / "state/backups").iterdir()
    assert f"Backup: {copy}" in done.stdout
    database = product.data / "state/db/bioskills.sqlite"
    assert copy.stat().st_uid == database.stat().st_uid != 0

    # A second start knows everybody again, also who came in between.
    begun = time.monotonic()
    product.start()
    print(f"second start: {time.monotonic() - begun:.1f} s")
    assert sign_ins(product) == kept
    assert "Installing the demo course" not in product.said()
    for name in ("lea", "vera"):
        with visitor() as client:
            assert sign_in(client, product, name, kept[name])
    assert groups(product)["learners-late"] == ["vera"]
    again = start_lab(product, "lea")
    assert again.uid == lab.uid

    # A killed command takes everything with it.
    product.process.kill()
    product.process.wait()
    assert eventually(lambda: nothing_is_left(product), GONE_S), processes(product)

    # What even that leaves running is swept by the next start.
    stray = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        user=lab.uid,
        group=lab.uid,
        extra_groups=[],
        start_new_session=True,
    )
    product.start()
    assert stray.wait(GONE_S) != 0
    assert pids_of({lab.uid}) == []
    assert sign_ins(product) == kept


def test_labs_that_outlived_a_crash_of_everything_are_swept(product: Product) -> None:
    lab = start_lab(product, "miro")
    # The machine's worst minute: all but the lab is killed, and nobody has time to tidy up.
    others = {product.process.pid, *processes(product)} - set(pids_of({lab.uid}))
    for how in (signal.SIGSTOP, signal.SIGKILL):
        for pid in others:
            with suppress(ProcessLookupError):  # it was to end anyway
                os.kill(pid, how)
    product.process.wait()
    assert pids_of({lab.uid}) != [], "the lab itself lives on"

    product.start()

    assert lab.pid not in pids_of({lab.uid})
    assert start_lab(product, "miro").uid == lab.uid


def refused(product: Product, *words: str, **variables: str) -> str:
    product.environ.update(variables)
    done = product.command("run", *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert nothing_is_left(product) or "PORT" in str(variables)
    assert not (product.data / "state").exists()
    return done.stderr


def test_a_taken_port_is_told_and_nothing_is_started(fresh_product: Product) -> None:
    port = int(fresh_product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        fresh_product.environ["BIOSKILLS_NETWORK_CAMPUS_PORT"] = str(port)
        told = fresh_product.command("run")

    assert told.returncode == 2
    assert f"campus_port {port}" in told.stderr or str(port) in told.stderr
    assert processes(fresh_product) == []
    assert not (fresh_product.data / "state").exists()


def test_a_missing_environment_is_told_and_nothing_is_started(
    fresh_product: Product, tmp_path: Path
) -> None:
    told = refused(fresh_product, BIOSKILLS_PATHS_ENVIRONMENTS_DIR=str(tmp_path))

    assert "Run: make setup" in told


def test_demo_sign_in_off_loopback_is_refused_and_nothing_is_started(
    fresh_product: Product,
) -> None:
    told = refused(fresh_product, "--demo", str(COURSE), BIOSKILLS_NETWORK_ADDRESS="0.0.0.0")

    assert "Demo sign-ins would be reached by 0.0.0.0" in told


def test_a_mistyped_setting_is_refused_and_nothing_is_started(fresh_product: Product) -> None:
    told = refused(fresh_product, BIOSKILLS_NETWROK_PORT="8100")

    assert "Did you mean BIOSKILLS_NETWORK_PORT?" in told


def test_ctrl_c_while_it_starts_ends_what_was_begun(fresh_product: Product) -> None:
    fresh_product.begin()
    assert eventually(lambda: "Starting hub" in fresh_product.said(), step=0.02)

    code = fresh_product.stop()

    assert code == 130
    assert eventually(lambda: nothing_is_left(fresh_product), GONE_S), processes(fresh_product)
    assert "Traceback" not in fresh_product.said()
