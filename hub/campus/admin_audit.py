"""Serve the audit log: who changed what, and when; as pages and as a file.

Law: rows hold pseudonyms; names are looked up when a page is shown and are in no file. The
file holds what the filter shows, is guarded against formulas, and who took it is written down.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bioskills.base.problems import Problem
from bioskills.base.tables import AuditEntry
from bioskills.base.text import _
from bioskills.hub.campus import spreadsheets
from bioskills.hub.campus.admin_shared import find_who, names_of, note, query, show
from bioskills.hub.campus.callers import Browser, browser
from bioskills.hub.campus.pages_shared import require_admin
from bioskills.hub.campus.site import Site
from bioskills.hub.campus.wording import utc
from bioskills.hub.years import is_meant, rule

PAGE = 50
MOST_IN_FILE = 50_000

Reads = Annotated[Browser, Depends(browser)]


class Filter(BaseModel):
    """What is looked for, as it was typed."""

    who: str = ""
    what: str = ""
    about: str = ""
    since: str = ""
    until: str = ""
    page: int = 1


@dataclass(frozen=True)
class Line:
    """One entry as a page shows it."""

    at: datetime
    actor: str
    name: str
    action: str
    subject: str
    detail: str


Wanted = Annotated[Filter, Query()]


def routes(site: Site) -> APIRouter:
    """Return the routes of the log."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/admin/audit")
    def audit_page(request: Request, caller: Reads, wanted: Wanted) -> Response:
        require_admin(caller)
        page = max(1, wanted.page)
        with site.store.reading() as session:
            chosen, problems = chosen_by(session, wanted, site.settings.site.time_zone)
            total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
            rows = session.scalars(_newest(chosen).offset((page - 1) * PAGE).limit(PAGE)).all()
            actions = session.scalars(select(AuditEntry.action).distinct()).all()
            lines = lines_of(session, rows)
        return show(
            request,
            caller,
            "admin_audit.html",
            "admin/audit",
            lines=lines,
            wanted=wanted,
            problems=problems,
            total=total,
            page=page,
            pages=max(1, -(-total // PAGE)),
            actions=sorted(actions),
            link=lambda **more: query(**{**wanted.model_dump(exclude={"page"}), **more}),
        )

    @router.get("/admin/audit.csv")
    def audit_file(caller: Reads, wanted: Wanted) -> Response:
        require_admin(caller)
        with site.store.transaction() as session:
            chosen, _problems = chosen_by(session, wanted, site.settings.site.time_zone)
            rows = session.scalars(_newest(chosen).limit(MOST_IN_FILE)).all()
            text = as_csv(rows)
            detail = {**wanted.model_dump(exclude={"page", "who", "about"}), "rows": len(rows)}
            note(session, site, caller, "exported audit log", "audit", detail=detail)
        head = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=head)

    return router


def chosen_by(
    session: Session, wanted: Filter, zone: str
) -> tuple[Select[AuditEntry], list[Problem]]:
    """Return the entries that a filter means, and what of it cannot be meant."""
    chosen, problems = select(AuditEntry), list[Problem]()
    if wanted.who.strip():
        person = find_who(session, wanted.who)
        actor = person.pseudonym if person else wanted.who.strip()
        chosen = chosen.where(AuditEntry.actor == actor)
    if wanted.what:
        chosen = chosen.where(AuditEntry.action == wanted.what)
    if wanted.about.strip():
        person = find_who(session, wanted.about)
        about = person.pseudonym if person else wanted.about.strip()
        chosen = chosen.where(AuditEntry.subject.contains(about, autoescape=True))
    since = _day(wanted.since, "since", zone, problems)
    until = _day(wanted.until, "until", zone, problems)
    if since is not None:
        chosen = chosen.where(AuditEntry.at >= since)
    if until is not None:
        chosen = chosen.where(AuditEntry.at < until + timedelta(days=1))
    return chosen, problems


def lines_of(session: Session, rows: Sequence[AuditEntry]) -> list[Line]:
    """Return entries with the names that their pseudonyms have now."""
    names = names_of(session, (row.actor for row in rows))
    return [
        Line(
            at=row.at,
            actor=row.actor,
            name=names.get(row.actor, ""),
            action=row.action,
            subject=row.subject,
            detail=detail_words(row.detail),
        )
        for row in rows
    ]


def detail_words(detail: dict[str, object]) -> str:
    """Return what else was noted, in one line."""
    return "; ".join(f"{key}: {_plain(value)}" for key, value in detail.items())


def as_csv(rows: Sequence[AuditEntry]) -> str:
    """Return entries as a file for spreadsheets: pseudonyms, UTC, no cell a formula."""
    head = [_("time (UTC)"), _("who"), _("what"), _("about"), _("details")]
    return spreadsheets.as_csv(head, _cells(rows))


def _cells(rows: Sequence[AuditEntry]) -> Iterator[list[str]]:
    for row in rows:
        yield [utc(row.at), row.actor, row.action, row.subject, detail_words(row.detail)]


def _newest(chosen: Select[AuditEntry]) -> Select[AuditEntry]:
    return chosen.order_by(AuditEntry.at.desc(), AuditEntry.id.desc())


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value)


def _day(text: str, field: str, zone: str, problems: list[Problem]) -> datetime | None:
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        what = _("{text!r} cannot be read.").format(text=text[:40])
        problems.append(Problem(field, what, next=_("Give a date such as 2027-03-19.")))
        return None
    if not is_meant(found):
        what = _("{text!r} cannot be meant.").format(text=text[:40])
        problems.append(Problem(field, what, next=rule()))
        return None
    return datetime.combine(found, time(), ZoneInfo(zone))
