"""The links in the head of every page: which role gets which.

Law: a table. A link is there for whoever holds its role, and only where its address is
served; what a page is called stands here once. A part that adds a page adds a row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bioskills.base.tables import PLATFORM
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.site import Nav, Site
from bioskills.hub.role_routes import (
    ADMIN,
    ASSESSOR,
    CAMPUS_ROUTES,
    CERTIFIER,
    FUNDER,
    INSTRUCTOR,
    MANAGER,
    TEACHING,
)

LEARNER = ("learner",)


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
    Link("passport", lambda _cohort: _("Passport"), LEARNER),
    Link("waiting", lambda _cohort: _("Waits for you"), ASSESSOR),
    Link("courses", lambda _cohort: _("Courses"), TEACHING),
    Link("cohorts/{cohort}", lambda cohort: _("Cohort {name}").format(name=cohort), TEACHING),
    Link("tokens", lambda _cohort: _("Tokens"), INSTRUCTOR),
    Link("units", lambda _cohort: _("Units reached"), CERTIFIER),
    Link("figures", lambda _cohort: _("Figures"), MANAGER),
    Link("funded", lambda _cohort: _("What you fund"), FUNDER),
)

FIRST = (
    ("admin", ADMIN),
    ("courses", INSTRUCTOR),
    ("waiting", ASSESSOR),
    ("units", CERTIFIER),
    ("figures", MANAGER),
    ("funded", FUNDER),
)
"""First pages and who begins there, the most pressing first; everybody else begins with the passport."""


@dataclass(frozen=True)
class Choice:
    """One way on from the first page of somebody who learns here, too."""

    href: str
    label: str
    words: str


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
    found = (
        path for path, roles in FIRST if any(_held(replace(doors[path], roles=roles), browser))
    )
    return next(found, "passport")


def choices_for(site: Site, browser: Browser) -> list[Choice]:
    """Return the first pages of all roles that this person holds, the passport last."""
    words = {
        "courses": _("Open and close assignments, give more time, return results, see the cohort."),
        "waiting": _("Read and judge what only a person can judge, the oldest first."),
        "units": _("Who has reached which unit, and what it rests on."),
        "figures": _("Figures of courses and cohorts, without names."),
        "funded": _("What came of what you fund, added up."),
        "passport": _("What you have shown as a learner, and what is missing."),
    }
    doors = {link.path: link for link in LINKS}
    held = [path for path, roles in (*FIRST, ("passport", LEARNER))
            if path in words and any(_held(replace(doors[path], roles=roles), browser))]  # fmt: skip
    return [Choice(site.link(path), doors[path].label(""), words[path]) for path in held]


def _cohorts(link: Link, browser: Browser) -> list[str]:
    """Return the cohorts that a link stands for; one without a name where it names none."""
    held = sorted(set(_held(link, browser)))
    return held if "{cohort}" in link.path else [""] if held else []


def _held(link: Link, browser: Browser) -> Iterator[str]:
    for seat in browser.seats:
        if seat.role in link.roles and (not link.platform or seat.cohort == PLATFORM):
            yield seat.cohort
