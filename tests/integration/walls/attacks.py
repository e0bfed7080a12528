"""What hostile code in a notebook tries.

Law: the standard library alone, because this text is sent into a kernel and
run there. Each function returns what got through, as JSON can hold it: an
empty answer means that the wall held. None harms the machine it runs on.
"""

import builtins
import contextlib
import ctypes
import errno
import os
import random
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from multiprocessing import process
from pathlib import Path

SYS_ADD_KEY, SYS_KEYCTL = 248, 250
JOIN_SESSION, SEARCH, SESSION = 1, 10, -3
SYS_PIDFD_GETFD = 438
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
IPC_CREAT = 0o1000
DEPTH = 5
LISTENING = "0A"
NAMED = 7
_libc = ctypes.CDLL(None, use_errno=True)


def got_through(trials):
    """Return the names of what did not raise."""
    found = []
    for name, act in trials:
        try:
            act()
        except (OSError, subprocess.SubprocessError):
            continue
        found.append(name)
    return found


def _check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


# Files


def open_paths(paths):
    """Try to list, read, extend and link every path."""
    mine = Path.home() / "mine"
    trials = []
    for path in paths:
        trials += [
            (f"list {path}", lambda p=path: os.listdir(p)),
            (f"read {path}", lambda p=path: _read(p)),
            (f"extend {path}", lambda p=path: open(p, "ab").close()),
            (f"link {path}", lambda p=path: (os.link(p, mine), mine.unlink())),
            (f"attribute {path}", lambda p=path: _mark(p)),
        ]
    return got_through(trials)


def _read(path):
    with open(path, "rb") as file:
        return file.read(1)


def _mark(path):
    os.setxattr(path, "user.walls", b"1")
    os.removexattr(path, "user.walls")


def seen_from_root(data):
    """Return what of the installation the usual side doors lead to."""
    doors = ["/proc/1/root", "/proc/1/cwd", f"/proc/{os.getppid()}/root", "/proc/self/task/1/root"]
    paths = [f"{door}{data}/state" for door in doors]
    return got_through([(path, lambda p=path: os.listdir(p)) for path in paths])


def writable_folders(private):
    """Return folders that may be written although they are not private, as far as five steps down."""
    found = []
    for top, folders, _files in os.walk("/"):
        if top.count("/") > DEPTH or top == "/proc":
            folders[:] = []
        elif os.access(top, os.W_OK | os.X_OK):
            found.append(top)
            folders[:] = []
    return sorted(set(found) - set(private))


def plant_links(targets):
    """Put a link in the place of everything in the home and in the runtime folder."""
    planted = []
    folders = [Path.home(), Path(os.environ["JUPYTER_RUNTIME_DIR"])]
    for path in [path for folder in folders for path in [*folder.iterdir(), folder / "new"]]:
        target = targets[len(planted) % len(targets)]
        with contextlib.suppress(OSError):
            path.rename(f"/tmp/{len(planted)}") if path.is_socket() else _remove(path)
            path.symlink_to(target)
            planted.append(str(path))
    return planted


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def replace_folders(target):
    """Try to put a link in the place of home and runtime folder themselves."""
    folders = [os.environ["HOME"], os.environ["JUPYTER_RUNTIME_DIR"]]
    trials = []
    for folder in folders:
        trials += [
            (f"rename {folder}", lambda f=folder: os.rename(f, f + ".old")),
            (f"remove {folder}", lambda f=folder: os.rmdir(f)),
            (f"link beside {folder}", lambda f=folder: os.symlink(target, f + ".new")),
            (f"staged {folder}", lambda f=folder: os.symlink(target, _staged(f))),
        ]
    return got_through(trials)


def _staged(folder):
    path = Path(folder)
    return path.with_name(f".{path.name}.new")


# Processes


def signalled(pids):
    """Return the processes that would take a signal from here."""
    return got_through([(pid, lambda p=pid: os.kill(p, 0)) for pid in pids])


def read_in_proc(pids):
    """Return what /proc tells of these processes."""
    files = ["environ", "cmdline", "maps", "mem", "status", "stat", "auxv", "mountinfo", "comm"]
    trials = [
        (f"{pid}/{name}", lambda p=pid, n=name: _read(f"/proc/{p}/{n}"))
        for pid in pids
        for name in files
    ]
    folders = ["fd", "root", "cwd", "task", "ns", "map_files"]
    trials += [
        (f"{pid}/{name}", lambda p=pid, n=name: os.listdir(f"/proc/{p}/{n}"))
        for pid in pids
        for name in folders
    ]
    return got_through(trials)


