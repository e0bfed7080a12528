"""The database keeps the ledger append-only and unforked; what was changed by hand is named."""

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_ledger import NOON, by_hand, check_ledger, evidence, grow, planted
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from bioskills.base.store import Store
from bioskills.base.tables import Evidence, LedgerRow
from bioskills.competence import checkpoints
from bioskills.competence.checkpoints import Checkpoint
from bioskills.competence.ledger import LedgerError
from bioskills.hub.ledger_check import Verdict, examine
from bioskills.hub.ledger_rows import append, append_evidence

pytestmark = pytest.mark.integration
PEM = checkpoints.new_key()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    found = planted(database)
    yield found
    found.close()


def look(store: Store, signed: Checkpoint | None = None) -> Verdict:
    with store.reading() as session:
        return examine(session, [signed] if signed else [])


def bad(store: Store, signed: Checkpoint | None = None) -> tuple[int, str]:
    first = look(store, signed).findings[0]
    return first.seq, first.what


def sign(store: Store) -> Checkpoint:
    found = look(store)
    return checkpoints.sign(PEM, found.seq, found.head, found.count, NOON)


def test_an_empty_ledger_is_sound(store: Store) -> None:
    found = look(store)

    assert (found.seq, found.count, found.findings) == (0, 0, [])


def test_records_follow_one_another_without_gaps(store: Store) -> None:
    grow(store, 3)
    with store.transaction() as session:
        append_evidence(session, [evidence(7), evidence(8)], "seqs-spring")
        append(session, "decision", "p-000001", "p-000002", NOON, reason="alternative_evidence")

    with store.reading() as session:
        assert list(session.scalars(select(LedgerRow.seq).order_by(LedgerRow.seq))) == [
            *range(1, 7)
        ]
        assert list(session.scalars(select(Evidence.seq).order_by(Evidence.seq))) == [*range(1, 6)]
    assert (look(store).count, look(store).findings) == (6, [])


def test_a_transaction_that_fails_leaves_no_gap(store: Store) -> None:
    grow(store, 2)
    with store.transaction() as session:
        append_evidence(session, [evidence(1)], "seqs-spring")
        session.rollback()
    grow(store, 1)

    assert (look(store).seq, look(store).findings) == (3, [])


def test_what_the_evaluator_reads_is_what_the_ledger_says(store: Store) -> None:
    grow(store, 2)
    grow(store, 1, score=None, raw=None, pending=True, supersedes=2, released_by="p-000002")

    check_ledger(store)


@pytest.mark.parametrize("table", ["ledger", "evidence", "ledger_checkpoint"])
@pytest.mark.parametrize("verb", ["update {} set at = at", "delete from {}"])
def test_the_database_refuses_to_change_or_remove(store: Store, table: str, verb: str) -> None:
    grow(store, 2)
    with store.transaction() as session:
        row = {"seq": 1, "head": "", "count": 1, "at": NOON, "kid": "", "jws": "x"}
        session.execute(
            text(
                "insert into ledger_checkpoint (seq, head, count, at, kid, jws) "
                "values (:seq, :head, :count, :at, :kid, :jws)"
            ),
            row,
        )

    with pytest.raises(DBAPIError, match="append-only"), store.transaction() as session:
        session.execute(text(verb.format(table)))


def test_postgresql_refuses_to_empty_the_tables_at_once(postgresql: object) -> None:
    store = planted(postgresql.new_database())  # type: ignore[attr-defined]

    with pytest.raises(DBAPIError, match="append-only"), store.transaction() as session:
        session.execute(text("truncate ledger cascade"))
    store.close()


@pytest.mark.parametrize(
    ("seq", "prev"), [(3, "head"), (5, "head"), (4, "genesis"), (4, "before"), (1, "genesis")]
)
def test_the_database_refuses_a_record_that_does_not_follow(
    store: Store, seq: int, prev: str
) -> None:
    grow(store, 3)
    with store.reading() as session:
        hashes = list(session.scalars(select(LedgerRow.hash).order_by(LedgerRow.seq)))
    named = {"head": hashes[-1], "before": hashes[-2], "genesis": "0" * 64}[prev]

    row = LedgerRow(
        seq=seq, at=NOON, kind="grade", learner="p-000001", record="{}", prev=named, hash="e" * 64
    )
    with pytest.raises(DBAPIError, match="must follow the last one"), store.transaction() as other:
        other.add(row)


def _grow_as_process(url: str, records: int) -> None:
    store = Store(url)
    grow(store, records)
    store.close()


def test_processes_that_write_at_once_make_one_chain(store: Store, database: str) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_grow_as_process, args=(database, 15)) for _n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    found = look(store)
    assert (found.seq, found.count, found.findings) == (45, 45, [])


def test_a_name_in_the_place_of_a_pseudonym_stops_the_whole_transaction(store: Store) -> None:
    with pytest.raises(LedgerError, match="released_by"):
        grow(store, 1, released_by="ines")

    assert look(store).count == 0


