"""Read a CASE package that this platform wrote back into the files it came from.

Law: what `case` writes comes back equal: texts in every language, numbers, order,
roles, crosswalks. The package may still be anybody's: the form is checked as ever.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.case import OURS
from bioskills.competence.case_reading import Package
from bioskills.competence.framework_model import RULE
from bioskills.competence.framework_reading import TARGETS
from bioskills.competence.framework_targets import COLUMNS, shipped_targets
from bioskills.competence.framework_writing import files_of, rule_of
from bioskills.competence.tables import csv_bytes


def own_draft(package: Package) -> dict[str, bytes]:
    """Return the draft of a package of ours.

    Raises:
        InputError: Facts of ours are missing in it.
    """
    try:
        return _draft(package)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        text = _("says that it is ours, but lacks what we write: {what}.").format(what=error)
        raise InputError([Problem("CASE", text, next=_("Export it again."))]) from None


def _draft(package: Package) -> dict[str, bytes]:
    document = package.document
    facts = document["extensions"][OURS]
    order = package.children[document["identifier"]]
    units = [_unit(package, key) for key in order]
    code_of = {key: str(item["humanCodingScheme"]) for key, item in package.items.items()}
    head: dict[str, Any] = {
        "id": str(facts["id"]),
        "version": str(document["version"]),
        "uri": str(facts["uri"]),
        "title": dict(facts["title"]),
        "creator": str(document["creator"]),
        "issued": _day(str(document["lastChangeDateTime"])),
        "qualification": str(facts["qualification"]),
        "points": sum(unit["points"] for unit in units),
        "point_hours": facts["point_hours"],
        "mastery_rule": RULE,
        "languages": {key: list(value) for key, value in facts["languages"].items()},
        "units": [unit["code"] for unit in units],
        "roles": [dict(role) for role in facts["roles"]],
        "precedes": [[code_of[a], code_of[b]] for a, b in package.pairs],
    }
    rows = list(_crosswalks(package, code_of))
    if rows:
        head["crosswalks"] = rows
    if "replaces" in facts:
        head["replaces"] = str(facts["replaces"])
        head["carries"] = [dict(row) for row in facts["carries"]]
    note = _("A draft, read from a CASE package.")
    return files_of(head, units, note) | _own_targets(rows)


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).date()


def _unit(package: Package, key: str) -> dict[str, Any]:
    item = package.items[key]
    facts = item["extensions"][OURS]
    return {
        "code": str(item["humanCodingScheme"]),
        "title": _words(package, key),
        "eqf": facts["eqf"],
        "points": facts["points"],
        "hours": facts["hours"],
        "outcomes": [_outcome(package, child) for child in package.children.get(key, ())],
        "criteria": [dict(words) for words in facts["criteria"]],
    }


def _outcome(package: Package, key: str) -> dict[str, Any]:
    item = package.items[key]
    facts = item["extensions"][OURS]
    rule = facts["rule"]
    numbers = (rule["threshold"], rule["tasks"], rule["critical_floor"], rule["validity_months"])
    return {
        "id": str(item["humanCodingScheme"]),
        "type": str(facts["type"]),
        "statement": _words(package, key),
        "rule": rule_of(*numbers),
    }


def _words(package: Package, key: str) -> dict[str, str]:
    found = dict(package.words[key])
    return {SOURCE_LANGUAGE: found.pop(SOURCE_LANGUAGE), **found}


def _crosswalks(package: Package, code_of: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for link in package.associations:
        facts = link.get("extensions", {}).get(OURS)
        if facts is not None:
            source = code_of[link["originNodeURI"]["identifier"]]
            uri = str(link["destinationNodeURI"]["uri"])
            yield _crosswalk(facts, source, uri, str(link["associationType"]))
    for facts in package.document["extensions"][OURS].get("crosswalks", ()):
        yield _crosswalk(facts, str(facts["source"]), None, str(facts["relation"]))


def _crosswalk(facts: Any, source: str, uri: str | None, relation: str) -> dict[str, Any]:
    row = {
        "source": source,
        "framework": str(facts["framework"]),
        "version": str(facts["version"]),
        "code": str(facts["code"]),
        "uri": uri,
        "relation": relation,
    }
    people = [str(name) for name in facts["reviewed_by"]]
    return row | ({"reviewed_by": people} if people else {})


def _own_targets(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    """Return the table of entries that the shipped one does not hold."""
    seen: dict[tuple[str, str, str], str] = {}
    for row in rows:
        key = (row["framework"], row["version"], row["code"])
        if key not in shipped_targets():
            seen[key] = row["uri"] or ""
    cells = [(*key, key[2], uri, "CASE") for key, uri in seen.items()]
    return {TARGETS: csv_bytes(COLUMNS, cells)} if cells else {}
