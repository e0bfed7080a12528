"""Serve the people page: cohorts, one cohort, its end, its copy, its undo.

Law: for admins of the platform alone. What ends or takes back something shows its plan on a
page of its own first; every change is one transaction with its line in the audit log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _, ngettext
from bioskills.hub.campus import people_upload
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.pages_grading import progress_module
from bioskills.hub.campus.pages_shared import navigation, require_admin
from bioskills.hub.campus.people_copy import CopyForm, understood
from bioskills.hub.campus.people_list import download_of
from bioskills.hub.campus.people_shared import (
    REFUSED,
    Changes,
    Desk,
    Reads,
    cohort_of,
    keep_an_admin,
)
from bioskills.hub.campus.people_telling import Telling
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.wording import add_words
from bioskills.hub.cohort_end import copy_cohort, remove_cohort
from bioskills.hub.cohort_record import last_change, newest_change, undo
from bioskills.hub.cohort_view import cohorts

AGAIN_MS = 1000


@dataclass(frozen=True)
class Faults:
    """What was refused, and what was typed."""

    problems: Sequence[Problem] = ()
    typed: CopyForm | None = None

    def at(self, field: str) -> list[Problem]:
        """Return the problems of one field."""
        return [problem for problem in self.problems if problem.where == field]


def routes(site: Site) -> APIRouter:
    """Return the routes of the people pages."""
    add_words(site.templates)
    desk = Desk(site, Telling(site))
    router = APIRouter(default_response_class=HTMLResponse)
    # First, so that no cohort's name is taken for theirs.
    router.include_router(people_upload.routes(desk))
    _add_looks(router, desk)
    _add_plans(router, desk)
    _add_changes(router, desk)
    return router


def _add_looks(router: APIRouter, desk: Desk) -> None:
    site = desk.site

    @router.get("/people")
    def people_page(request: Request, caller: Reads) -> Response:
        require_admin(caller)
        with site.store.reading() as session:
            found = cohorts(session, site.clock())
        nav = navigation(site, caller, "people")
        zone = site.settings.site.time_zone
        return render(request, "people.html", nav=nav, cohorts=found, now=site.clock(), zone=zone)

    @router.get("/people/{slug}")
    def cohort_page(
        request: Request, slug: str, caller: Reads, *, done: str = "", n: int = 0
    ) -> Response:
        require_admin(caller)
        good = not done.endswith("_nothing")
        return _cohort(request, desk, caller, slug, said=_said(done, n), good=good)

    @router.get("/people/{slug}/people.csv")
    def list_of_people(slug: str, caller: Reads) -> Response:
        require_admin(caller)
        return download_of(site, caller, slug)

    @router.get("/people/{slug}/told.js")
    def told(slug: str, caller: Reads) -> Response:
        del slug
        require_admin(caller)
        telling = desk.telling
        return progress_module(telling.words(), ended=not telling.busy, again_ms=AGAIN_MS)


def _add_plans(router: APIRouter, desk: Desk) -> None:
    site = desk.site

    @router.get("/people/{slug}/remove")
    def plan_to_remove(request: Request, slug: str, caller: Reads) -> Response:
        require_admin(caller)
        with site.store.reading() as session:
            line = cohort_of(session, slug, site)
        nav = navigation(site, caller, "people")
        return render(request, "people_remove.html", nav=nav, cohort=line, now=site.clock())

    @router.get("/people/{slug}/undo")
    def plan_to_undo(request: Request, slug: str, caller: Reads) -> Response:
        require_admin(caller)
        return _undo_page(request, desk, caller, slug)

    @router.get("/people/{slug}/copy")
    def copy_page(request: Request, slug: str, caller: Reads) -> Response:
        require_admin(caller)
        return _copy_page(request, desk, caller, slug, Faults())


def _add_changes(router: APIRouter, desk: Desk) -> None:
    site = desk.site

    @router.post("/people/{slug}/remove")
    def remove(request: Request, slug: str, caller: Changes) -> Response:
        require_admin(caller)

        def act(session: Session) -> int:
            by, now = caller.pseudonym, site.clock()
            return len(remove_cohort(session, slug, actor=by, now=now))

        return _change(request, desk, caller, (slug, "removed"), act)

    @router.post("/people/{slug}/undo")
    def take_back(request: Request, slug: str, caller: Changes) -> Response:
        require_admin(caller)

        def act(session: Session) -> int:
            undo(session, slug, actor=caller.pseudonym, at=site.clock())
            keep_an_admin(session, site, caller)
            done = newest_change(session, slug)
            return done.count if done else 0

        return _change(request, desk, caller, (slug, "undone"), act)

    @router.post("/people/{slug}/copy")
    def copy(
        request: Request, slug: str, caller: Changes, form: Annotated[CopyForm, Form()]
    ) -> Response:
        require_admin(caller)
        try:
            opens = understood(form)
            with site.store.transaction() as session:
                cohort_of(session, slug, site)
                done = copy_cohort(
                    session,
                    (slug, form.slug),
                    opens,
                    title=form.title.strip(),
                    actor=caller.pseudonym,
                    now=site.clock(),
                )
        except InputError as error:
            return _copy_page(request, desk, caller, slug, Faults(error.problems, form))
        desk.telling.begin()
        site.bell.ring()
        return _back(desk, form.slug, "copied", len(done))


def _change(
    request: Request,
    desk: Desk,
    caller: Browser,
    where: tuple[str, str],
    act: Callable[[Session], int],
) -> Response:
    slug, done = where
    try:
        with desk.site.store.transaction() as session:
            cohort_of(session, slug, desk.site)
            count = act(session)
    except InputError as error:
        return _cohort(request, desk, caller, slug, faults=error.problems)
    desk.telling.begin()
    return _back(desk, slug, done if count else f"{done}_nothing", count)


def _back(desk: Desk, slug: str, done: str, count: int) -> Response:
    return RedirectResponse(f"{desk.link(slug)}?{urlencode({'done': done, 'n': count})}", 303)


def _cohort(
    request: Request,
    desk: Desk,
    caller: Browser,
    slug: str,
    *,
    said: str = "",
    good: bool = True,
    faults: Sequence[Problem] = (),
) -> HTMLResponse:
    site = desk.site
    with site.store.reading() as session:
        line = cohort_of(session, slug, site)
        last = last_change(session, slug)
    return render(
        request,
        "people_cohort.html",
        nav=navigation(site, caller, "people"),
        status=REFUSED if faults else 200,
        cohort=line,
        last=last,
        said=said,
        good=good,
        faults=faults,
        telling=desk.telling.words() if said or desk.telling.busy else "",
        busy=desk.telling.busy,
        now=site.clock(),
        zone=site.settings.site.time_zone,
    )


def _undo_page(request: Request, desk: Desk, caller: Browser, slug: str) -> HTMLResponse:
    site = desk.site
    with site.store.reading() as session:
        line = cohort_of(session, slug, site)
        last = last_change(session, slug)
    seats = [row for row in last.rows if row["table"] == "membership"] if last else []
    return render(
        request,
        "people_undo.html",
        nav=navigation(site, caller, "people"),
        cohort=line,
        last=last,
        ends=sum(row["before"] is None for row in seats),
        returns=sum(row["before"] is not None for row in seats),
        stays=[row["table"] for row in last.rows if row["table"] in {"person", "run"}]
        if last
        else [],
        now=site.clock(),
        zone=site.settings.site.time_zone,
    )


def _copy_page(
    request: Request, desk: Desk, caller: Browser, slug: str, faults: Faults
) -> HTMLResponse:
    site = desk.site
    with site.store.reading() as session:
        line = cohort_of(session, slug, site)
    return render(
        request,
        "people_copy.html",
        nav=navigation(site, caller, "people"),
        status=REFUSED if faults.problems else 200,
        cohort=line,
        faults=faults,
        typed=faults.typed or CopyForm(),
        now=site.clock(),
    )


def _said(done: str, count: int) -> str:
    sentences = {
        "applied": ngettext("{n} change was applied.", "{n} changes were applied.", count),
        "applied_short": _(
            "{n} changes were applied. There are not enough user ids for all their labs: raise "
            "labs.uid_count and start the hub again."
        ),
        "removed": ngettext("{n} seat has ended.", "{n} seats have ended.", count),
        "removed_nothing": _("Nobody had a seat any more, so nothing was changed."),
        "undone": _("The last change was taken back."),
        "undone_nothing": _(
            "Nothing was taken back: what the last change wrote, such as names and new people, stays."
        ),
        "copied": _("The next cohort is made. Bring its learners by a list."),
    }
    return sentences.get(done, "").format(n=count)
