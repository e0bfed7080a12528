"""Write a framework as a CASE 1.1 package (1EdTech Competencies and Academic Standards Exchange).

Law: only what the official schema knows; what it has no place for (points, hours,
rules, criteria, roles) goes into `extensions.bioskills`, so that our own reader
gets all of it back. Associations: an outcome is a child of its unit, a unit of the document.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bioskills.base.text import SOURCE_LANGUAGE
from bioskills.competence.case_ids import CaseNames, translated
from bioskills.competence.exact import to_stored
from bioskills.competence.framework_diff import compare
from bioskills.competence.framework_model import Crosswalk, Framework, Outcome, Role, Unit

UNIT_TYPE = "Unit of learning outcomes"
OUTCOME_TYPES = {
    "knowledge": "Knowledge",
    "skill": "Skill",
    "autonomy": "Responsibility and autonomy",
}
OURS = "bioskills"

Json = dict[str, Any]


@dataclass(frozen=True)
class _Writer:
    framework: Framework
    names: CaseNames

    @property
    def changed(self) -> str:
        return f"{self.framework.issued}T00:00:00Z"

    def link(self, title: str, code: str) -> Json:
        uri = self.names.item_uri(code) if code else self.names.document_uri()
        return {"title": title, "identifier": self.names.identifier(code), "uri": uri}

    def association(self, kind: str, origin: Json, target: Json, number: int = 0) -> Json:
        code = f"{kind} {origin['identifier']} {target['identifier']}"
        found: Json = {
            "identifier": self.names.identifier(code),
            "associationType": kind,
            "uri": self.names.association_uri(code),
            "originNodeURI": origin | {"targetType": "CASE"},
            "destinationNodeURI": {"targetType": "CASE"} | target,
            "lastChangeDateTime": self.changed,
        }
        return found | ({"sequenceNumber": number} if number else {})


def case_package(framework: Framework, site: str, before: Framework | None = None) -> Json:
    """Return the package.

    Args:
        framework: What is written.
        site: The public address below which CASE is served.
        before: The version that it replaces, to say what became of each of its outcomes.
    """
    writer = _Writer(framework, CaseNames.of(framework, site))
    associations = list(_associations(writer))
    if before is not None:
        associations += _carries(writer, before, site)
    return {
        "CFDocument": _document(writer),
        "CFItems": list(_items(writer)),
        "CFAssociations": associations,
    }


def _document(writer: _Writer) -> Json:
    framework = writer.framework
    return {
        "identifier": writer.names.identifier(""),
        "uri": writer.names.document_uri(),
        "caseVersion": "1.1",
        "creator": framework.creator,
        "title": framework.title,
        "version": framework.version,
        "language": SOURCE_LANGUAGE,
        "adoptionStatus": "Adopted",
        "lastChangeDateTime": writer.changed,
        "extensions": {OURS: _head(framework)},
    }


def _head(framework: Framework) -> Json:
    """Return what a package has no place for."""
    found: Json = {
        "id": framework.id,
        "uri": framework.uri,
        "title": dict(framework.titles),
        "qualification": framework.qualification,
        "point_hours": framework.point_hours,
        "languages": {
            "complete": list(framework.complete),
            "titles": list(framework.title_languages),
        },
        "roles": [_role(role, framework) for role in framework.roles],
        # An association needs an address at both ends; these have none that we know.
        "crosswalks": [
            {"source": row.source, "relation": row.relation} | _crosswalk_facts(row)
            for row in framework.crosswalks
            if not row.uri
        ],
    }
    if framework.replaces:
        found["replaces"] = framework.replaces
        found["carries"] = [
            {"source": c.source, "target": c.target, "relation": c.relation}
            | ({"missing": dict(c.missing)} if c.missing else {})
            for c in framework.carries
        ]
    return found


def _role(role: Role, framework: Framework) -> Json:
    return {
        "code": role.code,
        "title": dict(role.titles),
        "elective_points": role.elective_points,
        "units": {unit.code: role.units.get(unit.code, "none") for unit in framework.units},
    }


def _items(writer: _Writer) -> Iterator[Json]:
    for unit in writer.framework.units:
        yield from _item_in_each_language(writer, unit.code, dict(unit.titles), _unit_facts(unit))
        for outcome in unit.outcomes:
            facts = _outcome_facts(outcome, unit)
            words = dict(outcome.statements)
            yield from _item_in_each_language(writer, outcome.id, words, facts)


def _item_in_each_language(
    writer: _Writer, code: str, words: dict[str, str], facts: Json
) -> Iterator[Json]:
    for language, text in words.items():
        own = code if language == SOURCE_LANGUAGE else translated(code, language)
        item = {
            "identifier": writer.names.identifier(own),
            "uri": writer.names.item_uri(own),
            "fullStatement": text,
            "humanCodingScheme": code,
            "language": language,
            "lastChangeDateTime": writer.changed,
        }
        # A translation repeats no fact: two places could say two things.
        kept = facts if language == SOURCE_LANGUAGE else {"CFItemType": facts["CFItemType"]}
        yield item | kept


def _unit_facts(unit: Unit) -> Json:
    ours = {
        "eqf": unit.eqf,
        "points": unit.points,
        "hours": unit.hours,
        "criteria": [dict(words) for words in unit.criteria_words],
    }
    return {
        "CFItemType": UNIT_TYPE,
        "educationLevel": [f"EQF{unit.eqf}"],
        "extensions": {OURS: ours},
    }


def _outcome_facts(outcome: Outcome, unit: Unit) -> Json:
    rule = {
        "threshold": to_stored(outcome.theta),
        "tasks": outcome.n,
        "critical_floor": to_stored(outcome.floor),
        "validity_months": outcome.validity_months,
    }
    return {
        "CFItemType": OUTCOME_TYPES[outcome.type],
        "educationLevel": [f"EQF{unit.eqf}"],
        "extensions": {OURS: {"type": outcome.type, "rule": rule}},
    }


def _associations(writer: _Writer) -> Iterator[Json]:
    framework = writer.framework
    document = writer.link(framework.title, "")
    for number, unit in enumerate(framework.units, start=1):
        above = writer.link(unit.title, unit.code)
        yield writer.association("isChildOf", above, document, number)
        yield from _translations(writer, unit.code, dict(unit.titles))
        for place, outcome in enumerate(unit.outcomes, start=1):
            below = writer.link(outcome.statement, outcome.id)
            yield writer.association("isChildOf", below, above, place)
            yield from _translations(writer, outcome.id, dict(outcome.statements))
    for first, then in framework.precedes:
        origin, target = (writer.link(framework.unit(c).title, c) for c in (first, then))
        yield writer.association("precedes", origin, target)
    for row in framework.crosswalks:
        if row.uri:
            yield _crosswalk(writer, row)


def _translations(writer: _Writer, code: str, words: dict[str, str]) -> Iterator[Json]:
    for language, text in words.items():
        if language != SOURCE_LANGUAGE:
            origin = writer.link(text, translated(code, language))
            target = writer.link(words[SOURCE_LANGUAGE], code)
            yield writer.association("isTranslationOf", origin, target)


def _crosswalk(writer: _Writer, row: Crosswalk) -> Json:
    title = f"{row.framework} {row.version} {row.code}"
    # Not in CASE at its other end: the address is what identifies it.
    target = {"title": title, "identifier": row.uri, "uri": row.uri, "targetType": "ext:URI"}
    found = writer.association(
        row.relation, writer.link(_title(writer, row.source), row.source), target
    )
    note = "reviewed by " + ", ".join(row.reviewed_by) if row.reviewed else "not yet reviewed"
    return found | {"notes": note, "extensions": {OURS: _crosswalk_facts(row)}}


def _crosswalk_facts(row: Crosswalk) -> Json:
    return {
        "framework": row.framework,
        "version": row.version,
        "code": row.code,
        "reviewed_by": list(row.reviewed_by),
    }


def _title(writer: _Writer, code: str) -> str:
    outcome = writer.framework.outcomes.get(code)
    return outcome.statement if outcome else writer.framework.unit(code).title


def _carries(writer: _Writer, before: Framework, site: str) -> Iterator[Json]:
    """Yield what became of each outcome of the version before: the old one points to the new."""
    names = CaseNames.of(before, site)
    for step in compare(before, writer.framework):
        if step.relation:
            title = before.outcomes[step.old].statement
            uri = names.item_uri(step.old)
            old = {"title": title, "identifier": names.identifier(step.old), "uri": uri}
            new = writer.link(writer.framework.outcomes[step.new].statement, step.new)
            found = writer.association(step.relation, old, new)
            yield found | ({"notes": "; ".join(step.missing)} if step.missing else {})
