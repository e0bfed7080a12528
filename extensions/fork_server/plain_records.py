"""Take Biopython's records apart into plain values, and put them together again.

Law: exact types, with the attributes that Biopython gives them and no other; put
together by Biopython's own constructors of the reader, from plain values alone.
"""

import sys
from collections.abc import Mapping
from typing import Any

PARTS: Mapping[str, Mapping[str, str]] = {
    "SeqRecord": {
        "seq": "_seq",
        "id": "id",
        "name": "name",
        "description": "description",
        "dbxrefs": "dbxrefs",
        "features": "features",
        "annotations": "annotations",
        "letter_annotations": "_per_letter_annotations",
    },
    "SeqFeature": {name: name for name in ("location", "type", "id", "qualifiers")},
    "SimpleLocation": {
        "start": "_start",
        "end": "_end",
        "strand": "_strand",
        "ref": "ref",
        "ref_db": "ref_db",
    },
    "CompoundLocation": {name: name for name in ("parts", "operator")},
    "Reference": {
        name: name
        for name in ("location", "authors", "consrtm", "title", "journal", "medline_id",
                     "pubmed_id", "comment")
    },
}  # fmt: skip
"""By class: what its constructor calls a part, and where an object keeps it."""
POSITIONS = ("ExactPosition", "BeforePosition", "AfterPosition")


def _class(name: str) -> Any:
    module = "Bio.SeqRecord" if name == "SeqRecord" else "Bio.SeqFeature"
    return getattr(sys.modules.get(module), name, None)


def parts_of(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return class and parts of a record; None where it is none, or holds more than its class."""
    name = type(value).__name__
    if type(value) is not _class(name):
        return None
    if name in POSITIONS:
        return name, {"position": int(value)}
    known = PARTS.get(name)
    if known is None or vars(value).keys() - set(known.values()):
        return None
    found = {part: vars(value)[place] for part, place in known.items() if place in vars(value)}
    if "letter_annotations" in found:
        found["letter_annotations"] = dict(found["letter_annotations"] or {})
    return name, found


def made_of(name: str, parts: Mapping[str, Any]) -> Any:
    """Return the record.

    Raises:
        KeyError: There is no such class, or no such part.
    """
    kind = _class(name) if name in {*PARTS, *POSITIONS} else None
    if kind is None or parts.keys() - ({"position"} if name in POSITIONS else PARTS[name].keys()):
        raise KeyError(name)
    if name != "Reference":
        return kind(**parts)
    made = kind()
    vars(made).update(parts)
    return made


def sequence_of(text: Any) -> Any:
    """Return a sequence with this text."""
    return sys.modules["Bio.Seq"].Seq(str(text))


def _pack_sequence(_packer: Any, value: Any, _depth: int) -> Any:
    if type(value) is sys.modules["Bio.Seq"].Seq:
        return {"seq": str(value)}
    return None


def _pack_record(packer: Any, value: Any, depth: int) -> Any:
    found = parts_of(value)
    if found is None:
        return None
    name, parts = found
    return {"record": [name, packer.pack(parts, depth)]}


PACKS = {"Bio.Seq": _pack_sequence, "Bio.SeqRecord": _pack_record}
"""What packs such values, by the module that must have been imported."""
