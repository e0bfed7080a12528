"""Make runs as a cohort file wants them.

Law: a run keeps the course version it began with, and its cohort. What a course maps as the
resit of a task begins in preparation: nobody has it before it is given to them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import Assignment, Cohort, CourseVersion, Job, Run
from bioskills.base.text import _
from bioskills.competence.mapping import MappingError, parse_mapping
from bioskills.hub.cohort_change import Change
from bioskills.hub.cohort_record import Record
from bioskills.hub.cohort_wish import WantedRun, Wish

DUE_HOUR = 18
"""Work is due at 18:00 in the run's own zone, while somebody can still be asked."""


def course_versions(session: Session, wish: Wish) -> dict[str, CourseVersion]:
    """Return the installed course version of every run.

    Raises:
        InputError: With every course that is not installed.
    """
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


def ensure_run(
    session: Session, record: Record, wish: Wish, wanted: WantedRun, version: CourseVersion
) -> list[Change]:
    """Make one run as wanted.

    Raises:
        InputError: It belongs to another cohort, or would change its course version.
    """
    run = session.scalar(select(Run).where(Run.slug == wanted.slug))
    cohort = session.scalars(select(Cohort).where(Cohort.slug == wish.cohort)).one()
    if run is None:
        return _new_run(session, record, cohort, wanted, version)
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
    return list(_move_run(record, run, wanted, version_of(session, run)))


def _new_run(
    session: Session, record: Record, cohort: Cohort, wanted: WantedRun, version: CourseVersion
) -> list[Change]:
    run = Run(
        slug=wanted.slug,
        course_version_id=version.id,
        cohort_id=cohort.id,
        opens_at=wanted.opens_at,
        closes_at=wanted.closes_at,
        time_zone=wanted.time_zone,
    )
    record.add(run)
    session.flush()
    kept_back = _resits(version)
    for position, entry in enumerate(version.manifest["assignments"]):
        row = _new_assignment(run, position, entry)
        row.state = "draft" if row.name in kept_back else "open"
        session.add(row)
    session.add(Job(kind="release", run_id=run.id))
    return [
        Change(
            "+",
            wanted.slug,
            _("new run of {course} {version}").format(
                course=version.course, version=version.version
            ),
            "run",
        )
    ]


def _resits(version: CourseVersion) -> frozenset[str]:
    """Return what is kept in preparation until it is given to somebody as a resit."""
    try:
        return parse_mapping(version.mapping, version.course).resits
    except MappingError:
        return frozenset()


def _new_assignment(run: Run, position: int, entry: dict[str, object]) -> Assignment:
    day = run.opens_at.astimezone(ZoneInfo(run.time_zone)) + timedelta(
        days=int(str(entry["due_offset_days"]))
    )
    due = day.replace(hour=DUE_HOUR, minute=0, second=0, microsecond=0)
    return Assignment(
        run_id=run.id,
        name=str(entry["id"]),
        position=position,
        due_at=min(due, run.closes_at),
        release_policy=str(entry["release"]),
    )


def version_of(session: Session, run: Run) -> CourseVersion:
    """Return the course version that a run delivers."""
    return session.get_one(CourseVersion, run.course_version_id)


def _move_run(
    record: Record, run: Run, wanted: WantedRun, version: CourseVersion
) -> Iterator[Change]:
    words = {"opens_at": _("opens"), "closes_at": _("closes"), "time_zone": _("time zone")}
    for key, word in words.items():
        old, new = getattr(run, key), getattr(wanted, key)
        if old != new:
            record.set(run, **{key: new})
            text = _("{what} {old} → {new} ({course} {version})").format(
                what=word, old=_said(old), new=_said(new),
                course=version.course, version=version.version,
            )  # fmt: skip
            yield Change("~", wanted.slug, text, "run")


def _said(value: datetime | str) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value
