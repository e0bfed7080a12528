"""Show and release the accounts at a provider that people sign in with.

Law: released is what a person asked for whom the admin knows: the next account with their
verified address or name becomes theirs. The database is opened as its owner.
"""

import argparse
import getpass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.places import database_url
from bioskills.base.problems import InputError, Problem
from bioskills.base.settings import load_settings
from bioskills.base.store import Store
from bioskills.base.tables import AuditEntry, Person, now
from bioskills.base.tables_oidc import ProviderAccount
from bioskills.base.text import _
from bioskills.hub.privileges import become
from bioskills.hub.state import ensure_state, owners_of


def add_people_accounts(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills people accounts|release`."""
    verbs = verbs_of(sub, "people", _("Look after people and how they sign in. For the admin."))
    text = _("List who signs in with which account at the identity provider.")
    verbs.add_parser("accounts", help=text, description=text).set_defaults(act=_list)
    text = _(
        "Release a person's account at the identity provider, so that another one can be theirs."
    )
    parser = verbs.add_parser("release", help=text, description=text)
    parser.add_argument("name", help=_("The user name here."))
    parser.set_defaults(act=_release)


def _list(_options: argparse.Namespace) -> int:
    rows = (
        select(Person.name, ProviderAccount)
        .join(ProviderAccount, ProviderAccount.person_id == Person.id)
        .order_by(Person.name)
    )
    store = _opened()
    with store.reading() as session:
        found = [
            f"{name}  {row.subject}  {row.issuer}  {row.bound_at:%Y-%m-%d}"
            for name, row in session.execute(rows)
        ]
    store.close()
    for line in found or [_("Nobody has signed in at an identity provider yet.")]:
        _say(line)
    return 0


def _release(options: argparse.Namespace) -> int:
    actor = getpass.getuser()  # asked now: the campus's uid has no name on the machine
    store = _opened()
    try:
        with store.transaction() as session:
            release(session, options.name, actor)
    finally:
        store.close()
    text = _(
        "Released. The next account with the verified address or name of {name} becomes theirs. Check the address first: bioskills cohort plan FILE"
    )
    _say(text.format(name=options.name))
    return 0


def release(session: Session, name: str, actor: str) -> None:
    """Forget the accounts of a person.

    Raises:
        InputError: Nobody has this name, or they have no account.
    """
    person = session.scalar(select(Person).where(Person.name == name))
    rows = select(ProviderAccount).where(ProviderAccount.person_id == (person.id if person else 0))
    found = list(session.scalars(rows))
    if person is None or not found:
        what = _("signs in with no account at a provider.") if person else _("is nobody here.")
        step = _("To see who does: bioskills people accounts")
        raise InputError([Problem(name, what, next=step)])
    for row in found:
        session.delete(row)
    entry = AuditEntry(at=now(), actor=actor, action="account.release", subject=person.pseudonym)
    entry.detail = {"accounts": len(found)}
    session.add(entry)


def _opened() -> Store:
    settings = load_settings()
    ensure_state(settings)
    owners = owners_of(settings)
    become(owners.campus, owners.groups(owners.campus))
    return Store(database_url(settings))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output
