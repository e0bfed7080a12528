"""Somebody who is forgotten is in no store any more, and the ledger verifies as before."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_ledger import NOON, grow, planted
from bioskills_postgresql import BINARIES
from sqlalchemy import make_url, select

from bioskills.base.store import Store, sqlite_path
from bioskills.base.tables import Evidence, Judgement, LedgerRow, Person, Result, Submission
from bioskills.hub.campus.objects import Objects
from bioskills.hub.forgetting import forget_learner, open_for, seal_for
from bioskills.hub.ledger_check import examine
from bioskills.hub.ledger_rows import append

pytestmark = pytest.mark.integration
NAME, SHOWN, MAIL = "quilla.marsh", "Quilla Marsh-Øster", "quilla@marsh.example"
ANSWER, COMMENT, WORDS = "my grandmother taught me", "well done Quilla", "ill since the twelfth"
PERSONAL = (NAME, SHOWN, MAIL, ANSWER, COMMENT, WORDS)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "objects")


@pytest.fixture
def store(database: str, objects: Objects) -> Iterator[Store]:
    """The learner with a whole life here: words, files, evidence, a sealed reason."""
    found = planted(database)
    own, shared = objects.put(ANSWER.encode()), objects.put(b"the same as everybody's")
    with found.transaction() as session:
        person = session.get_one(Person, 1)
        person.name, person.display_name, person.email = NAME, SHOWN, MAIL
        session.get_one(Submission, 1).files = [
            {"path": f"{NAME}.ipynb", "sha256": own, "bytes": 1},
            {"path": "data.csv", "sha256": shared, "bytes": 1},
        ]
        session.add(
            Submission(
                id=2, assignment_id=1, assignment_version_id=1, person_id=2, attempt=1,
                receipt="R-2", tree_sha256="0" * 64,
                files=[{"path": "data.csv", "sha256": shared, "bytes": 1}],
            )
        )  # fmt: skip
        result = session.get_one(Result, 1)
        result.hashes = {"answers": {"p1/why": ANSWER}, "cells_sha256": "c" * 64}
        result.cells = [{"cell": "p1/why", "auto_points": "2", "person_comment": COMMENT}]
        result.shown = {"p1/why": ANSWER}
        session.add(
            Judgement(
                submission_id=1, kind="comment", cell="p1/why", comment=COMMENT, by="p-000002"
            )
        )
    grow(found, 2)
    yield found
    found.close()


def dump(store: Store, objects: Objects) -> bytes:
    """Every byte that is stored."""
    file = sqlite_path(store.url)
    kept = b"".join(path.read_bytes() for path in objects.root.rglob("*") if path.is_file())
    if file is not None:
        parts = file.parent.glob(f"{file.name}*")
        return kept + b"".join(part.read_bytes() for part in parts)
    address = make_url(store.url).set(drivername="postgresql")
    command = [str(BINARIES[0].parent / "pg_dump"), address.render_as_string(hide_password=False)]
    return kept + subprocess.run(command, check=True, capture_output=True).stdout


def left(store: Store, objects: Objects) -> list[str]:
    bytes_ = dump(store, objects)
    escaped = [word.encode("ascii", "backslashreplace").decode() for word in PERSONAL]
    return [word for word in (*PERSONAL, *escaped) if word.encode() in bytes_]


def test_nothing_personal_is_left_and_the_chain_verifies(store: Store, objects: Objects) -> None:
    assert {NAME, MAIL, ANSWER, COMMENT} <= set(left(store, objects))
    with store.reading() as session:
        before = examine(session)

    done = forget_learner(store, objects, "p-000001", "p-000002", NOON)

    assert left(store, objects) == []
    assert done.files == 1
    with store.reading() as session:
        after = examine(session)
        assert (after.findings, after.count) == ([], before.count + 1)
        newest = session.get_one(LedgerRow, done.seq)
        assert (newest.kind, newest.learner) == ("erasure", "p-000001")


def test_points_and_evidence_stay_under_the_pseudonym(store: Store, objects: Objects) -> None:
    forget_learner(store, objects, "p-000001", "p-000002", NOON)

    with store.reading() as session:
        assert set(session.scalars(select(Evidence.learner))) == {"p-000001"}
        result = session.get_one(Result, 1)
        assert (result.cells[0]["auto_points"], result.hashes["cells_sha256"]) == ("2", "c" * 64)


def test_what_others_have_too_stays_theirs(store: Store, objects: Objects) -> None:
    forget_learner(store, objects, "p-000001", "p-000002", NOON)

    with store.reading() as session:
        theirs = session.get_one(Submission, 2).files
        other = session.get_one(Person, 2)
    assert objects.read(theirs[0]["sha256"]) == b"the same as everybody's"
    assert (other.name, other.display_name) == ("ines", "Ines")


def test_words_sealed_for_a_learner_open_until_they_are_forgotten(
    store: Store, objects: Objects
) -> None:
    with store.transaction() as session:
        sealed = seal_for(session, "p-000001", WORDS)
        append(session, "decision", "p-000001", "p-000002", NOON, reason_sealed=sealed)
    with store.reading() as session:
        assert open_for(session, "p-000001", sealed) == WORDS
        assert open_for(session, "p-000002", sealed) is None

    forget_learner(store, objects, "p-000001", "p-000002", NOON)

    with store.reading() as session:
        assert open_for(session, "p-000001", sealed) is None
        assert examine(session).findings == []
    assert left(store, objects) == []


def test_a_second_time_ends_what_a_kill_left(store: Store, objects: Objects) -> None:
    with store.reading() as session:
        own = session.get_one(Submission, 1).files[0]["sha256"]
    objects.path(own).unlink()  # as if it had been killed after the files

    forget_learner(store, objects, "p-000001", "p-000002", NOON)
    again = forget_learner(store, objects, "p-000001", "p-000002", NOON)

    assert again.files == 0
    assert left(store, objects) == []


def test_nobody_cannot_be_forgotten(store: Store, objects: Objects) -> None:
    with pytest.raises(LookupError):
        forget_learner(store, objects, "p-999999", "p-000002", NOON)