def strangers_in_proc():
    """Return the processes of other accounts that /proc lists."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid != os.getuid():
                found.append(int(name))
        except OSError:
            continue
    return found


def processes_shown():
    """Return what `ps` prints."""
    shown = subprocess.run(["ps", "-eo", "uid,args"], capture_output=True, text=True, check=False)
    return shown.stdout.splitlines()


def debugged(pids):
    """Try everything that a debugger does to a process, and taking its files and namespaces."""
    trials = []
    for pid in pids:
        trials += [
            (f"ptrace {pid}", lambda p=pid: _trace(p)),
            (f"read memory {pid}", lambda p=pid: _read_memory(p)),
            (f"take file {pid}", lambda p=pid: _take_file(p)),
            (f"enter {pid}", lambda p=pid: _enter(f"/proc/{p}/ns/mnt")),
            (f"cores {pid}", lambda p=pid: os.sched_setaffinity(p, os.sched_getaffinity(p))),
            (f"priority {pid}", lambda p=pid: _set_same_priority(p)),
        ]
    return got_through(trials)


def _set_same_priority(pid):
    os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))


def _trace(pid):
    _check(_libc.ptrace(PTRACE_SEIZE, pid, None, None))
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, 0)
    _libc.ptrace(PTRACE_DETACH, pid, None, None)
    os.kill(pid, signal.SIGCONT)


def _read_memory(pid):
    class Part(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]

    mine = ctypes.create_string_buffer(1)
    here, there = Part(ctypes.addressof(mine), 1), Part(id(None), 1)
    found = _libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    # A right to read, at an address where nothing lies, is a right all the same.
    if found == -1 and ctypes.get_errno() != errno.EFAULT:
        _check(-1)


def _take_file(pid):
    handle = os.pidfd_open(pid)
    try:
        os.close(_check(_libc.syscall(SYS_PIDFD_GETFD, handle, 0, 0)))
    finally:
        os.close(handle)


def _enter(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        _check(_libc.setns(handle, 0))
    finally:
        os.close(handle)


def entered(paths):
    """Return the kept namespaces of others that can be entered."""
    return got_through([(path, lambda p=path: _enter(p)) for path in paths])


# Rights


def rights():
    """Return what would let this process gain rights; nothing where it has none to gain."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = {key: value.strip() for key, _colon, value in (x.partition(":") for x in lines)}
    found = [
        f"{name} {status[name]}"
        for name in status
        if name.startswith("Cap") and int(status[name], 16)
    ]
    found += [] if status["NoNewPrivs"] == "1" else ["can gain rights"]
    found += [f"group {group}" for group in os.getgroups() if group != os.getgid()]
    found += got_through([("setuid", lambda: os.setuid(0)), ("setgid", lambda: os.setgid(0))])
    return found


def gained_by(programs):
    """Run programs that carry rights of their own; return those that ran with other ones."""
    found = []
    for program in programs:
        try:
            said = subprocess.run(
                program, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if said.returncode == 0 and str(os.getuid()) not in said.stdout.split():
            found.append(" ".join(program))
    return found


def made_by_force():
    """Try what needs rights: devices, mounts, roots, host names, clocks, modules."""
    here = str(Path.home() / "made")
    device = stat.S_IFBLK | 0o600
    return got_through(
        [
            ("mknod", lambda: os.mknod(here, device, os.makedev(254, 0))),
            ("mount", lambda: _check(_libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None))),
            ("umount /proc", lambda: _check(_libc.umount2(b"/proc", 2))),
            ("umount /tmp", lambda: _check(_libc.umount2(b"/tmp", 2))),
            ("chroot", lambda: os.chroot("/tmp")),
            ("hostname", lambda: _check(_libc.sethostname(b"mine", 4))),
            ("sysrq", lambda: open("/proc/sysrq-trigger", "w")),
            ("core pattern", lambda: open("/proc/sys/kernel/core_pattern", "w")),
            ("kernel messages", lambda: open("/dev/kmsg", "w")),
            ("memory of the machine", lambda: open("/dev/mem", "rb")),
            ("oom", lambda: Path("/proc/self/oom_score_adj").write_text("-1")),
            ("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
            ("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)),
            ("root's priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
            ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))),
        ]
    )


