"""A box from its making to its end: files, signals, floods, neighbours, and what is left of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from bioskills_product import ENVIRONMENTS
from bioskills_waiting import eventually

from bioskills.graders import box as boxes
from bioskills.graders import box_talk
from bioskills.graders.box import BoxEndedError, BoxKernel, open_box
from bioskills.graders.own_parent import ParentDoor, WardenDoor, own_door
from bioskills.graders.sandbox import Limits, SandboxError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
COURSE, LAB = ENVIRONMENTS / "course", ENVIRONMENTS / "lab"
SMALL = Limits(memory_mb=600, processes=48, disk_mb=64)
CELL_S = 60.0
Open = Callable[..., BoxKernel]


@pytest.fixture(scope="module")
def door() -> WardenDoor | ParentDoor:
    """The way to boxes on this machine."""
    return own_door(COURSE, LAB)


@pytest.fixture
def open_(door: Any, tmp_path: Path) -> Iterator[Open]:
    """Open boxes that end with the test; the folder is the test's own unless one is given."""
    opened: list[BoxKernel] = []

    def one(folder: Path = tmp_path, limits: Limits = SMALL, seconds: int = 60, **how: Any) -> Any:
        opened.append(open_box(door, COURSE, limits.of_a_box(seconds), folder, **how))
        return opened[-1]

    yield one
    for kernel in opened:
        kernel.close()


def said(kernel: BoxKernel, code: str, seconds: float = CELL_S) -> str:
    """Return what a cell prints and raises."""
    found: list[dict[str, Any]] = []
    kernel.run(code, seconds, found.append)
    parts = [message["content"] for message in found]
    return "".join(each.get("text", "") + each.get("ename", "") for each in parts)


def why_ended(kernel: BoxKernel, code: str, seconds: float = CELL_S) -> str:
    with pytest.raises(BoxEndedError) as ended:
        kernel.run(code, seconds, lambda _message: None)
    return ended.value.why


def back(kernel: BoxKernel, folder: Path) -> tuple[int, dict[str, int]]:
    """Return how many entries stayed behind, and the sizes of the files that came."""
    folder.mkdir()
    left = kernel.files_into(folder)
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    found = {
        p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()
    }
    return left, found


