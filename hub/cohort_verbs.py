"""The verbs of `bioskills cohort`.

Law: each verb says what it does in a line; what ends something prints its plan first.
"""

import argparse
import getpass
from collections.abc import Callable
from datetime import date
from pathlib import Path

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.settings import Settings, load_settings
from bioskills.base.text import _
from bioskills.hub.years import is_meant, rule

Parser = argparse.ArgumentParser


def add_cohort_verbs(sub: "Verbs[Parser]", say: Callable[[str], None]) -> None:
    """Add `bioskills cohort plan|apply|remove|list|show|copy|undo`."""
    text = _("Provision people, roles and runs of a cohort. For the admin.")
    verbs = verbs_of(sub, "cohort", text)
    _add_file_verbs(verbs, say)
    remove = _verb(
        verbs, say, "remove", _("End every seat of a cohort; work and evidence are kept."), _remove
    )
    remove.add_argument("cohort")
    remove.add_argument("--yes", action="store_true", help=_("Do it, not only say it."))
    _add_copy(verbs, say)
    undo = _verb(verbs, say, "undo", _("Take the last change of a cohort back."), _undo)
    undo.add_argument("cohort")
    every = _verb(verbs, say, "list", _("List cohorts with their people and dates."), _list)
    one = _verb(verbs, say, "show", _("Show one cohort with its people."), _show)
    one.add_argument("cohort")
    for parser in (every, one):
        parser.add_argument("--json", action="store_true", help=_("Write JSON, for programs."))


def _verb(
    verbs: "Verbs[Parser]",
    say: Callable[[str], None],
    name: str,
    text: str,
    act: Callable[[Settings, argparse.Namespace], list[str]],
) -> Parser:
    parser: Parser = verbs.add_parser(name, help=text, description=text)

    def run(options: argparse.Namespace) -> int:
        for line in act(load_settings(), options):
            say(line)
        return 0

    parser.set_defaults(act=run)
    return parser


def _add_file_verbs(verbs: "Verbs[Parser]", say: Callable[[str], None]) -> None:
    for verb, text in (
        ("plan", _("Show what a file would change; changes nothing.")),
        ("apply", _("Make a cohort as the file says; effective at once, no restart.")),
    ):
        parser = _verb(verbs, say, verb, text, _file)
        parser.add_argument(
            "file",
            type=Path,
            help=_("A .csv, .xlsx, .ods or .toml file; see docs/how-to/first-cohort.md"),
        )
        parser.add_argument(
            "--platform-roles",
            action="store_true",
            help=_("Let the file give or end admin and manager of the whole platform."),
        )
        parser.set_defaults(apply=verb == "apply")


def _add_copy(verbs: "Verbs[Parser]", say: Callable[[str], None]) -> None:
    text = _("Make the next cohort like an earlier one, with every date moved.")
    parser = _verb(verbs, say, "copy", text, _copy)
    parser.add_argument("cohort")
    parser.add_argument("new", help=_("Short name of the new cohort."))
    parser.add_argument(
        "--opens",
        required=True,
        type=_day,
        metavar="DATE",
        help=_("Day on which its first run opens, such as 2027-09-06."),
    )
    parser.add_argument("--title", default="", help=_("Its name on pages."))


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not is_meant(day):
        raise argparse.ArgumentTypeError(rule())
    return day


def _file(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import carry_out  # noqa: PLC0415 - keeps other commands quick

    return carry_out(
        settings,
        options.file,
        apply=options.apply,
        actor=getpass.getuser(),
        platform_roles=options.platform_roles,
    )


def _remove(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import remove  # noqa: PLC0415

    return remove(settings, options.cohort, yes=options.yes, actor=getpass.getuser())


def _copy(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import copy  # noqa: PLC0415

    names = (options.cohort, options.new)
    return copy(settings, names, options.opens, options.title, actor=getpass.getuser())


def _undo(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import take_back  # noqa: PLC0415

    return take_back(settings, options.cohort, actor=getpass.getuser())


def _list(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import listed  # noqa: PLC0415

    return listed(settings, as_json=options.json)


def _show(settings: Settings, options: argparse.Namespace) -> list[str]:
    from bioskills.hub.cohort_command import shown  # noqa: PLC0415

    return shown(settings, options.cohort, as_json=options.json)
