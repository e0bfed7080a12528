"""Keep a listening socket of the machine's network from being used outward.

Law: a lab's socket belongs to the machine's network, its process to a room
without one. A socket can be dissolved by whoever holds it and then connect, or
listen elsewhere, in the network where it was made. So the socket and all that
it accepts take only packets for its own port and never the answer to a
connection of their own, and speak over loopback alone; a learner cannot undo it.
"""

import ctypes
import socket
import struct

SO_BINDTODEVICE = 25
SO_ATTACH_FILTER = 26
SO_LOCK_FILTER = 44

LOAD_HALF, LOAD_BYTE, AND, IF_EQUAL, RETURN = 0x28, 0x30, 0x54, 0x15, 0x06
DESTINATION, FLAGS = 2, 13
"""Places in the header of TCP, where a filter of a TCP socket begins to read."""
SYN_ACK = 0x12
WHOLE = 0xFFFFFFFF


def only_inward(listener: socket.socket) -> None:
    """Let this bound socket, and what it accepts, do nothing but serve its port on loopback.

    Raises:
        OSError: The kernel does not do it.
    """
    program = _program(listener.getsockname()[1])
    steps = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    filtered = struct.pack("HP", len(program), ctypes.addressof(steps))
    listener.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo\0")
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtered)
    listener.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)


def _program(port: int) -> list[bytes]:
    """Return a classic packet filter: code, steps when true, steps when false, operand."""
    steps = (
        (LOAD_HALF, 0, 0, DESTINATION),
        (IF_EQUAL, 0, 4, port),
        (LOAD_BYTE, 0, 0, FLAGS),
        (AND, 0, 0, SYN_ACK),
        (IF_EQUAL, 1, 0, SYN_ACK),
        (RETURN, 0, 0, WHOLE),
        (RETURN, 0, 0, 0),
    )
    return [struct.pack("HBBI", *step) for step in steps]
