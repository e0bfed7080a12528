"""Say the figures: one table for people, one line of JSON for programs.

Law: every figure stands beside its conditions; what was not reached is said, never left out.
"""

import os
import platform
from typing import Any

from cpu import PROC
from storm import CORES

Row = dict[str, Any]

LINES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ready s, p50 / p95 / max", "ready_s", ("p50", "p95", "max")),
    ("Lab page s, p50 / p95", "page_s", ("p50", "p95")),
    ("new notebook to first reply s, p50 / p95", "first_reply_s", ("p50", "p95")),
    ("first `import pandas, Bio` cell s, p50 / p95", "imports_s", ("p50", "p95")),
    ("third cell s, p50 / p95", "cell_s", ("p50", "p95")),
    ("CPU s per lab start", "lab_cpu_s", ()),
    ("CPU s per whole learner", "learner_cpu_s", ()),
    ("hub CPU s per spawn", "platform_cpu_s_per_lab.hub", ()),
    ("proxy CPU s per spawn", "platform_cpu_s_per_lab.proxy", ()),
    ("fork server CPU s per spawn", "platform_cpu_s_per_lab.fork_server", ()),
    ("campus and others CPU s per spawn", "platform_cpu_s_per_lab.services", ()),
    ("everything: CPU s per whole learner", "all_cpu_s_per_learner", ()),
    ("PSS / USS MB per lab", "lab_memory", ("pss_mb", "uss_mb")),
    ("PSS / USS MB per whole learner", "learner_memory", ("pss_mb", "uss_mb")),
    ("... of which its kernel", "kernel_memory", ("pss_mb", "uss_mb")),
    ("warm parents PSS / USS MB, once", "parents_memory", ("pss_mb", "uss_mb")),
    ("learners complete", "complete", ()),
    ("wall / (CPU / cores), arrive / work", "wall_per_full_machine", ("arrive", "work")),
    ("cores kept busy by others, arrive / work", "foreign_cores", ("arrive", "work")),
    ("load average before", "load_before", ()),
    ("load client CPU s, apart", "client_cpu_s", ()),
)


def table(rows: list[Row]) -> str:
    """Return a Markdown table, a column for each run, and the remarks below it."""
    head = ["", *(f"{row['side']} {row['n']}" for row in rows)]
    lines = [head, ["---", *["---:"] * len(rows)]]
    lines += [[name, *(cell(row, place, parts) for row in rows)] for name, place, parts in LINES]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([text, *(f"\n{remark}" for row in rows for remark in remarks(row))])


def cell(row: Row, place: str, parts: tuple[str, ...]) -> str:
    """Return one figure as people read it."""
    found: Any = row
    for part in place.split("."):
        found = found.get(part) if found else None
    if found is None:
        return "-"
    return " / ".join(short(found[part]) for part in parts) if parts else short(found)


def short(figure: float | str) -> str:
    """Return a figure with about three digits."""
    if not isinstance(figure, float):
        return str(figure)
    digits = 3 if 0 < abs(figure) < 1 else 2 if abs(figure) < 10 else 1
    return f"{figure:.{digits}f}"


def remarks(row: Row) -> list[str]:
    """Return a line for everything that a reader must know of a run."""
    name = f"{row['side']}, N = {row['n']}"
    said = [f"LOST {name}: {who}: {why}" for who, why in row.get("lost", {}).items()]
    known = {
        "error": "FAILED {name}: {value}",
        "left_alive": "LEFT {name}: {value} processes after stop, ended by the bench",
        "platform_processes_gone": "DIED {name}: {value}; CPU figures are off",
    }
    said += [text.format(name=name, value=row[key]) for key, text in known.items() if row.get(key)]
    if row.get("counted", "cgroup") != "cgroup":
        said.append(f"{name}: CPU is that of {row['counted']}; short-lived ones are missed")
    return said


def machine() -> Row:
    """Return what the figures were taken on."""
    memory = (PROC / "meminfo").read_text().split("\n")[0].split()[1]
    return {
        "cores": CORES,
        "memory_gb": round(int(memory) / 2**20, 1),
        "kernel": "Linux " + ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
        "root": os.geteuid() == 0,
    }
