"""Carry out `bioskills cohort` verbs.

Law: the file is read by whoever calls; the database is opened as its owner;
a plan is the same transaction as an apply, rolled back.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from bioskills.base.places import Places, database_url
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import now
from bioskills.base.text import _, ngettext
from bioskills.hub.accounts import fill_printed
from bioskills.hub.addresses import hub_api_url
from bioskills.hub.cohort_change import Change, count_of
from bioskills.hub.cohort_end import copy_cohort, remove_cohort
from bioskills.hub.cohort_file import read_cohort_file
from bioskills.hub.cohort_plan import apply_wish
from bioskills.hub.cohort_record import newest_change, undo
from bioskills.hub.cohort_view import CohortLine, cohorts, find_cohort
from bioskills.hub.cohort_wish import Wish
from bioskills.hub.demo import add_sign_ins, is_demo, sign_ins_file
from bioskills.hub.membership_door import Told, tell
from bioskills.hub.privileges import become, run_as
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import ensure_state, owners_of, secret_files
from bioskills.hub.uids import NoUidLeftError, give_uids

MANY = 200
"""People above which the command says what it is doing."""


def carry_out(
    settings: Settings, file: Path, *, apply: bool, actor: str, platform_roles: bool = False
) -> list[str]:
    """Plan or apply a cohort file and return the lines to print."""
    wish = read_cohort_file(file, settings.site.time_zone)
    progress = _progress(len(wish.people))
    progress(_("{n} people read.").format(n=len(wish.people)))
    passwords = _new_passwords(settings, ensure_state(settings), wish) if apply else {}
    with opened(settings) as (store, token):
        changes = changes_of(store, wish, apply=apply, actor=actor, platform_roles=platform_roles)
        progress(_counted(count_of(changes)))
        if not apply:
            return [*map(str, changes), _planned(wish, count_of(changes), file)]
        fill_accounts(store, passwords)
        short = _give_uids(store, settings)
    progress(_("Telling the hub."))
    # Also where nothing changed: the hub may have been away when something did.
    told = tell(hub_api_url(settings), token)
    closing = _applied(wish, count_of(changes), told)
    return [*map(str, changes), closing, *short, *_password_lines(passwords)]


def remove(settings: Settings, slug: str, *, yes: bool, actor: str) -> list[str]:
    """End a cohort's seats, or say what that would be."""

    def act(session: Session) -> list[Change]:
        return remove_cohort(session, slug, actor=actor, now=now())

    kept = _("Work, evidence and credentials are kept.")
    return _change(settings, act, slug, keep=yes, step=f"remove {slug} --yes", also=kept)


def copy(
    settings: Settings, names: tuple[str, str], opens: date, title: str, *, actor: str
) -> list[str]:
    """Make the next cohort like an earlier one."""

    def act(session: Session) -> list[Change]:
        return copy_cohort(session, names, opens, title=title, actor=actor, now=now())

    also = _("Learners are not copied; bring their list: bioskills cohort apply FILE")
    return _change(settings, act, names[1], keep=True, also=also)


def take_back(settings: Settings, slug: str, *, actor: str) -> list[str]:
    """Undo the last change of a cohort."""
    with opened(settings) as (store, token), store.transaction() as session:
        stays = undo(session, slug, actor=actor, at=now())
        made = newest_change(session, slug)
        done = _taken_back() if made and made.count else _nothing_taken_back()
    told = tell(hub_api_url(settings), token)
    return [*(f"  {line}" for line in stays), done.format(name=slug, reach=_reach(told))]


def _taken_back() -> str:
    return _("The last change of {name} was taken back. {reach}")


def _nothing_taken_back() -> str:
    return _("Nothing of the last change of {name} could be taken back. {reach}")


