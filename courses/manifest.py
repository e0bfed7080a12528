"""Read `course.yml`: what a course is called, teaches, needs and asks for.

Law: a manifest is frozen and complete; what it says is checked here for form
only. Whether the files agree with it is the business of the checks.
"""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from bioskills.base.text import _
from bioskills.courses.typed_yaml import Record, Text, parse_record

MANIFEST = "course.yml"

CourseId = Annotated[
    str, StringConstraints(strict=True, max_length=60, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
]
Name = Annotated[
    str, StringConstraints(strict=True, max_length=60, pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$")
]
Version = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$",
    ),
]
OutcomeId = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]+-U\d{2}-[KSA]\d+$")]
UnitCode = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]+-U\d{2}$")]
Hours = Annotated[float, Field(ge=0)]
Minutes = Annotated[int, Field(strict=True, gt=0)]


def _share(value: object) -> Decimal:
    try:
        share = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        share = None
    if share is None or not 0 <= share <= 1:
        raise ValueError(_('write a share between "0" and "1" in quotes, for example "0.60"'))
    return share


Share = Annotated[Decimal, BeforeValidator(_share)]


class Level(Record):
    """How demanding the course is.

    Attributes:
        track: For beginners (basic) or for people with experience (advanced).
        eqf: Level of the European Qualifications Framework, 1 to 8.
    """

    track: Literal["basic", "advanced"]
    eqf: Annotated[int, Field(strict=True, ge=1, le=8)]


class CourseHours(Record):
    """Notional hours of one learner, by kind of learning."""

    live: Hours
    self_study: Hours
    workplace: Hours
    assessment: Hours

    @property
    def total(self) -> float:
        """All hours together."""
        return self.live + self.self_study + self.workplace + self.assessment


class UnitPart(Record):
    """What the course gives to one competence unit.

    Attributes:
        hours: Notional hours of this course that belong to the unit.
    """

    code: UnitCode
    mode: Literal["completes", "contributes"]
    outcomes: Annotated[tuple[OutcomeId, ...], Field(min_length=1)]
    hours: Annotated[float, Field(gt=0)]


class Lesson(Record):
    """One notebook that teaches one question."""

    id: Name
    file: Text
    title: Text
    question: Text
    objectives: tuple[Text, ...]
    minutes: Minutes
    key_points: tuple[Text, ...]
    uses_data: tuple[Text, ...] = ()
    outcomes: tuple[OutcomeId, ...] = ()


class Attempts(Record):
    """How often work may be handed in for credit.

    Attributes:
        max: Number of attempts; None for as many as the learner likes.
        cooldown_hours: Hours between two attempts.
    """

    max: Annotated[int, Field(strict=True, ge=1)] | None
    cooldown_hours: Annotated[int, Field(strict=True, ge=0)] = 0


class Late(Record):
    """What happens with work that comes after its due date.

    Attributes:
        accepted: *until_close*: taken until the run ends, and marked late; *days*: so many days;
            *never*: nothing after the due date.
        percent_per_day: What each begun day takes off the points, never off the evidence.
    """

    accepted: Literal["until_close", "days", "never"] = "until_close"
    days: Annotated[int, Field(strict=True, ge=0, le=366)] = 0
    percent_per_day: Annotated[int, Field(strict=True, ge=0, le=100)] = 0

    @model_validator(mode="after")
    def _days_belong_to_days(self) -> "Late":
        if self.accepted == "days" and not self.days:
            raise ValueError(_("accepted: days needs days: 1 or more"))
        if self.accepted != "days" and (self.days or self.percent_per_day):
            raise ValueError(_("days and percent_per_day need accepted: days"))
        return self


class Assignment(Record):
    """One notebook that is handed in and graded.

    Attributes:
        points: Sum of the points of its grade cells.
        pass_share: Share of the points that passes, 0 to 1.
        due_offset_days: Days after the start of a run until it is due.
    """

    id: Name
    title: Text
    file: Text
    kind: Literal["practice", "summative"]
    minutes: Minutes
    points: Annotated[float, Field(gt=0)]
    pass_share: Share
    attempts: Attempts
    release: Literal["automatic", "after_review"]
    due_offset_days: Annotated[int, Field(strict=True, ge=0)]
    summary: Text
    uses_data: tuple[Text, ...] = ()
    late: Late = Late()


class Requires(Record):
    """What the course needs of a learner's server.

    Attributes:
        kernel: *warm*: kernels may be forked from one that has the modules loaded; *cold*: each is
            a new interpreter, for lessons that a fork would change.
    """

    python: tuple[Text, ...] = ()
    debian: tuple[Text, ...] = ()
    memory_mb: Annotated[int, Field(strict=True, gt=0)]
    cpu_s: Annotated[int, Field(strict=True, gt=0)]
    kernel: Literal["warm", "cold"] = "warm"


class Author(Record):
    """A person or group who made the course."""

    name: Text
    role: Text
    orcid: Text | None = None


class Licences(Record):
    """SPDX names of the licences of text and code."""

    text: Text
    code: Text


class Manifest(Record):
    """Everything `course.yml` says."""

    id: CourseId
    version: Version
    title: Text
    summary: Text
    language: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
    level: Level
    audience: Annotated[tuple[Text, ...], Field(min_length=1)]
    hours: CourseHours
    units: Annotated[tuple[UnitPart, ...], Field(min_length=1)]
    prerequisites: tuple[UnitCode, ...] = ()
    lessons: Annotated[tuple[Lesson, ...], Field(min_length=1)]
    assignments: Annotated[tuple[Assignment, ...], Field(min_length=1)]
    requires: Requires
    edam_topics: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    authors: Annotated[tuple[Author, ...], Field(min_length=1)]
    license: Licences
    life_cycle: Literal["draft", "pilot", "stable", "retired"]

    @property
    def outcomes(self) -> frozenset[str]:
        """Every outcome the course gives evidence for."""
        return frozenset(outcome for unit in self.units for outcome in unit.outcomes)

    def assignment(self, name: str) -> Assignment | None:
        """Return the assignment of this id, or None."""
        return next((found for found in self.assignments if found.id == name), None)


def parse_manifest(text: str, file: str = MANIFEST) -> Manifest:
    """Return the manifest written in this YAML text.

    Raises:
        CourseError: with one fault per missing, unknown or wrong key.
    """
    return parse_record(Manifest, file, text)
