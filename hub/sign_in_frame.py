"""What the pages before the hub are made of: their templates and what they may load.

Law: nothing from elsewhere, nothing inline. What is weaker here than it should be is said
before anybody types a password.
"""

from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bioskills.base.languages import own_name
from bioskills.base.settings import Settings
from bioskills.base.text import _, known_languages, ngettext
from bioskills.hub.addresses import campus_public_url
from bioskills.hub.warnings_shown import WarningsNow


def templates(settings: Settings) -> Environment:
    """Return the templates of these pages."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    found.globals.update(
        site=settings.site,
        public_url=settings.public_url,
        campus=campus_public_url(settings),
        warnings=WarningsNow(settings),
        languages=[(code, own_name(code)) for code in known_languages()],
    )
    return found


def content_policy(settings: Settings) -> str:
    """Return what these pages may load and where their forms may lead."""
    parts = urlsplit(settings.public_url)
    port = f":{parts.port}" if parts.port else ""
    # A browser looks at every redirect after a form: to the campus and to labs, below our host.
    below = (
        ""
        if settings.network.accept_single_origin
        else f" {parts.scheme}://*.{parts.hostname}{port}"
    )
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"font-src 'self'; form-action 'self'{below}; frame-ancestors 'none'; base-uri 'none'"
    )
