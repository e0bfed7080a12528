"""A record of the ledger is one text, and whoever changes anything of a chain is found."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bioskills.competence.hashes import NotCanonicalError, canonical_json
from bioskills.competence.ledger import (
    GENESIS,
    Entry,
    LedgerError,
    evidence_of,
    faults,
    follow,
    in_text,
    read,
)

AT = datetime(2027, 1, 20, 9, 12, 44, 123456, tzinfo=UTC)


def said(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "kind": "decision",
        "at": in_text(AT),
        "actor": "p-000007",
        "learner": "p-000231",
        "n": number,
        **more,
    }


def chain(length: int) -> list[Entry]:
    found: list[Entry] = []
    for number in range(length):
        found.append(follow(found[-1] if found else None, said(number)))
    return found


def first_fault(entries: list[Entry]) -> int | None:
    return next((fault.seq for fault in faults(entries)), None)


def test_a_record_is_canonical_json_and_its_hash_is_that_of_its_bytes() -> None:
    entry = follow(None, said(reason="Zürich \U0001f9ec", nothing=None, truth=True))

    assert entry.hash == hashlib.sha256(entry.record.encode()).hexdigest()
    assert entry.record.encode() == rfc8785.dumps(json.loads(entry.record))
    assert (entry.seq, entry.prev, read(entry)["v"]) == (1, GENESIS, 1)


def test_a_record_names_the_one_before_it() -> None:
    first, second = chain(2)

    assert (second.seq, second.prev, read(second)["prev"]) == (2, first.hash, first.hash)


def test_a_time_is_written_in_utc_whatever_its_zone() -> None:
    local = AT.astimezone(timezone(timedelta(hours=2)))

    assert in_text(local) == in_text(AT) == "2027-01-20T09:12:44.123456Z"
    assert datetime.fromisoformat(in_text(AT)) == AT


@pytest.mark.parametrize("field", ["actor", "learner", "released_by", "second_by"])
@pytest.mark.parametrize("name", ["lea.quant", "Lea Quant", "lea@example.org", "", "p-", 7])
def test_a_name_where_a_pseudonym_belongs_is_refused(field: str, name: object) -> None:
    with pytest.raises(LedgerError, match=f"{field} must be a pseudonym"):
        follow(None, said(**{field: name}))


@pytest.mark.parametrize("field", ["kind", "at", "actor", "learner"])
def test_a_record_without_what_every_record_has_is_refused(field: str) -> None:
    fields = said()
    del fields[field]

    with pytest.raises(LedgerError, match=field):
        follow(None, fields)


def test_an_unknown_kind_and_the_ledgers_own_fields_are_refused() -> None:
    with pytest.raises(LedgerError, match="kind"):
        follow(None, said(kind="gossip"))
    with pytest.raises(LedgerError, match="own"):
        follow(None, said(seq=9))


@pytest.mark.parametrize("value", [0.5, float("nan"), 2**60, b"x", "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        follow(None, said(value=value))


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_two_writers_of_canonical_json_agree(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_a_sound_chain_has_no_fault_and_an_empty_one_neither() -> None:
    assert list(faults(chain(7))) == []
    assert list(faults([])) == []
    whole = chain(7)
    assert list(faults(whole[4:], after=whole[3])) == []


@given(st.integers(0, 5), st.data())
def test_one_changed_character_names_the_record(at: int, data: st.DataObject) -> None:
    entries = chain(6)
    text = entries[at].record
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != text[place]))
    entries[at] = replace(entries[at], record=text[:place] + other + text[place + 1 :])

    assert first_fault(entries) == at + 1


@given(st.integers(0, 4))
def test_a_forged_record_with_a_right_hash_is_found_at_the_next_one(at: int) -> None:
    entries = chain(6)
    forged = {**read(entries[at]), "n": 99}
    text = rfc8785.dumps(forged)
    entries[at] = Entry(at + 1, text.decode(), entries[at].prev, hashlib.sha256(text).hexdigest())

    assert first_fault(entries) == at + 2


@given(st.integers(0, 4))
def test_a_removed_record_is_named_as_missing(at: int) -> None:
    entries = chain(6)
    del entries[at]

    found = next(faults(entries))
    assert found.seq == at + 1
    assert "missing" in found.what


@given(st.sets(st.integers(0, 5), min_size=2, max_size=2))
def test_two_swapped_records_are_found_at_the_first(pair: set[int]) -> None:
    first, second = sorted(pair)
    entries = chain(6)
    entries[first], entries[second] = entries[second], entries[first]

    assert first_fault(entries) == first + 1


@given(st.sets(st.integers(0, 5), min_size=2, max_size=2))
def test_two_swapped_texts_under_their_old_numbers_are_found_at_the_first(pair: set[int]) -> None:
    first, second = sorted(pair)
    entries = chain(6)
    one, other = entries[first], entries[second]
    entries[first] = replace(one, record=other.record, hash=other.hash)
    entries[second] = replace(other, record=one.record, hash=one.hash)

    assert first_fault(entries) == first + 1


def test_what_is_no_canonical_record_is_told_and_no_error() -> None:
    for text in ("", "[]", "{", "null", '{"b":1, "a":2}', '{"a":NaN}', "[" * 100_000):
        own = hashlib.sha256(text.encode()).hexdigest()
        assert first_fault([Entry(1, text, GENESIS, own)]) == 1


def test_a_record_of_evidence_comes_back_as_the_evaluator_reads_it() -> None:
    fields = {
        **said(), "kind": "grade", "outcome": "BSH-U04-S1", "task": "ps4", "attempt": 2,
        "score": "0.8200", "raw": "8.2000", "max": "10.0000", "pending": False,
        "framework": "BSH@1.0.0", "mapping": "u04@3", "rule": "BSH-MR-1",
        "released_by": "p-000003", "supersedes": None, "submitted_at": in_text(AT),
    }  # fmt: skip

    record = evidence_of(read(follow(None, fields)))

    assert (record.seq, record.at, record.score, record.course) == (1, AT, "0.8200", "u04")
