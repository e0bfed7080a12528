"""Work out where many learners stand at once, as their passports say it.

Law: the passport's own evaluator decides and no second rule; the courses that count for
a learner are the same as there. What was worked out for the same evidence, plans and day
is remembered, since a verdict follows from these alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.competence.framework import Framework
from bioskills.hub.campus.passport import Plans, Standing, evidence_of, judge, read_plans
from bioskills.hub.membership import active

Courses = frozenset[str]
Key = tuple[str, int, int, tuple[str, ...], str]
_MOST_REMEMBERED = 20_000


@dataclass
class Verdicts:
    """Which units somebody has reached, remembered by what that follows from."""

    known: dict[Key, frozenset[str]] = field(default_factory=dict)

    def get(self, key: Key) -> frozenset[str] | None:
        """Return what is remembered; None where nothing is."""
        return self.known.get(key)

    def keep(self, key: Key, units: frozenset[str]) -> None:
        """Remember one verdict."""
        if len(self.known) >= _MOST_REMEMBERED:
            self.known.clear()
        self.known[key] = units


@dataclass
class Reading:
    """The plans of the courses that count, each set of courses read once."""

    session: Session
    framework: Framework
    at: datetime
    _plans: dict[Courses, Plans] = field(default_factory=dict)

    def plans(self, courses: Courses) -> Plans:
        """Return the plans of these courses."""
        if courses not in self._plans:
            self._plans[courses] = read_plans(self.session, self.framework, courses)
        return self._plans[courses]

    def standings(self, people: Sequence[tables.Person]) -> dict[int, Standing]:
        """Return where each of these people stands, by id."""
        rows = evidence_of(self.session, [person.pseudonym for person in people])
        own = self.courses(person.id for person in people)
        return {
            person.id: judge(
                self.framework,
                self.plans(own.get(person.id, frozenset()) | _touched(rows[person.pseudonym])),
                rows[person.pseudonym],
                self.at,
            )
            for person in people
        }

    def courses(self, people: Iterable[int]) -> dict[int, Courses]:
        """Return the courses that each of these people learns now."""
        table = tables.Membership
        rows = self.session.execute(
            select(table.person_id, tables.CourseVersion.course)
            .join(tables.Run, tables.Run.cohort_id == table.cohort_id)
            .join(tables.CourseVersion, tables.CourseVersion.id == tables.Run.course_version_id)
            .where(table.person_id.in_(list(people)), table.role == "learner", active(self.at))
            .distinct()
        )
        found: dict[int, set[str]] = {}
        for person, course in rows:
            found.setdefault(person, set()).add(course)
        return {person: frozenset(courses) for person, courses in found.items()}

    def reached(
        self, people: Sequence[tables.Person], verdicts: Verdicts
    ) -> dict[int, frozenset[str]]:
        """Return the codes of the units that each of these people has reached, by id."""
        newest = self._newest([person.pseudonym for person in people])
        asked = [person for person in people if person.pseudonym in newest]
        own = self.courses(person.id for person in asked)
        keys = {person.id: self._key(person, newest[person.pseudonym], own) for person in asked}
        unknown = [person for person in asked if verdicts.get(keys[person.id]) is None]
        rows = evidence_of(self.session, [person.pseudonym for person in unknown])
        for person in unknown:
            units = self._units(rows[person.pseudonym], own.get(person.id, frozenset()))
            verdicts.keep(keys[person.id], units)
        return {person.id: verdicts.get(keys[person.id]) or frozenset() for person in asked}

    def _key(self, person: tables.Person, newest: tuple[int, int], own: dict[int, Courses]) -> Key:
        courses = tuple(sorted(own.get(person.id, frozenset())))
        return (
            person.pseudonym,
            *newest,
            (self.framework.ref, *courses),
            self.at.date().isoformat(),
        )

    def _newest(self, learners: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return newest record and number of records of who has enough for the smallest unit."""
        table = tables.Evidence
        least = min(len(unit.outcomes) for unit in self.framework.units)
        rows = self.session.execute(
            select(table.learner, func.max(table.seq), func.count())
            .where(table.learner.in_(learners))
            .group_by(table.learner)
            .having(func.count(table.outcome.distinct()) >= least)
        )
        return {learner: (seq, count) for learner, seq, count in rows}

    def _units(self, rows: Sequence[tables.Evidence], own: Courses) -> frozenset[str]:
        plans = self.plans(own | _touched(rows))
        # An outcome is judged by its own records alone: units without any need no look.
        proved = {row.outcome for row in rows}
        units = tuple(u for u in self.framework.units if {o.id for o in u.outcomes} <= proved)
        found = judge(replace(self.framework, units=units), plans, rows, self.at).units
        return frozenset(code for code, unit in found.items() if unit.points)


def _touched(rows: Iterable[tables.Evidence]) -> Courses:
    return frozenset(row.mapping.rpartition("@")[0] for row in rows)
