"""Look through the ledger, and say where it first differs from what it was.

Law: read as a stream in one moment of the database, changing nothing. Looked at are: each
record and its place in the chain, the columns that pages read, the triggers that keep it
append-only, and every signed checkpoint that is known.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bioskills.base.tables import Evidence, LedgerRow, Run
from bioskills.base.text import _
from bioskills.competence.checkpoints import Checkpoint, contradiction
from bioskills.competence.ledger import GENESIS, Entry, fault_of, in_text, read
from bioskills.hub.ledger_rows import entry_of, fields_of

EVIDENCE_KINDS = frozenset({"grade", "rpl"})
AT_ONCE = 500
TRIGGERS = frozenset(
    {
        *(
            f"{table}_no_{verb}"
            for table in ("ledger", "evidence")
            for verb in ("update", "delete")
        ),
        *("ledger_checkpoint_no_update", "ledger_checkpoint_no_delete", "ledger_next"),
    }
)
_NAMES = {
    "sqlite": "select name from sqlite_master where type = 'trigger'",
    "postgresql": "select tgname from pg_trigger where not tgisinternal and tgenabled <> 'D'",
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        seq: The record that it is about; 0 where it is about none.
        what: What differs.
        next: What to do now.
    """

    seq: int
    what: str
    next: str


@dataclass(frozen=True)
class Verdict:
    """What a look through the ledger found.

    Attributes:
        seq: Number of the newest record; 0 where there is none.
        head: Its hash.
        count: How many records there are.
        looked: How many were looked at.
        checkpoints: How many checkpoints were held against it.
        findings: What is wrong; of the records, the first one.
    """

    seq: int
    head: str
    count: int
    looked: int
    checkpoints: int
    findings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def examine(
    session: Session, checkpoints: Sequence[Checkpoint] = (), last: int | None = None
) -> Verdict:
    """Look through the ledger.

    Args:
        session: A reading session.
        checkpoints: What was signed before.
        last: Look at so many of the newest records only; None for all.
    """
    newest = session.execute(
        select(LedgerRow.seq, LedgerRow.hash).order_by(LedgerRow.seq.desc()).limit(1)
    ).first()
    seq, head = newest or (0, GENESIS)
    first = max(1, seq - last + 1) if last else 1
    looked, fault = _first_fault(session, first)
    count = session.scalar(select(func.count()).select_from(LedgerRow)) or 0
    fault = fault or list(_numbered(session, seq, count))
    findings = [*fault, *_loose(session), *_unguarded(session), *_held(session, checkpoints)]
    return Verdict(seq, head, count, looked, len(checkpoints), findings)


def _first_fault(session: Session, first: int) -> tuple[int, list[Finding]]:
    """Return how many records were looked at, and the first bad one."""
    before = session.get(LedgerRow, first - 1) if first > 1 else None
    seq, prev, looked = first, before.hash if before else GENESIS, 0
    with closing(_stream(session, first)) as rows:
        for row, evidence, run in rows:
            looked += 1
            entry = entry_of(row)
            what = fault_of(entry, seq, prev) or _differs(row, entry, evidence, run)
            if what:
                return looked, [Finding(min(seq, row.seq), what, _look_again())]
            seq, prev = seq + 1, row.hash
    return looked, []


def _stream(
    session: Session, first: int
) -> Generator[tuple[LedgerRow, Evidence | None, str], None, None]:
    chosen = (
        select(LedgerRow, Evidence, Run.slug)
        .outerjoin(Evidence, Evidence.seq == LedgerRow.seq)
        .outerjoin(Run, Run.id == Evidence.run_id)
        .where(LedgerRow.seq >= first)
        .order_by(LedgerRow.seq)
        .execution_options(yield_per=AT_ONCE)
    )
    # Closed as soon as nobody reads on: PostgreSQL holds a cursor meanwhile.
    with session.execute(chosen) as found:
        for row, evidence, run in found:
            yield row, evidence, run or ""


def _differs(row: LedgerRow, entry: Entry, evidence: Evidence | None, run: str) -> str:
    """Return where the columns beside a sound record say something else."""
    record = read(entry)
    beside = [{"kind": row.kind, "learner": row.learner, "at": in_text(row.at)}]
    if record["kind"] in EVIDENCE_KINDS:
        if evidence is None:
            return _("its row in the table of evidence is gone")
        beside.append(fields_of(evidence, run))
    elif evidence is not None:
        return _("it is no evidence, and has a row in the table of evidence")
    pairs = {pair for columns in beside for pair in columns.items()}
    other = sorted({name for name, value in pairs if record.get(name) != value})
    if other:
        text = _("the table that pages read says something else in {columns}")
        return text.format(columns=", ".join(other))
    return ""


def _numbered(session: Session, seq: int, count: int) -> Iterator[Finding]:
    """Yield what numbers alone show, also of records that nobody looked at: 1 up to the newest."""
    below = session.scalar(select(func.min(LedgerRow.seq)).where(LedgerRow.seq < 1))
    if below is not None:
        what = _("there is a record numbered {seq}; the first is 1").format(seq=below)
        yield Finding(below, what, _look_again())
    elif count != seq:
        what = _("there are {count} records, and the newest is record {seq}")
        yield Finding(0, what.format(count=count, seq=seq), _look_again())


def _loose(session: Session) -> Iterator[Finding]:
    """Yield the first row of evidence that no record stands for."""
    known = select(LedgerRow.seq).where(LedgerRow.seq == Evidence.seq).exists()
    seq = session.scalar(select(func.min(Evidence.seq)).where(~known))
    if seq is not None:
        what = _("the table of evidence has a row that no record stands for")
        yield Finding(seq, what, _look_again())


def _unguarded(session: Session) -> Iterator[Finding]:
    names = _NAMES[session.get_bind().dialect.name]
    missing = sorted(TRIGGERS - set(session.scalars(text(names))))
    if missing:
        what = _("nothing in the database keeps the ledger append-only: {names} missing")
        step = _(
            "Bring back a backup made by `bioskills upgrade`, or ask who changed the database."
        )
        yield Finding(0, what.format(names=", ".join(missing)), step)


def agreed(session: Session, checkpoints: Iterable[Checkpoint]) -> int:
    """Return the highest record that a checkpoint signed and the ledger goes on from; 0 for none."""
    fitting = (one.seq for one in checkpoints if not _against(session, one))
    return max(fitting, default=0)


def _held(session: Session, checkpoints: Iterable[Checkpoint]) -> Iterator[Finding]:
    """Yield the first checkpoint that the ledger does not go on from."""
    for checkpoint in sorted(checkpoints, key=lambda one: (one.seq, one.at)):
        what = _against(session, checkpoint)
        if what:
            step = _(
                "This is another or an older copy of the ledger. Bring back the newest backup; where "
                "there is none, see docs/how-to/keep-the-ledger.md."
            )
            yield Finding(checkpoint.seq, _("a checkpoint says: {what}").format(what=what), step)
            return


def _against(session: Session, checkpoint: Checkpoint) -> str:
    """Return how the ledger contradicts a checkpoint; empty where it goes on from it."""
    row = session.get(LedgerRow, checkpoint.seq)
    until = select(func.count()).select_from(LedgerRow)
    count = session.scalar(until.where(LedgerRow.seq <= checkpoint.seq)) or 0
    return contradiction(checkpoint, entry_of(row) if row else None, count)


def _look_again() -> str:
    return _(
        "Stop the hub, keep this database as it is, and compare this record with a backup; "
        "docs/how-to/keep-the-ledger.md."
    )
