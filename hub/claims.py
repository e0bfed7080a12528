"""Make of what an identity provider says a person, and seats.

Law: an account is known by issuer and subject. It is bound once, to the person whose
verified address or name it has, and from then on nothing that changes at the provider
leads to anybody else. A claim is one source of the membership table: seats of other
sources are never touched, and a claim gives no more than the settings say.
Pure but for the session it is given; whoever calls makes it one transaction.

Vocabulary: a *proof* is what a provider said about one account at one moment.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bioskills.base.settings_oidc import Oidc
from bioskills.base.tables import AuditEntry, Cohort, Membership, Person
from bioskills.base.tables_oidc import ProviderAccount
from bioskills.base.tables_teaching import Withdrawal
from bioskills.hub.cohort_persons import NAME
from bioskills.hub.grading_accounts import is_account
from bioskills.hub.membership import seats

SOURCE = "claim:"
MOST_SOURCE_CHARS, MARK_CHARS = 60, 12
MOST_NAME_CHARS = 40
ACTOR = "sign-in"


class RefusedError(Exception):
    """Somebody who proved an account may not enter; `reason` is a key of `oidc_words.REASONS`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Proof:
    """What a provider said about one account.

    Attributes:
        issuer: Who says so.
        subject: The account's own id there; never given to anybody else.
        username: As it is written there.
        emails: Addresses that the provider says it has verified; no others.
        display_name: The person's name, may be empty.
        groups: Groups at the provider.
    """

    issuer: str
    subject: str
    username: str
    emails: frozenset[str] = frozenset()
    display_name: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)


def enter(
    session: Session, proof: Proof, rules: Oidc, now: datetime, *, may_bind: bool = True
) -> str:
    """Return the user name of the person behind an account, with seats as its claims say.

    Args:
        session: A writing session.
        proof: What the provider said.
        rules: The settings.
        now: The present moment.
        may_bind: Whether an account that is nobody's may become somebody's: at a sign-in alone.

    Raises:
        RefusedError: It is nobody's, or not surely somebody's. Roll the session back.
    """
    person = _bound(session, proof)
    if person is not None:
        settle_seats(session, person, proof, rules, now)
        return person.name
    if not may_bind:
        raise RefusedError("unknown")
    if not may_sign_in(proof, rules):
        raise RefusedError("group")
    person = _bind(session, proof, rules, now)
    settle_seats(session, person, proof, rules, now)
    session.flush()
    # What was written is rolled back: nothing is bound to who may not enter.
    if not seats(session, person.name, now):
        raise RefusedError("no_seat")
    return person.name


def may_sign_in(proof: Proof, rules: Oidc) -> bool:
    """Say whether the account is in a group that may sign in, where the settings name any."""
    return not rules.allowed_groups or bool(proof.groups & set(rules.allowed_groups))


def _bound(session: Session, proof: Proof) -> Person | None:
    return session.scalar(
        select(Person)
        .join(ProviderAccount, ProviderAccount.person_id == Person.id)
        .where(ProviderAccount.issuer == proof.issuer, ProviderAccount.subject == proof.subject)
    )


def _bind(session: Session, proof: Proof, rules: Oidc, now: datetime) -> Person:
    person = _met(session, proof, rules) or _created(session, proof, rules, now)
    taken = select(ProviderAccount.id).where(
        ProviderAccount.issuer == proof.issuer, ProviderAccount.person_id == person.id
    )
    if session.scalar(taken) is not None:
        raise RefusedError("taken")
    account = ProviderAccount(issuer=proof.issuer, subject=proof.subject)
    account.person_id, account.bound_at = person.id, now
    session.add(account)
    _note(session, "account.bind", person, now, issuer=proof.issuer)
    return person


def _met(session: Session, proof: Proof, rules: Oidc) -> Person | None:
    found: dict[int, Person] = {}
    if rules.match_by != "name":
        found |= {person.id: person for person in _by_email(session, proof)}
    if rules.match_by != "email" and (name := name_of(proof.username, rules.domain)):
        found |= {p.id: p for p in session.scalars(select(Person).where(Person.name == name))}
    if len(found) > 1:
        raise RefusedError("several")
    return next(iter(found.values()), None)


def _by_email(session: Session, proof: Proof) -> list[Person]:
    if not proof.emails:
        return []
    known = session.scalars(select(Person).where(Person.email.is_not(None)))
    wanted = {_folded(email) for email in proof.emails}
    return [person for person in known if _folded(str(person.email)) in wanted]


def _folded(email: str) -> str:
    # Only A-Z: other letters that fold to the same one are other addresses (the Kelvin sign is no k).
    return email.lower() if email.isascii() else email


