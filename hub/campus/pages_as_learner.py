"""Show an instructor what a learner sees, without becoming the learner.

Law: made by the very functions that answer the learner's panel and passport, for reading
alone: no session, token or server of the learner is used, nothing can be sent from here,
and the learner reads that somebody looked.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.base.wire import AssignmentView
from bioskills.competence.framework import load_framework
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.looks import look
from bioskills.hub.campus.overview import run_view
from bioskills.hub.campus.overview_routes import FRAMEWORK
from bioskills.hub.campus.pages_passport import page_of
from bioskills.hub.campus.pages_shared import (
    find_run,
    forbidden,
    navigation,
    require_role,
    require_teaching,
)
from bioskills.hub.campus.passport import standing_of
from bioskills.hub.campus.resits import resits_of
from bioskills.hub.campus.site import Site, render
from bioskills.hub.campus.wording import Sign, work_sign
from bioskills.hub.membership import has_seat


def routes(site: Site) -> APIRouter:
    """Return the route of the view as a learner."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/runs/{run}/learners/{learner}/as-learner")
    def as_learner(
        request: Request, run: str, learner: str, caller: Annotated[Browser, Depends(browser)]
    ) -> Response:
        require_teaching(caller)
        now = site.clock()
        with site.store.reading() as session:
            row, cohort = find_run(session, run)
            require_role(caller, cohort.slug)
            person = _learner(session, site, cohort, learner)
            look(site, caller, [person.id], "as_learner", (run, cohort.slug))
            standing = standing_of(session, load_framework(FRAMEWORK), person, now)
            view = run_view(session, row, person, standing, now)
            return render(
                request,
                "as_learner.html",
                nav=navigation(site, caller, "courses"),
                run=row,
                view=view,
                cards=[(card, _sign(card)) for card in view.assignments],
                person=person,
                page=page_of(
                    standing,
                    site.settings.site.time_zone,
                    {},
                    resits_of(
                        session, person.id, {row.result_id for row in standing.rows.values()}
                    ),
                ),
                own=False,
                first_task="",
                now=now,
                zone=site.settings.site.time_zone,
            )

    return router


def _sign(card: AssignmentView) -> Sign:
    return work_sign(card.state)


def _learner(session: Session, site: Site, cohort: tables.Cohort, pseudonym: str) -> tables.Person:
    """Return a present learner of the cohort.

    Raises:
        Refused: 403, the same whether or not there is such a person.
    """
    person = session.scalar(select(tables.Person).where(tables.Person.pseudonym == pseudonym))
    if person is None or not has_seat(session, person.name, cohort.slug, ["learner"], site.clock()):
        raise forbidden(_("There is no learner {name} in this cohort.").format(name=pseudonym))
    return person
