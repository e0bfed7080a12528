"""Know who reads an answer: in which language, in which time zone.

Law: each request begins with a reader of its own, so that nobody is answered in
somebody else's language. Before sign-in that is what the browser asks for;
as soon as we know the person, it is what they chose.
"""

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from bioskills.base.languages import COOKIE, first_known, wished
from bioskills.base.tables import Person
from bioskills.base.text import begin_reader, reader, use_language
from bioskills.hub.campus.bodies import App, Receive, Scope, Send


class Readers:
    """Begin a reader for each request; put around everything that speaks."""

    def __init__(self, app: App, site_language: str) -> None:
        self._app = app
        self._site_language = site_language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = Headers(scope=dict(scope))
            asked = asked_languages(headers.get("cookie", ""), headers.get("accept-language", ""))
            begin_reader(first_known(asked, self._site_language))
        await self._app(scope, receive, send)


def asked_languages(cookies: str, accept_language: str) -> list[str]:
    """Return the languages that a browser asks for, the dearest first: chosen, then set up."""
    return [_chosen(cookies), *wished(accept_language)]


def _chosen(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def read_by(person: Person) -> None:
    """Answer this person from here on: what they chose counts more than what the browser asks."""
    if person.language:
        use_language(person.language)
    reader().zone = person.time_zone or ""
