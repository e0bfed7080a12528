"""Say who calls, and refuse everybody else.

Law (charter 8): there are two kinds of caller. A browser has a session, its
scope is checked on every request, and every change needs the session's CSRF
token. A program has a token in its `Authorization` header: a lab's, an
instructor's named one, or the grader's. No credential of one kind is accepted
where the other is asked for.

Each function here is a FastAPI dependency: ``caller: Browser = Depends(browser)``.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session as Database
from starlette.concurrency import run_in_threadpool

from bioskills.base.tables import ApiToken, Cohort, Person, Run
from bioskills.base.text import _, reader
from bioskills.base.wire import INSTRUCTOR_TOKEN_PREFIX, LAB_SCOPE, NoticeView
from bioskills.hub.campus.forms import check_origin, check_token
from bioskills.hub.campus.hub_api import HubAwayError, Identity
from bioskills.hub.campus.notices import now_shown
from bioskills.hub.campus.readers import read_by
from bioskills.hub.campus.refusals import (
    hub_away,
    known,
    no_access,
    no_seat,
    not_a_lab,
    refuse_token,
    teaches_no_more,
    token_on_a_page,
)
from bioskills.hub.campus.sessions import Session, end_session, find_session
from bioskills.hub.campus.site import Refused, Site, site_of
from bioskills.hub.factor_due import acting_seats, acts_as
from bioskills.hub.membership import Seat, find_person
from bioskills.hub.papers import is_due
from bioskills.hub.roles import CAMPUS_ACCESS

SAFE_METHODS = frozenset({"GET", "HEAD"})
_TOKEN = re.compile(r"[!-~]{1,256}", re.ASCII)  # what a header can carry on to the hub
_USE_NOTED_EVERY = timedelta(minutes=1)
_ACCESS = frozenset({CAMPUS_ACCESS, "access:services"})

T = TypeVar("T")


class SignInNeeded(Exception):  # noqa: N818 - not an error: the person is sent to sign in
    """No live session came with this request."""


class PapersNeeded(Exception):  # noqa: N818 - not an error: the person is shown the paper first
    """Somebody signed in who was not yet shown the paper in force."""


@dataclass(frozen=True)
class Browser:
    """A signed-in person in a browser.

    Attributes:
        pseudonym: What every table but `person` calls them, the audit log too.
        notices: What instructors tell the cohorts of this person now.
    """

    name: str
    person_id: int
    display_name: str
    seats: list[Seat]
    csrf: str
    pseudonym: str
    language: str = ""
    notices: tuple[NoticeView, ...] = ()

    def holds(self, role: str, cohort: str | None = None) -> bool:
        """Say whether the person has this role, in this cohort or anywhere."""
        return any(s.role == role and cohort in {None, s.cohort} for s in self.seats)


@dataclass(frozen=True)
class Lab:
    """A person's own server; it may list, fetch, submit and read own feedback."""

    name: str
    person_id: int


@dataclass(frozen=True)
class Instructor:
    """A program with a named, narrow, expiring token of an instructor."""

    name: str
    person_id: int
    run_id: int
    verbs: frozenset[str]


@dataclass(frozen=True)
class Grader:
    """The grader service."""


def browser(request: Request) -> Browser:
    """Return the signed-in person, who was shown the paper; for pages that change nothing."""
    caller, site = browser_before_papers(request), site_of(request)
    if site.settings.papers.at_first_sign_in:
        with site.store.reading() as database:
            if is_due(database, caller.name):
                raise PapersNeeded
    return caller


def known_browser(request: Request) -> Browser | None:
    """Return the signed-in person, or None; for pages that are open to everybody."""
    try:
        return _signed_in(request)
    except (SignInNeeded, Refused):
        return None


def browser_before_papers(request: Request) -> Browser:
    """Return the signed-in person; for the few pages that come before the paper."""
    if request.method not in SAFE_METHODS:
        raise RuntimeError(
            f"{request.url.path}: a route that changes something must use browser_unsafe"
        )
    return _signed_in(request)


async def browser_unsafe(request: Request) -> Browser:
    """Return the signed-in person; for forms. Origin and CSRF token were checked."""
    caller = await browser_before_form(request)
    check_token(request, await request.form(), caller.csrf)
    return caller


async def browser_before_form(request: Request) -> Browser:
    """Return the signed-in person; for large forms. The origin was checked, the CSRF token was not.

    The route asks for the role first, and then reads the form by `forms.form_of`.
    """
    check_origin(request)
    return await run_in_threadpool(_signed_in, request)


