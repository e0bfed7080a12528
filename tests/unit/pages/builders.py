"""A small world for the pages: a real store, a real course, real results.

Nothing is faked but the caller's identity: people, hand-ins and grades are rows
made by the same functions as in service.
"""

import atexit
import io
import shutil
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from bioskills_ledger import check_ledger
from fastapi import FastAPI, Request
from sqlalchemy import select

from bioskills.base import tables
from bioskills.base.places import places_of
from bioskills.base.settings import Settings
from bioskills.base.store import Store, ensure_schema
from bioskills.base.wire import CAMPUS_PREFIX, CellScore, GradeResult
from bioskills.hub.campus import jobs, results
from bioskills.hub.campus.app import ROUTERS, create_app, static_url
from bioskills.hub.campus.callers import (
    Browser,
    Lab,
    browser,
    browser_before_form,
    browser_unsafe,
    lab,
)
from bioskills.hub.campus.hub_api import HubApi
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.overview_routes import routes as overview_routes
from bioskills.hub.campus.pages_instructor import routes as instructor_routes
from bioskills.hub.campus.pages_learner import routes as learner_routes
from bioskills.hub.campus.site import Site, make_templates
from bioskills.hub.membership import seats

with warnings.catch_warnings():
    # Starlette 1.x warns that its test client will want another HTTP library.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

NOW = datetime(2027, 3, 18, 13, 5, tzinfo=UTC)  # a Thursday, 14:05 in Berlin
ZONE = "Europe/Berlin"

MANIFEST: dict[str, Any] = yaml.safe_load(
    """
id: first-steps
version: 1.0.0
title: First steps with sequences
summary: You look at real orchid sequences.
language: en
level: {track: basic, eqf: 4}
audience: [Technicians]
hours: {live: 1, self_study: 2, workplace: 0, assessment: 1}
units:
  - {code: BSH-U01, mode: contributes, outcomes: [BSH-U01-K1], hours: 2}
  - {code: BSH-U04, mode: contributes, outcomes: [BSH-U04-S1, BSH-U04-K2], hours: 2}
lessons:
  - {id: lesson-01, file: lessons/01-a.ipynb, title: What survives, question: "What is lost?",
     objectives: [Tell], minutes: 40, key_points: [Files stay], outcomes: [BSH-U04-K2]}
  - {id: lesson-02, file: lessons/02-b.ipynb, title: Hidden Ns, question: "What do Ns hide?",
     objectives: [Count], minutes: 50, key_points: [Say the base], outcomes: [BSH-U04-S1]}
  - {id: lesson-03, file: lessons/03-c.ipynb, title: Where files live, question: "Which machine?",
     objectives: [Name], minutes: 30, key_points: [Disks], outcomes: [BSH-U01-K1]}
assignments:
  - {id: p1, title: "Practice: count", file: assignments/p1/p1.ipynb, kind: practice, minutes: 20,
     points: 4, pass_share: "0.60", attempts: {max: null, cooldown_hours: 0}, release: automatic,
     due_offset_days: 7, summary: Three small functions.}
  - {id: s1, title: Sequence records, file: assignments/s1/s1.ipynb, kind: summative, minutes: 60,
     points: 10, pass_share: "0.70", attempts: {max: 3, cooldown_hours: 24},
     release: after_review, due_offset_days: 14, summary: GC content of real records.}
requires: {memory_mb: 512, cpu_s: 60}
authors: [{name: Team, role: author}]
license: {text: CC-BY-4.0, code: BSD-3-Clause}
life_cycle: pilot
"""
)
MAPPING: dict[str, Any] = yaml.safe_load(
    """
framework: BSH@1.0.0
mapping_version: 1
tasks:
  - {id: p1, title: "Practice: count", assignments: [p1], kind: formative,
     attempts: {max: null, cooldown_hours: 0},
     cells: [{cell: p1/count, outcomes: {BSH-U04-S1: "1.0"}}]}
  - {id: s1, title: Sequence records, assignments: [s1], kind: summative,
     attempts: {max: 3, cooldown_hours: 24},
     cells: [{cell: s1/gc, outcomes: {BSH-U04-S1: "1.0"}},
             {cell: s1/frames, outcomes: {BSH-U04-K2: "1.0"}},
             {cell: s1/why, outcomes: {BSH-U01-K1: "1.0"}}]}
critical: {}
"""
)
NOTES: dict[str, Any] = yaml.safe_load(
    """
p1:
  cells:
    count: {title: Counts the records, graded: automatic, answer: count_answer,
            checks: [{id: plain, visible: true, label: a plain file}], hints: [Look at the arrows.]}
s1:
  cells:
    gc:
      title: GC content
      graded: automatic
      answer: gc_answer
      checks:
        - {id: upper_case, visible: true, label: plain upper-case letters}
        - {id: lower_case, visible: false, label: lower-case letters}
        - {id: with_n, visible: false, label: letters for uncertain bases}
      hints: ["Which letters occur?", Compare both counts., Change the case first.]
    frames:
      title: Reading frames
      graded: automatic
      checks: [{id: three, visible: false, label: all three frames}]
      hints: [Count from zero.]
    why:
      title: Why the file survives
      graded: person
      rubric: [{points: 3, text: Names disk and kernel}, {points: 0, text: Neither}]
"""
)


