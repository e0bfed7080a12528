"""Walls of a box: neighbours, network, rights, and that nothing of it is left."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from bioskills_boxes import (
    COURSE,
    LAB,
    Open,
    groups_of,
    needs_root,
    running_as,
    said,
    why_ended,
)
from bioskills_waiting import eventually

from bioskills.fork_server import hierarchy
from bioskills.graders.box import BoxEndedError
from bioskills.graders.own_parent import WardenDoor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


BOMB = """
import os, time
def bomb():
    while True:
        try: os.fork()
        except OSError: time.sleep(0.05)
if os.fork() == 0: bomb()
time.sleep(2)
print('still here')
"""


@needs_root
def test_fork_bombs_in_two_boxes_hurt_no_neighbour(open_: Open) -> None:
    bombs, neighbour = [open_(), open_()], open_()
    uids = [int(said(kernel, "import os; print(os.getuid())")) for kernel in bombs]
    for kernel in bombs:
        kernel.send({"id": "bomb", "code": BOMB})
    many = 10
    assert eventually(lambda: all(len(running_as(uid)) > many for uid in uids))

    assert said(
        neighbour, "import subprocess; print(subprocess.run('echo out', shell=True).returncode)"
    )
    assert "True" in said(
        neighbour, "import os\nos.waitpid(os.fork() or os._exit(0), 0); print(True)"
    )
    for kernel in bombs:
        kernel.close()
    assert said(neighbour, "print('after')") == "after\n"


@needs_root
def test_a_cell_that_fills_its_box_is_ended_long_before_its_time(open_: Open) -> None:
    code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert why_ended(open_(), code, 3600.0) == "crowd"


def test_memory_has_an_end_and_the_neighbour_keeps_its_own(open_: Open) -> None:
    hog, neighbour = open_(), open_()

    assert said(hog, "x = bytearray(3_000_000_000)") == "MemoryError"
    assert said(neighbour, "x = bytearray(50_000_000); print(len(x))") == "50000000\n"


@needs_root
def test_a_hog_of_many_processes_ends_alone(open_: Open) -> None:
    hog, neighbour = open_(), open_()
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(os.urandom(1)) * 200_000_000; time.sleep(20); os._exit(0)
time.sleep(3)
"""
    # Whether a copy or the kernel itself is ended for it is the machine's choice.
    with suppress(BoxEndedError):
        said(hog, code)
    assert said(neighbour, "print('well')") == "well\n"


@needs_root
def test_processes_in_the_background_end_with_the_box(open_: Open) -> None:
    kernel = open_()
    code = """
import os, subprocess
subprocess.Popen(['sleep', '1000'], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time; time.sleep(1000)
    os._exit(0)
print(os.getuid())
"""
    uid = int(said(kernel, code))
    assert eventually(lambda: len(running_as(uid)) >= 3)
    kernel.close()

    assert eventually(lambda: not running_as(uid))