def lab(request: Request) -> Lab:
    """Return the person whose server calls."""
    site = site_of(request)
    identity = _hub_answer(lambda: site.hub.identity(bearer(request)))
    if identity is None:
        refuse_token(_("The hub does not know this token. It may have expired or been revoked."))
    if identity.kind != "user" or LAB_SCOPE not in identity.scopes:
        raise not_a_lab()
    with site.store.reading() as database:
        person = find_person(database, identity.name)
    if person and "accept-language" in request.headers:
        # Lab's own language, which the panel around the answer is in.
        reader().zone = person.time_zone or ""
    elif person:
        read_by(person)
    return Lab(identity.name, known(person, identity.name).id)


def instructor(request: Request) -> Instructor:
    """Return the instructor whose named token calls, with what it may do."""
    site, sha256 = site_of(request), _sha256(bearer(request))
    with site.store.reading() as database:
        row = database.scalar(select(ApiToken).where(ApiToken.sha256 == sha256))
        refusal = _fault_of(site, row)
        if row is None or refusal:
            refuse_token(refusal)
        caller = _instructor_of(site, database, row)
    _note_use(site, row)
    return caller


def lab_or_instructor(request: Request) -> Lab | Instructor:
    """Return who calls, told apart by the form of the token."""
    if bearer(request).startswith(INSTRUCTOR_TOKEN_PREFIX):
        return instructor(request)
    return lab(request)


def grader(request: Request) -> Grader:
    """Accept the grader service alone."""
    right = site_of(request).grader_token_sha256
    if not right or not hmac.compare_digest(_sha256(bearer(request)), right):
        refuse_token(_("This is not the grader's token."))
    return Grader()


def _signed_in(request: Request) -> Browser:
    if "authorization" in request.headers:
        raise token_on_a_page()
    site = site_of(request)
    session = find_session(site, request)
    if session is None:
        raise SignInNeeded
    identity = _hub_answer(lambda: site.hub.identity(session.hub_token))
    if identity is None or identity.name != session.name:
        end_session(site, session.key)
        raise SignInNeeded
    require_access(identity)
    caller = _browser_of(site, session)
    request.state.browser = caller
    return caller


def require_access(identity: Identity) -> None:
    """Refuse who may not use the campus, whatever else the token allows."""
    if identity.kind != "user" or not identity.scopes & _ACCESS:
        raise no_access(identity.name)


def _browser_of(site: Site, session: Session) -> Browser:
    with site.store.reading() as database:
        person = known(find_person(database, session.name), session.name)
        held = acting_seats(database, site.settings, session.name, site.clock())
        told = now_shown(database, (seat.cohort for seat in held), site.clock())
    read_by(person)
    if not held:
        raise no_seat()
    return Browser(
        name=person.name,
        person_id=person.id,
        display_name=person.display_name,
        seats=held,
        csrf=session.csrf,
        pseudonym=person.pseudonym,
        language=person.language or "",
        notices=tuple(told),
    )


def bearer(request: Request) -> str:
    """Return the token of the `Authorization` header, or refuse."""
    kind, _space, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() not in {"bearer", "token"} or not _TOKEN.fullmatch(token.strip()):
        refuse_token(_("This address needs a token in the Authorization header."))
    return token.strip()


def _hub_answer(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except HubAwayError as error:
        raise hub_away() from error


def _fault_of(site: Site, row: ApiToken | None) -> str:
    if row is None:
        return _("This token is not known here.")
    if row.revoked_at is not None:
        return _("The token {label} was revoked.").format(label=row.label)
    if row.expires_at <= site.clock():
        return _("The token {label} expired.").format(label=row.label)
    return ""


def _instructor_of(site: Site, database: Database, row: ApiToken) -> Instructor:
    person, run = database.get_one(Person, row.person_id), database.get_one(Run, row.run_id)
    cohort = database.get_one(Cohort, run.cohort_id)
    teaches = Seat(cohort.slug, "instructor")
    if not acts_as(database, site.settings, person.name, teaches, site.clock()):
        raise teaches_no_more(person.name, cohort.slug)
    return Instructor(person.name, person.id, run.id, frozenset(map(str, row.verbs)))


def _note_use(site: Site, row: ApiToken) -> None:
    now = site.clock()
    if row.last_used_at and now - row.last_used_at < _USE_NOTED_EVERY:
        return
    with site.store.transaction() as database:
        database.get_one(ApiToken, row.id).last_used_at = now


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
