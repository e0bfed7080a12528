"""Serve the formgraders: say who teaches, note who looks, take judgements and wishes for gradings.

Law: a formgrader has a token for its one run, and gets nothing of another. It names
the person who pressed a button; whether that person teaches the run is looked up here,
each time: an assessor judges, an instructor asks for gradings, too. A wish queues a
grading as any other and starts nothing by itself; a judgement is written down and counts for nothing by itself.
"""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from bioskills.base import wire
from bioskills.base.run_tokens import run_of
from bioskills.base.tables import Assignment, AuditEntry, Cohort, Job, Person, Run, Submission
from bioskills.base.text import _
from bioskills.hub.campus import jobs, judgements
from bioskills.hub.campus.callers import bearer
from bioskills.hub.campus.looks import note_look, note_looks
from bioskills.hub.campus.site import Refused, Site, site_of
from bioskills.hub.factor_due import acting_seats
from bioskills.hub.membership import find_person
from bioskills.hub.role_routes import INSTRUCTOR, TEACHING

UNDER_WAY = ("queued", "running")
Pair = tuple[Submission, str]
"""A learner's newest hand-in, and the pseudonym."""
M = TypeVar("M", bound=wire.Wire)


def routes(site: Site) -> APIRouter:
    """Return the formgraders' routes."""
    router = APIRouter(prefix=f"{site.prefix}api/v1/formgrader")
    router.add_api_route("/instructors/{name}", instructor, methods=["GET"], status_code=204)
    router.add_api_route("/assignments/{assignment}/gradings", gradings, methods=["GET"])
    router.add_api_route("/assignments/{assignment}/gradings", grade, methods=["POST"])
    router.add_api_route("/looks", note_sight, methods=["POST"], status_code=204)
    path = "/assignments/{assignment}/judgements"
    router.add_api_route(path, judge, methods=["POST"], status_code=204)
    return router


def run_slug(request: Request) -> str:
    """Return the run that the caller's token speaks for."""
    site = site_of(request)
    slug = run_of(bearer(request), site.grader_token_sha256, site.clock())
    if slug is None:
        message = _("This is no formgrader's token, or its time is over.")
        raise Refused(403, "token", message, _("Open formgrader anew from the course page."))
    return slug


Here = Annotated[Site, Depends(site_of)]
OwnRun = Annotated[str, Depends(run_slug)]


def instructor(name: str, site: Here, run: OwnRun) -> None:
    """Answer 204 where this person is instructor or assessor of the run now, 403 where not."""
    with site.store.reading() as session:
        _require(session, site, _run(session, run), name, TEACHING)


def gradings(assignment: str, site: Here, run: OwnRun) -> wire.AssignmentGradings:
    """Say how far the grading of everybody's newest hand-in is."""
    with site.store.reading() as session:
        return _progress(session, _newest(session, _run(session, run), assignment))


async def grade(
    assignment: str, request: Request, site: Here, run: OwnRun
) -> wire.AssignmentGradings:
    """Queue gradings; what waits or runs already is not asked for twice."""
    wish = await _body(request, wire.GradeAgain)
    queued = await run_in_threadpool(_grade, site, run, assignment, wish)
    site.bell.ring()
    return queued


async def note_sight(request: Request, site: Here, run: OwnRun) -> None:
    """Write down whose work or points a person is about to see."""
    seen = await _body(request, wire.Sight)
    await run_in_threadpool(_note_sight, site, run, seen)


async def judge(assignment: str, request: Request, site: Here, run: OwnRun) -> None:
    """Write down what a person is about to save for one cell of a hand-in."""
    given = await _body(request, wire.Judgement)
    await run_in_threadpool(_judge, site, run, assignment, given)


async def _body(request: Request, model: type[M]) -> M:
    # By hand: FastAPI would read a model's bytes before the token was seen.
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _note_sight(site: Site, slug: str, seen: wire.Sight) -> None:
    with site.store.transaction() as session:
        run = _run(session, slug)
        person, role = _require(session, site, run, seen.by, TEACHING)
        what = "formgrader_work" if seen.work else "formgrader_points"
        subject = f"{slug}/{seen.assignment}" if seen.assignment else slug
        people = session.scalars(_seen(run, seen)).all()
        note_looks(
            session, person.pseudonym, people, what, site.clock(), subject=subject, role=role
        )


def _seen(run: Run, seen: wire.Sight) -> Select[int]:
    """Choose who handed in what is seen: of nobody else there is anything to see."""
    chosen = (
        select(Submission.person_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.run_id == run.id)
        .distinct()
    )
    if seen.assignment:
        chosen = chosen.where(Assignment.name == seen.assignment)
    if seen.learner:
        chosen = chosen.join(Person, Person.id == Submission.person_id)
        chosen = chosen.where(Person.pseudonym == seen.learner)
    return chosen


