"""Carry out `bioskills cohort plan|apply`.

Law: the file is read by whoever calls; the database is opened as its owner;
a plan is the same transaction as an apply, rolled back.
"""

import os
from pathlib import Path

from sqlalchemy import select

from bioskills.base.places import database_url
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import Person, now
from bioskills.base.text import _, ngettext
from bioskills.hub.cohort_file import Wish, read_cohort_file
from bioskills.hub.cohort_plan import Change, apply_wish
from bioskills.hub.hub_groups import tell_hub
from bioskills.hub.membership import everybody
from bioskills.hub.privileges import become
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import ensure_state, owners_of, secret_files


def carry_out(settings: Settings, file: Path, *, apply: bool, actor: str) -> list[str]:
    """Plan or apply a cohort file and return the lines to print."""
    wish = read_cohort_file(file, settings.site.time_zone)
    places, owners = ensure_state(settings), owners_of(settings)
    token = read_secret(secret_files(places).provision)
    # The database belongs to the campus; nothing is written there as root.
    become(owners.campus, owners.group)
    store = Store(database_url(settings))
    try:
        changes = changes_of(store, wish, apply=apply, actor=actor)
        told = apply and bool(changes) and _tell(settings, store, token)
    finally:
        store.close()
    return [
        *map(str, changes),
        *_closing_lines(wish, len(changes), apply=apply, told=told, file=file),
    ]


def changes_of(store: Store, wish: Wish, *, apply: bool, actor: str) -> list[Change]:
    """Return what the wish changes; keep it only when it is to be applied."""
    with store.transaction() as session:
        changes = apply_wish(session, wish, actor=actor, now=now())
        if not apply:
            session.rollback()
    return changes


def _tell(settings: Settings, store: Store, token: str) -> bool:
    with store.reading() as session:
        people = everybody(session)
        gone = set(session.scalars(select(Person.name))) - people.keys()
    api = f"http://127.0.0.1:{settings.network.hub_port}/hub/api"
    return tell_hub(api, token, people, sorted(gone))


def _closing_lines(wish: Wish, count: int, *, apply: bool, told: bool, file: Path) -> list[str]:
    if not count:
        return [_("Cohort {name} is as the file says; nothing to change.").format(name=wish.cohort)]
    what = ngettext("{n} change", "{n} changes", count).format(n=count)
    if not apply:
        return [
            _("{what}. Nothing was changed. To apply: bioskills cohort apply {file}").format(
                what=what, file=os.fspath(file)
            )
        ]
    reach = (
        _("The running hub was told.")
        if told
        else _("No hub is running; it reads the table when it starts.")
    )
    return [_("{what} applied to {name}. {reach}").format(what=what, name=wish.cohort, reach=reach)]
