"""Read a CASE 1.1 package as a draft in our form.

Law: a package of our own comes back whole; of another one, only what CASE says
is taken, and every part keeps the address that it came from. All faults at once.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.case import OURS, OUTCOME_TYPES
from bioskills.competence.draft_building import (
    ForeignFramework,
    ForeignItem,
    ForeignUnit,
    draft_of,
)
from bioskills.competence.framework_model import OutcomeType

MAX_BYTES = 16 * 2**20
MOST_ITEMS = 5000
_LONGEST_CODE = 32

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Package:
    """What a package says, by identifier.

    Attributes:
        items: The items in the language of the document.
        words: The text of each by language, translations included.
        children: Identifiers below each, in order; of the document's, too.
        pairs: Origin and destination of `precedes`.
        codes: What each item is called.
    """

    document: Json
    items: Mapping[str, Json]
    words: Mapping[str, Mapping[str, str]]
    children: Mapping[str, Sequence[str]]
    pairs: Sequence[tuple[str, str]]
    associations: Sequence[Json]
    codes: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether this package writes such packages, with everything in them."""
        return OURS in self.document.get("extensions", {})


def read_package(content: bytes) -> Package:
    """Return what a package says.

    Raises:
        InputError: With everything that is wrong with it.
    """
    data = _json(content)
    document = data.get("CFDocument")
    items = [item for item in _list(data, "CFItems") if isinstance(item, dict)]
    links = [link for link in _list(data, "CFAssociations") if isinstance(link, dict)]
    problems = list(_form_faults(document, items, links))
    if problems:
        raise InputError(problems)
    return _package(document or {}, items, links)


