"""Install a version of a course: its ZIP by hash, its manifest, mapping and notes.

Law: a version is immutable. The same content again does nothing; other
content under the same version is refused with the next free step.
"""

from pathlib import Path

import yaml
from sqlalchemy import select

from bioskills.base.problems import InputError, Problem
from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, CourseVersion
from bioskills.base.text import _
from bioskills.courses.package import canonical_zip, read_course
from bioskills.courses.reading import view_of
from bioskills.hub.campus.objects import Objects

NOTES_PREFIX = "grading/"


def read_for_install(source: Path) -> tuple[bytes, CourseVersion]:
    """Return a course's canonical ZIP and its row, both read from a folder or ZIP.

    Raises:
        InputError: With every fault of the course's files.
    """
    files = read_course(source)
    course = view_of(files)
    if course.faults or course.manifest is None:
        raise InputError(
            [Problem(f.file, f"{f.key} {f.message}".strip(), next=f.next) for f in course.faults]
        )
    manifest = yaml.safe_load(files["course.yml"])
    return canonical_zip(files), CourseVersion(
        course=course.manifest.id,
        version=str(course.manifest.version),
        sha256="",
        manifest=manifest,
        mapping=yaml.safe_load(files["competence.yaml"]),
        notes={
            _assignment_of(path): yaml.safe_load(content)
            for path, content in files.items()
            if _is_notes(path)
        },
    )


def _is_notes(path: str) -> bool:
    return path.startswith(NOTES_PREFIX) and path.endswith(".yml")


def _assignment_of(path: str) -> str:
    return path.removeprefix(NOTES_PREFIX).removesuffix(".yml")


def install(
    store: Store, objects: Objects, content: bytes, version: CourseVersion, actor: str
) -> bool:
    """Store the ZIP and the row; return whether anything was new.

    Raises:
        InputError: This version is installed with other content.
    """
    version.sha256 = objects.put(content)
    with store.transaction() as session:
        known = session.scalar(
            select(CourseVersion).where(
                CourseVersion.course == version.course, CourseVersion.version == version.version
            )
        )
        if known is None:
            session.add(version)
            subject = f"{version.course} {version.version}"
            session.add(
                AuditEntry(
                    actor=actor,
                    action="course.install",
                    subject=subject,
                    detail={"sha256": version.sha256},
                )
            )
            return True
        if known.sha256 == version.sha256:
            return False
    what = _("version {version} of {course} is installed with other content.").format(
        version=version.version, course=version.course
    )
    rule = _("A version never changes, because grades rest on it.")
    raise InputError(
        [Problem("course.yml", what, rule, _("Raise `version` in course.yml, then install again."))]
    )
