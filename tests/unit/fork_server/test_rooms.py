"""A learner's room, made for real: what is inside, what is not, and what stays outside."""

import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from bioskills.fork_server import links, rooms, warden, wire
from bioskills.fork_server.config import Config
from bioskills.fork_server.linux import start_time

A, B = 790_001, 790_002
InRoom = Callable[[int, str], str]


@pytest.fixture
def open_room(installation: Config) -> Callable[..., dict[str, object]]:
    def act(uid: int, name: str = "lea") -> dict[str, object]:
        request = wire.Request("open", uid, name=name)
        return warden.open_room(installation, links.Links(installation), uid, request)

    return act


@pytest.fixture
def two(open_room: Callable[..., object]) -> None:
    open_room(A, "lea")
    open_room(B, "ben")


@pytest.mark.usefixtures("two")
def test_a_learner_is_the_learner_and_can_become_nobody_else(in_room: InRoom) -> None:
    status = in_room(A, "cat /proc/self/status")
    assert f"Uid:\t{A}\t{A}\t{A}\t{A}" in status
    assert f"Gid:\t{A}\t{A}\t{A}\t{A}" in status
    assert "NoNewPrivs:\t1" in status
    sets = [line.split()[1] for line in status.splitlines() if line.startswith("Cap")]
    assert sets == ["0" * 16] * 5
    assert in_room(A, "umask; ulimit -c; ulimit -Hc").split() == ["0077", "0", "0"]
    assert int(in_room(A, "cat /proc/self/oom_score_adj")) >= 0


@pytest.mark.usefixtures("two")
def test_names_resolve_inside(in_room: InRoom) -> None:
    assert in_room(A, "whoami; id -gn; echo ~").split()[:2] == ["lea", "lea"]
    assert in_room(B, "whoami").strip() == "ben"


@pytest.mark.parametrize("name", ["root", "lea:x:0:0", "../x", "Ä", "", "a" * 40, "lea\nroot::0:0"])
def test_no_name_makes_a_learner_somebody_else(
    open_room: Callable[..., object], in_room: InRoom, name: str
) -> None:
    open_room(A, name)
    assert in_room(A, "id -u").strip() == str(A)
    assert in_room(A, "getent passwd 0 | cut -d: -f3").strip() in {"0", ""}
    assert in_room(A, f"getent passwd {A} | cut -d: -f3").strip() == str(A)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/var/tmp"])
def test_temporary_folders_are_shared_by_a_learners_processes_alone(
    in_room: InRoom, folder: str
) -> None:
    note = Path(folder, f"note-{uuid.uuid4()}")
    in_room(A, f"echo secret > {note}")
    assert in_room(A, f"cat {note}").strip() == "secret"
    assert note.name not in in_room(B, f"ls {folder}")
    assert not note.exists()


@pytest.mark.usefixtures("two")
def test_temporary_folders_end_at_their_size(in_room: InRoom) -> None:
    told = in_room(A, "head -c 20M /dev/zero > /tmp/big; stat -c %s /tmp/big")
    assert "No space left" in told
    assert int(told.split()[-1]) <= 8 << 20


@pytest.mark.usefixtures("two")
def test_processes_of_others_are_not_even_listed(in_room: InRoom) -> None:
    assert os.getpid() not in {int(n) for n in in_room(B, "ls /proc").split() if n.isdigit()}
    assert (
        in_room(B, f"cat /proc/{os.getpid()}/cmdline; ls /sys/fs/cgroup").count("No such file") == 1
    )


@pytest.mark.usefixtures("two")
def test_shared_memory_of_one_is_not_there_for_the_other(in_room: InRoom) -> None:
    assert in_room(A, "ipcmk -M 64")
    assert "0x" in in_room(A, "ipcs -m")
    assert "0x" not in in_room(B, "ipcs -m")


@pytest.mark.usefixtures("two")
def test_a_home_is_its_owners_alone(in_room: InRoom, installation: Config) -> None:
    in_room(A, "echo mine > ~/note")
    assert "mine" in in_room(A, "cat ~/note")
    told = in_room(B, f"cat {installation.home(A)}/note")
    assert "Permission denied" in told or "No such file" in told
    assert installation.home(A).stat().st_mode & 0o777 == 0o700


def test_a_home_of_somebody_else_is_reported_and_left_alone(
    open_room: Callable[..., object], installation: Config
) -> None:
    home = installation.home(A)
    home.mkdir(mode=0o755)
    os.chown(home, B, B)
    with pytest.raises(rooms.ForeignHomeError) as refused:
        open_room(A)
    assert refused.value.uid == B
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (B, 0o755)


def test_a_link_in_place_of_a_home_is_not_followed(
    open_room: Callable[..., object], installation: Config, tmp_path: Path
) -> None:
    installation.home(A).symlink_to(tmp_path)
    with pytest.raises(rooms.ForeignHomeError):
        open_room(A)
    assert tmp_path.stat().st_uid == os.getuid()


def test_a_room_outlives_every_process_and_is_taken_up_again(
    open_room: Callable[..., dict[str, object]], in_room: InRoom
) -> None:
    assert open_room(A)["existed"] is False
    in_room(A, "echo kept > /tmp/note")
    assert open_room(A)["existed"] is True
    assert in_room(A, "cat /tmp/note").strip() == "kept"


@pytest.mark.usefixtures("two")
def test_closing_ends_everything_of_one_and_nothing_of_another(
    in_room: InRoom, installation: Config
) -> None:
    for uid in (A, B):
        in_room(uid, "setsid sleep 1000 > /dev/null 2>&1 < /dev/null &")
    assert running(A)
    answer = warden.close_room(installation, links.Links(installation), A)
    assert (answer, running(A)) == ({"closed": True}, [])
    assert running(B)
    assert not installation.room(A).exists()


def running(uid: int) -> list[int]:
    """Return the live processes of a uid; one that has ended may wait for its parent a while."""
    found = subprocess.run(["pgrep", "-u", str(uid)], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split() if start_time(int(pid))]