TAMPERED = {
    "a score": ("update ledger set record = replace(record, '0.8200', '0.9200') where seq = 3", 3),
    "a byte of a hash": ("update ledger set hash = 'f' || substr(hash, 2) where seq = 3", 3),
    "a link": ("update ledger set prev = substr(prev, 2) || 'x' where seq = 3", 3),
    "the column of a kind": ("update ledger set kind = 'rpl' where seq = 3", 3),
    "whose it is": ("update ledger set learner = 'p-000002' where seq = 3", 3),
    "a score that pages read": ("update evidence set score = '1.0000' where seq = 3", 3),
    "what was superseded": ("update evidence set supersedes = 1 where seq = 3", 3),
    "a row that pages read": ("delete from evidence where seq = 3", 3),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_with_the_triggers_dropped_is_named(store: Store, what: str) -> None:
    grow(store, 5)
    statement, seq = TAMPERED[what]
    by_hand(store, statement)

    assert bad(store)[0] == seq


def test_a_removed_record_is_named(store: Store) -> None:
    grow(store, 5)
    by_hand(store, "delete from evidence where seq = 3", "delete from ledger where seq = 3")

    assert bad(store) == (3, "record 3 is missing; the next one that is there is 4")


@pytest.mark.parametrize("number", [0, -7])
def test_a_record_numbered_below_the_first_is_named(store: Store, number: int) -> None:
    grow(store, 3)
    columns = "kind, learner, at, record"
    by_hand(
        store,
        f"insert into ledger (seq, hash, prev, {columns}) "
        f"select {number}, '{'e' * 64}', '{'f' * 64}', {columns} from ledger where seq = 1",
    )

    assert bad(store) == (number, f"there is a record numbered {number}; the first is 1")


def test_a_look_at_the_newest_sees_that_older_ones_are_missing(store: Store) -> None:
    grow(store, 5)
    by_hand(store, "delete from evidence where seq = 2", "delete from ledger where seq = 2")

    with store.reading() as session:
        first = examine(session, last=2).findings[0]
    assert (first.seq, first.what) == (0, "there are 4 records, and the newest is record 5")


def test_swapped_records_are_named(store: Store) -> None:
    for number in range(5):
        with store.transaction() as session:
            append(session, "decision", "p-000001", "p-000002", NOON, n=number)
    by_hand(
        store,
        "update ledger set seq = 99 where seq = 2",
        "update ledger set seq = 2 where seq = 4",
        "update ledger set seq = 4 where seq = 99",
    )

    assert bad(store)[0] == 2


def test_missing_triggers_are_told(store: Store) -> None:
    grow(store, 1)
    on = " on ledger" if store.engine.dialect.name == "postgresql" else ""
    with store.transaction() as session:
        session.execute(text(f"drop trigger ledger_no_update{on}"))

    assert bad(store) == (
        0,
        "nothing in the database keeps the ledger append-only: ledger_no_update missing",
    )


def test_records_cut_off_at_the_end_are_seen_only_by_a_checkpoint(store: Store) -> None:
    grow(store, 5)
    signed = sign(store)
    by_hand(store, "delete from evidence where seq > 3", "delete from ledger where seq > 3")

    assert look(store).findings == []
    seq, what = bad(store, signed)
    assert seq == 5
    assert "record 5 was there" in what


def test_another_continuation_is_seen_by_a_checkpoint(store: Store) -> None:
    grow(store, 5)
    signed = sign(store)
    by_hand(store, "delete from evidence where seq > 3", "delete from ledger where seq > 3")
    grow(store, 4, score="1.0000")

    assert look(store).findings == []
    assert "record 5 had another hash" in bad(store, signed)[1]


def test_a_ledger_that_went_on_agrees_with_its_checkpoint(store: Store) -> None:
    grow(store, 3)
    signed = sign(store)
    grow(store, 3)

    found = look(store, signed)
    assert (found.checkpoints, found.findings) == (1, [])


def test_a_kill_at_any_statement_leaves_whole_records(tmp_path: Path) -> None:
    store = planted(f"sqlite:///{tmp_path / 'ours.sqlite'}")
    grow(store, 1)
    kills = 0
    for statement in range(1, 40):
        died = _killed_at(store.url, statement)
        found = look(store)
        assert found.findings == []
        with store.reading() as session:
            rows = session.scalar(select(func.count()).select_from(Evidence))
        assert rows == found.count
        if not died:
            break
        assert found.count == 1
        kills += 1

    assert kills > 3
    assert look(store).count == 2
    store.close()


def _killed_at(url: str, statement: int) -> bool:
    child = os.fork()
    if child == 0:
        store, left = Store(url), [statement]

        def count(*_about: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store.engine, "before_cursor_execute", count)
        event.listen(store.engine, "commit", count)
        try:
            grow(store, 1)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_full_disk_writes_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no mount is allowed here")
    try:
        store = planted(f"sqlite:///{disk / 'ours.sqlite'}")
        with pytest.raises(DBAPIError, match=r"full|I/O"):
            grow(store, 5000)
        found = look(store)
        assert found.count > 0
        assert found.findings == []
        store.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
