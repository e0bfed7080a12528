"""Carry out `bioskills cohort plan|apply`.

Law: the file is read by whoever calls; the database is opened as its owner;
a plan is the same transaction as an apply, rolled back.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from bioskills.base.places import Places, database_url
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import now
from bioskills.base.text import _, ngettext
from bioskills.hub.addresses import hub_api_url
from bioskills.hub.cohort_change import Change
from bioskills.hub.cohort_file import read_cohort_file
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_wish import Wish
from bioskills.hub.demo import add_sign_ins, sign_ins_file
from bioskills.hub.membership_door import Told, tell
from bioskills.hub.privileges import become, run_as
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import ensure_state, owners_of, secret_files
from bioskills.hub.uids import give_uids


def carry_out(
    settings: Settings, file: Path, *, apply: bool, actor: str, platform_roles: bool = False
) -> list[str]:
    """Plan or apply a cohort file and return the lines to print."""
    wish = read_cohort_file(file, settings.site.time_zone)
    places, owners = ensure_state(settings), owners_of(settings)
    token = read_secret(secret_files(places).provision)
    passwords = _new_passwords(settings, places, wish) if apply else {}
    # The database belongs to the campus; nothing is written there as root.
    become(owners.campus, owners.groups(owners.campus))
    store = Store(database_url(settings))
    try:
        changes = changes_of(store, wish, apply=apply, actor=actor, platform_roles=platform_roles)
        if apply:
            give_uids(store, settings.labs.first_uid, settings.labs.uid_count)
    finally:
        store.close()
    # Also where nothing changed: the hub may have been away when something did.
    told = tell(hub_api_url(settings), token) if apply else Told.AWAY
    closing = _applied(wish, len(changes), told) if apply else _planned(wish, len(changes), file)
    return [*map(str, changes), closing, *_password_lines(passwords)]


def changes_of(
    store: Store, wish: Wish, *, apply: bool, actor: str, platform_roles: bool = False
) -> list[Change]:
    """Return what the wish changes; keep it only when it is to be applied."""
    with store.transaction() as session:
        changes = apply_wish(session, wish, actor=actor, now=now(), platform_roles=platform_roles)
        if not apply:
            session.rollback()
    return changes


def _new_passwords(settings: Settings, places: Places, wish: Wish) -> dict[str, str]:
    # Before root is given up: the passwords are the hub's. One for a name that is then
    # refused opens nothing, because membership decides, and goes at the next start.
    if settings.sign_in.method != "demo":
        return {}
    names, owners = [person.name for person in wish.people], owners_of(settings)
    file, groups = sign_ins_file(places), owners.groups(owners.hub)
    new: dict[str, str] = run_as(owners.hub, groups, lambda: add_sign_ins(file, names))
    return new


def _planned(wish: Wish, count: int, file: Path) -> str:
    if not count:
        return _nothing(wish)
    text = _("{what}. Nothing was changed. To apply: bioskills cohort apply {file}")
    return text.format(what=_counted(count), file=os.fspath(file))


def _applied(wish: Wish, count: int, told: Told) -> str:
    if not count and told is not Told.REFUSED:
        return _nothing(wish)
    text = _("{what} applied to {name}. {reach}")
    return text.format(what=_counted(count), name=wish.cohort, reach=_reach(told))


def _nothing(wish: Wish) -> str:
    return _("Cohort {name} is as the file says; nothing to change.").format(name=wish.cohort)


def _counted(count: int) -> str:
    return ngettext("{n} change", "{n} changes", count).format(n=count)


def _reach(told: Told) -> str:
    match told:
        case Told.YES:
            return _("The running hub was told.")
        case Told.AWAY:
            return _("No hub is running; it reads the table when it starts.")
        case Told.REFUSED:
            return _(
                "What listens on the hub's port did not take it; the hub reads the table when it starts. Look with: bioskills doctor"
            )


def _password_lines(passwords: Mapping[str, str]) -> list[str]:
    if not passwords:
        return []
    width = max(map(len, passwords))
    lines = [f"  {name:<{width}}  {password}" for name, password in passwords.items()]
    return [_("New demo sign-ins (this machine only):"), *lines]