NEW_USER = {
    "sees others": 'for p in /proc/[0-9]*; do [ "$(stat -c %u $p 2>/dev/null || echo 0)" = 0 ] || echo $p; done',
    "uncovers /proc": "umount /proc 2>/dev/null && ls /proc/1/cmdline",
    "uncovers /proc lazily": "umount -l /proc 2>/dev/null && ls /proc/1/cmdline",
    "uncovers /tmp": "umount -l /tmp 2>/dev/null && ls /tmp",
    "uncovers /dev/shm": "umount -l /dev/shm 2>/dev/null && echo uncovered",
    "uncovers groups": "umount -l /sys/fs/cgroup 2>/dev/null && ls /sys/fs/cgroup",
    "sees everybody again": "mount -t proc -o remount,hidepid=0 proc /proc 2>/dev/null && ls -d /proc/1",
    "mounts another proc": "mkdir -p ~/p && mount -t proc proc ~/p 2>/dev/null && ls -d ~/p/1/cwd/ 2>/dev/null",
    "mounts groups": "mkdir -p ~/c && mount -t cgroup -o memory x ~/c 2>/dev/null && ls ~/c",
    "reads the installation": "ls {data}/state 2>/dev/null",
    "reads a neighbour": "ls {other} 2>/dev/null",
    "enters a neighbour": "nsenter --mount={room}/mnt true 2>/dev/null && echo entered",
}


def tricks_in_a_new_user_namespace(uid, data, other, room):
    """Become root of a user namespace of one's own and try what that root may try."""
    found = []
    for name, code in NEW_USER.items():
        script = code.format(uid=uid, data=data, other=other, room=room)
        command = ["unshare", "-Urm", "sh", "-c", script]
        said = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30
        )
        if said.stdout.strip():
            found.append(f"{name}: {said.stdout[:200]}")
    return found


def groups_of_processes(own):
    """Return control group files that can be written, and groups of other learners that can be seen."""
    found = []
    for top, folders, files in os.walk("/sys/fs/cgroup"):
        found += [f"write {top}/{name}" for name in files if os.access(f"{top}/{name}", os.W_OK)]
        found += [f"make in {top}"] if os.access(top, os.W_OK) else []
        found += [f"see {top}/{name}" for name in folders if name.isdigit() and name != str(own)]
    return found


def limits_missing():
    """Return the resources of a process that nobody limits."""
    wanted = {"core": resource.RLIMIT_CORE, "files": resource.RLIMIT_NOFILE}
    found = [name for name, number in wanted.items() if resource.getrlimit(number)[1] > 1 << 17]
    found += [] if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 else ["core files"]
    found += [] if int(Path("/proc/self/oom_score_adj").read_text()) >= 0 else ["never killed"]
    return found


# Between processes


def bait(mark, port):
    """Leave what a careless learner leaves: shared memory, files, sockets open to everybody."""
    os.umask(0)
    key = int(mark, 16)
    _check(_libc.shmget(key, 4096, IPC_CREAT | 0o666))
    _check(_libc.semget(key, 1, IPC_CREAT | 0o666))
    _check(_libc.msgget(key, IPC_CREAT | 0o666))
    for folder in ("/tmp", "/dev/shm", "/var/tmp"):
        Path(folder, f"bait-{mark}").write_text("open to all")
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0bait-{mark}")
    abstract.listen()
    inet = socket.create_server(("127.0.0.1", port))
    file = socket.socket(socket.AF_UNIX)
    file.bind(f"/tmp/bait-{mark}.sock")
    file.listen()
    queue = _libc.mq_open(f"/bait-{mark}".encode(), os.O_CREAT | os.O_RDWR, 0o666, None)
    builtins.walls_kept = [abstract, inet, file, queue]  # as long as the kernel lives
    os.umask(0o077)
    return "laid"


def bait_and_wait(mark, port):
    """Leave bait in a child that waits to be ended; return its pid."""
    child = os.fork()
    if child == 0:
        for number in (0, 1, 2):
            os.close(number)
        bait(mark, port)
        time.sleep(300)
        os._exit(0)
    time.sleep(0.5)
    return child


def remove_bait(mark):
    """Take away what `bait` left."""
    key = int(mark, 16)
    _libc.shmctl(_libc.shmget(key, 0, 0), 0, None)
    _libc.semctl(_libc.semget(key, 0, 0), 0, 0)
    _libc.msgctl(_libc.msgget(key, 0), 0, None)
    _libc.mq_unlink(f"/bait-{mark}".encode())
    for folder in ("/tmp", "/dev/shm", "/var/tmp"):
        for path in Path(folder).glob(f"bait-{mark}*"):
            path.unlink()
    return "gone"


