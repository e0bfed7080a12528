"""A small real world: SQLite with our tables, one run, one learner, one instructor."""

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bioskills_ledger import check_ledger

from bioskills.base.settings import Exchange, Grading
from bioskills.base.store import Store, ensure_schema
from bioskills.base.tables import (
    Assignment,
    Cohort,
    CourseVersion,
    Membership,
    Person,
    Run,
)
from bioskills.base.wire import CellScore, Claim, GradeResult, Job, JobFailure, Receipt
from bioskills.hub.campus import deliveries, jobs, releases, submissions
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.submissions import HandIn
from bioskills.hub.campus.trees import Tree, take_in

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def plan(name: str, kind: str, most: int | None, hours: int, release: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": name.upper(),
        "file": f"assignments/{name}/{name}.ipynb",
        "kind": kind,
        "minutes": 20,
        "points": 4,
        "pass_share": "0.60",
        "attempts": {"max": most, "cooldown_hours": hours},
        "release": release,
        "due_offset_days": 7,
        "summary": "Count.",
    }


MANIFEST: dict[str, Any] = {
    "id": "seqs",
    "version": "1.0.0",
    "title": "Sequences",
    "summary": "Sequences.",
    "language": "en",
    "level": {"track": "basic", "eqf": 4},
    "audience": ["Everybody"],
    "hours": {"live": 1, "self_study": 1, "workplace": 0, "assessment": 1},
    "units": [{"code": "BSH-U04", "mode": "contributes", "outcomes": ["BSH-U04-S1"], "hours": 3}],
    "lessons": [
        {
            "id": "l1",
            "file": "lessons/01.ipynb",
            "title": "One",
            "question": "What?",
            "objectives": ["Know"],
            "minutes": 10,
            "key_points": ["So"],
        }
    ],
    "assignments": [
        plan("p1", "practice", None, 0, "automatic"),
        plan("s1", "summative", 2, 24, "after_review"),
    ],
    "requires": {"memory_mb": 512, "cpu_s": 60},
    "authors": [{"name": "Us", "role": "author"}],
    "license": {"text": "CC-BY-4.0", "code": "BSD-3-Clause"},
    "life_cycle": "draft",
}


def task(name: str, kind: str) -> dict[str, Any]:
    return {
        "id": name,
        "assignments": [name],
        "kind": kind,
        "cells": [
            {"cell": f"{name}/count", "outcomes": {"BSH-U04-S1": "1.0"}},
            {"cell": f"{name}/why", "outcomes": {"BSH-U04-K2": "1.0"}},
        ],
    }


MAPPING: dict[str, Any] = {
    "framework": "BSH@1.0.0",
    "mapping_version": 1,
    "tasks": [task("p1", "formative"), task("s1", "summative")],
    "critical": {},
}


def tar(files: dict[str, bytes]) -> io.BytesIO:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body


