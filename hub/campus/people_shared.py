"""Open the people pages to admins of the platform, and give them what they share.

Law: the role admin on the platform is asked for before anything is read; every refusal of a
cohort's name is the same page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import PLATFORM
from bioskills.base.text import _
from bioskills.hub.campus.callers import (
    Browser,
    browser,
    browser_before_form,
    browser_unsafe,
)
from bioskills.hub.campus.people_telling import Telling
from bioskills.hub.campus.site import Refused, Site
from bioskills.hub.cohort_view import CohortLine, find_cohort
from bioskills.hub.membership import has_seat

Reads = Annotated[Browser, Depends(browser)]
Sends = Annotated[Browser, Depends(browser_before_form)]
Changes = Annotated[Browser, Depends(browser_unsafe)]
REFUSED = 422


@dataclass(frozen=True)
class Desk:
    """What every people page needs."""

    site: Site
    telling: Telling

    def link(self, cohort: str = "", rest: str = "") -> str:
        """Return the address of a people page."""
        return self.site.link("/".join(part for part in ("people", cohort, rest) if part))


def cohort_of(session: Session, slug: str, site: Site) -> CohortLine:
    """Return a cohort.

    Raises:
        Refused: 404 where there is none.
    """
    try:
        return find_cohort(session, slug, site.clock())
    except InputError as error:
        message = _("There is no cohort named {name}.").format(name=slug[:40])
        after = _("Choose one on the page People.")
        raise Refused(HTTPStatus.NOT_FOUND, "unknown_cohort", message, after) from error


def keep_an_admin(session: Session, site: Site, caller: Browser) -> None:
    """Refuse a change after which its own admin could not take it back.

    Raises:
        InputError: The caller would be no admin any more.
    """
    session.flush()
    if not has_seat(session, caller.name, PLATFORM, ("admin",), site.clock()):
        what = _("with this change you would be no admin any more, so nothing was changed.")
        step = _("Let another admin do it, or keep your own line.")
        raise InputError([Problem(caller.name, what, next=step)])


def told_once(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems without repetition, in their order."""
    return list(dict.fromkeys(problems))
