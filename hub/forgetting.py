"""Forget one learner: what says who they are, and their own words and files.

Law: the ledger stays as it is; its records name a pseudonym that leads to nobody any more.
Files go first, then rows in one transaction; killed in between, the same call again ends it.
Cleared is what this module names, and nothing else: the hub's own database, homes, gradebooks,
sessions, the audit log and backups are whoever's who calls it.
"""

import base64
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, literal, select
from sqlalchemy.orm import Session

from bioskills.base.store import Store
from bioskills.base.tables import (
    AssignmentVersion,
    FeedbackFiles,
    Judgement,
    Person,
    Result,
    Submission,
)
from bioskills.base.tables_ledger import LearnerKey
from bioskills.hub.campus.objects import Objects
from bioskills.hub.ledger_rows import append

KEY_BYTES, NONCE_BYTES = 32, 12
NAMELESS = "forgotten-"
"""How the hub's user name of somebody forgotten begins; their pseudonym follows."""


@dataclass(frozen=True)
class Forgotten:
    """What was done.

    Attributes:
        seq: Number of the ledger's record about it.
        files: How many stored files were removed; one that others handed in too stays.
    """

    seq: int
    files: int


def seal_for(session: Session, learner: str, words: str) -> str:
    """Return words about a learner so that only their key opens them; made on first use.

    The ledger may hold the hash of what this returns: without the key nobody can try words
    against it.
    """
    row = session.get(LearnerKey, learner)
    if row is None:
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        row = LearnerKey(learner=learner, key=key)
        session.add(row)
        session.flush()
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = _cipher(row).encrypt(nonce, words.encode(), learner.encode())
    return base64.b64encode(nonce + sealed).decode()


def open_for(session: Session, learner: str, sealed: str) -> str | None:
    """Return the words, or None where the learner was forgotten."""
    row = session.get(LearnerKey, learner)
    if row is None:
        return None
    raw = base64.b64decode(sealed)
    try:
        words = _cipher(row).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], learner.encode())
    except InvalidTag:
        return None
    return words.decode()


def forget_learner(
    store: Store, objects: Objects, learner: str, by: str, at: datetime
) -> Forgotten:
    """Forget a learner; a second call finds nothing more to clear.

    Args:
        store: Our database.
        objects: The stored files.
        learner: Their pseudonym.
        by: Pseudonym of who decided it.
        at: The present moment.

    Raises:
        LookupError: Nobody has this pseudonym.
    """
    with store.transaction() as session:
        person = session.scalar(select(Person).where(Person.pseudonym == learner))
        if person is None:
            raise LookupError(learner)
        own = list(session.scalars(select(Submission).where(Submission.person_id == person.id)))
        removed = _remove_files(session, objects, own)
        _clear_work(session, own)
        _clear_person(person)
        session.execute(delete(LearnerKey).where(LearnerKey.learner == learner))
        seq = append(session, "erasure", learner, by, at).seq
    scrub(store)
    return Forgotten(seq, removed)


def scrub(store: Store) -> None:
    """Let the database's files hold nothing any more of what was cleared.

    SQLite overwrites what is cleared (`secure_delete`), and its log is emptied here. PostgreSQL
    does both by itself, later: its autovacuum, and the end of its write-ahead log.
    """
    if store.engine.dialect.name == "sqlite":
        with closing(store.engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _clear_person(person: Person) -> None:
    person.name = person.display_name = f"{NAMELESS}{person.pseudonym}"
    person.email = person.language = person.time_zone = None


def _clear_work(session: Session, own: Iterable[Submission]) -> None:
    """Take out what the learner wrote and what people wrote to them; points and hashes stay."""
    numbers = [row.id for row in own]
    for submission in own:
        submission.files = []
    for result in session.scalars(select(Result).where(Result.submission_id.in_(numbers))):
        result.hashes = {name: value for name, value in result.hashes.items() if name != "answers"}
        result.cells = [_without_words(cell) for cell in result.cells]
        result.shown, result.mended, result.reason = None, None, ""
    for judgement in session.scalars(select(Judgement).where(Judgement.submission_id.in_(numbers))):
        judgement.comment = ""
    for files in session.scalars(
        select(FeedbackFiles).where(FeedbackFiles.submission_id.in_(numbers))
    ):
        files.files = []


def _without_words(cell: dict[str, Any]) -> dict[str, Any]:
    return {**cell, "comment": "", "person_comment": ""}


def _remove_files(session: Session, objects: Objects, own: Iterable[Submission]) -> int:
    numbers = {row.id for row in own}
    mine: set[str] = set()
    others: set[str] = set()
    for submission, sha256 in _files(session):
        (mine if submission in numbers else others).add(sha256)
    gone = [sha256 for sha256 in mine - others if objects.has(sha256)]
    for sha256 in gone:
        objects.path(sha256).unlink(missing_ok=True)
    return len(gone)


def _files(session: Session) -> Iterator[tuple[int, str]]:
    """Yield every stored file with the hand-in that it is of; 0 for what all may have."""
    for chosen in (
        select(Submission.id, Submission.files),
        select(FeedbackFiles.submission_id, FeedbackFiles.files),
        select(literal(0), AssignmentVersion.files),
    ):
        for number, files in session.execute(chosen):
            yield from ((number, file["sha256"]) for file in files)


def _cipher(row: LearnerKey) -> AESGCM:
    return AESGCM(base64.b64decode(row.key))
