"""What all pages of the admin's door share: who may come in, the head, the audit line.

Law: the role admin counts on the platform alone, and is asked for before anything is
read. An admin sees people, labs, machines and queues, and nobody's work: no page here
reads a hand-in, a result or a passport.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import AuditEntry, Person
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.pages_shared import navigation
from bioskills.hub.campus.site import Nav, Site, render, site_of
from bioskills.hub.campus.wording import tenths

MB = 1 << 20
_KB = 1024
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Who:
    """A person as pages name them: the name at this moment, the pseudonym that is stored."""

    pseudonym: str
    display_name: str


def show(
    request: Request,
    caller: Browser,
    template: str,
    current: str,
    *,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Return one page of the admin's door, with the links to the others."""
    site = site_of(request)
    return render(
        request,
        template,
        nav=navigation(site, caller, "admin"),
        status=status,
        sections=sections(site, current),
        now=site.clock(),
        zone=site.settings.site.time_zone,
        size=size,
        **values,
    )


def sections(site: Site, current: str) -> list[Nav]:
    """Return the links between the pages of the door."""
    found = (
        ("admin", _("Overview")),
        ("admin/labs", _("Labs")),
        ("admin/jobs", _("Grading jobs")),
        ("admin/storage", _("Storage")),
        ("admin/settings", _("Settings")),
        ("admin/doctor", _("Doctor")),
        ("admin/audit", _("Audit log")),
    )
    return [Nav(label, site.link(path), path == current) for path, label in found]


def note(
    session: Session,
    site: Site,
    caller: Browser,
    action: str,
    subject: str,
    *,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write into the audit log what an admin did, in the same transaction."""
    session.add(
        AuditEntry(
            at=site.clock(),
            actor=caller.pseudonym,
            action=action,
            subject=subject,
            detail=dict(detail or {}),
        )
    )


def names_of(session: Session, pseudonyms: Iterable[str]) -> dict[str, str]:
    """Return who stands behind pseudonyms now; who was erased is missing."""
    wanted = select(Person.pseudonym, Person.display_name)
    rows = session.execute(wanted.where(Person.pseudonym.in_(set(pseudonyms))))
    return {row.pseudonym: row.display_name for row in rows}


def find_who(session: Session, typed: str) -> Person | None:
    """Return the person whose user name, pseudonym or mail address was typed."""
    text = typed.strip()
    found = select(Person).where(
        (Person.name == text.lower()) | (Person.pseudonym == text) | (Person.email == text)
    )
    return session.scalars(found.limit(1)).first() if text else None


def size(count: int | None) -> str:
    """Return bytes as people read them: ``1.4 GB``."""
    if count is None:
        return _("not known")
    value, unit = float(count), 0
    while value >= _KB and unit < len(_UNITS) - 1:
        value, unit = value / _KB, unit + 1
    text = f"{value:.0f}" if unit <= 1 or value >= 100 else tenths(value)  # noqa: PLR2004 - three digits
    return f"{text}\u00a0{_UNITS[unit]}"


def query(**values: object) -> str:
    """Return the filled ones of these values as the query of an address."""
    filled = {key: value for key, value in values.items() if value not in ("", None, 0)}
    return f"?{urlencode(filled)}" if filled else ""
