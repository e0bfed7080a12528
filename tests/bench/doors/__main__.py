"""Measure how long the campus works on the first pages of assessor, certifier, manager and funder.

Run it with `make bench-doors`. One cohort of many learners with evidence, hand-ins and
results in SQLite; requests inside this process, so no network is in the figures. The last
line is one JSON object. It states figures and never judges.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "pages"))
sys.path.insert(0, str(Path(__file__).parents[2] / "lib"))

import builders
from builders import NOW, World
from sqlalchemy import insert, select

from bioskills.base import tables
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.competence.framework import RULE, load_framework
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.ledger_rows import append_evidence

PAGES = {
    "waiting": "zoe",
    "units/spring-27": "cer",
    "units/spring-27?state=ready": "cer",
    "figures": "man",
    "figures/spring-27": "man",
    "funded": "fun",
}
WAITING_EVERY = 10
"""One hand-in of so many waits for a person."""


def fill(world: World, count: int) -> None:
    """Bring in so many learners; each handed in twice, every other one has proved a whole unit."""
    world.run("spring", world.course(), world.cohort("spring-27"))
    roles = {"zoe": "assessor", "cer": "certifier", "man": "manager", "fun": "funder"}
    for name, role in roles.items():
        world.person(name, (role, "spring-27"))
    with world.store.transaction() as session:
        people = [
            {"name": f"learner-{n}", "pseudonym": f"p-{n:06}", "display_name": f"Learner {n}"}
            for n in range(1000, 1000 + count)
        ]
        session.execute(insert(tables.Person), people)
        found = session.execute(
            select(tables.Person.id, tables.Person.pseudonym)
            .where(tables.Person.name.startswith("learner-"))
            .order_by(tables.Person.id)
        ).all()
        seat = {"cohort_id": 1, "role": "learner", "source": "file"}
        session.execute(insert(tables.Membership), [{"person_id": p, **seat} for p, _name in found])
    for number, (person, pseudonym) in enumerate(found):
        _work(world, number, person, pseudonym)


def _work(world: World, number: int, person: int, pseudonym: str) -> None:
    at = NOW - timedelta(days=20, minutes=number)
    waits = number % WAITING_EVERY == 0
    cell = {"cell": "s1/why", "max_points": "3", "needs_person": waits, "auto_points": "1"}
    with world.store.transaction() as session:
        for attempt in (1, 2):
            row = tables.Submission(
                assignment_id=2, assignment_version_id=2, person_id=person, attempt=attempt,
                receipt=f"{number:06}-{attempt}", tree_sha256="0", files=[], submitted_at=at,
            )  # fmt: skip
            session.add(row)
            session.flush()
            result = tables.Result(
                submission_id=row.id, verdict="graded", cells=[cell], hashes={},
                state="preliminary" if waits else "published", graded_at=at, published_at=at,
            )  # fmt: skip
            session.add(result)
            session.flush()
            if number % 2 == 0:
                append_evidence(session, _evidence(pseudonym, attempt, result.id, at), "spring")


def _evidence(pseudonym: str, attempt: int, result: int, at: Any) -> list[tables.Evidence]:
    unit = load_framework(FRAMEWORK).unit("BSH-U04")
    return [
        tables.Evidence(
            kind="grade", at=at, actor="grader", learner=pseudonym, outcome=outcome.id, task="s1",
            attempt=attempt, score="0.9000", raw="9.0000", max="10.0000", pending=False, submitted_at=at,
            framework=FRAMEWORK, mapping="first-steps@1", rule=RULE, notebook_sha256="",
            notebook_src_sha256="", cells_sha256="", feedback_sha256="", image="",
            released_by="automatic", run_id=1, result_id=result,
        )
        for outcome in unit.outcomes
    ]  # fmt: skip


def measure(world: World, times: int) -> dict[str, dict[str, int]]:
    """Return processor and wall time of the first answer and the medians of the next ones, in ms."""
    found = {}
    for path, name in PAGES.items():
        client, spent = world.browser(name), list[tuple[float, float]]()
        for _turn in range(times + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            answer = client.get(CAMPUS_PREFIX + path)
            spent.append((time.process_time() - cpu, time.perf_counter() - wall))
            assert answer.status_code == 200, answer.text
        (cpu, wall), later = spent[0], list(zip(*spent[1:], strict=True))
        found[path] = {
            "first_cpu_ms": round(cpu * 1000),
            "first_ms": round(wall * 1000),
            "next_cpu_ms": round(statistics.median(later[0]) * 1000),
            "next_ms": round(statistics.median(later[1]) * 1000),
        }
        print(f"{path:30} {found[path]}")
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="learners")
    parser.add_argument("--times", type=int, default=7, help="requests after the first")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, builders.world_in(Path(folder)) as world:
        fill(world, chosen.n)
        pages = measure(world, chosen.times)
    print(json.dumps({"learners": chosen.n, "hand_ins": 2 * chosen.n, "pages": pages}))


if __name__ == "__main__":
    main()
