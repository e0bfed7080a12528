"""Make and revoke instructors' tokens.

Law (charter, 8): a token is named, for one run, for a few verbs and for a limited
time; it is shown once and stored as a hash. Who loses the role loses the token's
powers at once, because each use asks the membership table.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import ApiToken, AuditEntry, Cohort, Person, Run
from bioskills.base.text import _
from bioskills.base.wire import INSTRUCTOR_TOKEN_PREFIX
from bioskills.hub.campus.exchange_callers import Verb
from bioskills.hub.membership import seats

VERBS: tuple[str, ...] = get_args(Verb)
MAX_LABEL_CHARS = 80
MAX_LIVE_TOKENS = 20


@dataclass(frozen=True)
class Wish:
    """What a form asks for, as text from a person."""

    label: str
    run: str
    verbs: tuple[str, ...]
    days: str


def runs_taught(session: Session, name: str, at: datetime) -> list[Run]:
    """Return the runs of all cohorts in which the person is an instructor now."""
    cohorts = {seat.cohort for seat in seats(session, name, at) if seat.role == "instructor"}
    chosen = select(Run).join(Cohort, Cohort.id == Run.cohort_id).where(Cohort.slug.in_(cohorts))
    return list(session.scalars(chosen.order_by(Run.slug)))


def own_tokens(session: Session, person_id: int) -> list[tuple[ApiToken, str]]:
    """Return a person's tokens with their run's slug, newest first."""
    rows = session.execute(
        select(ApiToken, Run.slug)
        .join(Run, Run.id == ApiToken.run_id)
        .where(ApiToken.person_id == person_id)
        .order_by(ApiToken.id.desc())
    )
    return [(token, slug) for token, slug in rows]


def is_live(token: ApiToken, at: datetime) -> bool:
    """Say whether a token may still be used."""
    return token.revoked_at is None and token.expires_at > at


def make_token(session: Session, person: Person, wish: Wish, at: datetime, most_days: int) -> str:
    """Store a new token and return it; it cannot be read again later.

    Args:
        session: A writing session.
        person: Who makes it.
        wish: What the form said.
        at: The present moment.
        most_days: Longest life that the operator allows.

    Raises:
        InputError: With every fault of the form.
    """
    runs = {run.slug: run for run in runs_taught(session, person.name, at)}
    problems = [*_faults(wish, runs, most_days), *_too_many(session, person, at)]
    if problems:
        raise InputError(problems)
    text = INSTRUCTOR_TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        label=wish.label.strip(),
        person_id=person.id,
        run_id=runs[wish.run].id,
        verbs=sorted(set(wish.verbs)),
        created_at=at,
        expires_at=at + timedelta(days=int(wish.days)),
    )
    session.add(token)
    session.add(_audit(person, "made a token", token, wish.run, at))
    return text


def revoke_token(session: Session, person: Person, token_id: int, at: datetime) -> str | None:
    """Revoke one of the person's own tokens; return its name, or None where there is none."""
    token = session.get(ApiToken, token_id)
    if token is None or token.person_id != person.id:
        return None
    if token.revoked_at is None:
        token.revoked_at = at
        run = session.get_one(Run, token.run_id)
        session.add(_audit(person, "revoked a token", token, run.slug, at))
    return token.label


def _faults(wish: Wish, runs: Iterable[str], most_days: int) -> list[Problem]:
    found = []
    if not 0 < len(wish.label.strip()) <= MAX_LABEL_CHARS or not wish.label.isprintable():
        what = _("a name of up to {n} characters is needed, such as: office computer.")
        found.append(Problem(_("Name"), what.format(n=MAX_LABEL_CHARS)))
    if wish.run not in runs:
        found.append(Problem(_("Run"), _("choose a run in which you are an instructor.")))
    if not wish.verbs or not set(wish.verbs) <= set(VERBS):
        found.append(Problem(_("What it may do"), _("choose at least one of the four.")))
    if not _is_whole(wish.days, most_days):
        what = _("{days!r} is not a number from 1 to {n}.").format(days=wish.days[:20], n=most_days)
        found.append(Problem(_("Days"), what))
    return found


def _too_many(session: Session, person: Person, at: datetime) -> list[Problem]:
    live = [token for token, _slug in own_tokens(session, person.id) if is_live(token, at)]
    if len(live) < MAX_LIVE_TOKENS:
        return []
    what = _("you have {n} tokens in use, which is the most.").format(n=len(live))
    return [Problem(_("Tokens"), what, next=_("Revoke one first."))]


def _is_whole(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= most  # noqa: PLR2004


def _audit(person: Person, action: str, token: ApiToken, run: str, at: datetime) -> AuditEntry:
    detail = {"run": run, "verbs": list(token.verbs), "expires_at": token.expires_at.isoformat()}
    return AuditEntry(
        at=at, actor=person.pseudonym, action=action, subject=f"token/{run}", detail=detail
    )
