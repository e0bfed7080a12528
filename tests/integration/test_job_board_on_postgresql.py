"""Place, pace and environment are read from PostgreSQL as from SQLite."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from bioskills_postgresql import running_postgresql

from bioskills.base import tables
from bioskills.base.store import Store, ensure_schema
from bioskills.hub.campus.job_board import progress_of, read_queue, read_speed
from bioskills.hub.campus.regrading import present_environment

pytestmark = [pytest.mark.integration]

NOW = datetime(2027, 3, 18, 13, 5, tzinfo=UTC)
HANDED_IN = NOW - timedelta(seconds=30)


@pytest.fixture
def store() -> Iterator[Store]:
    """Four hand-ins of one moment: two graded, five seconds apart, and two that wait."""
    with running_postgresql() as server:
        url = server.new_database()
        ensure_schema(url)
        store = Store(url)
        plant(store)
        yield store
        store.close()


def plant(store: Store) -> None:
    with store.transaction() as session:

        def kept(row):
            session.add(row)
            session.flush()
            return row

        cohort = kept(tables.Cohort(slug="spring", title="Spring"))
        course = kept(
            tables.CourseVersion(
                course="a", version="1", sha256="0" * 64, manifest={}, mapping={}, notes={}
            )
        )
        run = kept(
            tables.Run(
                slug="r", course_version_id=course.id, cohort_id=cohort.id,
                opens_at=NOW, closes_at=NOW, time_zone="Europe/Berlin",
            )
        )  # fmt: skip
        task = kept(
            tables.Assignment(run_id=run.id, name="p1", position=0, release_policy="automatic")
        )
        version = kept(
            tables.AssignmentVersion(
                assignment_id=task.id, number=1, tree_sha256="0" * 64, files=[], released_by="x"
            )
        )
        person = kept(tables.Person(name="kim", pseudonym="p-000001", display_name="Kim"))
        for number in range(1, 5):
            done = {
                "state": "done",
                "tries": 1,
                "ended_at": HANDED_IN + timedelta(seconds=5 * number),
            }
            work = kept(
                tables.Submission(
                    assignment_id=task.id, assignment_version_id=version.id, person_id=person.id,
                    attempt=number, receipt=f"r{number}", tree_sha256="0" * 64, files=[],
                    submitted_at=HANDED_IN,
                )
            )  # fmt: skip
            job = kept(
                tables.Job(
                    kind="grade", run_id=run.id, submission_id=work.id,
                    assignment_version_id=version.id, created_at=HANDED_IN,
                    **(done if number < 3 else {}),
                )
            )  # fmt: skip
            if number < 3:
                kept(
                    tables.Result(
                        submission_id=work.id, job_id=job.id, verdict="graded", cells=[],
                        hashes={"environment": f"e{number}"}, state="held",
                    )
                )  # fmt: skip


def test_postgresql_answers_as_sqlite_does(store: Store) -> None:
    with store.reading() as session:
        queue = read_queue(session, NOW)
        speed = read_speed(session, 1, NOW - timedelta(hours=1))
        last = progress_of(session, 4, NOW)

        assert (queue.waiting, queue.pace_s) == ((3, 4), 5.0)
        assert (speed.half_s, speed.longest_s) == (7.5, 10.0)
        assert (last.place, last.seconds) == (2, 10)
        assert present_environment(session) == "e2"
