"""Check that a form was sent by a page of ours, in the session that it belongs to.

Law: origin and CSRF token are both asked for, and compared in constant time. A text with
a NUL character is refused here, for every form: no database of ours keeps one.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import FormData

from bioskills.hub.campus.refusals import foreign_form, nul_in_text, other_session
from bioskills.hub.campus.site import CSRF_FIELD, site_of

CSRF_HEADER = "x-csrf-token"


@asynccontextmanager
async def form_of(request: Request, csrf: str) -> AsyncIterator[FormData]:
    """Read the form of the session with this token.

    Raises:
        Refused: It has the token of another session, or none.
    """
    async with request.form() as form:
        check_token(request, form, csrf)
        yield form


def check_token(request: Request, form: FormData, csrf: str) -> None:
    """Refuse a form of another session, and one that no database can keep.

    Raises:
        Refused: With the way on.
    """
    field = form.get(CSRF_FIELD, "")
    sent = request.headers.get(CSRF_HEADER) or (field if isinstance(field, str) else "")
    if not hmac.compare_digest(sent.encode(), csrf.encode()):
        raise other_session()
    if any("\0" in value for _key, value in form.multi_items() if isinstance(value, str)):
        raise nul_in_text()


def check_origin(request: Request) -> None:
    """Refuse a form that another origin sent.

    Raises:
        Refused: Nothing was changed.
    """
    sent = request.headers.get("origin") or _origin_of_referer(request)
    if sent != site_of(request).origin:
        raise foreign_form()


def _origin_of_referer(request: Request) -> str:
    parts = urlsplit(request.headers.get("referer", ""))
    return f"{parts.scheme}://{parts.netloc}"