@dataclass
class World:
    """One installation with its people and what they did."""

    site: Site
    app: FastAPI
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.site.store

    def person(self, name: str, *held: tuple[str, str], display: str = "") -> int:
        """Add a person with seats, each (role, cohort)."""
        with self.store.transaction() as session:
            number = len(list(session.scalars(select(tables.Person.id)))) + 1
            person = tables.Person(
                name=name, pseudonym=f"p-{number:06}", display_name=display or name.title()
            )
            session.add(person)
            session.flush()
            for role, slug in held:
                cohort = session.scalar(select(tables.Cohort).where(tables.Cohort.slug == slug))
                assert cohort is not None
                session.add(
                    tables.Membership(
                        person_id=person.id, cohort_id=cohort.id, role=role, source="file"
                    )
                )
            self.ids[name] = person.id
            return person.id

    def pseudonym(self, name: str) -> str:
        with self.store.reading() as session:
            return session.get_one(tables.Person, self.ids[name]).pseudonym

    def cohort(self, slug: str, title: str = "") -> int:
        with self.store.transaction() as session:
            row = tables.Cohort(slug=slug, title=title or slug.title())
            session.add(row)
            session.flush()
            return row.id

    def course(self, files: dict[str, bytes] | None = None) -> int:
        """Install the course; its ZIP lies in the objects."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, content in (files or {"README.md": b"Hello"}).items():
                archive.writestr(path, content)
        with self.store.transaction() as session:
            row = tables.CourseVersion(
                course=MANIFEST["id"],
                version=MANIFEST["version"],
                sha256=self.site.objects.put(buffer.getvalue()),
                manifest=MANIFEST,
                mapping=MAPPING,
                notes=NOTES,
            )
            session.add(row)
            session.flush()
            return row.id

    def run(
        self, slug: str, course: int, cohort: int, *, opens: datetime = NOW - timedelta(days=10),
        closes: datetime = NOW + timedelta(days=50), released: bool = True, plans: list[dict[str, Any]] | None = None,
    ) -> int:  # fmt: skip
        """Begin a run with its two assignments, released unless said otherwise."""
        with self.store.transaction() as session:
            row = tables.Run(
                slug=slug,
                course_version_id=course,
                cohort_id=cohort,
                opens_at=opens,
                closes_at=closes,
                time_zone=ZONE,
            )
            session.add(row)
            session.flush()
            for place, plan in enumerate(plans or MANIFEST["assignments"]):
                assignment = tables.Assignment(
                    run_id=row.id,
                    name=plan["id"],
                    position=place,
                    state="open",
                    due_at=opens + timedelta(days=plan["due_offset_days"]),
                    release_policy=plan["release"],
                )
                session.add(assignment)
                session.flush()
                if released:
                    session.add(
                        tables.AssignmentVersion(
                            assignment_id=assignment.id,
                            number=1,
                            tree_sha256="a" * 64,
                            files=[],
                            released_at=opens,
                            released_by="grader",
                        )
                    )
            return row.id

    def hand_in(
        self, name: str, run: int, assignment: str, at: datetime = NOW - timedelta(hours=1)
    ) -> int:
        """Hand in and queue the grading, as the exchange does."""
        with self.store.transaction() as session:
            target = session.scalars(
                select(tables.Assignment).where(
                    tables.Assignment.run_id == run, tables.Assignment.name == assignment
                )
            ).one()
            version = session.scalars(
                select(tables.AssignmentVersion).where(
                    tables.AssignmentVersion.assignment_id == target.id
                )
            ).one()
            before = list(
                session.scalars(
                    select(tables.Submission).where(
                        tables.Submission.assignment_id == target.id,
                        tables.Submission.person_id == self.ids[name],
                    )
                )
            )
            total = len(list(session.scalars(select(tables.Submission.id))))
            row = tables.Submission(
                assignment_id=target.id,
                assignment_version_id=version.id,
                person_id=self.ids[name],
                attempt=len(before) + 1,
                receipt=f"7KQ2-{total:02}",
                tree_sha256="b" * 64,
                files=[],
                submitted_at=at,
                late=target.due_at is not None and at > target.due_at,
            )
            session.add(row)
            session.flush()
            jobs.ensure_grading(session, row, run)
            return row.id

    def grade(
        self, submission: int, cells: list[CellScore], *, reason: str = "",
        verdict: str = "graded", answers: dict[str, str] | None = None,
        at: datetime = NOW - timedelta(minutes=50), **more: Any,
    ) -> int:  # fmt: skip
        """Let the grader answer; what is automatic is published. `more`: further fields of its word."""
        with self.store.transaction() as session:
            job = session.scalars(
                select(tables.Job)
                .where(tables.Job.submission_id == submission)
                .order_by(tables.Job.id.desc())
            ).first()
            assert job is not None
            grade = GradeResult.model_validate(
                {
                    "verdict": verdict,
                    "reason": reason,
                    "cells": [as_machine(cell) for cell in cells],
                    "answers": answers or {},
                    **more,
                }
            )
            job.state, job.ended_at = "done", at
            result = results.record(session, job, grade, at)
            # A grader's own word holds no person's points; a person gives them afterwards.
            result.cells = [cell.model_dump() for cell in cells]
            return result.id

    def publish(self, result: int, by: str = "ada") -> None:
        with self.store.transaction() as session:
            results.publish(session, session.get_one(tables.Result, result), by, NOW)

    def change(self, table: type[Any], key: int, **values: Any) -> None:
        with self.store.transaction() as session:
            row = session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)

    def assignment_id(self, run: int, name: str) -> int:
        with self.store.reading() as session:
            return session.scalars(
                select(tables.Assignment.id).where(
                    tables.Assignment.run_id == run, tables.Assignment.name == name
                )
            ).one()

    def browser(self, name: str) -> TestClient:
        """Return a client that is signed in as this person."""

        def who(request: Request) -> Browser:
            with self.store.reading() as session:
                person = session.get_one(tables.Person, self.ids[name])
                held = seats(session, name, self.site.clock())
            caller = Browser(name, person.id, person.display_name, held, "csrf-1", person.pseudonym)
            request.state.browser = caller
            return caller

        self.app.dependency_overrides[browser] = who
        self.app.dependency_overrides[browser_unsafe] = who
        self.app.dependency_overrides[browser_before_form] = who
        return self._client()

    def lab(self, name: str) -> TestClient:
        """Return a client that calls from this person's lab."""
        self.app.dependency_overrides[lab] = lambda: Lab(name, self.ids[name])
        return self._client()

    def _client(self) -> TestClient:
        return TestClient(
            self.app,
            base_url=self.site.origin,
            client=("127.0.0.1", 50000),
            follow_redirects=False,
            raise_server_exceptions=True,
        )


