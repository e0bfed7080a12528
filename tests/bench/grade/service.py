"""Measure the whole product: from a hand-in at the campus to published feedback.

Law: `bioskills run` as it is shipped, nothing replaced. Hand-ins are taken in by the
campus's own code with the campus's rights; nobody presses a button afterwards. The
course is the demo course; each hand-in of its practice holds the right answers and,
below them, all cells of the bench's notebook, so that it costs what those cost.
"""

import io
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import bioskills_corpus_bio as bio
from batches import watched
from bioskills_corpus import Book, answers_of, fill, plain, read_book
from bioskills_product import ENVIRONMENTS, Product, new_product
from bioskills_tests import COURSE
from sides import course_with_pandas

RUN, PRACTICE = "bench-run", "p1"
PATIENCE_S = 600
POLL_S = 0.02
HAND_IN = """
import io, json, sys, time
from bioskills.base.places import database_url, places_of
from bioskills.base.settings import load_settings
from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.hub.campus import submissions
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.submissions import HandIn
from bioskills.hub.campus.trees import take_in

settings = load_settings()
store, objects = Store(database_url(settings)), Objects(places_of(settings).objects)
print("ready", flush=True)
for line in sys.stdin:
    name, path = json.loads(line)
    with open(path, "rb") as file:
        tree = take_in(io.BytesIO(file.read()), settings.exchange, objects)
    with store.transaction() as session:
        person = session.query(Person).filter_by(name=name).one()
        ask = HandIn("bench-run", "p1", name, person.id, 1, now())
        submissions.check(session, ask)
        submissions.hand_in(session, ask, tree)
    print(time.time(), flush=True)
"""
Row = dict[str, Any]


def measure_service(count: int, singles: int, scratch: Path) -> Row:
    """Start the product and return the figures; a product that does not start is a result, too."""
    product = new_product()
    row: Row = {"side": "product", "batch": f"{count}+{singles}", "n": count}
    try:
        product.course = course_with_pandas(product.data)
        with watched("product") as watch:
            _open(product, count + singles)
            with _Desk(product, scratch) as desk:
                row |= _singles(product, desk, singles)
                row |= _storm(product, desk, count, singles, watch.account.total_s)
            product.stop()
        row |= {"peak_mb": round(watch.peak_mb), "left_alive": watch.left_alive}
        row |= {"load_before": round(watch.load, 2), "counted": watch.account.how}
    except Exception as error:  # noqa: BLE001 - whatever it was, the other figures stay
        row["error"] = f"{type(error).__name__}: {error}"[:2000]
        with suppress(Exception):
            product.stop()
    shutil.rmtree(product.data, ignore_errors=True)
    return row


