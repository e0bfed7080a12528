"""Measure how long it takes to provision a cohort on a running hub, and how the hub answers meanwhile.

Run it with `make bench-cohort`, as root. The last line is one JSON object. It states figures
and never judges: wall seconds count only beside the conditions that it states.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "lib"))

import httpx
from bioskills_product import Product, running_product

EVERY_S = 0.05
"""Pause between two looks at the hub."""


def people(count: int, slug: str) -> str:
    """Return a list of so many learners, as CSV."""
    rows = (
        f"{slug}-{n:05},Learner {n},{slug}-{n}@example.org,learner,{slug}\n" for n in range(count)
    )
    return "name,display_name,email,roles,cohort\n" + "".join(rows)


class Looks:
    """How long the hub took to answer others, look by look."""

    def __init__(self, port: str) -> None:
        self._url = f"http://127.0.0.1:{port}/hub/api"
        self._over = threading.Event()
        self.seconds: list[float] = []

    @contextmanager
    def during(self) -> Iterator[list[float]]:
        """Look again and again while the block runs."""
        self._over.clear()
        self.seconds = []
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield self.seconds
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not self._over.is_set():
                begun = time.monotonic()
                client.get(self._url).raise_for_status()
                self.seconds.append(time.monotonic() - begun)
                self._over.wait(EVERY_S)


def step(product: Product, looks: Looks, *words: str) -> dict[str, float]:
    """Carry out one command; return its seconds and how the hub answered meanwhile."""
    begun = time.monotonic()
    with looks.during() as seconds:
        done = product.command("cohort", *words)
    took = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(done.stdout[-500:] + done.stderr[-2000:])
    ordered = sorted(seconds) or [0.0]
    return {
        "seconds": round(took, 2),
        "hub_looks": len(ordered),
        "hub_median_s": round(ordered[len(ordered) // 2], 4),
        "hub_longest_s": round(ordered[-1], 3),
    }


def measure(product: Product, count: int) -> dict[str, Any]:
    """Plan, apply, apply again, copy nothing, end: with so many people."""
    slug = f"bench{count}"
    looks = Looks(product.environ["BIOSKILLS_NETWORK_HUB_PORT"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        file.write_text(people(count, slug), encoding="utf-8")
        return {
            "people": count,
            "plan": step(product, looks, "plan", str(file)),
            "apply": step(product, looks, "apply", str(file)),
            "apply_again": step(product, looks, "apply", str(file)),
            "undo": step(product, looks, "undo", slug),
            "apply_after_undo": step(product, looks, "apply", str(file)),
            "remove": step(product, looks, "remove", slug, "--yes"),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-cohort", description=__doc__)
    parser.add_argument("--n", type=int, nargs="*", default=[30, 2000], help="people")
    wish = parser.parse_args()
    load = os.getloadavg()[0]
    # Far from the uids of any other installation on this machine.
    with running_product(LABS_FIRST_UID="20000000", LABS_UID_COUNT="20000") as product:
        found = [measure(product, count) for count in wish.n]
    for one in found:
        for name, figures in one.items():
            if isinstance(figures, dict):
                print(f"{one['people']:5} {name:16} {figures['seconds']:7.2f} s  {figures}")
    conditions = {"cores": os.cpu_count(), "load_before": round(load, 1)}
    print(json.dumps({"bench": "cohort", "conditions": conditions, "runs": found}))


if __name__ == "__main__":
    main()
