"""Load a published competence framework.

Law: a published version never changes. The file's SHA-256 is written here, and
a file that differs by one byte is refused, because verdicts name the version.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from bioskills.base.text import _

OutcomeType = Literal["knowledge", "skill", "autonomy"]
RoleMode = Literal["mandatory", "knowledge-only", "elective"]

RULE = "BSH-MR-1"
"""The rule set by which this package decides (competence study, 4.3)."""

PUBLISHED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "BSH@1.0.0": (
            "bsh-1.0.0.json",
            "65f2a9145c6a05fe323805991adeaec14b402b9c6e1b9322b8faf8a4e1b4e027",
        ),
    }
)
"""File and SHA-256 of every published framework version."""

FLOOR = Fraction(1, 2)
"""Least score in a critical task (R5)."""

_THETA: Mapping[OutcomeType, Fraction] = MappingProxyType(
    {"knowledge": Fraction(3, 5), "skill": Fraction(7, 10), "autonomy": Fraction(7, 10)}
)
_SMALL_UNIT_POINTS = 2

_Raw = Mapping[str, Any]


class UnknownFrameworkError(LookupError):
    """No framework of this name and version is published here."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        known = ", ".join(sorted(PUBLISHED))
        super().__init__(
            _("There is no framework {ref}. Published here: {known}. Name one of them.").format(
                ref=ref, known=known
            )
        )


class ChangedFrameworkError(ValueError):
    """The file of a published framework is not the one that was published."""

    def __init__(self, ref: str, expected: str, found: str) -> None:
        self.ref, self.expected, self.found = ref, expected, found
        super().__init__(
            _(
                "The file of framework {ref} has SHA-256 {found}, published was {expected}. "
                "A published version never changes: install bioskills-hub again."
            ).format(ref=ref, found=found, expected=expected)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One learning outcome with the numbers that decide it.

    Attributes:
        theta: Least task score that shows the outcome, 0 to 1.
        n: Distinct tasks that must show it.
        floor: Least score in each critical task, 0 to 1.
        validity_months: Months until it must be refreshed; None for never.
    """

    id: str
    unit: str
    type: OutcomeType
    statement: str
    theta: Fraction
    n: int
    floor: Fraction = FLOOR
    validity_months: int | None = None

    @property
    def needs_person(self) -> bool:
        """Whether only a person may judge it (responsibility and autonomy)."""
        return self.type == "autonomy"


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that is assessed and recognised; its points come all at once.

    Attributes:
        points: Credit points, each `Framework.point_hours` hours.
        hours: Notional workload in hours.
    """

    code: str
    title: str
    eqf: int
    points: int
    hours: int
    outcomes: tuple[Outcome, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A pathway: which units a role needs, and how many elective points besides."""

    code: str
    title: str
    elective_points: int
    units: Mapping[str, RoleMode]


@dataclass(frozen=True, slots=True)
class Framework:
    """One published version of a competence framework.

    Attributes:
        precedes: Pairs of unit codes: the first is recommended before the second.
    """

    id: str
    version: str
    title: str
    qualification: str
    point_hours: int
    units: tuple[Unit, ...]
    roles: tuple[Role, ...]
    precedes: tuple[tuple[str, str], ...]
    outcomes: Mapping[str, Outcome] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = {outcome.id: outcome for unit in self.units for outcome in unit.outcomes}
        object.__setattr__(self, "outcomes", MappingProxyType(found))

    @property
    def ref(self) -> str:
        """Name and version as evidence writes them: ``BSH@1.0.0``."""
        return f"{self.id}@{self.version}"

    def unit(self, code: str) -> Unit:
        """Return the unit with this code; KeyError where there is none."""
        return {unit.code: unit for unit in self.units}[code]


def default_n(kind: OutcomeType, unit_points: int) -> int:
    """Return how many distinct tasks an outcome needs (R5).

    Skills need two, one in a unit of 2 points; knowledge and autonomy need one.
    """
    return 2 if kind == "skill" and unit_points > _SMALL_UNIT_POINTS else 1


def _outcome_of(raw: _Raw, unit: _Raw, validity: Mapping[str, int]) -> Outcome:
    return Outcome(
        id=raw["id"],
        unit=unit["code"],
        type=raw["type"],
        statement=raw["statement"],
        theta=_THETA[raw["type"]],
        n=default_n(raw["type"], unit["points"]),
        validity_months=validity.get(raw["id"], validity.get(unit["code"])),
    )


def _unit_of(raw: _Raw, validity: Mapping[str, int]) -> Unit:
    return Unit(
        code=raw["code"],
        title=raw["title"],
        eqf=raw["eqf"],
        points=raw["points"],
        hours=raw["hours"],
        outcomes=tuple(_outcome_of(outcome, raw, validity) for outcome in raw["outcomes"]),
        criteria=tuple(raw["criteria"]),
    )


def _role_of(raw: _Raw) -> Role:
    return Role(
        code=raw["code"],
        title=raw["title"],
        elective_points=raw["elective_points"],
        units=MappingProxyType(dict(raw["units"])),
    )


def parse_framework(data: bytes, ref: str, sha256: str) -> Framework:
    """Return the framework held in these bytes, after checking that they are the published ones.

    Raises:
        ChangedFrameworkError: The bytes have another SHA-256.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ChangedFrameworkError(ref, sha256, found)
    raw = json.loads(data)
    return Framework(
        id=raw["id"],
        version=raw["version"],
        title=raw["title"],
        qualification=raw["qualification"],
        point_hours=raw["point_hours"],
        units=tuple(_unit_of(unit, raw["validity_months"]) for unit in raw["units"]),
        roles=tuple(_role_of(role) for role in raw["roles"]),
        precedes=tuple((f"{raw['id']}-{a}", f"{raw['id']}-{b}") for a, b in raw["precedes"]),
    )


@lru_cache
def load_framework(ref: str) -> Framework:
    """Return the published framework, for example ``BSH@1.0.0``.

    Raises:
        UnknownFrameworkError: No such name and version.
        ChangedFrameworkError: The installed file is not the published one.
    """
    if ref not in PUBLISHED:
        raise UnknownFrameworkError(ref)
    name, sha256 = PUBLISHED[ref]
    data = files("bioskills.competence").joinpath("frameworks", name).read_bytes()
    return parse_framework(data, ref, sha256)
