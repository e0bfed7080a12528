"""Measure how labs start: stock JupyterHub and ours, in one run.

Run it with `make bench-spawn`, as root, on an otherwise idle machine. The last line
is one JSON object. It states figures and never judges: CPU seconds, memory and losses
are comparable between machines, wall seconds only beside their conditions.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "lib"))

from bioskills_chart import Chart
from report import machine, table
from sides import RESULTS, SIDES
from storm import run

NUMBERS = (1, 10, 30, 60, 100)
STOCK_MOST = 30
CHART = Chart(
    "Starting labs: stock JupyterHub and BioSkills Hub",
    (
        ("Ready, p95 (s)", ("ready_s", "p95")),
        ("CPU seconds per whole learner", ("learner_cpu_s",)),
        ("PSS per whole learner (MB)", ("learner_memory", "pss_mb")),
    ),
    name="n",
    bar_x=78,
    bar=190,
)
Run = tuple[str, int]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-spawn", description=__doc__)
    parser.add_argument("--n", type=int, nargs="*", default=NUMBERS, help="learners on our side")
    parser.add_argument(
        "--stock",
        type=int,
        nargs="*",
        help=f"learners on the stock side; those of --n up to {STOCK_MOST} if not given, because 60 stock labs take minutes and 8 GB",
    )
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--repeat", type=int, default=1, help="rounds of our side")
    wish = parser.parse_args()
    if wish.stock is None:
        wish.stock = [count for count in wish.n if count <= STOCK_MOST]
    return wish


def runs(wish: argparse.Namespace) -> list[Run]:
    """Return what to measure: few learners first, stock before ours."""
    numbers = {"stock": list(wish.stock), "ours": [n for n in wish.n for _ in range(wish.repeat)]}
    wanted = [(count, side) for side in wish.sides for count in numbers[side]]
    return [(side, count) for count, side in sorted(wanted, key=lambda w: (w[0], w[1] == "ours"))]


def main() -> None:
    """Run every pair, print the table, write the drawing, end with JSON."""
    wish, rows = options(), []
    try:
        for side, count in runs(wish):
            rows.append(attempt(side, count))
            show(rows)
    except KeyboardInterrupt:
        print("Interrupted; these are the runs until then.")
    left_out = sorted(set(wish.n) - set(wish.stock)) if "stock" in wish.sides else []
    print(f"\n{table(rows)}\n\nStock was not asked for N = {left_out} (--stock).")
    print(f"Drawn: {os.path.relpath(RESULTS / 'spawn.svg')}\n{show(rows)}")


def show(rows: list[dict[str, Any]]) -> str:
    """Write drawing, table and JSON of the runs so far; return the JSON."""
    conditions = machine()
    RESULTS.mkdir(parents=True, exist_ok=True)
    words = ", ".join(f"{name} {value}" for name, value in conditions.items())
    (RESULTS / "spawn.svg").write_text(CHART.drawn(rows, words))
    (RESULTS / "spawn.md").write_text(f"{words}\n\n{table(rows)}\n")
    line = json.dumps({"bench": "spawn", "machine": conditions, "runs": rows})
    (RESULTS / "spawn.json").write_text(line + "\n")
    return line


def attempt(side: str, count: int) -> dict[str, Any]:
    """Run one side; a side that does not start is a result, too."""
    began = time.monotonic()
    try:
        row = run(side, count)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other side still runs
        row = {"side": side, "n": count, "error": f"{type(error).__name__}: {error}"[:2000]}
    taken = time.monotonic() - began
    print(f"{side}, N = {count}: {row.get('complete', 0)} complete, {taken:.0f} s", flush=True)
    return row


main()
