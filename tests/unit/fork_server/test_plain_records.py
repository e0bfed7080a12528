"""Biopython's records cross with everything that Biopython keeps in them, and nothing else."""

import json
from typing import Any

import pytest

from bioskills.fork_server.plain_data import NotPlainError, pack, unpack

pytest.importorskip("Bio")

from Bio.Seq import Seq
from Bio.SeqFeature import (
    AfterPosition,
    BeforePosition,
    CompoundLocation,
    Reference,
    SeqFeature,
    SimpleLocation,
)
from Bio.SeqRecord import SeqRecord


def crossed(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value))))


@pytest.fixture
def record() -> Any:
    paper = Reference()
    paper.title = "On orchids"
    made = SeqRecord(Seq("ACGT"), id="a", name="b", description="c", dbxrefs=["d"])
    made.annotations = {"references": [paper], "molecule_type": "DNA"}
    made.letter_annotations = {"phred_quality": [1, 2, 3, 4]}
    ends = SimpleLocation(BeforePosition(0), AfterPosition(2), strand=-1)
    joined = CompoundLocation([ends, SimpleLocation(2, 4, 1)])
    made.features = [SeqFeature(ends, type="gene"), SeqFeature(joined, qualifiers={"x": ["y"]})]
    return made


def test_a_record_comes_back_as_it_was(record: Any) -> None:
    back = crossed(record)

    assert type(back) is SeqRecord
    assert repr(back) == repr(record)
    assert [repr(each) for each in back.features] == [repr(each) for each in record.features]
    assert back.letter_annotations == record.letter_annotations
    assert back.annotations["references"][0].title == "On orchids"
    assert back.format("fasta") == record.format("fasta")


def test_a_subclass_or_a_part_of_ones_own_is_refused(record: Any) -> None:
    class Lying(SeqRecord):  # type: ignore[misc,unused-ignore]
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(NotPlainError):
        pack(Lying(Seq("A")))
    record.own = 1
    with pytest.raises(NotPlainError):
        pack(record)


@pytest.mark.parametrize(
    "message",
    [
        {"record": ["SeqIO", {"dict": ["dict", []]}]},
        {"record": ["SeqFeature", {"dict": ["dict", [["__class__", "x"]]]}]},
        {"record": ["ExactPosition", {"dict": ["dict", []]}]},
        {"record": ["SeqRecord", 5]},
    ],
)
def test_a_hostile_record_is_no_value(message: Any) -> None:
    with pytest.raises(NotPlainError):
        unpack(message)