def taken_bait(mark, port):
    """Return what of somebody's bait is within reach."""
    key = int(mark, 16)
    return got_through(
        [
            ("shared memory", lambda: _check(_libc.shmget(key, 0, 0))),
            ("semaphores", lambda: _check(_libc.semget(key, 0, 0))),
            ("message queue", lambda: _check(_libc.msgget(key, 0))),
            ("posix queue", lambda: _check(_libc.mq_open(f"/bait-{mark}".encode(), os.O_RDWR))),
            *[
                (folder, lambda f=folder: Path(f, f"bait-{mark}").read_text())
                for folder in ("/tmp", "/dev/shm", "/var/tmp")
            ],
            ("abstract socket", lambda: socket.socket(socket.AF_UNIX).connect(f"\0bait-{mark}")),
            (
                "socket in /tmp",
                lambda: socket.socket(socket.AF_UNIX).connect(f"/tmp/bait-{mark}.sock"),
            ),
            ("port", lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close()),
        ]
    )


def connected(paths):
    """Return the unix sockets that take a connection."""
    return got_through([(p, lambda p=p: socket.socket(socket.AF_UNIX).connect(p)) for p in paths])


def asked(path, line):
    """Return what a control socket answers to one line; empty for nothing."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(path)
            connection.sendall(line.encode() + b"\n")
            return connection.recv(1 << 16).decode()
        except OSError:
            return ""


def held_half_open(path, count, seconds):
    """Open many connections that never finish a request, in children; return these."""
    each, children = 250, []
    for _number in range(0, count, each):
        children.append(os.fork())
        if children[-1] == 0:
            _hold(path, each, seconds)
    return children


def _hold(path, count, seconds):
    held = []
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            held = [c for c in held if not _closed(c)]
            while len(held) < count and (one := _half_open(path)):
                held.append(one)
            time.sleep(0.05)
    finally:
        os._exit(0)


def _half_open(path):
    """Return a connection with half a request, or None while nobody takes one."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(1)
    try:
        connection.connect(path)
        connection.send(b'{"op":')
    except OSError:
        connection.close()
        return None
    return connection


def _closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def flooded(path, processes, seconds):
    """Connect and hang up as fast as can be, in children, for some seconds."""
    for _number in range(processes):
        if os.fork() == 0:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
                    connection.connect(path)
                    connection.send(b"{}" + b"\n")
            os._exit(0)
    return processes


def keep_a_key():
    """Put a key into a new keyring of this session, which children inherit."""
    _libc.syscall(SYS_KEYCTL, JOIN_SESSION, b"walls")
    _libc.syscall(SYS_ADD_KEY, b"user", b"walls", b"secret", 6, SESSION)


def keys_of_the_session():
    """Return the description of a key called `walls` that an ancestor of this process kept."""
    found = _libc.syscall(SYS_KEYCTL, SEARCH, SESSION, b"user", b"walls", 0)
    return [] if found == -1 else [f"key {found}"]


# Network


def open_ports(allowed):
    """Return the loopback ports of others that take a connection."""
    found = []
    for port in sorted(set(range(1, 65536)) - {*allowed, *own_ports()}):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # A port that was just chosen as the near end answers itself.
            if probe.connect_ex(("127.0.0.1", port)) == 0 and probe.getsockname()[1] != port:
                found.append(port)
    return found


def own_ports():
    """Return the ports on which this account listens."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = [f[1] for f in fields if int(f[7]) == os.getuid() and f[3] == LISTENING]
    return [int(address.rpartition(":")[2], 16) for address in mine]


def sockets_of_others(allowed):
    """Return the listening sockets of other accounts that the tables of the network list."""
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6", "raw"):
        lines = Path("/proc/net", table).read_text().splitlines()[1:]
        found += [
            f"{table} {fields[1]} of {fields[7]}"
            for fields in map(str.split, lines)
            if int(fields[7]) != os.getuid()
            and int(fields[1].rpartition(":")[2], 16) not in allowed
            if fields[3] == LISTENING or not table.startswith("tcp")
        ]
    return found


def names_of_unix_sockets(own):
    """Return the names of unix sockets that lie in no folder of one's own."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    named = {fields[7] for fields in map(str.split, lines) if len(fields) > NAMED}
    return sorted(name for name in named if not name.startswith((*own, "@/")))


def outside(addresses):
    """Return the addresses beyond this machine that can be reached, and the links that lead there."""
    found = [name for _number, name in socket.if_nameindex() if name != "lo"]
    for address in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            if probe.connect_ex((address, 53)) == 0:
                found.append(address)
    return found


