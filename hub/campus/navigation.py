"""The links in the head of every page: which role gets which.

Law: a table. A link is there for whoever holds its role, and only where its address is
served; what a page is called stands here once. A part that adds a page adds a row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bioskills.base.tables import PLATFORM
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.site import Nav, Site
from bioskills.hub.role_routes import ADMIN, CAMPUS_ROUTES, INSTRUCTOR, TEACHING
from bioskills.hub.roles import ROLE_TABLE

LEARNER = ("learner",)
NO_DOOR = tuple(role for role in ROLE_TABLE if role not in {*LEARNER, *TEACHING, *ADMIN})
"""Roles without pages of their own yet; their first page is their passport."""


@dataclass(frozen=True)
class Link:
    """One link of the head.

    Attributes:
        path: Below the prefix; ``{cohort}`` stands for each cohort in which a role is held.
        label: The words, found when they are needed: each reader has a language.
        roles: Who gets it.
        platform: Whether the role must be held on the platform.
    """

    path: str
    label: Callable[[str], str]
    roles: tuple[str, ...]
    platform: bool = False


LINKS: tuple[Link, ...] = (
    Link("admin", lambda _cohort: _("Administration"), ADMIN, platform=True),
    Link("people", lambda _cohort: _("People"), ADMIN, platform=True),
    Link("passport", lambda _cohort: _("Passport"), (*LEARNER, *NO_DOOR)),
    Link("courses", lambda _cohort: _("Courses"), TEACHING),
    Link("cohorts/{cohort}", lambda cohort: _("Cohort {name}").format(name=cohort), TEACHING),
    Link("tokens", lambda _cohort: _("Tokens"), INSTRUCTOR),
)

FIRST = ("admin", "courses")
"""First pages, the most pressing first; everybody else begins with the passport."""

_SERVED = frozenset(opening.path for opening in CAMPUS_ROUTES)


def links_for(site: Site, browser: Browser, current: str) -> list[Nav]:
    """Return the links for what this person holds.

    Args:
        site: This installation.
        browser: The person.
        current: The path of the page that is shown, its cohort filled in or not, or its address.
    """
    found = [
        Nav(link.label(cohort), address, current in {link.path, path, address})
        for link in LINKS
        if link.path in _SERVED
        for cohort in _cohorts(link, browser)
        for path in [link.path.format(cohort=cohort)]
        for address in [site.link(path)]
    ]
    return [*found, Nav(_("My lab"), f"{site.hub_url}spawn")]


def first_page(browser: Browser) -> str:
    """Return where a person begins: what others wait for comes before one's own learning."""
    doors = {link.path: link for link in LINKS}
    return next((path for path in FIRST if any(_held(doors[path], browser))), "passport")


def _cohorts(link: Link, browser: Browser) -> list[str]:
    """Return the cohorts that a link stands for; one without a name where it names none."""
    held = sorted(set(_held(link, browser)))
    return held if "{cohort}" in link.path else [""] if held else []


def _held(link: Link, browser: Browser) -> Iterator[str]:
    for seat in browser.seats:
        if seat.role in link.roles and (not link.platform or seat.cohort == PLATFORM):
            yield seat.cohort
