"""Pages for the admin: who has an account, whose link is open; issue and take back.

Law: for an admin of the platform alone, asked before anything is read. What ends links
shows its plan first. Secrets are in one answer, which no cache keeps, and nowhere else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.languages import name_key
from bioskills.base.text import _
from bioskills.hub import invitations
from bioskills.hub.campus.callers import Browser, browser, browser_unsafe
from bioskills.hub.campus.pages_shared import navigation, require_admin
from bioskills.hub.campus.site import Refused, Site, render, site_of
from bioskills.hub.campus.wording import Sign
from bioskills.hub.invitation_sheet import Card, card_of, table
from bioskills.hub.invitations import LinkState, Standing
from bioskills.hub.mailing import can_send, send_all
from bioskills.hub.membership import active

PATH = "/people/{cohort}/invitations"
Verb = Literal["join", "reset", "revoke"]
Output = Literal["sheet", "csv", "mail"]
Reads = Annotated[Browser, Depends(browser)]
Changes = Annotated[Browser, Depends(browser_unsafe)]


class _Chosen(BaseModel):
    """What the forms send: people by pseudonym, and in which form the links are wanted."""

    person: list[str] = []
    output: Output = "sheet"


@dataclass(frozen=True)
class Row:
    """One person of the cohort."""

    person: tables.Person
    standing: Standing
    sign: Sign

    @property
    def is_open(self) -> bool:
        """Whether a link of this person is open now."""
        return self.standing.link is LinkState.OPEN


def routes(site: Site) -> APIRouter:
    """Return the routes of these pages."""
    del site  # every route asks the request for it
    router = APIRouter(default_response_class=HTMLResponse)
    router.add_api_route(PATH, show, methods=["GET"])
    router.add_api_route(PATH + "/{verb}", plan, methods=["GET"])
    router.add_api_route(PATH + "/revoke", revoke, methods=["POST"])
    router.add_api_route(PATH + "/{verb}", issue, methods=["POST"])
    return router


def show(request: Request, cohort: str, caller: Reads, n: int = -1) -> Response:
    """Show how far everybody of a cohort has come."""
    site = site_of(request)
    with _open(site, caller, cohort) as (session, found):
        rows = rows_of(session, site, found)
    waiting = [row for row in rows if not row.standing.has_account]
    return _page(
        request, site, caller, "invitations.html",
        cohort=found, rows=rows, waiting=waiting, revoked=n, now=site.clock(),
    )  # fmt: skip


def plan(request: Request, cohort: str, verb: Verb, caller: Reads, person: str = "") -> Response:
    """Show what would happen: to one person, or to everybody whom it makes sense for."""
    site = site_of(request)
    with _open(site, caller, cohort) as (session, found):
        chosen = [row for row in rows_of(session, site, found) if _is_meant(row, verb, person)]
    return _page(
        request, site, caller, "invitations_plan.html",
        cohort=found, verb=verb, rows=chosen, open_ones=[r for r in chosen if r.is_open],
        days=site.settings.sign_in.link_days, can_mail=can_send(site.settings),
        without_mail=[r for r in chosen if not r.person.email],
    )  # fmt: skip


def revoke(
    request: Request, cohort: str, caller: Changes, form: Annotated[_Chosen, Form()]
) -> Response:
    """Take open links back."""
    site = site_of(request)
    require_admin(caller)
    with site.store.transaction() as session:
        people = _chosen(session, site, _cohort(session, cohort), form.person)
        ended = [invitations.revoke(session, p.id, caller.pseudonym, site.clock()) for p in people]
    here = site.link(f"people/{cohort}/invitations")
    return RedirectResponse(f"{here}?n={sum(ended)}", 303)


def issue(
    request: Request, cohort: str, verb: Literal["join", "reset"], caller: Changes,
    form: Annotated[_Chosen, Form()],
) -> Response:  # fmt: skip
    """Issue links and give them out in this one answer."""
    site = site_of(request)
    require_admin(caller)
    if form.output == "mail" and not can_send(site.settings):
        message = _("No mail server is set, so no link was issued.")
        raise Refused(409, "no_mail", message, _("Set mail.host, or print the sheet."))
    life, at = timedelta(days=site.settings.sign_in.link_days), site.clock()
    with site.store.transaction() as session:
        found = _cohort(session, cohort)
        cards = []
        for person in _chosen(session, site, found, form.person):
            secret = invitations.invite(session, person.id, verb, caller.pseudonym, at, life=life)
            cards.append(card_of(site.settings, person, verb, secret, at + life))
    return _given(request, caller, found, cards, form.output)


def _given(
    request: Request, caller: Browser, cohort: tables.Cohort, cards: list[Card], output: Output
) -> Response:
    site = site_of(request)
    if output == "csv":
        name = f'attachment; filename="invitations-{cohort.slug}.csv"'
        return Response(table(cards), media_type="text/csv", headers={"Content-Disposition": name})
    if output == "mail":
        sent = send_all(site.settings, cards)
        return _page(request, site, caller, "invitations_sent.html", cohort=cohort, sent=sent)
    return _page(request, site, caller, "invitations_sheet.html", cohort=cohort, cards=cards)


def rows_of(session: Session, site: Site, cohort: tables.Cohort) -> list[Row]:
    """Return the people of a cohort, by name, with how far they have come."""
    chosen = (
        select(tables.Person).distinct()
        .join(tables.Membership, tables.Membership.person_id == tables.Person.id)
        .where(tables.Membership.cohort_id == cohort.id, active(site.clock()))
    )  # fmt: skip
    people = sorted(session.scalars(chosen), key=lambda person: name_key(person.display_name))
    standing = invitations.standings(session, [p.id for p in people], site.clock())
    return [Row(p, standing[p.id], sign_of(standing[p.id])) for p in people]


def sign_of(standing: Standing) -> Sign:
    """Return how the state of a person's newest link is shown."""
    signs = {
        LinkState.OPEN: ("s-wait", "st-wait", _("Open")),
        LinkState.USED: ("s-done", "st-done", _("Used")),
        LinkState.EXPIRED: ("s-past", "st-past", _("Ended")),
        LinkState.REVOKED: ("s-past", "st-past", _("Taken back")),
        LinkState.UNKNOWN: ("s-none", "st-none", _("None yet")),
    }
    css, icon, words = signs[standing.link]
    return Sign(css, icon, words, words)


def _is_meant(row: Row, verb: Verb, pseudonym: str) -> bool:
    if pseudonym:
        return row.person.pseudonym == pseudonym and (verb != "revoke" or row.is_open)
    return row.is_open if verb == "revoke" else not row.standing.has_account


def _chosen(
    session: Session, site: Site, cohort: tables.Cohort, wanted: Sequence[str]
) -> list[tables.Person]:
    """Return the people of this cohort among those that a form named."""
    named = set(wanted)
    return [r.person for r in rows_of(session, site, cohort) if r.person.pseudonym in named]


@contextmanager
def _open(site: Site, caller: Browser, slug: str) -> Iterator[tuple[Session, tables.Cohort]]:
    require_admin(caller)
    with site.store.reading() as session:
        yield session, _cohort(session, slug)


def _page(
    request: Request, site: Site, caller: Browser, template: str, **values: object
) -> HTMLResponse:
    return render(request, template, nav=navigation(site, caller, ""), status=200, **values)


def _cohort(session: Session, slug: str) -> tables.Cohort:
    found = session.scalar(select(tables.Cohort).where(tables.Cohort.slug == slug))
    if found is None:
        message = _("There is no cohort named {name}.").format(name=slug)
        raise Refused(404, "unknown_cohort", message, _("Look at its name, then try again."))
    return found
