"""The writer on both kinds of gradebook: SQLite files and PostgreSQL."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from bioskills_postgresql import running_postgresql
from sqlalchemy import create_engine, text

from bioskills.base.wire import CellScore, GradeResult
from bioskills.graders import gradebook
from bioskills.graders.gradebook import Gradebooks
from bioskills.graders.workshop import Workshop

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # nbgrader 0.9.6 joins overlapping relationships, of which SQLAlchemy 2 warns.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

SCORES = "select auto_score, manual_score, needs_manual_grade from grade join base_cell on base_cell.id = cell_id where name = 'cut_out'"


def graded(points: str = "3") -> GradeResult:
    cell = CellScore(cell="p1/cut_out", max_points="3", auto_points=points, needs_person=False)
    return GradeResult(verdict="graded", cells=[cell])


@pytest.fixture(params=["sqlite", "postgresql"])
def released(request: pytest.FixtureRequest, tmp_path: Any, course_zip: Any) -> Iterator[Workshop]:
    """A run whose p1 is released, with its gradebook in either kind of database."""
    if request.param == "sqlite":
        yield _released(Workshop(tmp_path / "runs" / "spring"), course_zip)
        return
    with running_postgresql() as server:
        url = server.new_database().rpartition("/")[0] + "/{run}"
        name = server.new_database().rpartition("/")[2]
        yield _released(
            Workshop(tmp_path / "runs" / name, url.replace("bioskills_1", name)), course_zip
        )


def _released(shop: Workshop, course_zip: Any) -> Workshop:
    shop.root.mkdir(parents=True)
    shop.take_sources(course_zip)
    shop.generate("p1")
    shop.keep_pristine()
    return shop


def ask(shop: Workshop, question: str) -> list[tuple[Any, ...]]:
    engine = create_engine(shop.gradebook_url)
    try:
        with engine.begin() as connection:
            found = connection.execute(text(question))
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()


def test_a_grading_is_one_transaction_in_either_database(released: Workshop, class_: Any) -> None:
    job = class_.job("p1", "p-000001")
    with Gradebooks() as books:
        books.record(released.gradebook_url, job, graded("1"))
        again = books.record(released.gradebook_url, job, graded("3"))

    assert again == graded("3")
    assert ask(released, SCORES) == [(3.0, None, False)]
    assert ask(released, "select count(*) from submitted_assignment") == [(1,)]


def test_a_writer_that_fails_half_way_leaves_nothing_and_goes_on(
    released: Workshop, class_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = class_.job("p1", "p-000001")
    with Gradebooks() as books:
        books.record(released.gradebook_url, job, graded("1"))
        with monkeypatch.context() as broken:
            broken.setattr(gradebook, "_as_it_stands", lambda *_args: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                books.record(released.gradebook_url, job, graded("2"))
            with pytest.raises(ZeroDivisionError):
                books.record(released.gradebook_url, class_.job("p1", "p-000002"), graded("2"))
        assert ask(released, SCORES) == [(1.0, None, False)]
        books.record(released.gradebook_url, job, graded("3"))

    assert ask(released, SCORES) == [(3.0, None, False)]
    assert ask(released, "select id from student") == [("p-000001",)]


def test_what_a_person_gave_meanwhile_is_seen_and_stays(released: Workshop, class_: Any) -> None:
    job = class_.job("p1", "p-000001")
    with Gradebooks() as books:
        books.record(released.gradebook_url, job, graded("1"))
        ask(released, "update grade set manual_score = 2.5")
        result = books.record(released.gradebook_url, job, graded("0"))

    assert result is not None
    assert [(c.manual_points, c.needs_person) for c in result.cells] == [("2.5", True)]
    assert ask(released, SCORES) == [(0.0, 2.5, True)]


def test_an_earlier_hand_in_replaces_nothing_in_either_database(
    released: Workshop, class_: Any
) -> None:
    job = class_.job("p1", "p-000001")
    earlier = job.model_copy(update={"submitted_at": job.submitted_at - timedelta(hours=1)})
    with Gradebooks() as books:
        books.record(released.gradebook_url, job, graded("3"))

        assert books.record(released.gradebook_url, earlier, graded("0")) is None
    assert ask(released, SCORES) == [(3.0, None, False)]


def test_slots_get_every_cell_and_no_learner_from_either_database(
    released: Workshop, class_: Any
) -> None:
    gradebook.record(released.gradebook_url, class_.job("p1", "p-000001"), graded())
    released.keep_pristine()

    cells = "select name from base_cell order by name"
    with sqlite3.connect(released.root / "pristine.db") as pristine:
        assert pristine.execute(cells).fetchall() == ask(released, cells)
        for table in gradebook.OF_LEARNERS:
            assert pristine.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_a_gradebook_that_another_file_replaced_is_opened_again(
    tmp_path: Any, course_zip: Any, class_: Any
) -> None:
    shop = _released(Workshop(tmp_path / "runs" / "spring"), course_zip)
    with Gradebooks() as books:
        books.record(shop.gradebook_url, class_.job("p1", "p-000001"), graded())
        for path in shop.root.glob("gradebook.db*"):
            path.unlink()
        shop.generate("p1")
        books.record(shop.gradebook_url, class_.job("p1", "p-000002"), graded())

    assert ask(shop, "select id from student") == [("p-000002",)]


def test_who_writes_a_file_waits_for_the_other_program_of_ours(
    tmp_path: Any, course_zip: Any, class_: Any
) -> None:
    shop = _released(Workshop(tmp_path / "runs" / "spring"), course_zip)
    ended: list[float] = []

    def write() -> None:
        gradebook.record(shop.gradebook_url, class_.job("p1", "p-000001"), graded())
        ended.append(time.monotonic())

    with gradebook.locked(shop.gradebook_url):
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(1)
        released_at = time.monotonic()
    writer.join()

    assert ended[0] >= released_at


def test_readers_of_a_file_never_wait(tmp_path: Any, course_zip: Any, class_: Any) -> None:
    shop = _released(Workshop(tmp_path / "runs" / "spring"), course_zip)
    gradebook.record(shop.gradebook_url, class_.job("p1", "p-000001"), graded())

    with sqlite3.connect(shop.root / "gradebook.db") as writing:
        assert writing.execute("pragma journal_mode").fetchone() == ("wal",)
        writing.execute("update grade set manual_score = 1")
        assert ask(shop, SCORES) == [(3.0, None, False)]
        writing.rollback()
