"""Serve the admin's page of grading jobs: the queue, and what failed, across all runs.

Law: a job is shown by run, assignment and pseudonym; nothing of the work in it, and no
result. Trying again is the same wish that an instructor can have, and is written down.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from bioskills.base.tables import Assignment, Job, Person, Run, Submission
from bioskills.base.text import _
from bioskills.hub.campus import jobs
from bioskills.hub.campus.admin_shared import note, show
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.job_board import Queue, read_queue, time_words
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Refused, Site
from bioskills.hub.campus.wording import Sign

PAGE = 50
SHOWN = 20
RECENT = timedelta(days=1)

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]


@dataclass(frozen=True)
class JobRow:
    """One job in a table."""

    job_id: int
    run: str
    assignment: str
    pseudonym: str
    sign: Sign
    since: datetime
    tries: int
    message: str
    progress: str


def routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/jobs")
    def jobs_page(request: Request, caller: Reads, *, page: int = 1, done: str = "") -> Response:
        require_admin(caller)
        page = max(1, page)
        with site.store.reading() as session:
            queue = read_queue(session, site.clock())
            failed = open_failures(session)
            return show(
                request,
                caller,
                "admin_jobs.html",
                "admin/jobs",
                queue=queue,
                words=queue_words(queue),
                under_way=under_way(session, queue),
                failed=_rows(session, _failed().offset((page - 1) * PAGE).limit(PAGE)),
                failures=failed,
                done_today=_done_since(session, site.clock() - RECENT),
                page=page,
                pages=max(1, -(-failed // PAGE)),
                said=_said(done),
            )

    @router.post("/admin/jobs/{job_id}/again")
    def try_again(job_id: int, caller: Changes) -> Response:
        require_admin(caller)
        with site.store.transaction() as session:
            done = _again(session, site, caller, job_id)
        site.bell.ring()
        return RedirectResponse(site.link(f"admin/jobs?done={done}"), HTTPStatus.SEE_OTHER)

    return router


def open_failures(session: Session) -> int:
    """Return how many jobs ended without having done their work, and were not tried again."""
    return session.scalar(select(func.count()).select_from(Job).where(_is_open_failure())) or 0


def under_way(session: Session, queue: Queue) -> list[JobRow]:
    """Return what runs, and what comes next, in the order in which it is taken."""
    ids = [*sorted(queue.running), *queue.waiting, *sorted(queue.paused)][:SHOWN]
    rows = {row.job_id: row for row in _rows(session, _joined().where(Job.id.in_(ids)))}
    return [rows[number] for number in ids if number in rows]


def queue_words(queue: Queue) -> str:
    """Return how long the queue will take, where that was measured."""
    if not queue.busy:
        return _("Nothing waits, nothing runs.")
    seconds = queue.seconds_to(queue.waiting)
    if seconds is None:
        return _("Work is under way.")
    return _("All of it will be done in {time}.").format(time=time_words(seconds))


def _again(session: Session, site: Site, caller: Browser, job_id: int) -> str:
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        message = _("There is no job {n}.").format(n=job_id)
        raise Refused(HTTPStatus.NOT_FOUND, "not_found", message, _("Look at the list of jobs."))
    if session.scalar(select(Job.id).where(Job.id == job_id, _is_open_failure())) is None:
        return "nothing"
    run = session.get_one(Run, job.run_id)
    if job.submission_id is None:
        jobs.ensure_release(session, run)
    else:
        jobs.grade_again(session, session.get_one(Submission, job.submission_id), run.id)
    note(session, site, caller, "tried job again", f"run/{run.slug}", detail={"job": job_id})
    return "again"


def _is_open_failure() -> ColumnElement[bool]:
    newer = aliased(Job)
    same = and_(newer.submission_id == Job.submission_id, newer.id > Job.id)
    return and_(Job.state == "failed", ~exists().where(same))


def _joined() -> Select[Job, str, str, str]:
    return (
        select(Job, Run.slug, Assignment.name, Person.pseudonym)
        .join(Run, Run.id == Job.run_id)
        .outerjoin(Submission, Submission.id == Job.submission_id)
        .outerjoin(Assignment, Assignment.id == Submission.assignment_id)
        .outerjoin(Person, Person.id == Submission.person_id)
    )


def _failed() -> Select[Job, str, str, str]:
    return _joined().where(_is_open_failure()).order_by(Job.ended_at.desc(), Job.id.desc())


def _rows(session: Session, query: Select[Job, str, str, str]) -> list[JobRow]:
    return [_row(*found) for found in session.execute(query)]


def _row(job: Job, run: str, assignment: str | None, pseudonym: str | None) -> JobRow:
    return JobRow(
        job_id=job.id,
        run=run,
        assignment=assignment or _("all assignments, for learners"),
        pseudonym=pseudonym or "",
        sign=sign_of(job.state),
        since=job.ended_at
        or (job.started_at if job.state == "running" else None)
        or job.created_at,
        tries=job.tries,
        message=job.message,
        progress=_("{done} of {of} cells").format(done=job.done or 0, of=job.of) if job.of else "",
    )


def sign_of(state: str) -> Sign:
    """Return how the state of a job is shown."""
    signs = {
        "queued": ("s-wait", "st-wait", _("Waits")),
        "running": ("s-wait", "st-wait", _("Runs")),
        "failed": ("s-bad", "st-bad", _("Failed")),
    }
    css, icon, words = signs.get(state, ("s-done", "st-done", _("Done")))
    return Sign(css, icon, words, words)


def _done_since(session: Session, since: datetime) -> int:
    chosen = select(func.count()).select_from(Job).where(Job.state == "done", Job.ended_at >= since)
    return session.scalar(chosen) or 0


def _said(done: str) -> str:
    sentences = {
        "again": _("It waits to be tried again."),
        "nothing": _("It was tried again already; nothing was changed."),
    }
    return sentences.get(done, "")
