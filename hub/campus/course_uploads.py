"""Take in a course that an instructor uploads, and install it when they say so.

Law: an upload is read elsewhere (`course_reading`), compared with the version that is
taught now, and kept only where nothing stops it. Installing adds a version; runs keep the
one they began with, so it touches nobody's work.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.problems import Problem
from bioskills.base.tables import AuditEntry, CourseVersion, Person, Run
from bioskills.base.tables_uploads import CourseUpload
from bioskills.base.text import _
from bioskills.courses.differences import differences
from bioskills.hub.campus.objects import refusing_full_disk
from bioskills.hub.campus.site import Site
from bioskills.hub.course_install import install, refusals
from bioskills.hub.course_reading import CANONICAL, OLD, UPLOAD, Reading, read_upload

Findings = Sequence[dict[str, str]]
MANIFEST_KEYS = ("manifest", "mapping", "notes")


@dataclass(frozen=True)
class Taken:
    """What became of an upload.

    Attributes:
        upload: Where it is kept; None where the check found errors, and nothing is kept.
        findings: Of the check, errors first.
    """

    upload: int | None
    findings: Findings


@dataclass(frozen=True)
class Version:
    """One installed version in the list."""

    course: str
    title: str
    version: str
    installed_at: datetime
    installed_by: str
    runs: tuple[str, ...]


def take_in(site: Site, sent: BinaryIO, by: str, now: datetime) -> Taken:
    """Read an uploaded ZIP; keep it with its report where nothing stops it.

    Raises:
        InputError: It is no course.
        DiskFullError: No room for it.
    """
    with refusing_full_disk(), tempfile.TemporaryDirectory(prefix="bioskills-course-") as name:
        folder = Path(name)
        with (folder / UPLOAD).open("wb") as file:
            shutil.copyfileobj(sent, file)
        # Which version to compare with is known when the course's name is: read twice, rarely.
        reading = read_upload(folder)
        old = _taught(site, reading)
        if old is not None:
            (folder / OLD).write_bytes(site.objects.read(old.sha256))
            reading = read_upload(folder)
        if not reading.passed:
            return Taken(None, reading.findings)
        sha256 = site.objects.put((folder / CANONICAL).read_bytes())
    return Taken(_keep(site, reading, (sha256, by, now), old), reading.findings)


def _keep(
    site: Site, reading: Reading, what: tuple[str, str, datetime], old: CourseVersion | None
) -> int:
    sha256, by, now = what
    with site.store.transaction() as session:
        upload = CourseUpload(
            course=reading.row["course"],
            version=reading.row["version"],
            sha256=sha256,
            row={key: reading.row[key] for key in MANIFEST_KEYS},
            findings=list(reading.findings),
            compared_with=old.id if old else None,
            differences=[astuple(d) for d in differences(reading.old, reading.summary)]
            if old
            else [],
            by=by,
            at=now,
        )
        session.add(upload)
        session.flush()
        return upload.id


def _taught(site: Site, reading: Reading) -> CourseVersion | None:
    """Return the version that the newest run of this course delivers, or the newest installed."""
    if not reading.passed:
        return None
    mine = CourseVersion.course == reading.row["course"]
    with site.store.reading() as session:
        taught = session.scalars(
            select(CourseVersion)
            .join(Run, Run.course_version_id == CourseVersion.id)
            .where(mine)
            .order_by(Run.opens_at.desc())
        ).first()
        newest = select(CourseVersion).where(mine).order_by(CourseVersion.installed_at.desc())
        return taught or session.scalars(newest).first()


def put_in(site: Site, upload: CourseUpload, by: str, now: datetime) -> bool:
    """Install an upload; return whether anything was new.

    Raises:
        InputError: This version is installed with other content, or its mapping changed silently.
    """
    version = CourseVersion(course=upload.course, version=upload.version, sha256="", **upload.row)
    new = install(site.store, site.objects, site.objects.read(upload.sha256), version, by)
    with site.store.transaction() as session:
        row = session.get_one(CourseUpload, upload.id)
        row.installed_at, row.installed_by = row.installed_at or now, row.installed_by or by
    return new


def refused_before(site: Site, upload: CourseUpload) -> tuple[Problem, ...]:
    """Return why an upload could not be installed now; nothing is written."""
    with site.store.reading() as session:
        others = session.scalars(
            select(CourseVersion).where(CourseVersion.course == upload.course)
        ).all()
        version = CourseVersion(course=upload.course, version=upload.version, **upload.row)
        version.sha256 = upload.sha256
        return tuple(refusals(version, others))


def find_upload(session: Session, upload: int) -> CourseUpload | None:
    """Return an upload, or None."""
    return session.get(CourseUpload, upload)


def versions(session: Session) -> list[Version]:
    """Return every installed version, courses by name, the newest version first."""
    rows = session.scalars(
        select(CourseVersion).order_by(CourseVersion.course, CourseVersion.installed_at.desc())
    ).all()
    return [
        Version(
            course=row.course,
            title=str(row.manifest["title"]),
            version=row.version,
            installed_at=row.installed_at,
            installed_by=_installer(session, row),
            runs=tuple(_runs(session, row)),
        )
        for row in rows
    ]


def _runs(session: Session, version: CourseVersion) -> Sequence[str]:
    query = select(Run.slug).where(Run.course_version_id == version.id).order_by(Run.opens_at)
    return session.scalars(query).all()


def _installer(session: Session, version: CourseVersion) -> str:
    """Return who installed it, as the audit log says: a person's name, or a command's account."""
    actor = session.scalar(
        select(AuditEntry.actor).where(
            AuditEntry.action == "course.install",
            AuditEntry.subject == f"{version.course} {version.version}",
        )
    )
    name = session.scalar(select(Person.display_name).where(Person.pseudonym == actor))
    return name or actor or _("unknown")
