"""The form of a framework's files: `framework.yaml` and one file per unit.

Law: unknown keys are refused and no number passes through a float. What the
values must be to one another is asked in `framework_lint`.
"""

from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bioskills.base.text import _
from bioskills.competence.exact import exact
from bioskills.competence.framework_model import OutcomeType, Relation

ID = r"^[A-Z]{2,12}$"
VERSION = r"^(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})$"
LANGUAGE = r"^[a-z]{2,3}$"
HEAD = "framework.yaml"
_PLACES = 10_000

Language = Annotated[str, Field(pattern=LANGUAGE)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Words = Annotated[dict[Language, Text], Field(min_length=1)]
Code = Annotated[str, Field(min_length=1, max_length=32)]


def _four_places(value: Fraction) -> Fraction:
    if (value * _PLACES).denominator != 1:
        raise ValueError(_("at most four decimal places are kept"))
    return value


Share = Annotated[Fraction, BeforeValidator(exact), Field(ge=0, le=1), AfterValidator(_four_places)]
Mode = Literal["mandatory", "knowledge-only", "elective", "none"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class RuleForm(_Part):
    """The numbers that decide an outcome (R5, R10)."""

    threshold: Share
    tasks: Annotated[int, Field(ge=1, le=20)]
    critical_floor: Share
    validity_months: Annotated[int, Field(ge=1, le=1200)] | None = None


class OutcomeForm(_Part):
    """One learning outcome; its statement goes on after "The learner ..."."""

    id: Code
    type: OutcomeType
    statement: Words
    rule: RuleForm


class UnitForm(_Part):
    """One unit, as its file holds it."""

    code: Code
    title: Words
    eqf: int
    points: int
    hours: int
    outcomes: Annotated[list[OutcomeForm], Field(max_length=40)]
    criteria: Annotated[list[Words], Field(max_length=40)]


class LanguagesForm(_Part):
    """Which languages the texts have: all of them, or titles of units alone."""

    complete: Annotated[list[Language], Field(min_length=1)]
    titles: list[Language] = []


class RoleForm(_Part):
    """A pathway, with what it asks of every unit."""

    code: Code
    title: Words
    elective_points: Annotated[int, Field(ge=0)]
    units: dict[Code, Mode]


class CrosswalkForm(_Part):
    """What a unit or outcome has to do with an entry of another framework."""

    source: Code
    framework: Code
    version: str
    code: Annotated[str, Field(min_length=1, max_length=200)]
    uri: str | None
    relation: Relation
    reviewed_by: list[Text] = []


class CarryForm(_Part):
    """How an outcome of the version before lives on in this one."""

    source: Code
    target: Code
    relation: Literal["exactMatchOf", "replacedBy"]
    missing: Words | None = None


class HeadForm(_Part):
    """`framework.yaml`: what is said once for all units."""

    id: Annotated[str, Field(pattern=ID)]
    version: Annotated[str, Field(pattern=VERSION)]
    uri: Annotated[str, Field(min_length=8, max_length=300, pattern=r"^[a-z][a-z0-9+.-]*:\S+$")]
    title: Words
    creator: Text
    issued: date
    qualification: Code
    points: int
    point_hours: Annotated[int, Field(ge=1)]
    mastery_rule: str
    languages: LanguagesForm
    units: Annotated[list[Code], Field(min_length=1, max_length=99)]
    roles: list[RoleForm]
    precedes: list[Annotated[list[Code], Field(min_length=2, max_length=2)]]
    crosswalks: list[CrosswalkForm] = []
    replaces: Annotated[str, Field(pattern=r"^[A-Z]{2,12}@\d+\.\d+\.\d+$")] | None = None
    carries: list[CarryForm] = []
