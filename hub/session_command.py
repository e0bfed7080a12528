"""Carry out `bioskills session warm`.

Law: whose labs are meant comes from the membership table; the token is read as
root before rights are given up; nothing is written anywhere but at the hub.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import select

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.places import database_url
from bioskills.base.problems import InputError, Problem, SetupError, nearest
from bioskills.base.settings import Settings, load_settings
from bioskills.base.store import Store
from bioskills.base.tables import Cohort
from bioskills.base.text import _, ngettext
from bioskills.hub.addresses import hub_api_url
from bioskills.hub.membership import people_in
from bioskills.hub.privileges import become
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.session_warm import Started, hub_client, keep, warm
from bioskills.hub.state import ensure_state, owners_of, secret_files

WAVE = 8
CLOCK = "%H:%M"


def add_session(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills session warm`."""
    verbs = verbs_of(sub, "session", _("Prepare a live session. For the admin."))
    text = _("Start the labs of a cohort's learners before a session, in waves.")
    parser = verbs.add_parser("warm", help=text, description=text)
    parser.add_argument("cohort", help=_("The cohort's short name."))
    parser.add_argument(
        "--wave", type=int, default=WAVE, help=_("How many labs start at one time (default: 8).")
    )
    parser.add_argument(
        "--keep-until",
        metavar="HH:MM",
        help=_("Keep the labs from being stopped as idle until then, in the site's time zone."),
    )
    parser.set_defaults(act=_act)


def _act(options: argparse.Namespace) -> int:
    settings = load_settings()
    until = end_of(options.keep_until, settings.site.time_zone, datetime.now(UTC))
    if options.wave < 1:
        raise InputError([Problem("--wave", _("is {n}; give 1 or more.").format(n=options.wave))])
    token = _token(settings)
    names = learners_of(settings, options.cohort)
    if not names:
        _say(
            _("Cohort {name} has no learner at present; nothing to start.").format(
                name=options.cohort
            )
        )
        return 0
    try:
        hub = hub_client(hub_api_url(settings), token)
        return asyncio.run(_carry_out(hub, names, options.wave, until))
    except httpx.TransportError as error:
        raise SetupError(
            _("No hub answers on this machine. Start it first: bioskills run")
        ) from error


def _token(settings: Settings) -> str:
    places, owners = ensure_state(settings), owners_of(settings)
    token = read_secret(secret_files(places).provision)
    become(owners.campus, owners.groups(owners.campus))
    return token


def learners_of(settings: Settings, cohort: str) -> list[str]:
    """Return the user names of a cohort's learners.

    Raises:
        InputError: There is no such cohort.
    """
    store = Store(database_url(settings))
    try:
        with store.reading() as session:
            slugs = list(session.scalars(select(Cohort.slug)))
            names = [person.name for person in people_in(session, cohort, "learner")]
    finally:
        store.close()
    if cohort in slugs:
        return names
    near = nearest(cohort, slugs)
    hint = _("Did you mean {near}?").format(near=near) if near else ""
    raise InputError([Problem(cohort, _("there is no such cohort."), hint)])


def end_of(text: str | None, zone: str, at: datetime) -> datetime | None:
    """Return the next moment at which the clock shows this time; None for no text.

    Raises:
        InputError: It is no time.
    """
    if text is None:
        return None
    try:
        clock = datetime.strptime(text, CLOCK).time()  # noqa: DTZ007 - the zone comes with the day
    except ValueError as error:
        what = _("{text} is no time of day.").format(text=text)
        raise InputError([Problem("--keep-until", what, _("Write it as 09:30."))]) from error
    here = at.astimezone(ZoneInfo(zone))
    end = here.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return end if end > here else end + timedelta(days=1)


async def _carry_out(
    hub: httpx.AsyncClient, names: list[str], wave: int, until: datetime | None
) -> int:
    text = ngettext(
        "Starting the lab of {n} learner.", "Starting the labs of {n} learners.", len(names)
    )
    _say(text.format(n=len(names)))
    async with hub:
        found = await warm(hub, names, wave, _say)
        for line in _failures(found):
            _say(line)
        running = [one.name for one in found if not one.reason]
        if until is not None and running:
            await keep(hub, running, until, _say)
    return int(len(running) < len(names))


def _failures(found: list[Started]) -> list[str]:
    failed = [one for one in found if one.reason]
    lines = [f"  {one.name}: {one.reason}" for one in failed]
    return (
        [_("These did not start:"), *lines, _("Run it again to try them once more.")]
        if failed
        else []
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output
