"""Say what a cohort file would change, and change it.

Law: a plan is made and applied inside one transaction, so that what was shown
is what is done; applying the same file twice changes nothing the second time.
Seats from another source (a claim, a page) are never touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import (
    PLATFORM,
    Assignment,
    AuditEntry,
    Cohort,
    CourseVersion,
    Job,
    Membership,
    Person,
    Run,
)
from bioskills.base.text import _
from bioskills.hub.cohort_file import PLATFORM_ROLES, WantedPerson, WantedRun, Wish
from bioskills.hub.cohort_limits import differences
from bioskills.hub.membership import has_seat

SOURCE = "file:{cohort}"
"""A seat names the cohort of the file that gave it: who leaves that file loses it, and no other."""
DUE_HOUR = 18
"""Work is due at 18:00 in the run's own zone, while somebody can still be asked."""


@dataclass(frozen=True)
class Change:
    """One difference between the file and what is.

    Attributes:
        sign: ``+`` adds, ``~`` changes, ``-`` ends.
        subject: Whom or what.
        detail: From what to what, as a person reads it.
    """

    sign: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"  {self.sign} {self.subject}: {self.detail}"


def apply_wish(
    session: Session, wish: Wish, *, actor: str, now: datetime, platform_roles: bool = False
) -> list[Change]:
    """Make the database as the file wants it and return what changed.

    Roll the session back instead of committing to have a plan.

    Args:
        session: A writing session.
        wish: What the file wants.
        actor: Who applies it, for the audit log.
        now: The present moment.
        platform_roles: Whether the file may make somebody admin or manager of the platform.

    Raises:
        InputError: A course or version is not installed, a run would move, or the file gives
            a role of the platform without being allowed to.
    """
    if not platform_roles:
        _refuse_new_platform_roles(session, wish)
    versions = _course_versions(session, wish)
    changes = [
        *_ensure_cohorts(session, wish),
        *_ensure_limits(session, wish),
        *_ensure_people(session, wish),
        *_ensure_seats(session, wish, now),
    ]
    for run in wish.runs:
        changes += _ensure_run(session, wish, run, versions[run.slug])
    if changes:
        entry = AuditEntry(at=now, actor=actor, action="cohort.apply", subject=wish.cohort)
        entry.detail = {"changes": len(changes)}
        session.add(entry)
    return changes


def _refuse_new_platform_roles(session: Session, wish: Wish) -> None:
    # A partner's spreadsheet must not make an admin unnoticed.
    what = _("{role} is a role of the whole platform, and this file would give it.")
    step = _("If that is meant, add: --platform-roles")
    wanted = [(p.name, role) for p in wish.people for role in p.roles if role in PLATFORM_ROLES]
    problems = [
        Problem(name, what.format(role=role), next=step)
        for name, role in wanted
        if not has_seat(session, name, PLATFORM, [role])
    ]
    if problems:
        raise InputError(problems)


def _course_versions(session: Session, wish: Wish) -> dict[str, CourseVersion]:
    found, problems = {}, []
    for run in wish.runs:
        query = (
            select(CourseVersion)
            .where(CourseVersion.course == run.course)
            .order_by(CourseVersion.installed_at.desc())
        )
        if run.version:
            query = query.where(CourseVersion.version == run.version)
        version = session.scalars(query).first()
        if version is None:
            name = f"{run.course} {run.version}".strip()
            what = _("course {name} is not installed.").format(name=name)
            problems.append(
                Problem(
                    run.slug,
                    what,
                    next=_("Run: bioskills course install courses/{course}").format(
                        course=run.course
                    ),
                )
            )
        else:
            found[run.slug] = version
    if problems:
        raise InputError(problems)
    return found


def _ensure_cohorts(session: Session, wish: Wish) -> Iterator[Change]:
    for slug, title in ((PLATFORM, "Platform"), (wish.cohort, wish.title)):
        cohort = session.scalar(select(Cohort).where(Cohort.slug == slug))
        if cohort is None:
            session.add(Cohort(slug=slug, title=title))
            if slug != PLATFORM:
                yield Change("+", slug, _("new cohort “{title}”").format(title=title))
        elif slug != PLATFORM and cohort.title != title:
            yield Change(
                "~", slug, _("title “{old}” → “{new}”").format(old=cohort.title, new=title)
            )
            cohort.title = title
    session.flush()


def _ensure_limits(session: Session, wish: Wish) -> list[Change]:
    cohort = session.scalars(select(Cohort).where(Cohort.slug == wish.cohort)).one()
    told = list(differences(cohort.limits or {}, wish.limits))
    cohort.limits = dict(wish.limits) or None
    return [Change("~", wish.cohort, text) for text in told]


