"""What a process and its children use: CPU seconds and proportional memory."""

import os
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
USER_TIME, PARENT = 11, 1
"""Index behind the command's closing bracket: proc(5), /proc/pid/stat."""


def family(pid: int) -> list[int]:
    """Return the process and everything below it."""
    parents: dict[int, int] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            parents[int(entry)] = int(_stat(int(entry))[PARENT])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that the family has used so far."""
    total = 0.0
    for member in family(pid):
        with suppress(OSError):
            total += sum(map(int, _stat(member)[USER_TIME : USER_TIME + 2])) / TICK
    return total


def pss_mb(pid: int) -> float:
    """Return the family's share of memory in MB."""
    total = 0
    for member in family(pid):
        with suppress(OSError):
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
            total += int(text.split("Pss:")[1].split()[0])
    return total / 1000


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
