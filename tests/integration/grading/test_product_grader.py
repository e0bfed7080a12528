"""The grader of a whole installation: killed while work waits, and what its folder and log hold."""

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bioskills_product import ENVIRONMENTS

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

RUN = "demo-sequences-first-steps"
PATIENCE_S = 240
HAND_IN = """
import io
import sys
from bioskills.base.places import database_url, places_of
from bioskills.base.settings import load_settings
from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.hub.campus import submissions
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.submissions import HandIn
from bioskills.hub.campus.trees import take_in

settings = load_settings()
tree = take_in(io.BytesIO(sys.stdin.buffer.read()), settings.exchange, Objects(places_of(settings).objects))
store = Store(database_url(settings))
with store.transaction() as session:
    person = session.query(Person).filter_by(name="lea").one()
    ask = HandIn(sys.argv[1], "p1", "lea", person.id, 1, now())
    submissions.check(session, ask)
    submissions.hand_in(session, ask, tree)
"""


def eventually(product: Any, what: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError((product.data / "state/log/grader.log").read_text())


def ask(product: Any, question: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(
        f"file:{product.data}/state/db/bioskills.sqlite?mode=ro", uri=True
    ) as database:
        return database.execute(question).fetchall()


def grader_pid(product: Any) -> int:
    """Return the process that serves as this installation's grader, 0 where there is none."""
    wanted = f"BIOSKILLS_SETTINGS={product.data}/state/grader/run.toml"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().split("\0")
            environment = (folder / "environ").read_text(errors="replace").split("\0")
        except OSError:
            continue
        if wanted in environment and "bioskills.graders" in command and "setpriv" not in command[0]:
            return int(folder.name)
    return 0


def hand_in(product: Any) -> None:
    """Hand in p1 as lea: the campus's own code, as the campus's uid."""
    folder = product.data / "state/grader/runs" / RUN / "release/p1"
    book = json.loads((folder / "p1.ipynb").read_text())
    book["cells"][0]["metadata"]["mark"] = "kept"
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in {"p1.ipynb": json.dumps(book).encode(), "data/x.txt": b"x"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    first = int(product.environ["BIOSKILLS_LABS_SERVICE_UID"])
    drop = ["setpriv", f"--reuid={first + 1}", f"--regid={first + 1}", f"--groups={first}"]
    command = [*drop, str(ENVIRONMENTS / "hub/bin/python"), "-c", HAND_IN, RUN]
    subprocess.run(command, input=body.getvalue(), env=product.environ, cwd="/", check=True)


def test_a_killed_grader_comes_back_and_finishes(fresh_product: Any) -> None:
    fresh_product.start()
    eventually(
        fresh_product,
        lambda: ask(fresh_product, "select 1 from job where kind = 'release' and state = 'done'"),
    )
    hand_in(fresh_product)
    eventually(
        fresh_product,
        lambda: ask(fresh_product, "select 1 from job where kind = 'grade' and state = 'running'"),
    )
    killed = grader_pid(fresh_product)
    os.kill(killed, signal.SIGKILL)

    eventually(
        fresh_product,
        lambda: ask(fresh_product, "select 1 from job where kind = 'grade' and state = 'done'"),
    )

    assert grader_pid(fresh_product) not in {0, killed}
    assert ask(fresh_product, "select verdict from result") == [("graded",)]
    state = fresh_product.data / "state"
    log = (state / "log/grader.log").read_text()
    assert "Took back 1 job" in log
    assert not re.search(r"Traceback|CRITICAL|Unwritable|\[Autograde|assert |BEGIN ", log), log
    files = [path for path in (state / "grader").rglob("*") if path.is_file()]
    names = re.compile(rb"Lea Brandt|Ina Keller|\blea\b|\bina\b|\bmiro\b|@example")
    readable = [path for path in files if path.suffix not in {".fasta", ".gbk"}]
    assert [path for path in readable if path.exists() and names.search(path.read_bytes())] == []
    folders = [state / "grader", *(state / "grader/runs").iterdir()]
    assert [oct(path.stat().st_mode & 0o777) for path in folders] == ["0o700"] * len(folders)
