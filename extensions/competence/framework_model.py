"""What a competence framework is, once it is loaded.

Law: immutable. A text has English always and the other languages of its map;
who reads a language that is not there reads English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

from bioskills.base.text import SOURCE_LANGUAGE, reader

OutcomeType = Literal["knowledge", "skill", "autonomy"]
RoleMode = Literal["mandatory", "knowledge-only", "elective"]
Relation = Literal["isRelatedTo", "exactMatchOf", "isPartOf", "isPeerOf"]
Words = Mapping[str, str]
"""One text by language code."""

RULE = "BSH-MR-1"
"""The rule set by which this package decides (competence study, 4.3)."""

FLOOR = Fraction(1, 2)
"""Least score in a critical task (R5)."""

THETA: Mapping[OutcomeType, Fraction] = MappingProxyType(
    {"knowledge": Fraction(3, 5), "skill": Fraction(7, 10), "autonomy": Fraction(7, 10)}
)
"""Least task score where nothing else is stated (R5)."""

REVIEWERS = 2
"""People who must have looked at a crosswalk before it counts as reviewed."""

_SMALL_UNIT_POINTS = 2


def default_n(kind: OutcomeType, unit_points: int) -> int:
    """Return how many distinct tasks an outcome needs where nothing else is stated (R5).

    Skills need two, one in a unit of 2 points; knowledge and autonomy need one.
    """
    return 2 if kind == "skill" and unit_points > _SMALL_UNIT_POINTS else 1


def in_language(words: Words, language: str = "") -> str:
    """Return a text in a language, else in English.

    Args:
        words: The text by language code.
        language: A BCP 47 tag such as ``de-AT``; the present reader's where none is given.
    """
    primary = (language or reader().language).replace("_", "-").partition("-")[0].lower()
    return words.get(primary) or words.get(SOURCE_LANGUAGE, "")


class _Titled:
    """Something with a title in several languages."""

    __slots__ = ()
    title: str
    titles: Words

    def title_in(self, language: str = "") -> str:
        """Return the title in a language (the reader's where none is given), else in English."""
        return in_language(self.titles, language) or self.title


@dataclass(frozen=True, slots=True)
class Outcome:
    """One learning outcome with the numbers that decide it.

    Attributes:
        theta: Least task score that shows the outcome, 0 to 1.
        n: Distinct tasks that must show it.
        floor: Least score in each critical task, 0 to 1.
        validity_months: Months until it must be refreshed; None for never.
        statements: The statement by language code.
    """

    id: str
    unit: str
    type: OutcomeType
    statement: str
    theta: Fraction
    n: int
    floor: Fraction = FLOOR
    validity_months: int | None = None
    statements: Words = field(default_factory=dict, repr=False, compare=False)

    @property
    def needs_person(self) -> bool:
        """Whether only a person may judge it (responsibility and autonomy)."""
        return self.type == "autonomy"

    def statement_in(self, language: str = "") -> str:
        """Return the statement in a language (the reader's where none is given), else English."""
        return in_language(self.statements, language) or self.statement


@dataclass(frozen=True, slots=True)
class Unit(_Titled):
    """The smallest thing that is assessed and recognised; its points come all at once.

    Attributes:
        points: Credit points, each `Framework.point_hours` hours.
        hours: Notional workload in hours.
        criteria_words: The assessment criteria by language code.
    """

    code: str
    title: str
    eqf: int
    points: int
    hours: int
    outcomes: tuple[Outcome, ...]
    criteria: tuple[str, ...]
    titles: Words = field(default_factory=dict, repr=False, compare=False)
    criteria_words: tuple[Words, ...] = field(default=(), repr=False, compare=False)

    def criteria_in(self, language: str = "") -> tuple[str, ...]:
        """Return the assessment criteria in a language, each in English where it has no other."""
        return tuple(in_language(w, language) for w in self.criteria_words) or self.criteria


@dataclass(frozen=True, slots=True)
class Role(_Titled):
    """A pathway: which units a role needs, and how many elective points besides."""

    code: str
    title: str
    elective_points: int
    units: Mapping[str, RoleMode]
    titles: Words = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """What a unit or outcome has to do with an entry of another framework.

    Attributes:
        source: Code of our unit or outcome.
        uri: The entry's address; empty where we do not know it.
        reviewed_by: Who has checked it; `REVIEWERS` people must.
    """

    source: str
    framework: str
    version: str
    code: str
    uri: str
    relation: Relation
    reviewed_by: tuple[str, ...] = ()

    @property
    def reviewed(self) -> bool:
        """Whether enough people have checked it."""
        return len(self.reviewed_by) >= REVIEWERS


@dataclass(frozen=True, slots=True)
class Carry:
    """How an outcome of the version before lives on in this one (R9).

    Attributes:
        missing: What who reached the old one must still show; empty where nothing is missing.
    """

    source: str
    target: str
    relation: Literal["exactMatchOf", "replacedBy"]
    missing: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Framework(_Titled):
    """One version of a competence framework.

    Attributes:
        precedes: Pairs of unit codes: the first is recommended before the second.
        uri: What names this version worldwide; identifiers of every export rest on it.
        issued: The day it was published, as ISO 8601 writes it.
        complete: Languages in which every text is there; English is one of them.
        title_languages: Further languages in which titles of units are there.
        replaces: The version before, such as ``BSH@1.0.0``; empty for a first one.
    """

    id: str
    version: str
    title: str
    qualification: str
    point_hours: int
    units: tuple[Unit, ...]
    roles: tuple[Role, ...]
    precedes: tuple[tuple[str, str], ...]
    uri: str = field(default="", compare=False)
    creator: str = field(default="", compare=False)
    issued: str = field(default="", compare=False)
    titles: Words = field(default_factory=dict, repr=False, compare=False)
    complete: tuple[str, ...] = field(default=(SOURCE_LANGUAGE,), compare=False)
    title_languages: tuple[str, ...] = field(default=(), compare=False)
    crosswalks: tuple[Crosswalk, ...] = field(default=(), repr=False, compare=False)
    replaces: str = field(default="", compare=False)
    carries: tuple[Carry, ...] = field(default=(), repr=False, compare=False)
    outcomes: Mapping[str, Outcome] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {outcome.id: outcome for unit in self.units for outcome in unit.outcomes}
        object.__setattr__(self, "outcomes", MappingProxyType(found))

    @property
    def ref(self) -> str:
        """Name and version as evidence writes them: ``BSH@1.0.0``."""
        return f"{self.id}@{self.version}"

    @property
    def points(self) -> int:
        """Points of all units together."""
        return sum(unit.points for unit in self.units)

    def unit(self, code: str) -> Unit:
        """Return the unit with this code; KeyError where there is none."""
        return {unit.code: unit for unit in self.units}[code]
