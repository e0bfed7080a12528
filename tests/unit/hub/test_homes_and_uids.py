"""Every learner has one uid and one closed home, for good."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bioskills_waiting import eventually

from bioskills.base.store import Store
from bioskills.base.tables import Person
from bioskills.hub.lab_spawner import LabError
from bioskills.hub.processes import end_all_of, pids_of, start_time
from bioskills.hub.spawner import ensure_own_folder
from bioskills.hub.uids import NoSuchPersonError, NoUidLeftError, all_uids, ensure_uid

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives uids")
UID = 1_900_000_000 + os.getpid()


@pytest.fixture
def people(store: Store) -> Store:
    with store.transaction() as session:
        for number, name in enumerate(("lea", "miro", "root"), 1):
            session.add(Person(name=name, pseudonym=f"p-{number}", display_name=name))
    return store


def test_a_uid_is_given_once_and_kept(people: Store) -> None:
    assert [ensure_uid(people, n, 70_000) for n in ("lea", "miro", "lea")] == [
        70_000,
        70_001,
        70_000,
    ]
    assert all_uids(people) == [70_000, 70_001]


def test_another_first_uid_moves_nobody(people: Store) -> None:
    ensure_uid(people, "lea", 70_000)

    assert ensure_uid(people, "lea", 80_000) == 70_000
    assert ensure_uid(people, "miro", 80_000) == 80_000
    assert ensure_uid(people, "root", 70_000) == 80_001


def test_a_name_of_the_machine_means_nothing(people: Store) -> None:
    assert ensure_uid(people, "root", 70_000) == 70_000


def test_no_uid_beyond_the_range_is_given_and_who_has_one_keeps_it(people: Store) -> None:
    assert ensure_uid(people, "lea", 70_000, count=1) == 70_000

    with pytest.raises(NoUidLeftError, match=r"labs\.uid_count"):
        ensure_uid(people, "miro", 70_000, count=1)
    assert ensure_uid(people, "lea", 70_000, count=1) == 70_000
    assert all_uids(people) == [70_000]


def test_a_stranger_has_no_uid(people: Store) -> None:
    with pytest.raises(NoSuchPersonError, match="bioskills cohort apply"):
        ensure_uid(people, "eve", 70_000)
    assert all_uids(people) == []


def test_without_root_a_home_is_made_closed_and_closed_again(tmp_path: Path) -> None:
    home = ensure_own_folder(tmp_path / "homes" / "lea")
    home.chmod(0o777)

    state = ensure_own_folder(home).stat()

    assert (state.st_uid, state.st_mode & 0o777) == (os.geteuid(), 0o700)


@pytest.mark.parametrize("kind", ["file", "symlink", "broken symlink"])
def test_what_is_not_a_home_is_told_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    target, home = tmp_path / "target", tmp_path / "lea"
    if kind == "file":
        home.touch(0o600)
    else:
        home.symlink_to(target)
    if kind == "symlink":
        target.mkdir(mode=0o755)
    before = home.lstat()

    with pytest.raises(LabError, match=r"nothing was changed. Tell your admin") as caught:
        ensure_own_folder(home)

    assert caught.value.jupyterhub_message == str(caught.value)
    after = home.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    if kind == "symlink":
        assert target.stat().st_mode & 0o777 == 0o755


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
time.sleep(600)
"""


@as_root
def test_ending_a_uid_ends_its_daemons_too_and_nobody_elses_processes() -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], user=UID, group=UID, extra_groups=[]
    )
    other = subprocess.Popen([sys.executable, "-c", STUBBORN], user=UID + 1, group=UID + 1)
    try:
        assert eventually(lambda: len(pids_of({UID})) >= 2)

        assert end_all_of({UID}, patience_s=0.3) >= 2
        assert pids_of({UID}) == []
        assert other.poll() is None
    finally:
        end_all_of({UID, UID + 1}, patience_s=0)
        started.wait()
        other.wait()
    assert end_all_of({UID}) == 0


def test_a_process_that_ended_has_no_start_time() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    assert start_time(process.pid) > start_time(1) >= 0
    process.send_signal(signal.SIGKILL)
    assert eventually(lambda: not start_time(process.pid)), "a zombie counts as ended"
    process.wait()

    assert start_time(process.pid) == 0