def name_of(username: str, domain: str) -> str:
    """Return the user name here of a name at the provider, or nothing where it breaks our rule.

    Nothing is left out or replaced: `l-e-a` must not become `lea`.
    """
    name, at, where = username.rpartition("@")
    if not at or not domain or _folded(where) != _folded(domain):
        name = username
    name = _folded(name)
    return name if NAME.fullmatch(name) and not is_account(name) else ""


def _created(session: Session, proof: Proof, rules: Oidc, now: datetime) -> Person:
    if not rules.create_people or not _wanted(session, proof, rules):
        raise RefusedError("unknown")
    wanted = name_of(proof.username, rules.domain) or name_of(
        proof.username.partition("@")[0].replace("_", "-"), ""
    )
    if not wanted:
        raise RefusedError("name")
    number = (session.scalar(select(func.max(Person.id))) or 0) + 1
    person = Person(
        name=_free_name(session, wanted),
        pseudonym=f"p-{number:06d}",
        display_name=(proof.display_name or wanted)[:100],
        email=min(proof.emails, default=None),
    )
    session.add(person)
    session.flush()
    _note(session, "person.create", person, now, issuer=proof.issuer)
    return person


def _free_name(session: Session, wanted: str) -> str:
    # Nobody is taken for somebody of that name: the new person is bound to this account alone.
    name, number = wanted, 1
    while session.scalar(select(Person.id).where(Person.name == name)) is not None:
        number += 1
        end = f"-{number}"
        name = wanted[: MOST_NAME_CHARS - len(end)].rstrip(".-") + end
    return name


def settle_seats(
    session: Session, person: Person, proof: Proof, rules: Oidc, now: datetime
) -> list[str]:
    """Add and end the person's seats that come from claims; return what changed.

    A seat of a provider that is not asked any more is ended: nobody vouches for it.
    """
    wanted = _wanted(session, proof, rules)
    rows = _claimed(session, person)
    source, changes = source_of(proof.issuer), []
    for key in sorted(wanted):
        row = rows.get((*key, source))
        if row is None:
            session.add(
                Membership(
                    person_id=person.id, cohort_id=wanted[key], role=key[1], source=source,
                    valid_from=now,
                )
            )  # fmt: skip
        elif row.valid_to is not None and not _left(session, person, row.cohort_id):
            row.valid_to = None
        else:
            continue
        changes.append(f"+ {key[1]} in {key[0]}")
    for (cohort, role, of), row in sorted(rows.items()):
        if row.valid_to is None and (of != source or (cohort, role) not in wanted):
            row.valid_to = now
            changes.append(f"- {role} in {cohort}")
    if changes:
        _note(session, "claim.seats", person, now, seats=changes)
    return changes


def _wanted(session: Session, proof: Proof, rules: Oidc) -> dict[tuple[str, str], int]:
    held = {(rule.cohort, rule.role) for rule in rules.claims if rule.group in proof.groups}
    cohorts = select(Cohort.slug, Cohort.id).where(Cohort.slug.in_({slug for slug, _role in held}))
    known = {row.slug: row.id for row in session.execute(cohorts)}
    return {(slug, role): known[slug] for slug, role in held if slug in known}


def _claimed(session: Session, person: Person) -> dict[tuple[str, str, str], Membership]:
    rows = session.execute(
        select(Cohort.slug, Membership)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Membership.person_id == person.id, Membership.source.startswith(SOURCE))
    )
    return {(slug, row.role, row.source): row for slug, row in rows}


def source_of(issuer: str) -> str:
    """Return the source that seats of this provider's claims name."""
    source = SOURCE + issuer.removeprefix("https://").rstrip("/")
    if len(source) <= MOST_SOURCE_CHARS:
        return source
    mark = hashlib.sha256(issuer.encode()).hexdigest()[:MARK_CHARS]
    return f"{source[: MOST_SOURCE_CHARS - MARK_CHARS - 1]}~{mark}"


def _note(session: Session, action: str, person: Person, at: datetime, **detail: object) -> None:
    entry = AuditEntry(at=at, actor=ACTOR, action=action, subject=person.pseudonym)
    entry.detail = detail
    session.add(entry)


def _left(session: Session, person: Person, cohort: int) -> bool:
    """Say whether the person was let leave this cohort: no claim undoes what people decided."""
    chosen = select(Withdrawal.id).where(
        Withdrawal.person_id == person.id,
        Withdrawal.cohort_id == cohort,
        Withdrawal.ended_at.is_(None),
    )
    return session.scalar(chosen) is not None
