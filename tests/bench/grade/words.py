"""Say the figures: one table for people.

Law: every figure stands beside its conditions; what was not measured is a dash.
"""

from typing import Any

Row = dict[str, Any]
LINES: tuple[tuple[str, str], ...] = (
    ("submissions", "n"),
    ("with a verdict", "verdicts"),
    ("... of which for a person", "needs_person"),
    ("wall s", "wall_s"),
    ("submissions per minute", "per_minute"),
    ("... beyond the smallest batch", "more_per_minute"),
    ("CPU s for each, all in", "cpu_s_each"),
    ("... beyond the smallest batch", "more_cpu_s_each"),
    ("the learner's own cells, CPU s for each", "own_cells_s"),
    ("peak memory, PSS MB", "peak_mb"),
    ("facts equal to nbgrader's", "identical"),
    ("... of so many", "facts"),
    ("... of which scores", "scores"),
    ("right answers with all points", "right_full"),
    ("hand-in to feedback s, p50", "latency_p50_s"),
    ("hand-in to feedback s, p95", "latency_p95_s"),
    ("cores kept busy by others", "foreign_cores"),
    ("load average before", "load_before"),
)


def table(rows: list[Row]) -> str:
    """Return a Markdown table, a column for each run, and remarks below it."""
    if not rows:
        return "Nothing was measured."
    parts = sorted({name for row in rows for name in row.get("parts_s", {})})
    head = ["", *(f"{row['side']} {row['batch']}" for row in rows)]
    lines = [head, ["---", *["---:"] * len(rows)]]
    lines += [[name, *(short(row.get(key)) for row in rows)] for name, key in LINES]
    lines += [
        [f"part: {name}, CPU s", *(short(row.get("parts_s", {}).get(name)) for row in rows)]
        for name in parts
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([text, *(f"\n{remark}" for row in rows for remark in remarks(row))])


def short(figure: object) -> str:
    """Return a figure with about three digits."""
    if figure is None:
        return "-"
    if not isinstance(figure, float):
        return str(figure)
    digits = 3 if abs(figure) < 1 else 2 if abs(figure) < 10 else 1
    return f"{figure:.{digits}f}"


def remarks(row: Row) -> list[str]:
    """Return a line for everything that a reader must know of a run."""
    name = f"{row['side']} {row['batch']}"
    said = [f"DIFFERS {name}: {text}" for text in row.get("differ", [])]
    if row.get("lost"):
        said.append(f"LOST {name}: {', '.join(row['lost'])}")
    if row.get("left_alive"):
        said.append(f"LEFT {name}: {row['left_alive']} processes, ended by the bench")
    if row.get("error"):
        said.append(f"FAILED {name}: {row['error']}")
    if row.get("counted", "cgroup") != "cgroup":
        said.append(f"{name}: CPU is that of {row['counted']}; short-lived ones are missed")
    return said
