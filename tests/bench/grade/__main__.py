"""Measure grading: plain `nbgrader autograde` and ours, on the same submissions, in one run.

Run it with `make bench-grade`, as root, on an otherwise idle machine. The last line is
one JSON object. It states figures and never judges: CPU seconds, memory and scores are
comparable between machines, wall seconds only beside their conditions.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[2]
sys.path += [str(TESTS / "lib"), str(TESTS / "bench" / "spawn")]

import bioskills_corpus_bio as bio  # noqa: E402 - the path above comes first
from batches import Batch, conditions  # noqa: E402
from bioskills_chart import Chart  # noqa: E402
from service import measure_service  # noqa: E402
from words import table  # noqa: E402

RESULTS = TESTS / "artefacts" / "bench-grade"
Row = dict[str, Any]
CHART = Chart(
    "Grading: nbgrader autograde and BioSkills Hub",
    (
        ("CPU seconds per submission", ("cpu_s_each",)),
        ("Submissions per minute", ("per_minute",)),
        ("Peak memory (PSS, MB)", ("peak_mb",)),
    ),
    name="batch",
    bar_x=118,
    bar=160,
)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-grade", description=__doc__)
    add = parser.add_argument
    add("--n", type=int, nargs="*", default=[10, 40, 200], help="ordinary submissions")
    add("--stock", type=int, nargs="*", help="sizes that plain nbgrader grades, too; all of --n")
    add("--dear", type=int, default=40, help="submissions with a loop, a hog, a flood; 0: none")
    add("--bomb", type=int, default=40, help="the same and a fork bomb, ours only; 0: none")
    add("--service", type=int, default=40, help="hand-ins at once to the whole product; 0: none")
    add("--latency", type=int, default=10, help="hand-ins one after another to the whole product")
    add(
        "--at-once", type=int, default=os.cpu_count(), help="submissions that ours grades at a time"
    )
    add("--repeat", type=int, default=1, help="rounds of ours")
    wish = parser.parse_args()
    wish.stock = wish.n if wish.stock is None else wish.stock
    return wish


def batches(wish: argparse.Namespace) -> Iterator[Batch]:
    """Yield what is graded as a folder, few submissions first."""
    for count in sorted(wish.n):
        kinds = bio.mix(count)
        yield Batch(f"{count}", kinds, count in wish.stock, wish.at_once, wish.repeat)
    if wish.dear:
        kinds = bio.mix(wish.dear, bio.DEAR)
        yield Batch(f"{wish.dear} dear", kinds, bool(wish.stock), wish.at_once, wish.repeat)
    if wish.bomb:
        kinds = bio.mix(wish.bomb, (*bio.DEAR, bio.BOMB))
        yield Batch(f"{wish.bomb} bomb", kinds, False, wish.at_once, 1)


def growth(row: Row, before: list[Row]) -> Row:
    """Return what each submission beyond the smallest ordinary batch added: no start in it."""
    first = next((old for old in before if old["side"] == row["side"]), row)
    more = row["n"] - first["n"]
    if more <= 0 or not row["batch"].isdecimal():
        return {}
    wall = row["wall_s"] - first["wall_s"]
    return {
        "more_cpu_s_each": round((row["cpu_s"] - first["cpu_s"]) / more, 3),
        "more_per_minute": round(more / max(wall, 0.01) * 60, 1),
    }


def main() -> None:
    """Run every part, print the table, write the drawing, end with JSON."""
    wish, rows = options(), []
    scratch = Path(tempfile.mkdtemp(prefix="bench-grade-"))
    # Boxes with uids of their own pass through it.
    scratch.chmod(0o755)
    try:
        for batch in batches(wish):
            for row in batch.run(scratch):
                rows.append({**row, **growth(row, rows)})
                show(rows)
        if wish.service or wish.latency:
            rows.append(measure_service(wish.service, wish.latency, scratch))
    except KeyboardInterrupt:
        print("Interrupted; these are the runs until then.")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"\n{table(rows)}\n\nDrawn: {os.path.relpath(RESULTS / 'grade.svg')}\n{show(rows)}")


def show(rows: list[Row]) -> str:
    """Write drawing, table and JSON of the runs so far; return the JSON."""
    about = conditions()
    RESULTS.mkdir(parents=True, exist_ok=True)
    said = ", ".join(f"{name} {value}" for name, value in about.items())
    (RESULTS / "grade.svg").write_text(CHART.drawn(rows, said))
    (RESULTS / "grade.md").write_text(f"{said}\n\n{table(rows)}\n")
    line = json.dumps({"bench": "grade", "machine": about, "runs": rows})
    (RESULTS / "grade.json").write_text(line + "\n")
    last = rows[-1]
    print(f"{last['side']} {last['batch']}: {last.get('wall_s')} s wall", flush=True)
    return line


main()
