"""Check who may open a page, and give every page its head.

Law: a role counts only in the cohort where it is held. Who teaches nobody
learns nothing here, not even which runs there are.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.navigation import links_for
from bioskills.hub.campus.site import Nav, Refused, Site
from bioskills.hub.role_routes import TEACHING, serves

__all__ = ["TEACHING"]


def navigation(site: Site, browser: Browser, current: str) -> list[Nav]:
    """Return the links of the page's head for the roles of this person."""
    return links_for(site, browser, current)


def teaches_anybody(browser: Browser) -> bool:
    """Say whether this person is instructor or assessor anywhere."""
    return bool(_roles(browser) & set(TEACHING))


def require_role(browser: Browser, cohort: str, roles: Iterable[str] = TEACHING) -> None:
    """Let only people with one of these roles in the cohort go on.

    Raises:
        Refused: 403 for everybody else.
    """
    wanted = set(roles)
    if not any(seat.cohort == cohort and seat.role in wanted for seat in browser.seats):
        raise forbidden(_("This page is for the instructors of another cohort."))


def require_teaching(browser: Browser) -> None:
    """Let only instructors and assessors go on, of whatever cohort.

    Raises:
        Refused: 403 for everybody else.
    """
    if not teaches_anybody(browser):
        raise forbidden(_("This page is for instructors."))


def held_cohorts(browser: Browser, roles: Iterable[str]) -> list[str]:
    """Return the cohorts in which this person holds one of these roles, for pages about all of them.

    Raises:
        Refused: 403 where there is none.
    """
    wanted = set(roles)
    found = sorted({seat.cohort for seat in browser.seats if seat.role in wanted})
    if not found:
        raise forbidden(_("This page is for people with another role."))
    return found


def find_cohort(
    session: Session, browser: Browser, slug: str, roles: Iterable[str]
) -> tables.Cohort:
    """Return a cohort in which this person holds one of these roles.

    Raises:
        Refused: 403 where they do not, the same whether or not there is such a cohort.
    """
    wanted = set(roles)
    held = any(seat.role in wanted and serves(seat, slug) for seat in browser.seats)
    row = session.scalar(select(tables.Cohort).where(tables.Cohort.slug == slug)) if held else None
    if row is None:
        raise forbidden(_("This page is for people with another role, or of another cohort."))
    return row


def require_admin(browser: Browser) -> None:
    """Let only admins of the platform go on.

    Raises:
        Refused: 403 for everybody else, also for an admin of a cohort.
    """
    if not browser.holds("admin", tables.PLATFORM):
        raise forbidden(_("This page is for the admins of this site."))


def forbidden(message: str) -> Refused:
    """Return the refusal of a page that is not for this person."""
    way_out = _("If you should see it, ask the people who run this site for the role.")
    return Refused(403, "forbidden", message, way_out)


def find_run(session: Session, slug: str) -> tuple[tables.Run, tables.Cohort]:
    """Return a run and its cohort.

    Raises:
        Refused: 404 where there is no such run.
    """
    run = session.scalar(select(tables.Run).where(tables.Run.slug == slug))
    if run is None:
        message = _("There is no run named {name}.").format(name=slug)
        raise Refused(404, "unknown_run", message, _("Choose one from Courses."))
    return run, session.get_one(tables.Cohort, run.cohort_id)


def _roles(browser: Browser) -> set[str]:
    return {seat.role for seat in browser.seats}
