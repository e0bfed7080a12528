"""Hold what every route of the campus needs.

Law: one frozen object per process, made in `__main__` (or in a test) and given
to every router; no module keeps a global of its own. A refusal is raised as
`Refused` and turned into JSON or a page in one place (`app.py`).

Vocabulary: *site* is this installation as the campus sees it; *nav* are the
links of a page's head, chosen by the page.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bioskills.base.languages import own_name
from bioskills.base.places import Places
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.text import _, known_languages, ngettext, pgettext, reader
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.addresses import campus_public_url, hub_public_url, origin_of
from bioskills.hub.campus.bell import Bell
from bioskills.hub.campus.hub_api import HubApi
from bioskills.hub.campus.objects import Objects

TEMPLATES = Path(__file__).parent / "templates"
CSRF_FIELD = "_csrf"


class Refused(Exception):  # noqa: N818 - reads as what happened to the request
    """A request was refused.

    Args:
        status: HTTP status.
        error: A stable word such as `late` or `forbidden`, for programs.
        message: What happened with the value, and the rule.
        next: What the person can do now.
        retry_after_s: Seconds after which the same request may succeed.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        next: str = "",  # noqa: A002 - the word of the wire model
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.next = next
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Nav:
    """One link in the head of a page."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Site:
    """This installation as the campus sees it."""

    settings: Settings
    places: Places
    store: Store
    hub: HubApi
    clock: Callable[[], datetime]
    objects: Objects
    templates: Environment
    grader_token_sha256: str = ""
    bell: Bell = field(default_factory=Bell)

    @property
    def prefix(self) -> str:
        """The path below which everything of the campus lies."""
        return CAMPUS_PREFIX

    @property
    def url(self) -> str:
        """The public address of the campus, with a slash at the end."""
        return campus_public_url(self.settings)

    @property
    def origin(self) -> str:
        """The origin a browser names when a form of ours is sent."""
        return origin_of(self.url)

    @property
    def hub_url(self) -> str:
        """The public address of the hub, with a slash at the end."""
        return hub_public_url(self.settings)

    def link(self, path: str) -> str:
        """Return the address of a page below our prefix."""
        return self.prefix + path.lstrip("/")


def site_of(request: Request) -> Site:
    """Return the site that this request is for."""
    site: Site = request.app.state.site
    return site


def make_templates(
    settings: Settings, static: Callable[[str], str], warnings: Iterable[str] = ()
) -> Environment:
    """Return the template environment: escaping on, unknown names refused.

    Args:
        settings: For the names and addresses that every page shows.
        static: Gives the address of a static file.
        warnings: What every page must say about this installation.
    """
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        _, ngettext, newstyle=True, pgettext=pgettext
    )
    templates.globals.update(
        static=static,
        prefix=CAMPUS_PREFIX,
        site=settings.site,
        hub_url=hub_public_url(settings),
        warnings=warnings,
        own_accounts=settings.sign_in.method == "accounts",
        languages=[(code, own_name(code)) for code in known_languages()],
    )
    return templates


def render(
    request: Request,
    template: str,
    *,
    nav: Sequence[Nav] = (),
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Return a page.

    Templates get the values, and: `caller` (the signed-in Browser or None),
    `csrf_field` (the hidden input that every form needs), `nav`, `lang`, `here` (the page's
    own address, escaped for a query), `languages` (code and own name of each), `prefix`, `hub_url`, `site` (settings), `static("file.css")`.
    """
    site = site_of(request)
    caller = getattr(request.state, "browser", None)
    page = site.templates.get_template(template).render(
        caller=caller,
        csrf_field=_csrf_field(caller.csrf if caller else ""),
        nav=nav,
        lang=reader().language,
        here=_here(request),
        **values,
    )
    return HTMLResponse(page, status_code=status, headers={"Content-Language": reader().language})


def _here(request: Request) -> str:
    """Return the address of a page that may be opened again, escaped for a query."""
    if request.method != "GET":
        return ""
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path + query, safe="")


def _csrf_field(csrf: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf)
