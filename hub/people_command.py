"""`bioskills people invite|reset|revoke`: give out links, and take them back.

Law: links are issued in one transaction and shown once; a file with links is 0600 of who
ran the command. The database is opened as its owner; nothing is written there as root.
"""

import argparse
import getpass
import os
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.languages import name_key
from bioskills.base.places import database_url
from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.settings import Settings, load_settings
from bioskills.base.store import Store
from bioskills.base.tables import Cohort, Membership, Person, now
from bioskills.base.text import _, ngettext
from bioskills.hub import invitations
from bioskills.hub.accounts import end_campus_sessions, set_password
from bioskills.hub.invitation_sheet import Card, card_of, sheet, table
from bioskills.hub.mailing import Sent, send_all
from bioskills.hub.membership import active
from bioskills.hub.passwords import make_hash
from bioskills.hub.privileges import become
from bioskills.hub.reception import switch_off
from bioskills.hub.state import ensure_state, owners_of

_DAYS = re.compile(r"(\d{1,2})d?")
MOST_DAYS = 90


def add_people(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills people invite|reset|revoke`."""
    verbs = verbs_of(
        sub, "people", _("Invite people, reset passwords, take links back. For the admin.")
    )
    text = _("Issue a link to everybody of a cohort who has no account yet, or to named people.")
    parser = verbs.add_parser("invite", help=text, description=text)
    parser.add_argument("whom", nargs="+", metavar="COHORT|NAME", help=_("Cohorts or user names."))
    _add_outputs(parser)
    parser.set_defaults(act=_give, kind="join")
    text = _("Issue a link to a new password; what is signed in ends when it is used.")
    parser = verbs.add_parser("reset", help=text, description=text)
    parser.add_argument("whom", nargs="+", metavar="NAME", help=_("User names."))
    parser.add_argument(
        "--second-factor",
        action="store_true",
        help=_("Also switch the second factor off, at once."),
    )
    _add_outputs(parser)
    parser.set_defaults(act=_give, kind="reset")
    text = _("Take back the open links of people.")
    parser = verbs.add_parser("revoke", help=text, description=text)
    parser.add_argument("whom", nargs="+", metavar="COHORT|NAME", help=_("Cohorts or user names."))
    parser.set_defaults(act=_revoke)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--expires", metavar="DAYS", help=_("Days until the links end, such as 14d.")
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.html", help=_("Write a sheet to print.")
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE.csv", help=_("Write a table for mail merge.")
    )
    parser.add_argument(
        "--mail", action="store_true", help=_("Send each link by mail; see [mail].")
    )


def _give(options: argparse.Namespace) -> int:
    settings = load_settings()
    life = life_of(options.expires, settings.sign_in.link_days)
    # Opened by who calls: afterwards this process is the campus, which may not write here.
    files = {kind: _open(path) for kind in ("sheet", "csv") if (path := getattr(options, kind))}
    by, store = getpass.getuser(), _store(settings)
    try:
        with store.transaction() as session:
            people = find_people(session, options.whom, cohorts=options.kind == "join")
            cards = issue(session, settings, people, options.kind, by, life=life)
            if getattr(options, "second_factor", False):
                for person in people:
                    switch_off(session, person, by)
                    # Who knew the old password must not come in by it before the link is used.
                    set_password(session, person, make_hash(secrets.token_hex(32)), now())
                    end_campus_sessions(session, person, now())
    finally:
        store.close()
    for kind, handle in files.items():
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(sheet(settings, cards) if kind == "sheet" else table(cards))
    sent = send_all(settings, cards) if options.mail else []
    for line in lines_of(cards, options.sheet or options.csv or options.mail, sent):
        print(line)  # noqa: T201 - the command's own output
    return 1 if any(one.fault for one in sent) else 0


def _revoke(options: argparse.Namespace) -> int:
    by, store = getpass.getuser(), _store(load_settings())
    try:
        with store.transaction() as session:
            people = find_people(session, options.whom, cohorts=True, everybody=True)
            ended = [p.name for p in people if invitations.revoke(session, p.id, by, now())]
    finally:
        store.close()
    count = ngettext("{n} open link was taken back.", "{n} open links were taken back.", len(ended))
    print(count.format(n=len(ended)), *ended)  # noqa: T201
    return 0


def issue(
    session: Session,
    settings: Settings,
    people: Sequence[Person],
    kind: str,
    by: str,
    *,
    life: timedelta,
) -> list[Card]:
    """Issue a link to each of these people and return their cards; the only place with secrets."""
    at = now()
    return [
        card_of(
            settings, person, kind,
            invitations.invite(session, person.id, kind, by, at, life=life), at + life,
        )
        for person in people
    ]  # fmt: skip


def life_of(typed: str | None, default_days: int) -> timedelta:
    """Return how long links live.

    Raises:
        InputError: It is no number of days from 1 to 90.
    """
    found = _DAYS.fullmatch(typed or f"{default_days}d")
    days = int(found[1]) if found else 0
    if not 1 <= days <= MOST_DAYS:
        rule = _("A number of days from 1 to {most}.").format(most=MOST_DAYS)
        raise InputError([Problem("--expires", _("is {value!r}.").format(value=typed), rule)])
    return timedelta(days=days)


def find_people(
    session: Session, whom: Sequence[str], *, cohorts: bool, everybody: bool = False
) -> list[Person]:
    """Return the people who are meant by names and, where allowed, cohorts.

    Args:
        session: Of our database.
        whom: Cohorts or user names, as typed.
        cohorts: Whether a cohort may be named; from it come those without an account.
        everybody: From a cohort take everybody, with an account or without.

    Raises:
        InputError: With every name that nobody has.
    """
    found: dict[int, Person] = {}
    problems: list[Problem] = []
    for word in whom:
        people = (
            [p]
            if (p := session.scalar(select(Person).where(Person.name == word.lower())))
            else None
        )
        if people is None and cohorts and session.scalar(select(Cohort).where(Cohort.slug == word)):
            people = _of_cohort(session, word, everybody=everybody)
        if people is None:
            problems.append(_nobody(session, word))
        found |= {person.id: person for person in people or ()}
    if problems:
        raise InputError(problems)
    return list(found.values())


def _of_cohort(session: Session, cohort: str, *, everybody: bool) -> list[Person]:
    chosen = (
        select(Person).distinct()
        .join(Membership, Membership.person_id == Person.id)
        .join(Cohort, Cohort.id == Membership.cohort_id)
        .where(Cohort.slug == cohort, active(now()))
    )  # fmt: skip
    people = sorted(session.scalars(chosen), key=lambda person: name_key(person.display_name))
    standing = invitations.standings(session, [p.id for p in people], now())
    return [p for p in people if everybody or not standing[p.id].has_account]


def _nobody(session: Session, word: str) -> Problem:
    known = [*session.scalars(select(Person.name)), *session.scalars(select(Cohort.slug))]
    near = nearest(word, known)
    hint = _("Did you mean {near}?").format(near=near) if near else ""
    step = hint or _("Add them first: bioskills cohort apply FILE")
    return Problem(word, _("no person and no cohort has this name."), next=step)


def lines_of(cards: Sequence[Card], elsewhere: object, sent: Sequence[Sent]) -> list[str]:
    """Return the lines to print; links only where they went nowhere else."""
    if not cards:
        return [
            _(
                "Nobody is left to invite: all have an account. For a new password: bioskills people reset NAME"
            )
        ]
    count = ngettext("{n} link issued.", "{n} links issued.", len(cards)).format(n=len(cards))
    shown = [] if elsewhere else [f"  {card.name}  {card.address}" for card in cards]
    results = [
        f"  {one.name}: {one.fault or _('sent to {address}').format(address=one.address)}"
        for one in sent
    ]
    after = _(
        "Each works once and is shown only now; whoever holds one can set that person's password."
    )
    return [count, *shown, *results, after]


def _store(settings: Settings) -> Store:
    ensure_state(settings)
    owners = owners_of(settings)
    become(owners.campus, owners.groups(owners.campus))
    return Store(database_url(settings))


def _open(path: Path) -> int:
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
