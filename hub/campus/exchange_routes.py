"""Serve the exchange: list, fetch, hand in, collect, release.

Law (charter, 8): a lab may list, fetch, hand in and read its own feedback, whoever
owns it. Releasing and collecting need an instructor's own token with that verb, or
the grader's. Checks come before the body is read, and again in the transaction.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from bioskills.base.tables import Assignment, Person, Run, Submission
from bioskills.base.text import _
from bioskills.base.wire import (
    VERSION_HEADER,
    AssignmentList,
    Receipt,
    ReleaseResult,
    RunList,
    SubmissionList,
)
from bioskills.hub.campus import (
    deliveries,
    feedback_files,
    releases,
    submission_lists,
    submissions,
)
from bioskills.hub.campus.callers import Grader, Instructor, Lab
from bioskills.hub.campus.exchange_callers import (
    Anyone,
    Caller,
    HandsIn,
    Here,
    Reader,
    Staff,
    actor_of,
    delivery_for,
)
from bioskills.hub.campus.hidden_tests import hidden_lines
from bioskills.hub.campus.looks import note_look
from bioskills.hub.campus.site import Refused, Site
from bioskills.hub.campus.submissions import HandIn
from bioskills.hub.campus.transfers import received_tree, tar_response
from bioskills.hub.campus.trees import Tree, stored_files

VersionHeader = Annotated[str, Header(alias=VERSION_HEADER)]


def routes(site: Site) -> APIRouter:
    """Return the exchange's routes; what an earlier process left half-written is removed."""
    site.objects.sweep()
    router = APIRouter(prefix=f"{site.prefix}exchange/v1/runs")
    one = "/{run}/assignments/{name}"
    router.add_api_route("", list_runs, methods=["GET"])
    router.add_api_route("/{run}/assignments", list_assignments, methods=["GET"])
    router.add_api_route(f"{one}/release", fetch, methods=["GET"])
    router.add_api_route(f"{one}/release", release, methods=["PUT"])
    router.add_api_route(f"{one}/submissions", list_submissions, methods=["GET"])
    router.add_api_route(f"{one}/submissions", hand_in, methods=["POST"], status_code=201)
    router.add_api_route("/{run}/submissions/{submission_id}/files", collect, methods=["GET"])
    pages = "/{run}/submissions/{submission_id}/feedback-html"
    router.add_api_route(pages, feedback_pages, methods=["GET"])
    router.add_api_route(pages, release_feedback, methods=["PUT"], status_code=204)
    return router


def list_runs(site: Here, caller: Reader) -> RunList:
    """Return the runs that the caller may use."""
    with site.store.reading() as session:
        if isinstance(caller, Lab):
            return RunList(runs=deliveries.runs_for_lab(session, caller.name, site.clock()))
        return RunList(runs=[session.get_one(Run, caller.run_id).slug])


def list_assignments(run: str, site: Here, caller: Reader) -> AssignmentList:
    """Return the assignments of a run; those in preparation only to instructors."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "list")
        person = caller.person_id if isinstance(caller, Lab) else None
        drafts = isinstance(caller, Instructor)
        return deliveries.list_assignments(session, delivery, person, drafts=drafts)


def fetch(run: str, name: str, site: Here, caller: Reader) -> StreamingResponse:
    """Return the current release as tar, and its version in a header."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "list")
        if isinstance(caller, Lab):
            assignment = deliveries.find_assignment(session, delivery, name)
            again = deliveries.resit_for(session, assignment, caller.person_id)
            deliveries.open_to_learners(delivery, assignment, site.clock(), again)
        version = deliveries.released_version(session, delivery, name)
    headers = {VERSION_HEADER: str(version.number)}
    return tar_response(stored_files(version.files), site.objects, headers)


async def release(
    run: str, name: str, site: Here, caller: Staff, request: Request
) -> ReleaseResult:
    """Make the tree in the body the current release."""
    await run_in_threadpool(_may_release, site, caller, run, name)
    tree = await received_tree(request, site)
    return await run_in_threadpool(_release, site, caller, run, name, tree)


async def hand_in(
    run: str,
    name: str,
    *,
    site: Here,
    caller: HandsIn,
    request: Request,
    version: VersionHeader = "",
) -> Receipt:
    """Take the tree in the body as the caller's next attempt, and return the receipt."""
    ask = HandIn(run, name, caller.name, caller.person_id, _number(version), site.clock())
    expected = await run_in_threadpool(_check, site, ask)
    tree = await received_tree(request, site, partial(submissions.check_notebooks, expected))
    return await run_in_threadpool(_hand_in, site, ask, tree)


