"""The ledger's records: how one is written, and what shows that it was changed.

Law: a record is canonical JSON (RFC 8785) that holds its number and the hash of the record
before it; its own hash is the SHA-256 of exactly these bytes. It holds pseudonyms, hashes and
numbers, no name and no learner's words. Nothing here reads a clock or a database.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from bioskills.base.text import _
from bioskills.competence.evidence import MACHINE, EvidenceRecord
from bioskills.competence.hashes import canonical_json

VERSION = 1
GENESIS = "0" * 64
"""What the first record names as the hash before it."""

KINDS = ("grade", "rpl", "decision", "release", "erasure")
"""What a record is about; a `grade` carries its release (`released_by`) in itself."""

NOBODY = frozenset({MACHINE, "automatic", "unknown"})
"""Who may stand where a person stands, and is none."""

PEOPLE = ("actor", "learner", "released_by", "by", "second_by")
_PSEUDONYM = re.compile(r"p-[0-9a-z][0-9a-z-]{0,12}", re.ASCII)
_NEEDED = frozenset({"v", "seq", "kind", "at", "actor", "learner", "prev"})
_OWN = frozenset({"v", "seq", "prev"})


class LedgerError(ValueError):
    """A record may not be written like this; nothing was."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it is stored."""

    seq: int
    record: str
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a ledger.

    Attributes:
        seq: Number of the bad record, or of the one that is missing.
        what: What differs, in a sentence.
    """

    seq: int
    what: str


def in_text(at: datetime) -> str:
    """Return a moment as records hold it: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seal(seq: int, prev: str, fields: Mapping[str, Any]) -> Entry:
    """Return the record that says this, bound to the one before it.

    Args:
        seq: Its number, one more than that of the record before.
        prev: The hash of the record before; `GENESIS` for the first.
        fields: What it says: text, whole numbers, booleans, nothing, lists and objects.

    Raises:
        LedgerError: A field is missing or known to nobody, or a person is not a pseudonym.
        NotCanonicalError: A value has no canonical form, such as a float.
    """
    if _OWN & fields.keys():
        raise LedgerError(_("The fields v, seq and prev are the ledger's own."))
    record = {**fields, "v": VERSION, "seq": seq, "prev": prev}
    said = _refused(record)
    if said:
        raise LedgerError(said)
    canonical_json(record)  # refuses what the library would write: floats
    written = rfc8785.dumps(record)
    return Entry(seq, written.decode(), prev, hashlib.sha256(written).hexdigest())


def follow(last: Entry | None, fields: Mapping[str, Any]) -> Entry:
    """Return the record that comes after this one; after none, the first."""
    return seal(last.seq + 1, last.hash, fields) if last else seal(1, GENESIS, fields)


def read(entry: Entry) -> dict[str, Any]:
    """Return what a record says.

    Raises:
        ValueError: It is no JSON object.
    """
    found = json.loads(entry.record)
    if not isinstance(found, dict):
        raise ValueError(_("it is no object"))  # noqa: TRY004 - whoever reads expects one class
    return found


def faults(entries: Iterable[Entry], after: Entry | None = None) -> Iterator[Fault]:
    """Yield what is wrong with a chain, at the first bad record, and end there.

    Args:
        entries: Records in the order of their numbers; read once, one at a time.
        after: The record before the first of them; None where they begin the ledger.
    """
    seq, prev = (after.seq + 1, after.hash) if after else (1, GENESIS)
    for entry in entries:
        what = fault_of(entry, seq, prev)
        if what:
            yield Fault(min(seq, entry.seq), what)
            return
        seq, prev = seq + 1, entry.hash


def fault_of(entry: Entry, seq: int, prev: str) -> str:
    """Return what is wrong with one record where this number and hash are due; empty for nothing."""
    if entry.seq != seq:
        text = _("record {seq} is missing; the next one that is there is {found}")
        return text.format(seq=seq, found=entry.seq)
    if hashlib.sha256(entry.record.encode("utf-8", "surrogatepass")).hexdigest() != entry.hash:
        return _("its text gives another hash than the one stored with it")
    try:
        found = read(entry)
        same = rfc8785.dumps(found).decode() == entry.record
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        return _("it cannot be read: {error}").format(error=error)
    return _misplaced(entry, found, prev) or _refused(found) if same else _not_canonical()


def _misplaced(entry: Entry, found: Mapping[str, Any], prev: str) -> str:
    if found.get("seq") != entry.seq:
        return _("it says that it is record {found}").format(found=found.get("seq"))
    if entry.prev != prev or found.get("prev") != prev:
        text = _("it does not name the hash of record {seq} as the one before it")
        return text.format(seq=entry.seq - 1)
    return ""


def _not_canonical() -> str:
    return _("it is not canonical JSON (RFC 8785)")


def evidence_of(record: Mapping[str, Any]) -> EvidenceRecord:
    """Return a record of kind `grade` or `rpl` as the evaluator reads it."""
    return EvidenceRecord(
        seq=record["seq"],
        at=datetime.fromisoformat(record["at"]),
        kind=record["kind"],
        actor=record["actor"],
        learner=record["learner"],
        outcome=record["outcome"],
        task=record["task"],
        attempt=record["attempt"],
        score=record["score"],
        raw=record["raw"],
        max=record["max"],
        framework=record["framework"],
        mapping=record["mapping"],
        rule=record["rule"],
        released_by=record["released_by"],
        supersedes=record["supersedes"],
        submitted_at=datetime.fromisoformat(record["submitted_at"]),
        pending=record["pending"],
    )


def _refused(record: Mapping[str, Any]) -> str:
    missing = sorted(_NEEDED - record.keys())
    if missing:
        return _("it lacks {fields}").format(fields=", ".join(missing))
    if record["v"] != VERSION:
        return _("its version {v} is none that this program knows").format(v=record["v"])
    if record["kind"] not in KINDS:
        return _("its kind {kind!r} is none of {known}").format(
            kind=record["kind"], known=", ".join(KINDS)
        )
    named = [name for name in PEOPLE if name in record and not _is_person(name, record[name])]
    if named:
        return _("{fields} must be a pseudonym such as p-000231").format(fields=", ".join(named))
    return ""


def _is_person(field: str, said: object) -> bool:
    if said is None:
        return field not in _NEEDED
    return isinstance(said, str) and (said in NOBODY or bool(_PSEUDONYM.fullmatch(said)))