def _json(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        text = _("is larger than {n} MB.").format(n=MAX_BYTES // 2**20)
        raise InputError([Problem("CASE", text, next=_("Export one framework alone."))])
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        text = _("is not JSON that can be read: {reason}.").format(reason=error)
        raise InputError([Problem("CASE", text, next=_("Export it again."))]) from None
    if not isinstance(data, dict):
        data = {}
    return data


def _list(data: Json, key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []


def _form_faults(document: Any, items: list[Any], links: list[Any]) -> Iterator[Problem]:
    step = _("Ask for a CASE 1.1 package: GET .../ims/case/v1p1/CFPackages/{id}").replace(
        "{id}", "ID"
    )
    if not isinstance(document, dict):
        yield Problem("CASE", _("has no CFDocument."), next=step)
        return
    parts = (("CFDocument", document), *(("CFItems", i) for i in items))
    if any("sourcedId" in part and "identifier" not in part for _k, part in parts):
        text = _("names its parts by sourcedId, which CASE 1.1 calls identifier.")
        yield Problem("CASE", text, next=step)
        return
    wanted = ("identifier", "fullStatement", "uri")
    yield from _missing("CFDocument", [document], ("identifier", "title", "creator", "uri"))
    yield from _missing("CFItems", items, wanted)
    yield from _missing("CFAssociations", links, ("associationType",))
    if len(items) > MOST_ITEMS:
        text = _("holds {n} items; at most {most} are read.")
        yield Problem("CFItems", text.format(n=len(items), most=MOST_ITEMS))
    if not items:
        yield Problem("CFItems", _("is empty."), next=step)


def _missing(name: str, parts: list[Any], keys: Sequence[str]) -> Iterator[Problem]:
    for number, part in enumerate(parts):
        lacking = [key for key in keys if not isinstance(part.get(key), str) or not part[key]]
        if lacking:
            text = _("has no {keys}.").format(keys=", ".join(lacking))
            step = _("CASE 1.1 requires it: export the package again.")
            yield Problem(f"{name}[{number}]", text, next=step)


def _package(document: Json, items: list[Any], links: list[Any]) -> Package:
    by_id = {item["identifier"]: item for item in items}
    main = _language(document.get("language"))
    ends = [(link, *_ends(link)) for link in links]
    variants = {a: b for link, a, b in ends if _is(link, "isTranslationOf") and a in by_id}
    words: dict[str, dict[str, str]] = {}
    for identifier, item in by_id.items():
        language = _language(item.get("language"), main)
        home = variants.get(identifier, identifier)
        words.setdefault(home, {})[language] = _text(item)
    below = [(link, a, b) for link, a, b in ends if _is(link, "isChildOf") and a in by_id]
    below.sort(key=lambda row: _number(row[0]))
    children: dict[str, list[str]] = {}
    for _link, child, parent in below:
        children.setdefault(parent, []).append(child)
    originals = {key: item for key, item in by_id.items() if key not in variants}
    problems = list(_tree_faults(originals, document["identifier"], below))
    if problems:
        raise InputError(problems)
    pairs = [(a, b) for link, a, b in ends if _is(link, "precedes")]
    return Package(document, originals, words, children, pairs, links, _codes(originals))


def _is(link: Json, kind: str) -> bool:
    return bool(link.get("associationType") == kind)


def _number(link: Json) -> int:
    number = link.get("sequenceNumber")
    return number if isinstance(number, int) else 0


def _ends(link: Json) -> tuple[str, str]:
    ends = (link.get("originNodeURI"), link.get("destinationNodeURI"))
    first, second = (
        str(end.get("identifier", "")) if isinstance(end, dict) else "" for end in ends
    )
    return first, second


def _language(value: object, otherwise: str = SOURCE_LANGUAGE) -> str:
    return str(value).replace("_", "-").partition("-")[0].lower() if value else otherwise


def _text(item: Json) -> str:
    return " ".join(str(item["fullStatement"]).split())


def _tree_faults(
    items: Mapping[str, Json], document: str, below: Sequence[tuple[Json, str, str]]
) -> Iterator[Problem]:
    parents = {child: parent for _link, child, parent in below}
    for child, parent in parents.items():
        if parent not in items and parent != document:
            text = _("is a child of {id}, which is not in the package.").format(id=parent)
            yield Problem(_name(items, child), text, next=_("Export the whole package."))
        elif _circles(child, parents):
            text = _("is below itself.")
            yield Problem(_name(items, child), text, next=_("Ask its publisher to correct it."))


def _name(items: Mapping[str, Json], identifier: str) -> str:
    item = items.get(identifier, {})
    return str(item.get("humanCodingScheme") or identifier)


def _circles(code: str, parents: Mapping[str, str]) -> bool:
    seen = set[str]()
    while code in parents:
        if code in seen:
            return True
        seen.add(code)
        code = parents[code]
    return False


def foreign_draft(package: Package, name: str, version: str, today: date) -> dict[str, bytes]:
    """Return the draft of a package of another system.

    Raises:
        InputError: It has no competency with others below it.
    """
    below = package.children
    # An item whose children have none themselves is a unit; groups above it fall away.
    units = [key for key in package.items if any(c not in below for c in below.get(key, ()))]
    if not units:
        text = _("has no item with others below it.")
        raise InputError([Problem("CASE", text, next=_("Group the items into units first."))])
    document = package.document
    return draft_of(
        ForeignFramework(
            id=name,
            version=version,
            title={_language(document.get("language")): str(document["title"])},
            creator=str(document["creator"]),
            units=[_unit(package, key) for key in units],
            source=str(document["uri"]),
            source_kind="CASE",
        ),
        today,
    )


def _unit(package: Package, key: str) -> ForeignUnit:
    levels = package.items[key].get("educationLevel")
    level = str(levels[0]) if isinstance(levels, list) and levels else ""
    leaves = [child for child in package.children[key] if child not in package.children]
    after = [package.codes[b] for a, b in package.pairs if a == key and b in package.items]
    return ForeignUnit(
        item=_item(package, key),
        outcomes=[_item(package, leaf) for leaf in leaves],
        eqf=int(level[3]) if level.startswith("EQF") and level[3:4].isdigit() else 0,
        before=after,
    )


def _item(package: Package, key: str) -> ForeignItem:
    item = package.items[key]
    return ForeignItem(
        code=package.codes[key],
        words=package.words.get(key, {}),
        uri=str(item["uri"]),
        type=_type(str(item.get("CFItemType", ""))),
    )


def _codes(items: Mapping[str, Json]) -> dict[str, str]:
    """Return what each item is called: its own code where no other has it, else its identifier."""
    own = {key: str(item.get("humanCodingScheme") or "") for key, item in items.items()}
    times = Counter(own.values())
    return {
        key: code if 0 < len(code) <= _LONGEST_CODE and times[code] == 1 else key
        for key, code in own.items()
    }


def _type(words: str) -> OutcomeType | None:
    kinds: dict[str, OutcomeType] = {
        "knowledge": "knowledge", "skill": "skill", "ability": "skill", "autonomy": "autonomy",
    }  # fmt: skip
    named: dict[str, OutcomeType] = {v: k for k, v in OUTCOME_TYPES.items()}  # type: ignore[misc]
    return named.get(words) or next((t for w, t in kinds.items() if w in words.lower()), None)