def _judge(site: Site, slug: str, name: str, given: wire.Judgement) -> None:
    with site.store.transaction() as session:
        run = _run(session, slug)
        person, role = _require(session, site, run, given.by, TEACHING)
        chosen = select(Assignment).where(Assignment.run_id == run.id, Assignment.name == name)
        assignment = session.scalar(chosen)
        if assignment is None:
            message = _("The run {run} has no assignment {name}.").format(run=slug, name=name)
            raise Refused(404, "unknown_assignment", message)
        saved = judgements.save(session, assignment, given, person)
        saved.at = site.clock()
        learner = session.get_one(Submission, saved.submission_id).person_id
        where = f"{slug}/{name}"
        note_look(
            session, person.pseudonym, learner, "formgrader", saved.at, subject=where, role=role
        )


def _grade(
    site: Site, slug: str, assignment: str, wish: wire.GradeAgain
) -> wire.AssignmentGradings:
    with site.store.transaction() as session:
        run = _run(session, slug)
        person, _role = _require(session, site, run, wish.by, INSTRUCTOR)
        found = _newest(session, run, assignment)
        chosen = [pair for pair in found if wish.learner in {"", pair[1]}]
        if not chosen:
            message = _("There is no hand-in of {name} to grade.")
            message = message.format(name=wish.learner or assignment)
            raise Refused(404, "not_found", message, _("Load the page again."))
        for submission, _pseudonym in chosen:
            if _job(session, submission, UNDER_WAY) is None:
                jobs.grade_again(session, submission, run.id)
        session.add(_audit(person, run, assignment, len(chosen), site))
        session.flush()
        return _progress(session, chosen)


def _audit(person: Person, run: Run, assignment: str, count: int, site: Site) -> AuditEntry:
    return AuditEntry(
        at=site.clock(),
        actor=person.pseudonym,
        action="asked to grade again",
        subject=f"run/{run.slug}",
        detail={"assignment": assignment, "hand_ins": count, "from": "formgrader"},
    )


def _run(session: Session, slug: str) -> Run:
    run = session.scalar(select(Run).where(Run.slug == slug))
    if run is None:
        message = _("There is no run named {name}.").format(name=slug)
        raise Refused(404, "unknown_run", message)
    return run


def _require(
    session: Session, site: Site, run: Run, name: str, roles: Sequence[str]
) -> tuple[Person, str]:
    """Return the person and the first of these roles that they hold in the run's cohort.

    Raises:
        Refused: They hold none of them now.
    """
    cohort = session.get_one(Cohort, run.cohort_id)
    person = find_person(session, name)
    acting = acting_seats(session, site.settings, name, site.clock())
    held = {seat.role for seat in acting if seat.cohort == cohort.slug}
    found = [role for role in roles if role in held]
    if person is None or not found:
        message = (
            _("{name} is no instructor of {cohort} at present.")
            if roles == INSTRUCTOR
            else _("{name} is neither instructor nor assessor of {cohort} at present.")
        )
        raise Refused(403, "forbidden", message.format(name=name, cohort=cohort.slug))
    return person, found[0]


def _newest(session: Session, run: Run, assignment: str) -> list[Pair]:
    """Return everybody's newest hand-in."""
    of = select(Assignment.id).where(Assignment.run_id == run.id, Assignment.name == assignment)
    newest = (
        select(func.max(Submission.id))
        .where(Submission.assignment_id.in_(of))
        .group_by(Submission.person_id)
    )
    rows = session.execute(
        select(Submission, Person.pseudonym)
        .join(Person, Person.id == Submission.person_id)
        .where(Submission.id.in_(newest))
        .order_by(Submission.id)
    )
    return [(submission, pseudonym) for submission, pseudonym in rows]


def _job(session: Session, submission: Submission, states: Sequence[str] = ()) -> Job | None:
    """Return the newest grading of a hand-in, in one of these states where some are named."""
    chosen = select(Job).where(Job.submission_id == submission.id)
    if states:
        chosen = chosen.where(Job.state.in_(states))
    return session.scalar(chosen.order_by(Job.id.desc()).limit(1))


def _progress(session: Session, pairs: Sequence[Pair]) -> wire.AssignmentGradings:
    found = []
    for submission, pseudonym in pairs:
        job = _job(session, submission)
        if job is not None:
            before = _before(session, job) if job.state == "queued" else 0
            found.append(_as_wire(job, pseudonym, before))
    return wire.AssignmentGradings(gradings=found)


def _before(session: Session, job: Job) -> int:
    earlier = select(func.count()).select_from(Job)
    earlier = earlier.where(Job.state.in_(UNDER_WAY), Job.id < job.id)
    return session.scalar(earlier) or 0


def _as_wire(job: Job, pseudonym: str, before: int) -> wire.LearnerGrading:
    return wire.LearnerGrading.model_validate(
        {
            "learner": pseudonym,
            "state": job.state,
            "before": before,
            "done": job.done or 0,
            "of": job.of or 0,
            "message": job.message,
        }
    )