@dataclass
class World:
    """Everything a test needs, and the moment it is."""

    store: Store
    objects: Objects
    now: datetime = NOON
    grading: Grading = field(default_factory=lambda: Grading(job_timeout_s=300, max_attempts=3))

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def tree(self, files: dict[str, bytes]) -> Tree:
        return take_in(tar(files), Exchange(), self.objects)

    def release(self, name: str = "p1", text: bytes = b"{}") -> int:
        with self.store.transaction() as session:
            delivery = deliveries.find_delivery(session, "spring")
            tree = self.tree({f"{name}.ipynb": text})
            return releases.release(session, delivery, name, tree, by="grader", at=self.now).version

    def hand_in(
        self,
        text: bytes = b"answer",
        *,
        name: str = "p1",
        who: str = "ada",
        version: int | None = 1,
        file: str = "",
    ) -> Receipt:
        tree = self.tree({file or f"{name}.ipynb": text})
        with self.store.transaction() as session:
            person = session.query(Person).filter_by(name=who).one()
            ask = HandIn("spring", name, who, person.id, version, self.now)
            submissions.check(session, ask)
            return submissions.hand_in(session, ask, tree)

    def claim(self, environment: str = "") -> Job | None:
        return next(iter(self.claim_many(1, environment)), None)

    def claim_many(self, at_most: int, environment: str = "") -> list[Job]:
        with self.store.transaction() as session:
            ask = Claim(at_most=at_most, environment=environment)
            return jobs.claim(session, ask, self.now, self.grading)

    def finish(self, job_id: int, grade: GradeResult) -> str:
        with self.store.transaction() as session:
            result = jobs.finish(session, job_id, grade, self.now)
            return result.state if result else ""

    def fail(self, job_id: int, message: str = "The kernel died.", *, at_once: bool = False) -> str:
        with self.store.transaction() as session:
            why = JobFailure(message=message, at_once=at_once)
            return jobs.fail(session, job_id, why, self.now, self.grading).state

    def rows(self, table: Any, **where: Any) -> list[Any]:
        with self.store.reading() as session:
            return (
                session.query(table)
                .filter_by(**where)
                .order_by(table.__mapper__.primary_key[0])
                .all()
            )


def graded(
    count: str = "2", why: str | None = "2", *, name: str = "p1", waits: bool = False
) -> GradeResult:
    """A result with two cells of 2 points; the second may wait for a person."""
    return GradeResult(
        verdict="graded",
        cells=[
            CellScore(cell=f"{name}/count", max_points="2", auto_points=count, needs_person=False),
            CellScore(cell=f"{name}/why", max_points="2", auto_points=why, needs_person=waits),
        ],
        answers={f"{name}/count": "def count(): ..."},
        notebook_sha256="a" * 64,
        notebook_src_sha256="b" * 64,
        cells_sha256="c" * 64,
        environment="course@1",
    )


@pytest.fixture(name="graded")
def _graded() -> Callable[..., GradeResult]:
    return graded


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with all tables and no row; the migrations run once."""
    path = tmp_path_factory.mktemp("schema") / "empty.sqlite"
    ensure_schema(f"sqlite:///{path}")
    return path


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> Iterator[World]:
    shutil.copy(empty_database, tmp_path / "ours.sqlite")
    store = Store(f"sqlite:///{tmp_path / 'ours.sqlite'}")
    with store.transaction() as session:
        session.add_all(
            [
                Person(id=1, name="ada", pseudonym="p-000001", display_name="Ada"),
                Person(id=2, name="ines", pseudonym="p-000002", display_name="Ines"),
                Person(id=3, name="eve", pseudonym="p-000003", display_name="Eve"),
                Cohort(id=1, slug="spring-27", title="Spring"),
                CourseVersion(
                    id=1,
                    course="seqs",
                    version="1.0.0",
                    sha256="0" * 64,
                    manifest=MANIFEST,
                    mapping=MAPPING,
                    notes={},
                ),
            ]
        )
        session.flush()
        session.add_all(
            [
                Membership(person_id=1, cohort_id=1, role="learner", source="file"),
                Membership(person_id=2, cohort_id=1, role="instructor", source="file"),
                Run(
                    id=1,
                    slug="spring",
                    course_version_id=1,
                    cohort_id=1,
                    opens_at=NOON - timedelta(days=1),
                    closes_at=NOON + timedelta(days=30),
                    time_zone="Europe/Berlin",
                ),
            ]
        )
        session.flush()
        session.add_all(
            [
                Assignment(
                    id=1,
                    run_id=1,
                    name="p1",
                    position=1,
                    due_at=NOON + timedelta(days=7),
                    release_policy="automatic",
                ),
                Assignment(
                    id=2,
                    run_id=1,
                    name="s1",
                    position=2,
                    due_at=NOON + timedelta(days=7),
                    release_policy="after_review",
                ),
            ]
        )
    yield World(store, Objects(tmp_path / "objects"))
    check_ledger(store)
    store.close()
