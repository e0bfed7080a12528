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

from chart import chart
from report import machine, table
from sides import RESULTS, SIDES
from storm import run

NUMBERS = (1, 10, 30, 60, 100)
STOCK_MOST = 30


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-spawn", description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=NUMBERS, help="learners at once")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--repeat", type=int, default=1, help="rounds of everything")
    parser.add_argument(
        "--stock-most",
        type=int,
        default=STOCK_MOST,
        help="leave stock out above this: 60 stock labs take minutes and 8 GB",
    )
    return parser.parse_args()


def main() -> None:
    """Run every pair, print the table, write the drawing, end with JSON."""
    wish, rows = options(), []
    for count in [count for count in wish.n for _again in range(wish.repeat)]:
        for side in wish.sides:
            if side == "stock" and count > wish.stock_most:
                print(f"stock, N = {count}: left out (--stock-most {wish.stock_most})", flush=True)
                continue
            rows.append(attempt(side, count))
    conditions = machine()
    RESULTS.mkdir(parents=True, exist_ok=True)
    words = ", ".join(f"{name} {value}" for name, value in conditions.items())
    (RESULTS / "spawn.svg").write_text(chart(rows, words))
    (RESULTS / "spawn.md").write_text(f"{words}\n\n{table(rows)}\n")
    print(f"\n{table(rows)}\n\nDrawn: {os.path.relpath(RESULTS / 'spawn.svg')}")
    line = json.dumps({"bench": "spawn", "machine": conditions, "runs": rows})
    (RESULTS / "spawn.json").write_text(line + "\n")
    print(line)


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