def notebook(released: Book, number: int, kind: str) -> Book:
    """Return a hand-in: the practice with right answers, and the bench's cells below it."""
    author = read_book(COURSE / "assignments" / PRACTICE / f"{PRACTICE}.ipynb")
    for cell in author["cells"]:
        cell["source"] = "".join(cell["source"])
    done = fill(released, answers_of(author))
    mine = answers_of(bio.source()) if kind != "untouched" else {}
    if mine:
        mine["skew"] = f"# hand-in {number}\n{mine['skew']}"
    cells = bio.KINDS[kind](fill(bio.source(), mine), number)["cells"]
    more = [
        plain("\n".join(line for line in cell["source"].splitlines() if "### " not in line))
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    added = [{**cell, "id": f"more{place}"} for place, cell in enumerate(more)]
    return {**done, "cells": [*done["cells"], *added]}


def _open(product: Product, learners: int) -> None:
    """Start the product with so many learners in a run of the course, released."""
    product.start()
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    people = "".join(
        f'[[people]]\nname = "{_name(number)}"\ndisplay_name = "Learner {number}"\nroles = ["learner"]\n'
        for number in range(learners)
    )
    file = product.data / "bench.toml"
    file.write_text(
        f'[cohort]\nslug = "bench"\ntitle = "Bench"\n{people}'
        f'[[runs]]\nslug = "{RUN}"\ncourse = "{COURSE.name}"\n'
        f'opens = "{opens.isoformat()}"\ncloses = "{(opens + timedelta(weeks=9)).isoformat()}"\n'
    )
    done = product.command("cohort", "apply", str(file))
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    released = "select count(*) from job where kind = 'release' and state != 'done'"
    _until(lambda: _ask(product, released)[0][0] == 0, product)


def _name(number: int) -> str:
    return f"b{number:03}"


class _Desk:
    """The campus's own code that takes hand-ins, in a process that waits for them."""

    def __init__(self, product: Product, scratch: Path) -> None:
        self.scratch = scratch
        self.release = product.data / "state/grader/runs" / RUN / "release" / PRACTICE
        self.files: dict[str, bytes] = {}
        first = int(product.environ["BIOSKILLS_LABS_SERVICE_UID"])
        ids = [f"--reuid={first + 1}", f"--regid={first + 1}", f"--groups={first}"]
        drop = ["setpriv", *ids] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [*drop, str(ENVIRONMENTS / "hub/bin/python"), "-c", HAND_IN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=product.environ,
            cwd="/",
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"
        return self

    def __exit__(self, *_how: object) -> None:
        self.process.stdin.close()
        self.process.wait(30)

    def write(self, number: int, kind: str) -> Path:
        """Write a hand-in of a kind as the tar that a lab sends."""
        book = notebook(read_book(self.release / f"{PRACTICE}.ipynb"), number, kind)
        path = self.scratch / f"hand-in-{number}.tar"
        with tarfile.open(path, mode="w") as archive:
            for name, content in {
                f"{PRACTICE}.ipynb": json.dumps(book).encode(),
                bio.DATA: bio.samples().encode(),
            }.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        path.chmod(0o644)
        return path

    def take(self, number: int, path: Path) -> float:
        """Hand in; return when the receipt stood in the database."""
        self.process.stdin.write(json.dumps([_name(number), str(path)]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("The campus's code ended while it took a hand-in.")
        return float(line)


def _singles(product: Product, desk: _Desk, count: int) -> Row:
    """Hand in one after another; return how long each waited for its feedback."""
    waited = []
    for number in range(count):
        path = desk.write(number, bio.mix(number + 1)[number])
        began, wanted = desk.take(number, path), number + 1
        _until(lambda wanted=wanted: _results(product) >= wanted, product)
        waited.append(time.time() - began)
    if not waited:
        return {}
    ordered = sorted(waited)
    return {
        "latency_p50_s": round(statistics.median(ordered), 3),
        "latency_p95_s": round(ordered[round(0.95 * (len(ordered) - 1))], 3),
    }


def _storm(product: Product, desk: _Desk, count: int, first: int, cpu: Callable[[], float]) -> Row:
    """Hand in everybody's work at once; return what it cost until the last feedback."""
    if not count:
        return {}
    paths = [desk.write(first + n, kind) for n, kind in enumerate(bio.mix(count))]
    before, began = cpu(), time.monotonic()
    for number, path in enumerate(paths):
        desk.take(first + number, path)
    _until(lambda: _results(product) >= first + count, product)
    wall, spent = time.monotonic() - began, cpu() - before
    verdicts = dict(_ask(product, "select verdict, count(*) from result group by verdict"))
    return {
        "wall_s": round(wall, 2),
        "cpu_s": round(spent, 2),
        "cpu_s_each": round(spent / count, 3),
        "per_minute": round(count / wall * 60, 1),
        "verdicts": sum(verdicts.values()) - first,
        "needs_person": verdicts.get("needs_person", 0),
    }


def _results(product: Product) -> int:
    return int(
        _ask(
            product, "select count(*) from result where state != 'held' or verdict = 'needs_person'"
        )[0][0]
    )


def _ask(product: Product, question: str) -> list[tuple[Any, ...]]:
    file = product.data / "state/db/bioskills.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(question).fetchall()


def _until(what: Callable[[], bool], product: Product) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            raise TimeoutError((product.data / "state/log/grader.log").read_text()[-1500:])
        time.sleep(POLL_S)