def running_as(uid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-u", str(uid)], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="slots with uids of their own need root")


def test_files_go_in_and_changed_ones_come_out(open_: Open, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a b é.txt").write_text("given")
    (tmp_path / "p1.ipynb").write_text("{}")
    kernel = open_()
    assert said(kernel, "print(open('data/a b é.txt').read(), end='')") == "given"
    said(kernel, "open('made.csv', 'w').write('x' * 5); open('p1.ipynb', 'w').write('forged')")
    left, files = back(kernel, tmp_path / "out")

    assert (left, files["made.csv"], files["data/a b é.txt"]) == (0, 5, 5)
    assert (tmp_path / "p1.ipynb").read_text() == "{}"


def test_a_notebook_in_the_box_never_takes_the_place_of_one_outside(
    open_: Open, tmp_path: Path
) -> None:
    (tmp_path / "p1.ipynb").write_text("{}")
    kernel = open_()
    said(kernel, "open('p1.ipynb', 'w').write('forged')")
    kernel.files_into(tmp_path)

    assert (tmp_path / "p1.ipynb").read_text() == "{}"


def test_no_file_takes_the_place_of_what_is_kept_or_graded_next(
    open_: Open, tmp_path: Path
) -> None:
    (tmp_path / "timestamp.txt").write_text("in time")
    kernel = open_()
    said(kernel, "import os; os.mkdir('p2.ipynb'); open('p2.ipynb/x', 'w').close()")
    said(kernel, "open('timestamp.txt', 'w').write('earlier'); open('own.ipynb', 'w').close()")
    kernel.files_into(tmp_path, {"timestamp.txt", "p2.ipynb"})

    assert {path.name for path in tmp_path.iterdir()} == {"timestamp.txt", "own.ipynb"}
    assert (tmp_path / "timestamp.txt").read_text() == "in time"


@pytest.mark.parametrize(("more", "gone"), [("pass", True), ("os.symlink('/etc', 'etc')", False)])
def test_what_a_cell_removed_goes_unless_something_stayed_behind(
    open_: Open, tmp_path: Path, more: str, gone: bool
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "data.csv").write_text("given")
    kernel = open_()
    said(kernel, f"import os; os.remove('old/data.csv'); os.rmdir('old')\n{more}")
    kernel.files_into(tmp_path)

    assert (tmp_path / "old").exists() is not gone


def test_links_fifos_and_sockets_stay_behind(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
import os, socket
os.symlink('/etc/passwd', 'link'); os.symlink('/', 'folder'); os.mkfifo('fifo')
socket.socket(socket.AF_UNIX).bind('socket')
open('plain', 'w').write('x')
os.link('plain', 'second'); os.mkdir('d'); os.symlink('..', 'd/up')
try: os.mknod('device', 0o600 | 0o020000, os.makedev(1, 3)); print('made')
except OSError: print('refused')
"""
    assert said(kernel, code) == "refused\n"
    left, files = back(kernel, tmp_path / "out")

    assert (left, files) == (5, {"plain": 1, "second": 1})


def test_too_large_and_too_many_files_stay_behind(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
open('huge', 'wb').write(b'x' * 40_000_000)
with open('sparse', 'wb') as file: file.truncate(60_000_000)
for number in range(2100): open(f'zz{number:05}', 'w').close()
"""
    assert said(kernel, code) == ""
    left, files = back(kernel, tmp_path / "out")

    assert len(files) == 2000
    assert not {"huge", "sparse"} & set(files)
    assert left == 2 + 100


def test_odd_names_write_nowhere_else(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = r"""
for name in (b'..x', b'-rf', b'a\\b', b'new\nline', b'\xff\xfe', b'x' * 255, b'~', b'c:x'):
    open(name, 'w').close()
"""
    assert said(kernel, code) == ""
    before = sorted(os.listdir(tmp_path))
    left, files = back(kernel, tmp_path / "out")

    assert sorted(os.listdir(tmp_path)) == [*before, "out"]
    assert left + len(files) <= 8
    assert "..x" in files


def test_a_folder_without_end_does_not_stop_the_reader(open_: Open, tmp_path: Path) -> None:
    kernel = open_()
    code = """
import os
for _ in range(400):
    os.mkdir('d' * 100); os.chdir('d' * 100)
os.chdir('/box/work'); open('kept', 'w').close()
"""
    said(kernel, code)
    out = tmp_path / "out"
    out.mkdir()
    try:
        kernel.files_into(out)
    finally:
        kernel.close()
    assert list(tmp_path.iterdir()) == [out]


def test_a_loop_is_interrupted_and_the_next_cell_runs(open_: Open) -> None:
    kernel = open_()
    ran = kernel.run("while True: pass", 1.0, lambda _message: None)

    assert ran.reply is None
    assert said(kernel, "print(1 + 1)") == "2\n"


def test_a_loop_that_takes_no_interrupt_is_late(
    open_: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "GRACE_S", 1.0)
    kernel = open_()
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"

    assert why_ended(kernel, code, 1.0) == "late"


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.closerange(3, 1000); print(1)",
    ],
    ids=["exit", "kill", "segfault", "close"],
)
def test_a_kernel_that_ends_is_noticed_at_once(open_: Open, code: str) -> None:
    kernel, began = open_(), time.monotonic()

    assert why_ended(kernel, code, 4 * CELL_S) in {"died", "late"}
    assert time.monotonic() - began < 4 * CELL_S, "nobody waited until its time was over"


def test_what_a_cell_prints_is_cut_in_the_kernel(open_: Open) -> None:
    kernel = open_()
    text = said(kernel, "for _ in range(30): print('x' * 1_000_000)")

    assert 1_000_000 <= len(text) < 1_000_200
    assert "the output ends here" in text
    assert said(kernel, "print('next')") == "next\n"


def test_what_programs_print_is_cut_too(open_: Open) -> None:
    kernel = open_()
    text = said(kernel, "import subprocess; subprocess.run('yes | head -c 20000000', shell=True)")

    assert 1_000_000 <= len(text) < 1_100_000


def test_more_than_a_line_carries_is_a_flood(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_talk, "MOST_BYTES", 4 << 20)
    code = "from IPython.display import display\nfor _ in range(9): display({'text/plain': 'x' * 999_999}, raw=True)"

    assert why_ended(open_(), code) == "flood"


@pytest.mark.parametrize("line", [b"no json\n", b"[" * 200_000 + b"\n"], ids=["text", "deep"])
def test_nonsense_on_the_line_ends_the_box_alone(open_: Open, line: bytes) -> None:
    code = f"""
import os, socket, stat
for name in os.listdir('/proc/self/fd'):
    try:
        if stat.S_ISSOCK(os.fstat(int(name)).st_mode): os.write(int(name), {line[:1]!r} * {len(line) - 1} + b'\\n')
    except OSError: pass
"""
    assert why_ended(open_(), code) in {"flood", "died", "late"}


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
def test_nothing_is_left_after_close(open_: Open) -> None:
    kernel = open_()
    uid = int(said(kernel, "import os; print(os.getuid())"))
    kernel.close()

    assert eventually(lambda: not running_as(uid) and not groups_of(uid))
    assert "/box" not in {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}


def groups_of(uid: int) -> list[Path]:
    """Return control groups of this process's own boxes with a uid's name."""
    return [
        path
        for top in (Path("/sys/fs/cgroup"),)
        for path in top.glob(f"**/*{uid}*")
        if path.is_dir() and str(os.getpid()) in str(path)
    ]


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
        assert eventually(lambda: not running_as(uid) and not groups_of(uid))
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


def test_a_kernel_that_starts_anew_runs_cells_and_is_interrupted(
    open_: Open, tmp_path: Path
) -> None:
    kernel = open_(cold="python3", limits=Limits(memory_mb=2000, processes=64, disk_mb=64))

    assert said(kernel, "x = 20 + 1; print(x * 2)") == "42\n"
    assert kernel.run("while True: pass", 1.0, lambda _message: None).reply is None
    assert said(kernel, "open('made', 'w').write('ab'); print(x)") == "21\n"
    flood = said(kernel, "for _ in range(30): print('x' * 100_000)")
    assert 1_000_000 <= len(flood) < 1_000_200
    assert "the output ends here" in flood
    assert back(kernel, tmp_path / "out")[1]["made"] == 2


def test_a_kernel_that_is_not_there_is_the_machines_fault(open_: Open) -> None:
    with pytest.raises(SandboxError):
        open_(cold="no-such-kernel")


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


def test_signals_of_the_grader_are_not_the_boxes(open_: Open) -> None:
    kernel = open_()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert said(kernel, "import time; time.sleep(0.2); print('ran')") == "ran\n"
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("code", "shown"), [("1;", []), ("1 ;  # so", []), ("1", ["1"])])
def test_a_hidden_cell_shows_its_last_value_or_not_as_a_seen_one_does(
    open_: Open, code: str, shown: list[str]
) -> None:
    kernel = open_()
    for veil in (False, True):
        kernel.check(veil=veil)
        found: list[dict[str, Any]] = []
        kernel.run(code, CELL_S, found.append)
        results = [m["content"]["data"] for m in found if m["msg_type"] == "execute_result"]
        assert [data["text/plain"] for data in results] == shown
    assert said(kernel, "print(In[2])") == ("\n" if shown else ";\n")
