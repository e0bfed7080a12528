"""Serve the pages of a learner: first page, passport, feedback.

Law: a person's passport and feedback are seen by that person and by the
instructors and assessors of a cohort they learn in; every view by somebody
else is written down with who looked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.feedback import (
    HandIn,
    build_feedback,
    counts_of,
    find_hand_in,
    lateness_of,
    result_of,
)
from bioskills.hub.campus.flagged_work import FlagLine, flag_lines
from bioskills.hub.campus.job_board import pause_ms, progress_of, progress_words
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.navigation import choices_for, first_page
from bioskills.hub.campus.overview_routes import FRAMEWORK, no_hand_in
from bioskills.hub.campus.pages_feedback import feedback_page
from bioskills.hub.campus.pages_grading import progress_module
from bioskills.hub.campus.pages_passport import page_of
from bioskills.hub.campus.pages_shared import (
    TEACHING,
    forbidden,
    navigation,
    require_role,
    require_teaching,
    teaches_anybody,
)
from bioskills.hub.campus.pages_work import RETURNED, manifest_of
from bioskills.hub.campus.passport import Standing, runs_of, standing_of, version_of
from bioskills.hub.campus.resits import resits_of
from bioskills.hub.campus.site import Nav, Site, render, site_of
from bioskills.hub.campus.wording import add_words
from bioskills.hub.membership import seats


@dataclass(frozen=True)
class _Subject:
    """Whose passport is shown, and how its page is headed."""

    person: tables.Person
    own: bool
    back: Nav
    cohort: str = ""


@dataclass(frozen=True)
class _Flagged:
    """What an instructor should look at, and where to say that they have; empty for others."""

    result_id: int
    lines: tuple[FlagLine, ...]
    address: str


def routes(site: Site) -> APIRouter:
    """Return the routes of the learner's pages."""
    add_words(site.templates)
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/")
    def home(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        first, nav = first_page(caller), navigation(site, caller, "")
        if caller.holds("learner") and first not in {"admin", "passport"}:
            return render(request, "home.html", nav=nav, choices=choices_for(site, caller))
        return RedirectResponse(site.link(first), 303)

    @router.get("/passport")
    def own_passport(request: Request, caller: Annotated[Browser, Depends(browser)]) -> Response:
        with site.store.reading() as session:
            person = session.get_one(tables.Person, caller.person_id)
            return _passport(request, session, caller, _Subject(person, own=True, back=Nav("", "")))

    @router.get("/passport/{pseudonym}")
    def passport(
        request: Request, pseudonym: str, caller: Annotated[Browser, Depends(browser)]
    ) -> Response:
        with site.store.reading() as session:
            subject = _learner_of(session, site, caller, pseudonym)
            note_view(site, caller, "viewed passport", pseudonym)
            look(site, caller, [subject.person.id], "passport", ("", subject.cohort))
            return _passport(request, session, caller, subject)

    @router.get("/feedback/{submission_id}")
    def feedback(
        request: Request, submission_id: int, caller: Annotated[Browser, Depends(browser)]
    ) -> Response:
        with site.store.reading() as session:
            hand_in = _readable(session, caller, submission_id)
            own = hand_in.person.id == caller.person_id
            if not own:
                note_view(site, caller, "viewed feedback", str(submission_id))
                where = f"{hand_in.run.slug}/{hand_in.assignment.name}"
                look(site, caller, [hand_in.person.id], "feedback", (where, hand_in.cohort.slug))
            return _feedback(request, session, caller, hand_in, own=own)

    @router.get("/feedback/{submission_id}/progress.js")
    def progress(submission_id: int, caller: Annotated[Browser, Depends(browser)]) -> Response:
        with site.store.reading() as session:
            hand_in = _readable(session, caller, submission_id)
            found = progress_of(session, hand_in.submission.id, site.clock())
        return progress_module(
            progress_words(found), ended=found.state == "ended", again_ms=pause_ms(found)
        )

    return router


def note_view(site: Site, caller: Browser, action: str, subject: str) -> None:
    """Write down, before it is shown, that somebody looks at another person's learning.

    A transaction of its own: rendering the page must not keep others from writing.
    """
    with site.store.transaction() as session:
        entry = tables.AuditEntry(
            at=site.clock(), actor=caller.pseudonym, action=action, subject=subject, detail={}
        )
        session.add(entry)


def _learner_of(session: Session, site: Site, caller: Browser, pseudonym: str) -> _Subject:
    """Return the learner if the caller teaches a cohort they learn in.

    Raises:
        Refused: 403, the same whether or not there is such a learner.
    """
    require_teaching(caller)
    chosen = select(tables.Person).where(tables.Person.pseudonym == pseudonym)
    person = session.scalar(chosen)
    shared = _shared_cohorts(session, site, caller, person) if person else []
    if person is None or not shared:
        raise forbidden(
            _("There is no learner {name} in a cohort of yours.").format(name=pseudonym)
        )
    back = Nav(_("Cohort {name}").format(name=shared[0]), site.link(f"cohorts/{shared[0]}"))
    return _Subject(person, own=False, back=back, cohort=shared[0])


def _readable(session: Session, caller: Browser, submission_id: int) -> HandIn:
    """Return a hand-in that is the caller's own, or of a cohort they teach.

    Raises:
        Refused: 404 for everybody else, whether or not there is such a hand-in.
    """
    found = find_hand_in(session, submission_id)
    if found is None:
        raise no_hand_in(submission_id)
    if found.person.id != caller.person_id:
        if not teaches_anybody(caller):
            raise no_hand_in(submission_id)
        require_role(caller, found.cohort.slug)
    return found


def _feedback(
    request: Request, session: Session, caller: Browser, hand_in: HandIn, *, own: bool
) -> HTMLResponse:
    site, zone = site_of(request), hand_in.run.time_zone
    submission, name = hand_in.submission, hand_in.assignment.name
    result = result_of(session, submission.id)
    held = None if own or result else result_of(session, submission.id, ("held",))
    shown = result or held
    page, progress = None, ""
    if shown is None:
        progress = progress_words(progress_of(session, submission.id, site.clock()))
    else:
        standing = standing_of(session, load_framework(FRAMEWORK), hand_in.person, site.clock())
        late, counts = lateness_of(session, hand_in), counts_of(session, hand_in)
        page = feedback_page(build_feedback(hand_in, shown, late, counts), standing, zone)
    flagged = None if own else _flagged(site, session, caller, hand_in)
    plan = manifest_of(hand_in.version).assignment(name)
    most = plan.attempts.max if plan else None
    within = most is not None and submission.attempt <= most
    attempt = _("Attempt {n} of {most}") if within else _("Attempt {n}")
    return render(
        request,
        "feedback.html",
        nav=navigation(site, caller, "" if own else "courses"),
        page=page,
        held=held is not None,
        own=own,
        title=plan.title if plan else name,
        person=hand_in.person.display_name,
        attempt=attempt.format(n=submission.attempt, most=most),
        receipt=submission.receipt,
        submitted_at=submission.submitted_at,
        back=_back(site, hand_in, own=own),
        message="",
        submission_id=submission.id,
        progress=progress,
        flagged=flagged,
        # What the flag asks of the instructor stands in the flag itself.
        reason=shown.reason if shown and flagged else page.feedback.reason if page else "",
        now=site.clock(),
        zone=zone,
    )


def _flagged(site: Site, session: Session, caller: Browser, hand_in: HandIn) -> _Flagged | None:
    """Return what an instructor should look at; None where nothing is open."""
    newest = result_of(session, hand_in.submission.id, ("held", *RETURNED))
    lines = flag_lines(newest, hand_in.version, hand_in.assignment.name) if newest else ()
    if newest is None or not lines:
        return None
    here = site.link(f"runs/{hand_in.run.slug}/assignments/{hand_in.assignment.name}/counts")
    may_change = caller.holds("instructor", hand_in.cohort.slug)
    return _Flagged(newest.id, lines, here if may_change else "")


def _back(site: Site, hand_in: HandIn, *, own: bool) -> Nav:
    if own:
        return Nav(_("Passport"), site.link("passport"))
    title = manifest_of(hand_in.version).title
    return Nav(title, site.link(f"runs/{hand_in.run.slug}/assignments/{hand_in.assignment.name}"))


def _shared_cohorts(
    session: Session, site: Site, caller: Browser, person: tables.Person
) -> list[str]:
    taught = {seat.cohort for seat in caller.seats if seat.role in TEACHING}
    learns = seats(session, person.name, site.clock())
    return [seat.cohort for seat in learns if seat.role == "learner" and seat.cohort in taught]


def _passport(
    request: Request, session: Session, caller: Browser, subject: _Subject
) -> HTMLResponse:
    site = site_of(request)
    now, zone = site.clock(), site.settings.site.time_zone
    framework = load_framework(FRAMEWORK)
    standing = standing_of(session, framework, subject.person, now)
    address = site.url + ("passport" if subject.own else f"passport/{subject.person.pseudonym}")
    return render(
        request,
        "passport.html",
        nav=navigation(site, caller, "passport" if subject.own else subject.back.href),
        page=page_of(standing, zone, *_known(session, subject.person, standing.rows.values())),
        own=subject.own,
        back=subject.back,
        person=subject.person.display_name,
        pseudonym=subject.person.pseudonym,
        framework=framework.ref.replace("@", " "),
        first_task=_first_task(session, subject.person, standing, site),
        address=address,
        learns=sorted({seat.cohort for seat in caller.seats if seat.role == "learner"}),
        withdraw=subject.cohort if caller.holds("instructor", subject.cohort) else "",
        now=now,
        zone=zone,
    )


def _known(
    session: Session, person: tables.Person, rows: Iterable[tables.Evidence]
) -> tuple[dict[int, int], dict[int, str]]:
    """Return the submission of each result, for links to feedback, and what it was a resit of."""
    table = tables.Result
    results = {row.result_id for row in rows}
    found = session.execute(select(table.id, table.submission_id).where(table.id.in_(results)))
    hand_ins = {row.id: row.submission_id for row in found}
    return hand_ins, resits_of(session, person.id, results)


def _first_task(session: Session, person: tables.Person, standing: Standing, site: Site) -> str:
    """Return the title of the first assignment of the learner's runs; empty where there is none."""
    if standing.rows:
        return ""
    runs = runs_of(session, person, ["learner"], site.clock())
    titles = (
        plan.title for run in runs for plan in manifest_of(version_of(session, run)).assignments
    )
    return next(titles, "")
