"""Serve the grader: work to take, verdicts to give, courses to read.

Law: the grader alone calls here. Every verb may be repeated after a lost answer.
No byte of a body is read before the token was seen: a route that names a model as
its argument would read first, so bodies are read by hand.
"""

import asyncio
import time
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
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
LOOK_S = 1.0
"""Seconds between two looks for work that nobody rang for: its pause ended, or a command made it."""

M = TypeVar("M", bound=wire.Wire)


def routes(site: Site) -> APIRouter:
    """Return the grader's routes."""
    router = APIRouter(prefix=f"{site.prefix}api/v1/grader")
    router.add_api_route("/jobs/claim", claim, methods=["POST"])
    router.add_api_route("/jobs/{job_id}/put-back", put_back, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/progress", progress, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/result", result, methods=["POST"], status_code=204)
    router.add_api_route("/jobs/{job_id}/fail", fail, methods=["POST"], status_code=204)
    router.add_api_route("/courses/{course}/{version}", course_zip, methods=["GET"])
    return router


async def claim(request: Request, site: Here, caller: GraderOnly) -> wire.JobList:
    """Return jobs for the caller; where there are none, wait for some as long as it asks."""
    del caller
    ask = await _body(request, wire.Claim)
    question = site.bell.new_question(ask.environment)
    with site.bell.listening() as rung:
        found = await run_in_threadpool(_claim, site, ask, question)
        until = time.monotonic() + ask.wait_s
        while _goes_on(site, question, found) and time.monotonic() < until:
            if await _is_gone(request, rung, min(LOOK_S, until - time.monotonic())):
                break
            rung.clear()
            if await run_in_threadpool(_is_work, site):
                found = await run_in_threadpool(_claim, site, ask, question)
    return found


def put_back(job_id: int, site: Here, caller: GraderOnly) -> None:
    """Take a job back undone, from a grader that was asked to end."""
    del caller
    with site.store.transaction() as session:
        jobs.put_back(session, job_id)
    site.bell.ring()


async def progress(job_id: int, request: Request, site: Here, caller: GraderOnly) -> None:
    """Note how far a job is, and keep it for another while."""
    del caller
    how = await _body(request, wire.JobProgress)
    await run_in_threadpool(_report, site, job_id, how)


async def result(job_id: int, request: Request, site: Here, caller: GraderOnly) -> None:
    """Store what grading gave, publish it where that is automatic, and end the job."""
    del caller
    grade = await _body(request, wire.GradeResult)
    await run_in_threadpool(_finish, site, job_id, grade)


async def fail(job_id: int, request: Request, site: Here, caller: GraderOnly) -> None:
    """Note that one try failed."""
    del caller
    why = await _body(request, wire.JobFailure)
    await run_in_threadpool(_fail, site, job_id, why)


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


def _goes_on(site: Site, question: int, found: wire.JobList) -> bool:
    return site.bell.is_newest(question) and not (found.jobs or found.taken_back)


async def _is_gone(request: Request, rung: asyncio.Event, most_s: float) -> bool:
    """Wait for a ring; say whether the caller left meanwhile."""
    waits = asyncio.ensure_future(rung.wait())
    leaves = asyncio.ensure_future(request.receive())  # the body is read: nothing but the end comes
    try:
        await asyncio.wait({waits, leaves}, timeout=most_s, return_when=asyncio.FIRST_COMPLETED)
        return leaves.done()
    finally:
        waits.cancel()
        leaves.cancel()


def _claim(site: Site, ask: wire.Claim, question: int) -> wire.JobList:
    limits = site.settings.grading
    with site.store.transaction() as session:
        # One transaction at a time: nothing is given to a question that nobody waits for.
        if not site.bell.is_newest(question):
            return wire.JobList(jobs=[])
        taken = jobs.take_back(session, ask, site.clock(), limits)
        return wire.JobList(jobs=jobs.claim(session, ask, site.clock(), limits), taken_back=taken)


def _is_work(site: Site) -> bool:
    with site.store.reading() as session:
        return jobs.is_work(session, site.clock())


def _report(site: Site, job_id: int, how: wire.JobProgress) -> None:
    with site.store.transaction() as session:
        jobs.report(session, job_id, how, site.clock(), site.settings.grading)


def _finish(site: Site, job_id: int, grade: wire.GradeResult) -> None:
    with site.store.transaction() as session:
        jobs.finish(session, job_id, grade, site.clock())


def _fail(site: Site, job_id: int, why: wire.JobFailure) -> None:
    with site.store.transaction() as session:
        jobs.fail(session, job_id, why, site.clock(), site.settings.grading)
    site.bell.ring()