def _ensure_people(session: Session, wish: Wish) -> Iterator[Change]:
    for wanted in wish.people:
        person = session.scalar(select(Person).where(Person.name == wanted.name))
        if person is None:
            session.add(_new_person(session, wanted))
            session.flush()
            yield Change(
                "+", wanted.name, _("new person {display}").format(display=wanted.display_name)
            )
            continue
        for key in ("display_name", "email"):
            old, new = getattr(person, key), getattr(wanted, key)
            if old != new:
                setattr(person, key, new)
                yield Change("~", wanted.name, f"{key} {old or '-'} → {new or '-'}")


def _new_person(session: Session, wanted: WantedPerson) -> Person:
    number = (session.scalar(select(func.max(Person.id))) or 0) + 1
    return Person(
        name=wanted.name,
        pseudonym=f"p-{number:06d}",
        display_name=wanted.display_name,
        email=wanted.email,
    )


def _ensure_seats(session: Session, wish: Wish, now: datetime) -> Iterator[Change]:
    wanted = {(person.name, *seat) for person in wish.people for seat in wish.seats_of(person)}
    rows = _rows(session, wish)
    for key in sorted(wanted):
        row = rows.get(key)
        if row is None:
            session.add(_new_seat(session, key, wish, now))
            yield Change("+", key[0], _("{role} in {cohort}").format(role=key[2], cohort=key[1]))
        elif row.valid_to is not None:
            row.valid_to = None
            yield Change(
                "+", key[0], _("{role} in {cohort} again").format(role=key[2], cohort=key[1])
            )
    for key, row in sorted(rows.items()):
        if key not in wanted and row.valid_to is None:
            row.valid_to = now
            yield Change(
                "-", key[0], _("no longer {role} in {cohort}").format(role=key[2], cohort=key[1])
            )


def _rows(session: Session, wish: Wish) -> dict[tuple[str, str, str], Membership]:
    query = (
        select(Person.name, Cohort.slug, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Membership.source == SOURCE.format(cohort=wish.cohort))
    )
    return {(name, slug, row.role): row for name, slug, row in session.execute(query)}


def _new_seat(session: Session, key: tuple[str, str, str], wish: Wish, now: datetime) -> Membership:
    name, cohort, role = key
    person = session.scalars(select(Person).where(Person.name == name)).one()
    place = session.scalars(select(Cohort).where(Cohort.slug == cohort)).one()
    source = SOURCE.format(cohort=wish.cohort)
    return Membership(
        person_id=person.id, cohort_id=place.id, role=role, source=source, valid_from=now
    )


def _ensure_run(
    session: Session, wish: Wish, wanted: WantedRun, version: CourseVersion
) -> list[Change]:
    run = session.scalar(select(Run).where(Run.slug == wanted.slug))
    cohort = session.scalars(select(Cohort).where(Cohort.slug == wish.cohort)).one()
    if run is None:
        return _new_run(session, cohort, wanted, version)
    if run.cohort_id != cohort.id:
        what = _("this run belongs to another cohort.")
        raise InputError([Problem(wanted.slug, what, next=_("Give the run another name."))])
    if wanted.version and run.course_version_id != version.id:
        what = _("a run keeps the course version it began with.")
        raise InputError(
            [
                Problem(
                    wanted.slug,
                    what,
                    next=_("Make a new run for version {v}.").format(v=version.version),
                )
            ]
        )
    return list(_move_run(run, wanted))


def _new_run(
    session: Session, cohort: Cohort, wanted: WantedRun, version: CourseVersion
) -> list[Change]:
    run = Run(
        slug=wanted.slug,
        course_version_id=version.id,
        cohort_id=cohort.id,
        opens_at=wanted.opens_at,
        closes_at=wanted.closes_at,
        time_zone=wanted.time_zone,
    )
    session.add(run)
    session.flush()
    for position, entry in enumerate(version.manifest["assignments"]):
        session.add(_new_assignment(run, position, entry))
    session.add(Job(kind="release", run_id=run.id))
    return [
        Change(
            "+",
            wanted.slug,
            _("new run of {course} {version}").format(
                course=version.course, version=version.version
            ),
        )
    ]


def _new_assignment(run: Run, position: int, entry: dict[str, object]) -> Assignment:
    day = run.opens_at.astimezone(ZoneInfo(run.time_zone)) + timedelta(
        days=int(str(entry["due_offset_days"]))
    )
    due = day.replace(hour=DUE_HOUR, minute=0, second=0, microsecond=0)
    return Assignment(
        run_id=run.id,
        name=str(entry["id"]),
        position=position,
        state="open",
        due_at=min(due, run.closes_at),
        release_policy=str(entry["release"]),
    )


def _move_run(run: Run, wanted: WantedRun) -> Iterator[Change]:
    for key in ("opens_at", "closes_at", "time_zone"):
        old, new = getattr(run, key), getattr(wanted, key)
        if old != new:
            setattr(run, key, new)
            yield Change("~", wanted.slug, f"{key} {old} → {new}")
