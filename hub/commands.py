"""The hub's commands: run, cohort, course install, upgrade, doctor.

Law: a command reads what only its caller may read, gives up root, and then
writes; it prints a plan before it changes and the next step at the end.
"""

import argparse
import getpass
from collections.abc import Mapping
from pathlib import Path

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.places import database_url
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.base.store import Store
from bioskills.base.tables import now
from bioskills.base.text import _
from bioskills.hub.warnings_shown import warnings_of


def say(line: str) -> None:
    """Print one line of the command's answer."""
    print(line, flush=True)  # noqa: T201 - the command's own output


def add_run(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills run`."""
    text = _("Start everything on this machine; Ctrl-C ends it. For the admin.")
    parser = sub.add_parser("run", help=text, description=text)
    parser.add_argument(
        "--demo",
        metavar="COURSE",
        type=Path,
        help=_("Fill an empty installation with a demo cohort on this course folder."),
    )
    parser.set_defaults(act=_run)


def _run(options: argparse.Namespace) -> int:
    from bioskills.hub.run import Machine  # noqa: PLC0415 - keeps other commands quick

    machine = Machine(load_settings())
    try:
        started = machine.start(options.demo)
    except BaseException:
        machine.stop()
        raise
    for line in welcome(machine.settings, started.url, started.sign_ins):
        say(line)
    return machine.wait()


def welcome(settings: Settings, url: str, sign_ins: Mapping[str, str]) -> list[str]:
    """Return the lines printed when people can come in."""
    lines = ["", _("{title} is ready: {url}").format(title=settings.site.title, url=url)]
    if sign_ins:
        from bioskills.hub.demo import PEOPLE  # noqa: PLC0415

        roles = {name: role for name, _display, role in PEOPLE}
        width = max(map(len, sign_ins))
        lines.append(_("Demo sign-ins (this machine only):"))
        lines += [
            f"  {name:<{width}}  {password}  {roles.get(name, '')}"
            for name, password in sign_ins.items()
        ]
    warnings = [_("Warning: {text}").format(text=text) for text in warnings_of(settings)]
    return [*lines, *warnings, _("Stop with Ctrl-C.")]


def add_doctor(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills doctor`."""
    from bioskills.hub.doctor import add_doctor as add  # noqa: PLC0415

    add(sub)


def add_cohort(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills cohort`."""
    from bioskills.hub.cohort_verbs import add_cohort_verbs as add  # noqa: PLC0415

    add(sub, say)


def add_course_install(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills course install PATH|ZIP`."""
    verbs = verbs_of(
        sub, "course", _("Check, install and look at courses. For instructors and the admin.")
    )
    text = _("Install a version of a course, so that runs can use it.")
    parser = verbs.add_parser("install", help=text, description=text)
    parser.add_argument("source", type=Path, help=_("A course folder or ZIP."))
    parser.set_defaults(act=_install)


def _install(options: argparse.Namespace) -> int:
    from bioskills.hub.campus.objects import Objects  # noqa: PLC0415
    from bioskills.hub.course_install import install, read_for_install  # noqa: PLC0415
    from bioskills.hub.privileges import become  # noqa: PLC0415
    from bioskills.hub.state import ensure_state, owners_of  # noqa: PLC0415

    settings = load_settings()
    content, version = read_for_install(options.source)
    places, owners = ensure_state(settings), owners_of(settings)
    # Asked now: the campus's uid has no name on the machine.
    actor = getpass.getuser()
    become(owners.campus, owners.groups(owners.campus))
    name = f"{version.course} {version.version}"
    store = Store(database_url(settings))
    new = install(store, Objects(places.objects), content, version, actor)
    store.close()
    say(
        _("Installed {name}.").format(name=name)
        if new
        else _("{name} is installed already; nothing changed.").format(name=name)
    )
    return 0


def add_upgrade(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills upgrade`."""
    text = _("Back up, migrate and check our database; says how to go back. For the admin.")
    parser = sub.add_parser("upgrade", help=text, description=text)
    parser.set_defaults(act=_upgrade)


def _upgrade(_options: argparse.Namespace) -> int:
    from bioskills.hub.ports import holder_of  # noqa: PLC0415
    from bioskills.hub.privileges import become  # noqa: PLC0415
    from bioskills.hub.state import ensure_backups, owners_of  # noqa: PLC0415
    from bioskills.hub.upgrade import upgrade_database  # noqa: PLC0415

    settings = load_settings()
    if holder_of("127.0.0.1", settings.network.campus_port) is not None:
        text = _(
            "Services are running on port {port}. End the hub with Ctrl-C, then run this again."
        )
        raise SetupError(text.format(port=settings.network.campus_port))
    owners = owners_of(settings)
    backups = ensure_backups(settings)
    become(owners.campus, owners.groups(owners.campus))
    done = upgrade_database(database_url(settings), backups, now())
    say(_("Backup: {path}").format(path=done.backup))
    say(
        _("Database: revision {before} → {after}, checked.").format(
            before=done.before, after=done.after
        )
    )
    say(_("To go back: {way}").format(way=done.way_back))
    return 0
