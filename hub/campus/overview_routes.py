"""Answer the Lab: overview, learning materials, feedback.

Law (charter 8): a lab sees its owner's own things and changes nothing here.
"""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.base.wire import TAR, Feedback, GradingProgress, LabOverview
from bioskills.competence.framework import SHOWN, load_framework
from bioskills.courses.package import materials
from bioskills.hub.campus.callers import Lab, lab
from bioskills.hub.campus.feedback import (
    build_feedback,
    counts_of,
    find_hand_in,
    lateness_of,
    result_of,
)
from bioskills.hub.campus.job_board import progress_of
from bioskills.hub.campus.objects import CHUNK, Objects
from bioskills.hub.campus.overview import SEES_RUNS, lab_overview
from bioskills.hub.campus.passport import runs_of
from bioskills.hub.campus.site import Refused, Site
from bioskills.hub.factor_due import acts_as
from bioskills.hub.membership import Seat

FRAMEWORK = SHOWN
"""The framework that panel, passport and cohort table speak of."""

_BLOCK = tarfile.BLOCKSIZE


def routes(site: Site) -> APIRouter:
    """Return the routes that the Lab panel asks."""
    router = APIRouter(prefix="/api/v1/lab")

    @router.get("/overview")
    def overview(caller: Annotated[Lab, Depends(lab)]) -> LabOverview:
        with site.store.reading() as session:
            person = session.get_one(tables.Person, caller.person_id)
            framework = load_framework(FRAMEWORK)
            return lab_overview(session, person, framework, site.clock(), site.settings)

    @router.get("/runs/{run}/materials")
    def run_materials(run: str, caller: Annotated[Lab, Depends(lab)]) -> StreamingResponse:
        with site.store.reading() as session:
            version = _version(session, site, caller, run)
        # The course is opened here, so that a missing file is an answer, not a broken stream.
        site.objects.open(version.sha256).close()
        return StreamingResponse(materials_tar(site.objects, version.sha256), media_type=TAR)

    @router.get("/feedback/{submission_id}")
    def feedback(submission_id: int, caller: Annotated[Lab, Depends(lab)]) -> Feedback:
        with site.store.reading() as session:
            return own_feedback(session, submission_id, caller.person_id)

    @router.get("/progress/{submission_id}")
    def progress(submission_id: int, caller: Annotated[Lab, Depends(lab)]) -> GradingProgress:
        with site.store.reading() as session:
            submission = session.get(tables.Submission, submission_id)
            if submission is None or submission.person_id != caller.person_id:
                raise no_hand_in(submission_id)
            return progress_of(session, submission_id, site.clock())

    return router


def own_feedback(session: Session, submission_id: int, person_id: int) -> Feedback:
    """Return the feedback on one of this person's own hand-ins.

    Raises:
        Refused: Another person's hand-in (as if it were not there), or nothing returned yet.
    """
    hand_in = find_hand_in(session, submission_id)
    if hand_in is None or hand_in.submission.person_id != person_id:
        raise no_hand_in(submission_id)
    result = result_of(session, submission_id)
    if result is None:
        raise Refused(
            404,
            "not_returned",
            _("Nothing has been returned yet for this hand-in."),
            _("It appears by itself; what a person reads takes up to five working days."),
        )
    late, counts = lateness_of(session, hand_in), counts_of(session, hand_in)
    return build_feedback(hand_in, result, late, counts)


def no_hand_in(submission_id: int) -> Refused:
    """Return the refusal for a hand-in that is not there, or not theirs."""
    message = _("There is no hand-in {number} of yours.").format(number=submission_id)
    return Refused(404, "unknown_submission", message, _("Open it from your list of assignments."))


def materials_tar(objects: Objects, sha256: str) -> Iterator[bytes]:
    """Yield README, lessons, data and images of a stored course as a tar, piece by piece."""
    with objects.open(sha256) as file, closing(zipfile.ZipFile(file)) as course:
        for path in sorted(materials(dict.fromkeys(course.namelist(), b""))):
            yield from _member(course, path)
    yield b"\0" * (2 * _BLOCK)


def _member(course: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    info = tarfile.TarInfo(path)
    info.size, info.mode = course.getinfo(path).file_size, 0o644
    yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
    with course.open(path) as content:
        yield from iter(lambda: content.read(CHUNK), b"")
    yield b"\0" * (-info.size % _BLOCK)


def _version(session: Session, site: Site, caller: Lab, slug: str) -> tables.CourseVersion:
    person = session.get_one(tables.Person, caller.person_id)
    allowed = {run.slug: run for run in runs_of(session, person, SEES_RUNS, site.clock())}
    if slug not in allowed:
        raise Refused(
            404,
            "unknown_run",
            _("You have no run named {run}.").format(run=slug),
            _("Open the panel again; it lists your runs."),
        )
    run = allowed[slug]
    if site.clock() < run.opens_at and not _teaches(session, caller.name, run, site):
        raise Refused(
            403, "not_open", _("This course has not begun."), _("Come back when it opens.")
        )
    return session.get_one(tables.CourseVersion, run.course_version_id)


def _teaches(session: Session, name: str, run: tables.Run, site: Site) -> bool:
    slug = session.scalar(select(tables.Cohort.slug).where(tables.Cohort.id == run.cohort_id))
    seat = Seat(slug or "", "instructor")
    return acts_as(session, site.settings, name, seat, site.clock())