def list_submissions(run: str, name: str, site: Here, caller: Anyone) -> SubmissionList:
    """Return the caller's own hand-ins, or everybody's to an instructor's token and the grader."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "collect")
        assignment = deliveries.find_assignment(session, delivery, name)
        people = _people(session, assignment, caller)
        found = submission_lists.list_submissions(session, delivery.run, name, people, site.clock())
    return SubmissionList(submissions=found)


def collect(run: str, submission_id: int, site: Here, caller: Staff) -> StreamingResponse:
    """Return the files of a hand-in."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "collect")
        found = submission_lists.find_submission(session, delivery, submission_id)
    _note_collected(site, caller, found, run)
    return tar_response(stored_files(found.files), site.objects)


def _note_collected(site: Site, caller: Instructor | Grader, found: Submission, run: str) -> None:
    """Let the learner know that an instructor's program took the hand-in."""
    if isinstance(caller, Instructor):
        with site.store.transaction() as session:
            actor = session.get_one(Person, caller.person_id).pseudonym
            note_look(session, actor, found.person_id, "collected", site.clock(), subject=run)


def feedback_pages(run: str, submission_id: int, site: Here, caller: Reader) -> StreamingResponse:
    """Return the pages that nbgrader made, to the submission's owner or an instructor's token."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "feedback")
        found = submission_lists.find_submission(session, delivery, submission_id)
        mine = isinstance(caller, Instructor) or found.person_id == caller.person_id
        pages = feedback_files.pages_of(session, found) if mine else None
    if pages is None:
        message = _("There are no feedback pages for submission {n}.").format(n=submission_id)
        raise Refused(404, "not_found", message, _("Look at the Lab panel: See feedback."))
    return tar_response(stored_files(pages.files), site.objects)


async def release_feedback(
    run: str, submission_id: int, site: Here, caller: Staff, request: Request
) -> None:
    """Keep the pages in the body as the submission's feedback."""
    await run_in_threadpool(_may_return, site, caller, run, submission_id)
    tree = await received_tree(request, site)
    await run_in_threadpool(_keep_pages, site, caller, run, submission_id, tree)


def _may_return(site: Site, caller: Instructor | Grader, run: str, submission_id: int) -> None:
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "feedback")
        submission_lists.find_submission(session, delivery, submission_id)


def _keep_pages(
    site: Site, caller: Instructor | Grader, run: str, submission_id: int, tree: Tree
) -> None:
    feedback_files.check_pages(tree, site.objects, _secret(site, caller, run, submission_id))
    with site.store.transaction() as session:
        delivery = delivery_for(session, site, caller, run, "feedback")
        found = submission_lists.find_submission(session, delivery, submission_id)
        by = actor_of(session, caller)
        feedback_files.keep_pages(session, found, tree, by=by, at=site.clock())


def _secret(
    site: Site, caller: Instructor | Grader, run: str, submission_id: int
) -> frozenset[str]:
    """Return the lines of the hidden tests that pages on this hand-in must not show."""
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "feedback")
        found = submission_lists.find_submission(session, delivery, submission_id)
        name = session.get_one(Assignment, found.assignment_id).name
    return hidden_lines(site.objects, delivery.course.sha256, name)


def _may_release(site: Site, caller: Instructor | Grader, run: str, name: str) -> None:
    with site.store.reading() as session:
        delivery = delivery_for(session, site, caller, run, "release")
        deliveries.find_assignment(session, delivery, name)


def _release(
    site: Site, caller: Instructor | Grader, run: str, name: str, tree: Tree
) -> ReleaseResult:
    releases.refuse_secrets(tree, site.objects)
    with site.store.transaction() as session:
        delivery = delivery_for(session, site, caller, run, "release")
        by = actor_of(session, caller)
        return releases.release(session, delivery, name, tree, by=by, at=site.clock())


def _check(site: Site, ask: HandIn) -> list[str]:
    with site.store.reading() as session:
        return submissions.check(session, ask)


def _hand_in(site: Site, ask: HandIn, tree: Tree) -> Receipt:
    with site.store.transaction() as session:
        receipt = submissions.hand_in(session, ask, tree)
    site.bell.ring()
    return receipt


def _people(session: Session, assignment: Assignment, caller: Caller) -> dict[int, str]:
    if isinstance(caller, Lab):
        return submission_lists.names_of([session.get_one(Person, caller.person_id)])
    people = submission_lists.people_who_handed_in(session, assignment)
    return submission_lists.names_of(people, pseudonyms=isinstance(caller, Grader))


def _number(version: str) -> int | None:
    if not version:
        return None
    if not version.isascii() or not version.isdecimal() or len(version) > 9:  # noqa: PLR2004
        message = _("The header {name} is {value}; it is the number of the release you worked on.")
        message = message.format(name=VERSION_HEADER, value=ascii(version[:40]))
        raise Refused(400, "version", message, _("Fetch the assignment again."))
    return int(version)
