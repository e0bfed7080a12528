"""Serve the grader: work to take, verdicts to give, courses to read.

Law: the grader alone calls here. Every verb may be repeated after a lost answer.
No byte of a body is read before the token was seen: a route that names a model as
its argument would read first, so bodies are read by hand.
"""

from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from pydantic import ValidationError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from bioskills.base import wire
from bioskills.base.tables import CourseVersion
from bioskills.base.text import _
from bioskills.hub.campus import jobs
from bioskills.hub.campus.exchange_callers import GraderOnly, Here
from bioskills.hub.campus.site import Refused, Site

ZIP = "application/zip"

M = TypeVar("M", bound=wire.Wire)


def routes(site: Site) -> APIRouter:
    """Return the grader's routes."""
    router = APIRouter(prefix=f"{site.prefix}api/v1/grader")
    router.add_api_route("/jobs/claim", claim, methods=["POST"], response_model=None)
    router.add_api_route("/jobs/recover", recover, methods=["POST"])
    router.add_api_route("/jobs/{job_id}/put-back", put_back, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/intent", intent, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/result", result, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/fail", fail, methods=["POST"], status_code=204)
    router.add_api_route("/courses/{course}/{version}", course_zip, methods=["GET"])
    return router


def claim(site: Here, caller: GraderOnly) -> wire.Job | Response:
    """Return the next job, or 204 when there is none."""
    del caller
    with site.store.transaction() as session:
        job = jobs.claim(session, site.clock(), site.settings.grading)
    return job or Response(status_code=204)


def recover(site: Here, caller: GraderOnly) -> wire.JobsTaken:
    """Let everything wait again that an ended grader left under way."""
    del caller
    with site.store.transaction() as session:
        return wire.JobsTaken(count=jobs.recover(session, site.clock(), site.settings.grading))


def put_back(job_id: int, site: Here, caller: GraderOnly) -> None:
    """Take a job back undone, from a grader that was asked to end."""
    del caller
    with site.store.transaction() as session:
        jobs.put_back(session, job_id)


def intent(job_id: int, site: Here, caller: GraderOnly) -> None:
    """Keep a job for another while, right before its results are written."""
    del caller
    with site.store.transaction() as session:
        jobs.begin(session, job_id, site.clock(), site.settings.grading)


async def result(job_id: int, request: Request, site: Here, caller: GraderOnly) -> None:
    """Store what grading gave, publish it where that is automatic, and end the job."""
    del caller
    grade = await _body(request, wire.GradeResult)
    await run_in_threadpool(_finish, site, job_id, grade)


async def fail(job_id: int, request: Request, site: Here, caller: GraderOnly) -> None:
    """Note that one try failed."""
    del caller
    why = await _body(request, wire.JobFailure)
    await run_in_threadpool(_fail, site, job_id, why.message)


def course_zip(course: str, version: str, site: Here, caller: GraderOnly) -> StreamingResponse:
    """Return an installed course version."""
    del caller
    with site.store.reading() as session:
        sha256 = session.scalar(
            select(CourseVersion.sha256).where(
                CourseVersion.course == course, CourseVersion.version == version
            )
        )
    if sha256 is None or not site.objects.has(sha256):
        message = _("The course {course} {version} is not installed.")
        message = message.format(course=course, version=version)
        raise Refused(404, "not_found", message, _("Run: bioskills course install"))
    return StreamingResponse(site.objects.chunks(sha256), media_type=ZIP)


async def _body(request: Request, model: type[M]) -> M:
    """Return what the body says.

    Raises:
        RequestValidationError: It says something else.
    """
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error


def _finish(site: Site, job_id: int, grade: wire.GradeResult) -> None:
    with site.store.transaction() as session:
        jobs.finish(session, job_id, grade, site.clock())


def _fail(site: Site, job_id: int, message: str) -> None:
    with site.store.transaction() as session:
        jobs.fail(session, job_id, message, site.clock(), site.settings.grading)