def test_there_is_no_network(open_: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
import socket
print([name for _n, name in socket.if_nameindex()])
for address in (('127.0.0.1', {server.getsockname()[1]}), ('192.0.2.1', 80)):
    try: socket.create_connection(address, timeout=3); print('connected')
    except OSError as error: print(type(error).__name__)
"""
        assert said(open_(), code).splitlines() == ["['lo']", "ConnectionRefusedError", "OSError"]


def test_it_makes_no_namespace_and_has_no_capability(open_: Open) -> None:
    code = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print([libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x08000000)])
print(libc.mount(b'none', b'/box/work', b'tmpfs', 0, None), libc.sethostname(b'x', 1))
print({line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')})
"""
    assert said(open_(), code).splitlines() == [
        "[-1, -1, -1, -1, -1]",
        "-1 -1",
        "{'0000000000000000'}",
    ]


@needs_root
def test_two_boxes_at_one_time_have_two_uids(open_: Open) -> None:
    uids = [int(said(open_(), "import os; print(os.getuid())")) for _ in range(3)]

    assert len(set(uids)) == 3
    assert 0 not in uids


@needs_root
def test_a_uid_is_given_again_only_when_everything_of_it_has_ended(open_: Open) -> None:
    seen: dict[int, int] = {}
    for _ in range(4):
        kernel = open_()
        uid = int(said(kernel, "import os; print(os.getuid())"))
        count = said(
            kernel, "import subprocess\nfor _ in range(9): subprocess.Popen(['sleep', '99'])"
        )
        assert count == ""
        # All of this uid is of this box: nobody of an earlier one is left.
        assert len(running_as(uid)) <= 9 + 3
        seen[uid] = seen.get(uid, 0) + 1
        kernel.close()
        assert eventually(lambda uid=uid: not running_as(uid))
    assert sum(seen.values()) == 4


def test_the_first_process_can_be_neither_read_nor_ended(open_: Open) -> None:
    code = """
import ctypes, os, signal
def tries(act):
    try: act(); return 'done'
    except OSError as error: return type(error).__name__
print(tries(lambda: open('/proc/1/mem', 'rb').read(1)), tries(lambda: os.listdir('/proc/1/fd')))
print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGINT):
    tries(lambda: os.kill(1, number))
"""
    kernel = open_()
    assert said(kernel, code).splitlines() == ["PermissionError PermissionError", "-1"]
    assert said(kernel, "print('here')") == "here\n"
    # It still takes orders: an interrupt arrives.
    assert kernel.run("while True: pass", 1.0, lambda _message: None).reply is None
    assert said(kernel, "print('again')") == "again\n"


def test_nothing_of_a_box_is_seen_in_the_next(open_: Open) -> None:
    first = open_()
    said(
        first,
        "for place in ('/tmp', '/dev/shm', '/box/home', '.'): open(place + '/trace', 'w').close()",
    )
    first.close()
    second = open_()

    assert (
        said(
            second,
            "import os; print([p for p in ('/tmp', '/dev/shm', '/box/home', '.') if os.path.exists(p + '/trace')])",
        )
        == "[]\n"
    )


@needs_root
def test_nothing_is_left_after_close(door: WardenDoor, open_: Open) -> None:
    kernel = open_()
    uid = int(said(kernel, "import os; print(os.getuid())"))
    # Where this machine has control groups, a box's are found: none found later means none left.
    assert bool(groups_of(door, uid)) is bool(hierarchy.detect().roots)
    kernel.close()

    assert eventually(lambda: not running_as(uid) and not groups_of(door, uid))
    assert "/box" not in {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}


KILLED = """
import sys, tempfile, time
from pathlib import Path
from bioskills.graders.box import open_box
from bioskills.graders.own_parent import WardenDoor
from bioskills.graders.sandbox import Limits
course, path = map(Path, sys.argv[1:])
kernel = open_box(WardenDoor(path), course, Limits().of_a_box(60), Path(tempfile.mkdtemp()))
kernel.run("import os, subprocess; subprocess.Popen(['sleep', '999'], start_new_session=True); print(os.getuid())", 60, lambda m: print(m["content"].get("text", ""), end="", flush=True))
time.sleep(600)
"""


@needs_root
def test_a_grader_that_is_killed_leaves_nothing(door: WardenDoor, open_: Open) -> None:
    with program(KILLED, str(COURSE), str(door.path)) as grader:
        assert grader.stdout
        uid = int(grader.stdout.readline())
        assert running_as(uid)
        grader.kill()
        assert eventually(lambda: not running_as(uid) and not groups_of(door, uid))
    assert said(open_(), "print('goes on')") == "goes on\n"


@contextmanager
def program(code: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


ASKING = """
import json, os, socket, sys
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
line = socket.socket(socket.AF_UNIX); line.settimeout(60)
try:
    line.connect(sys.argv[1]); line.sendall(json.dumps({"op": sys.argv[2], "mode": "fork", "uid": 61900}).encode() + b"\\n")
    print(line.recv(4096).decode())
except OSError as error:
    print(json.dumps({"failed": type(error).__name__}))
"""


@needs_root
@pytest.mark.parametrize(("name", "op"), [("warden.sock", "slot"), ("boxes.sock", "box")])
def test_nobody_but_the_grader_gets_a_box(door: WardenDoor, name: str, op: str) -> None:
    with program(ASKING, str(door.path.with_name(name)), op) as asking:
        said_, _none = asking.communicate(timeout=120)

    assert set(json.loads(said_ or "{}")) <= {"failed"}, said_


ALONE = """
import os, sys, tempfile
from pathlib import Path
from bioskills.graders.box import open_box
from bioskills.graders.own_parent import own_door
from bioskills.graders.sandbox import Limits
course, lab = map(Path, sys.argv[1:])
assert os.geteuid() == 65534
kernel = open_box(own_door(course, lab), course, Limits().of_a_box(60), Path(tempfile.mkdtemp()))
kernel.run("import os, socket; print(os.getuid(), [n for _i, n in socket.if_nameindex()], sorted(os.listdir('/box')))", 60, lambda m: print(m["content"].get("text", ""), end=""))
kernel.close()
"""


@needs_root
def test_without_root_boxes_come_from_namespaces_of_the_account(tmp_path: Path) -> None:
    if not _nobody_may("unshare", "-U", "true"):
        pytest.skip("this machine gives no user namespace to an account without rights")
    if not _nobody_may("test", "-x", str(COURSE / "bin" / "python")):
        pytest.skip("this checkout may not be read by an account without rights")
    tmp_path.chmod(0o777)
    words = ["--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", ALONE]
    environ = {"PATH": os.environ["PATH"], "TMPDIR": "/tmp", "HOME": "/nonexistent"}
    done = subprocess.run(
        ["setpriv", *words, str(COURSE), str(LAB)],
        capture_output=True,
        text=True,
        env=environ,
        cwd="/",
        timeout=250,
    )
    assert done.stdout == "65534 ['lo'] ['home', 'work']\n", done.stderr[-1500:]


def _nobody_may(*command: str) -> bool:
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return subprocess.run(words, capture_output=True).returncode == 0
