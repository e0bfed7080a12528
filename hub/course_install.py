"""Install a version of a course: its ZIP by hash, its manifest, mapping and notes.

Law: a version is immutable. The same content again does nothing; other
content under the same version is refused with the next free step.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import yaml
from sqlalchemy import select

from bioskills.base.problems import InputError, Problem
from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, CourseVersion
from bioskills.base.text import _
from bioskills.courses.checks import check_course
from bioskills.courses.package import Files, canonical_zip, read_course
from bioskills.courses.rules import Finding
from bioskills.hub.campus.objects import Objects

NOTES_PREFIX = "grading/"


def read_for_install(source: Path) -> tuple[bytes, CourseVersion]:
    """Return a course's canonical ZIP and its row, both read from a folder or ZIP.

    Raises:
        InputError: With everything that the static rules of `bioskills course check` refuse.
    """
    files = read_course(source)
    errors = check_course(files).errors
    if errors:
        raise InputError([finding_as_problem(finding) for finding in errors])
    return course_of(files)


def course_of(files: Files) -> tuple[bytes, CourseVersion]:
    """Return the canonical ZIP and the row of a course that passed the check."""
    manifest = yaml.safe_load(files["course.yml"])
    return canonical_zip(files), CourseVersion(
        course=manifest["id"],
        version=str(manifest["version"]),
        sha256="",
        manifest=manifest,
        mapping=yaml.safe_load(files["competence.yaml"]),
        notes={
            _assignment_of(path): yaml.safe_load(content)
            for path, content in files.items()
            if _is_notes(path)
        },
    )


def finding_as_problem(finding: Finding) -> Problem:
    """Return a finding of the course check in the form that every command prints."""
    fault = finding.fault
    return Problem(fault.where, fault.message, f"({finding.rule.id})", finding.next)


def _is_notes(path: str) -> bool:
    return path.startswith(NOTES_PREFIX) and path.endswith(".yml")


def _assignment_of(path: str) -> str:
    return path.removeprefix(NOTES_PREFIX).removesuffix(".yml")


def install(
    store: Store, objects: Objects, content: bytes, version: CourseVersion, actor: str
) -> bool:
    """Store the ZIP and the row; return whether anything was new.

    Raises:
        InputError: This version is installed with other content, or its mapping changed silently.
    """
    version.sha256 = hashlib.sha256(content).hexdigest()
    with store.transaction() as session:
        others = session.scalars(
            select(CourseVersion).where(CourseVersion.course == version.course)
        ).all()
        if any(o.version == version.version and o.sha256 == version.sha256 for o in others):
            return False
        problems = refusals(version, others)
        if problems:
            raise InputError(problems)
        objects.put(content)
        session.add(version)
        session.add(_audit_entry(version, actor))
    return True


def refusals(version: CourseVersion, others: Sequence[CourseVersion]) -> list[Problem]:
    """Return why a version cannot be installed beside the others of its course; empty where it can."""
    known = next((other for other in others if other.version == version.version), None)
    problems = []
    if known is not None and known.sha256 != version.sha256:
        what = _("version {version} of {course} is installed with other content.").format(
            version=version.version, course=version.course
        )
        rule = _("A version never changes, because grades rest on it.")
        step = _("Raise `version` in course.yml, then install again.")
        problems.append(Problem("course.yml", what, rule, step))
    number = version.mapping["mapping_version"]
    same = [other for other in others if other.mapping["mapping_version"] == number]
    if any(other.mapping != version.mapping for other in same):
        what = _("mapping_version {number} differs from the one in {course} {other}.").format(
            number=number, course=version.course, other=same[0].version
        )
        rule = _("Evidence names the mapping version it rests on, so one number means one mapping.")
        step = _("Raise `mapping_version` in competence.yaml, then install again.")
        problems.append(Problem("competence.yaml", what, rule, step))
    return problems


def _audit_entry(version: CourseVersion, actor: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="course.install",
        subject=f"{version.course} {version.version}",
        detail={"sha256": version.sha256},
    )
