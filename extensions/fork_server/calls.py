"""Refuse the calls of the kernel that lead around a room.

Law: a filter that a learner's processes inherit and cannot take off. It refuses
kinds of sockets that no network namespace holds (a virtual machine's line to its
host, say), ways to make such a socket unseen, and calls that no course needs and
through which kernels have been broken. Everything else is as before.
"""

import ctypes
import errno
import os
import struct

from bioskills.fork_server import linux

PR_GET_SECCOMP = 21
PR_SET_SECCOMP = 22
FILTER = 2

LOAD, IF_EQUAL, IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16
"""Places in `struct seccomp_data`; the first argument's low half on these machines."""
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
OTHER_TABLE = 0x40000000
"""Numbers from here on mean another table of calls (x32)."""

FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6, netlink."""

NUMBERS = {
    "x86_64": (
        0xC000003E,
        41,
        {
            "bpf": 321,
            "io_uring_setup": 425,
            "perf_event_open": 298,
            "userfaultfd": 323,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
        },
    ),
    "aarch64": (
        0xC00000B7,
        198,
        {
            "bpf": 280,
            "io_uring_setup": 425,
            "perf_event_open": 241,
            "userfaultfd": 282,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
        },
    ),
}
"""By machine: its mark, the number of `socket`, and the numbers of what is refused."""


def possible() -> bool:
    """Whether this kernel filters calls, and the numbers of this machine are known."""
    try:
        linux.prctl(PR_GET_SECCOMP)
    except OSError:
        return False
    return os.uname().machine in NUMBERS


def refuse() -> None:
    """Put the filter on this process, which can gain no rights any more; see `possible`.

    Raises:
        OSError: The kernel does not do it.
    """
    program = _program(*NUMBERS[os.uname().machine])
    steps = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    filtered = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(steps)))
    linux.prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(filtered))


def _program(machine: int, socket_call: int, refused: dict[str, int]) -> list[bytes]:
    """Return a classic packet filter; jumps are counted in steps."""
    answers = ((RETURN, 0, 0, REFUSE | errno.ENOSYS), (RETURN, 0, 0, REFUSE | errno.EAFNOSUPPORT))
    numbers, families = list(refused.values()), list(FAMILIES)
    to_families = len(numbers) + 2
    steps = [
        (LOAD, 0, 0, MACHINE),
        (IF_EQUAL, 1, 0, machine),
        answers[0],
        (LOAD, 0, 0, NUMBER),
        (IF_AT_LEAST, len(numbers) + 2, 0, OTHER_TABLE),
        (IF_EQUAL, to_families, 0, socket_call),
        *((IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)),
        (RETURN, 0, 0, ALLOW),
        answers[0],
        (LOAD, 0, 0, FIRST_ARGUMENT),
        *((IF_EQUAL, len(families) - place, 0, kind) for place, kind in enumerate(families)),
        answers[1],
        (RETURN, 0, 0, ALLOW),
    ]
    return [struct.pack("HBBI", *step) for step in steps]