@cache
def _schema() -> Path:
    """Return an empty database with all tables; the migrations run once."""
    path = Path(tempfile.mkdtemp(prefix="pages-")) / "empty.sqlite"
    ensure_schema(f"sqlite:///{path}")
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


@contextmanager
def world_in(folder: Path, port: int = 8000) -> Iterator[World]:
    """Yield an empty installation in this folder."""
    options = {"paths": {"data_dir": str(folder)}, "network": {"port": port}}
    settings = Settings.model_validate(options)
    places = places_of(settings)
    url = f"sqlite:///{folder / 'test.sqlite'}"
    shutil.copy(_schema(), folder / "test.sqlite")
    site = Site(
        settings=settings,
        places=places,
        store=Store(url),
        hub=HubApi("http://127.0.0.1:9", "none", 10),
        clock=lambda: NOW,
        objects=Objects(folder / "objects"),
        templates=make_templates(settings, static_url),
    )
    app = create_app(site)
    for routes in (learner_routes, instructor_routes, overview_routes):
        if routes not in ROUTERS:
            # In front of the static files, where the app itself puts its routers.
            app.include_router(routes(site), prefix=CAMPUS_PREFIX.rstrip("/"))
    try:
        yield World(site, app)
        check_ledger(site.store)
    finally:
        site.store.close()
        site.hub.close()


def auto(cell: str, points: str, most: str, *failed: str) -> CellScore:
    """Return a cell that the machine graded."""
    return CellScore(
        cell=cell,
        max_points=most,
        auto_points=points,
        needs_person=False,
        failed_checks=list(failed),
    )


def waiting(cell: str, most: str) -> CellScore:
    """Return a cell that waits for a person."""
    return CellScore(cell=cell, max_points=most, needs_person=True)


def read(cell: str, points: str, most: str, comment: str = "") -> CellScore:
    """Return a cell that a person graded."""
    return CellScore(
        cell=cell, max_points=most, manual_points=points, needs_person=False, comment=comment
    )


def as_machine(cell: CellScore) -> CellScore:
    """Return a cell as the grader gives it: what a person graded still waits."""
    if cell.manual_points is None:
        return cell
    told = {"manual_points": None, "needs_person": True, "person_comment": ""}
    return cell.model_copy(update=told)


def tar_names(content: bytes) -> list[str]:
    """Return the names in a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.getnames()