def listed(settings: Settings, *, as_json: bool) -> list[str]:
    """Return every cohort, a line each or as JSON."""
    with opened(settings) as (store, _token), store.reading() as session:
        found = cohorts(session, now())
    if as_json:
        return [json.dumps([_model(line) for line in found], indent=1)]
    if not found:
        return [_("There is no cohort yet. Bring one: bioskills cohort apply FILE")]
    width = max(len(line.slug) for line in found)
    text = _("{learners} learners, {staff} others, {runs} runs, {state}")
    return [
        f"  {line.slug:<{width}}  {line.title}: "
        + text.format(
            learners=line.count("learner"),
            staff=line.staff,
            runs=len(line.runs),
            state=line.state(now()),
        )
        for line in found
    ]


def shown(settings: Settings, slug: str, *, as_json: bool) -> list[str]:
    """Return one cohort with its people and runs."""
    with opened(settings) as (store, _token), store.reading() as session:
        line = find_cohort(session, slug, now())
    if as_json:
        return [json.dumps(_model(line), indent=1)]
    runs = [
        f"  {run.slug}: {run.course} {run.version}, {run.opens_at:%Y-%m-%d %H:%M} to "
        f"{run.closes_at:%Y-%m-%d %H:%M} UTC, {run.state(now())}"
        for run in line.runs
    ]
    people = [
        f"  {person.name}  {person.pseudonym}  {person.display_name}  {' '.join(person.roles)}"
        for person in line.people
    ]
    return [f"{line.title} ({line.slug})", *runs, *people]


def _model(line: CohortLine) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(asdict(line), default=_iso))
    return plain | {"state": line.state(now())}


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Store, str]]:
    """Yield our database, opened as its owner, and the token for the hub."""
    places, owners = ensure_state(settings), owners_of(settings)
    token = read_secret(secret_files(places).provision)
    # The database belongs to the campus; nothing is written there as root.
    become(owners.campus, owners.groups(owners.campus))
    store = Store(database_url(settings))
    try:
        yield store, token
    finally:
        store.close()


def changes_of(
    store: Store, wish: Wish, *, apply: bool, actor: str, platform_roles: bool = False
) -> list[Change]:
    """Return what the wish changes; keep it only when it is to be applied."""
    with store.transaction() as session:
        changes = apply_wish(session, wish, actor=actor, now=now(), platform_roles=platform_roles)
        if not apply:
            session.rollback()
    return changes


def _change(
    settings: Settings,
    act: Callable[[Session], list[Change]],
    slug: str,
    *,
    keep: bool,
    step: str = "",
    also: str = "",
) -> list[str]:
    with opened(settings) as (store, token):
        with store.transaction() as session:
            changes = act(session)
            if not keep:
                session.rollback()
        if not keep:
            text = _("{what}. {also} Nothing was changed. To do it: bioskills cohort {step}")
            planned = text.format(what=_counted(len(changes)), also=also, step=step)
            return [*map(str, changes), planned]
    told = tell(hub_api_url(settings), token)
    text = _("{what} applied to {name}. {reach} {also}")
    done = text.format(what=_counted(len(changes)), name=slug, reach=_reach(told), also=also)
    return [*map(str, changes), done]


def _give_uids(store: Store, settings: Settings) -> list[str]:
    """Give everybody the uid of their lab; return a sentence where there are too few."""
    try:
        give_uids(store, settings.labs.first_uid, settings.labs.uid_count)
    except NoUidLeftError as error:
        # What was applied stays applied; each lab asks again when it starts.
        return [str(error)]
    return []


def _progress(people: int) -> Callable[[str], None]:
    def say(line: str) -> None:
        if people > MANY:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command's own output

    return say


def _new_passwords(settings: Settings, places: Places, wish: Wish) -> dict[str, str]:
    # Before root is given up: the passwords are the hub's. One for a name that is then
    # refused opens nothing, because membership decides, and goes at the next start.
    if not is_demo(places):
        return {}
    names, owners = [person.name for person in wish.people], owners_of(settings)
    file, groups = sign_ins_file(places), owners.groups(owners.hub)
    new: dict[str, str] = run_as(owners.hub, groups, lambda: add_sign_ins(file, names))
    return new


def fill_accounts(store: Store, passwords: Mapping[str, str]) -> None:
    """Make accounts with the printed passwords of a demo; does nothing without one."""
    with store.transaction() as session:
        fill_printed(session, passwords, now())


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
