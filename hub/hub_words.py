"""Give the hub's own pages their words: in the language of who opens them.

Law: the hub's templates say nothing by themselves; every sentence passes
through `_`, as on the campus. What a person chose comes first, then the
browser's language.

Trap seen on JupyterHub 6.1: a template is told the user and not the request;
the one thing in it that knows the request is `static_url`, a method of the handler.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.languages import COOKIE, first_known, own_name, wished
from bioskills.base.places import database_url
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Person
from bioskills.base.text import _, begin_reader, known_languages
from bioskills.hub.addresses import campus_public_url
from bioskills.hub.warnings_shown import WarningsNow

TEMPLATES = Path(__file__).parent / "templates"


def hub_words(settings: Settings) -> dict[str, Any]:
    """Return what the hub's templates know from us."""
    store = Store(database_url(settings))

    @pass_context
    def language(context: Context) -> str:
        """Begin the reader of this page and return their language."""
        handler = context["static_url"].__self__
        user = context.get("user")
        with store.reading() as session:
            name = user.name if user else ""
            chosen = language_at(session, name, handler.request, settings.site.language)
        found = begin_reader(chosen).language
        handler.set_header("Content-Language", found)
        return found

    return {
        "announcement": WarningsNow(settings),
        # The hub calls what it can call, with its user, and takes what that returns.
        "_": lambda _user: _said,
        "reader_language": lambda _user: language,
        "languages": [(code, own_name(code)) for code in known_languages()],
        "here": lambda _user: _here,
        "site": settings.site,
        "campus_url": campus_public_url(settings),
    }


def language_at(session: Session, name: str, request: Any, site_language: str) -> str:
    """Return the language of a person at the hub.

    Args:
        session: Of our database.
        name: The hub's name of the person; empty before sign-in.
        request: What the browser asks with (tornado's); None where there is none.
        site_language: For who asks for none that we have.
    """
    chosen = session.scalar(select(Person.language).where(Person.name == name)) if name else None
    return first_known([chosen or "", *_asked(request)], site_language)


def _asked(request: Any) -> list[str]:
    if request is None:
        return []
    cookie = request.cookies.get(COOKIE)
    header: str = request.headers.get("Accept-Language", "")
    return [cookie.value if cookie else "", *wished(header)]


def _said(message: str, **values: Any) -> Markup:
    """Return a sentence with its values escaped; the page has begun its reader."""
    text = Markup(_(message))  # noqa: S704 - the sentence is ours, the values are escaped
    return text % {name: escape(value) for name, value in values.items()} if values else text


@pass_context
def _here(context: Mapping[str, Any]) -> str:
    """Return the page's own address, for links that come back."""
    uri: str = context["static_url"].__self__.request.uri
    return uri
