"""What a process has in its memory, read as root.

`/proc/<pid>/environ` shows what a process was *executed* with; a forked lab got
its environment later, so it is followed from the C library's `environ`.
"""

import json
import os
import struct
import subprocess
from pathlib import Path
from typing import BinaryIO

PROC = Path("/proc")
WORD = struct.calcsize("P")
MOST_VARIABLES = 1000
LONGEST = 64 * 1024
FIND = """
import ctypes, json
at = ctypes.addressof(ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ"))
for line in open("/proc/self/maps"):
    begin, end = (int(part, 16) for part in line.split()[0].split("-"))
    if begin <= at < end:
        name = line.split()[-1]
        break
base = min(int(l.split("-")[0], 16) for l in open("/proc/self/maps") if l.split()[-1] == name)
print(json.dumps([name, at - base]))
"""


def environ_of(pid: int) -> dict[str, str]:
    """Return the environment that a Python process has now."""
    executable = os.readlink(PROC / str(pid) / "exe")
    told = subprocess.run(
        [executable, "-I", "-S", "-c", FIND], capture_output=True, text=True, check=True
    ).stdout
    file, offset = json.loads(told)
    with (PROC / str(pid) / "mem").open("rb", buffering=0) as memory:
        words = _words(memory, _word(memory, _base(pid, file) + offset))
        texts = [_text(memory, place) for place in words]
    return dict(text.split("=", 1) for text in texts if "=" in text)


def _base(pid: int, file: str) -> int:
    lines = (PROC / str(pid) / "maps").read_text().splitlines()
    return min(int(line.split("-")[0], 16) for line in lines if line.split()[-1] == file)


def _words(memory: BinaryIO, place: int) -> list[int]:
    found: list[int] = []
    while len(found) < MOST_VARIABLES and (word := _word(memory, place + WORD * len(found))):
        found.append(word)
    return found


def _word(memory: BinaryIO, place: int) -> int:
    memory.seek(place)
    return struct.unpack("P", memory.read(WORD))[0]


def _text(memory: BinaryIO, place: int) -> str:
    memory.seek(place)
    found = b""
    while b"\0" not in found and len(found) < LONGEST:
        # To the end of a page: what lies behind may not be mapped.
        part = memory.read(4096 - (place + len(found)) % 4096)
        found += part
    return found.partition(b"\0")[0].decode(errors="replace")
