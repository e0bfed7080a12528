"""Calls of the Linux kernel that Python 3.11 does not have.

Law: thin and checked; a call that fails raises OSError with the kernel's own
reason. Nothing here decides anything.
"""

import ctypes
import errno
import fcntl
import itertools
import os
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAPABILITY_VERSION = 0x20080522
KEYCTL = {"x86_64": 250, "aarch64": 219}
"""Number of the call keyctl, by machine; 1 is KEYCTL_JOIN_SESSION_KEYRING."""

PIDFD_GETFD = 438
"""The same number on every architecture, as all system calls since Linux 5.1."""

SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def unshare(flags: int) -> None:
    """Leave these namespaces for new ones of this process alone, by flags CLONE_NEW…."""
    _check(_libc.unshare(flags), "unshare")


def setns(namespace: int, kind: int = 0) -> None:
    """Enter the namespace that this open file stands for."""
    _check(_libc.setns(namespace, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Attach a file system, or bind a folder, as section 2 of the manual says."""
    words = [word.encode() if word else None for word in (source, target, kind)]
    data = options.encode() if options else None
    _check(_libc.mount(*words, ctypes.c_ulong(flags), data), f"mount {target}")


def umount(target: str) -> None:
    """Take a mount away, now for new users and later for present ones."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def prctl(option: int, value: int = 0, further: int = 0) -> None:
    """Set a property of this process, as section 2 of the manual says."""
    numbers = (ctypes.c_ulong(number) for number in (value, further, 0, 0))
    _check(_libc.prctl(option, *numbers), f"prctl {option}")


def clear_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets of this process."""
    head = struct.pack("Ii", CAPABILITY_VERSION, 0)
    _check(_libc.capset(head, struct.pack("6I", *[0] * 6)), "capset")


def drop_capabilities() -> None:
    """Empty the bounding, ambient and inheritable sets: no program ever gives a capability back.

    The other sets are emptied by the kernel when all uids change from 0, where there is a uid 0.
    """
    _keep_uninherited()
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in itertools.count():
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # the kernel knows no more of them
                return
            raise


def _keep_uninherited() -> None:
    """Empty the inheritable set; see capset(2), version 3 of the structure."""
    head = struct.pack("Ii", CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(struct.calcsize("6I"))
    _check(_libc.capget(head, sets), "capget")
    effective, permitted, _i, effective2, permitted2, _i2 = struct.unpack("6I", sets.raw)
    kept = struct.pack("6I", effective, permitted, 0, effective2, permitted2, 0)
    _check(_libc.capset(head, kept), "capset")


def leave_keyring() -> None:
    """Take a session keyring of one's own: root's is inherited otherwise; nothing without keys."""
    if os.uname().machine in KEYCTL:
        _libc.syscall(KEYCTL[os.uname().machine], 1, None)


def raise_loopback() -> None:
    """Switch on the loopback interface of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14s", b"lo", IFF_UP, b"")
        fcntl.ioctl(control, SIOCSIFFLAGS, request)


def pidfd_getfd(process: int, descriptor: int) -> int:
    """Return a copy of another process's descriptor; only where we might debug that process."""
    found = _libc.syscall(PIDFD_GETFD, process, descriptor, 0)
    _check(found, "pidfd_getfd")
    return int(found)


def peer_of(connection: socket.socket) -> tuple[int, int, int]:
    """Return pid, uid, gid of whoever connected; the kernel says so, not the peer."""
    size = struct.calcsize("3i")
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, gid = struct.unpack("3i", found)
    return pid, uid, gid


def start_time(pid: int) -> int:
    """Return a process's start in clock ticks since boot (proc(5), field 22); 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])
