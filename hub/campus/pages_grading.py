"""Serve the instructor's grading board, and what is done on it.

Law: instructors and assessors of the cohort look, its instructors act, by forms with the
session's token; grading many again shows its plan on a page of its own first. How far
the grading of a hand-in is can be asked often: an answer of a few words.
"""

import json
from datetime import datetime, time
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import regrading, results
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.grader_state import queue_words
from bioskills.hub.campus.grading_board import Facts, GradingBoard, grading_board
from bioskills.hub.campus.job_board import read_queue, read_speed
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.pages_changes import Change, note
from bioskills.hub.campus.pages_class import Class, flagged_in, read_class, title_of
from bioskills.hub.campus.pages_doors import change_for, changing
from bioskills.hub.campus.pages_shared import find_run, navigation, require_role, require_teaching
from bioskills.hub.campus.points_given import given_on
from bioskills.hub.campus.site import Site, render

_ASSIGNMENT = "/runs/{run}/assignments/{name}"
_BUSY_MS = 3_000

Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]


class _AgainForm(BaseModel):
    """The hand-ins that the plan showed."""

    submission: list[int] = []


class _CountsForm(BaseModel):
    """The flagged result that somebody has looked at; 0 is none.

    Nothing is required here: a form is read before its sender's role is asked for, and who
    has no role must hear that, not what is missing.
    """

    result: int = 0


def routes(site: Site) -> APIRouter:
    """Return the routes of the grading board."""
    router = APIRouter(default_response_class=HTMLResponse)
    _add_board(router, site)
    _add_changes(router, site)
    return router


def progress_module(words: str, *, ended: bool, again_ms: int) -> Response:
    """Return a few words as a script module: pages of ours may load scripts, but ask for nothing else.

    Args:
        words: What the page says now.
        ended: Whether the page should be loaded again.
        again_ms: When to ask the next time.
    """
    found = json.dumps({"words": words, "ended": ended, "again_ms": again_ms})
    return Response(f"export default {found};\n", media_type="text/javascript")


def _add_board(router: APIRouter, site: Site) -> None:
    @router.get("/runs/{run}/grading")
    def board_page(
        request: Request, run: str, caller: Reads, *, done: str = "", n: int = 0
    ) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            group, cohort = _class(session, site, caller, run)
            look(site, caller, [p.id for p in group.learners], "board", (run, cohort.slug))
            return render(
                request,
                "grading.html",
                nav=navigation(site, caller, "courses"),
                board=_board(session, site, group),
                run=group.run,
                cohort=cohort,
                may_change=caller.holds("instructor", cohort.slug),
                said=_said(done, n),
                now=group.now,
            )

    @router.get("/runs/{run}/grading/progress.js")
    def board_progress(run: str, caller: Reads) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            _row, cohort = find_run(session, run)
            require_role(caller, cohort.slug)
            queue = read_queue(session, site.clock())
        return progress_module(queue_words(queue), ended=not queue.busy, again_ms=_BUSY_MS)

    @router.get(_ASSIGNMENT + "/regrade")
    def plan_to_regrade(request: Request, run: str, name: str, caller: Reads) -> Response:
        require_teaching(caller)
        with site.store.reading() as session:
            change, cohort = change_for(session, site, caller, (run, name), ("instructor",))
            learners = [person.id for person in change.group.learners]
            look(site, caller, learners, "assignment", (f"{run}/{name}", cohort.slug))
            present = _present(site, session)
            return render(
                request,
                "regrade.html",
                nav=navigation(site, caller, "courses"),
                title=title_of(change.group.manifest, name),
                changed=regrading.changed_in(change.group, change.assignment, present),
                run=change.group.run,
                name=name,
                now=change.group.now,
            )


def _add_changes(router: APIRouter, site: Site) -> None:
    @router.post(_ASSIGNMENT + "/regrade")
    def regrade_them(
        run: str, name: str, caller: Changes, form: Annotated[_AgainForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            present = _present(site, session)
            count = regrading.grade_again(session, change, form.submission, present)
        return _back(site, run, "regrade", count)

    @router.post(_ASSIGNMENT + "/counts")
    def let_it_count(
        run: str, name: str, caller: Changes, form: Annotated[_CountsForm, Form()]
    ) -> Response:
        with changing(site, caller, (run, name)) as (session, change, _cohort):
            count = _let_count(session, change, form.result)
        return _back(site, run, "counts", count)


def _let_count(session: Session, change: Change, result_id: int) -> int:
    """Let one flagged result of this assignment count; say whether it was still open."""
    flagged = flagged_in(change.group.works_on(change.assignment))
    for submission, result in flagged:
        if result.id == result_id:
            codes = results.let_count(session, result, change.by, change.group.now)
            detail = {"submission": submission.id, "result": result.id, "flags": codes}
            note(session, change, "looked at flags, counts", detail)
            return 1
    return 0


def _present(site: Site, session: Session) -> str:
    """Return what the grader grades with now."""
    return site.bell.environment or regrading.present_environment(session)


def _class(session: Session, site: Site, caller: Browser, run: str) -> tuple[Class, tables.Cohort]:
    row, cohort = find_run(session, run)
    require_role(caller, cohort.slug)
    return read_class(session, row, cohort, site.clock()), cohort


def _board(session: Session, site: Site, group: Class) -> GradingBoard:
    zone = ZoneInfo(group.run.time_zone)
    midnight = datetime.combine(group.now.astimezone(zone).date(), time(), zone)
    version = session.get_one(tables.CourseVersion, group.run.course_version_id)
    facts = Facts(
        version=version,
        queue=read_queue(session, group.now),
        speed=read_speed(session, group.run.id, midnight),
        environment=_present(site, session),
        given={one.name: given_on(session, group, one, version) for one in group.assignments},
    )
    return grading_board(group, facts, site.link(f"runs/{group.run.slug}"))


def _said(done: str, n: int) -> str:
    again = ngettext("{n} hand-in is graded again.", "{n} hand-ins are graded again.", n)
    sentences = {
        "regrade": again if n else _("Nothing had changed, so nothing is graded again."),
        "counts": _("It counts now. That you looked at it is written down.")
        if n
        else _("Somebody else had looked at it already."),
    }
    return sentences.get(done, "").format(n=n)


def _back(site: Site, run: str, done: str, count: int) -> Response:
    return RedirectResponse(site.link(f"runs/{quote(run)}/grading?done={done}&n={count}"), 303)