def sockets_of_other_kinds():
    """Return the kinds of sockets that can be made although no network of a room holds them."""
    kinds = {
        "packet": 17,
        "bluetooth": 31,
        "alg": 38,
        "vsock": 40,
        "tipc": 30,
        "rds": 21,
        "can": 29,
    }
    types = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW)
    trials = [
        (n, lambda k=k, t=t: socket.socket(k, t).close()) for n, k in kinds.items() for t in types
    ]
    return sorted(set(got_through(trials)))


def listens(port):
    """Take a port and write down what comes, in a process that outlives this call."""
    taken = builtins.walls_taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        taken.bind(("0.0.0.0", port))
    except OSError as error:
        return error.strerror
    taken.listen()
    threading.Thread(target=_note, args=(taken,), daemon=True).start()
    return "listening"


def _note(listener):
    while True:
        connection, _address = listener.accept()
        Path.home().joinpath("heard").open("ab").write(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")
        connection.close()


def heard_there():
    """Return what came to the port that `listens` took."""
    path = Path.home() / "heard"
    return path.read_text() if path.exists() else ""


def answers(calls):
    """Return the status of each (method, address, token); 0 where nothing answered."""
    found = []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for method, address, token in calls:
        headers = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(address, method=method, headers=headers)
        try:
            with opener.open(request, timeout=60) as answer:
                found.append(answer.status)
        except urllib.error.HTTPError as error:
            found.append(error.code)
        except OSError:
            found.append(0)
    return found


# What this process was born with


def born_with():
    """Return environment, files and random values of this process."""
    found = {
        "environ": dict(os.environ),
        "first environ": Path("/proc/self/environ").read_bytes().decode(errors="replace"),
        "prefix": sys.prefix,
        "uids": [*os.getresuid(), *os.getresgid()],
        "umask": _umask(),
        "random": random.random(),
        "uuid": uuid.uuid4().hex,
        "temporary": next(tempfile._get_candidate_names()),
        "authkey": process.current_process().authkey.hex(),
        "urandom": os.urandom(8).hex(),
    }
    if "numpy" in sys.modules:
        found["numpy"] = sys.modules["numpy"].random.random()
    return found


def _umask():
    found = os.umask(0o077)
    os.umask(found)
    return found


def connections_of_my_lab(pid):
    """Take the first files of one's own lab, as a debugger may, and try to write where they lead."""
    found = []
    handle = os.pidfd_open(pid)
    for number in (1, 2):
        taken = _libc.syscall(SYS_PIDFD_GETFD, handle, number, 0)
        if taken != -1:
            found.append(os.readlink(f"/proc/self/fd/{taken}"))
            os.close(taken)
    os.close(handle)
    return found


def own_folders():
    """Return the home and the runtime folder."""
    return [os.environ["HOME"], os.environ["JUPYTER_RUNTIME_DIR"]]


def turned_sockets_of_my_lab(pid, address, port):
    """Take the sockets of one's own lab, which belong to the machine's network, and turn them.

    A listening socket that is shut down, and an accepted one that is dissolved, could
    connect and listen again, in the network where they were made. This ends the lab's own
    connections: what was found is written into the home.
    """
    if os.fork() == 0:
        try:
            found = _turned_all(pid, address, port)
            Path.home().joinpath("turned.new").write_text("\n".join(found))
            Path.home().joinpath("turned.new").rename(Path.home() / "turned")
        finally:
            os._exit(0)
    return "begun"


def _turned_all(pid, address, port):
    """Return how many sockets there were to turn, then those that connected."""
    tried, found = 0, []
    handle = os.pidfd_open(pid)
    for number in map(int, os.listdir(f"/proc/{pid}/fd")):
        taken = _libc.syscall(SYS_PIDFD_GETFD, handle, number, 0)
        if taken != -1 and os.readlink(f"/proc/self/fd/{taken}").startswith("socket:"):
            with socket.socket(fileno=taken) as stolen:
                if stolen.family == socket.AF_INET and stolen.type == socket.SOCK_STREAM:
                    tried += 1
                    found += _turned(stolen, address, port)
        elif taken != -1:
            os.close(taken)
    os.close(handle)
    return [str(tried), *found]


def _turned(stolen, address, port):
    name = f"{stolen.getsockname()} listens: {stolen.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)}"
    stolen.settimeout(2)
    with contextlib.suppress(OSError):
        stolen.shutdown(socket.SHUT_RDWR)
    nowhere = ctypes.create_string_buffer(16)  # AF_UNSPEC
    _libc.connect(stolen.fileno(), nowhere, 16)
    with contextlib.suppress(OSError):
        stolen.connect((address, port))
        return [f"{name}: connected to {stolen.getpeername()}"]
    return []
