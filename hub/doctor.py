"""Check one installation at any time and say what to do.

Law: every check runs, whatever the others found; a check changes nothing, and
one that cannot be made is a fault with its reason, never a traceback.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from bioskills.base.places import Places, places_of
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.base.text import _, ngettext

Level = Literal["ok", "warning", "fault"]
WIDTH = 22


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes:
        name: One word or two, stable, for scripts.
        level: *ok*; *warning* (works, but someone must know); *fault* (does not work).
        sentence: What was found, with the value.
        next: What to do now; empty where nothing is to be done.
    """

    name: str
    level: Level
    sentence: str
    next: str = ""


@dataclass(frozen=True)
class Patient:
    """The installation that is checked."""

    settings: Settings
    places: Places


Examination = Callable[[Patient], Check]


def ok(name: str, sentence: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, "ok", sentence)


def warning(name: str, sentence: str, next_step: str) -> Check:
    """Return a check whose finding someone must know."""
    return Check(name, "warning", sentence, next_step)


def fault(name: str, sentence: str, next_step: str) -> Check:
    """Return a check that found something broken."""
    return Check(name, "fault", sentence, next_step)


def add_doctor(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `bioskills doctor`."""
    parser = sub.add_parser(
        "doctor",
        help=_("Check the machine, the environments and the data."),
        description=_("Check everything this installation stands on; for admins, at any time."),
        epilog=_("Example: bioskills doctor --json"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON list instead"))
    parser.set_defaults(act=_act)


def _act(options: argparse.Namespace) -> int:
    checks = examine()
    report = json.dumps([asdict(c) for c in checks], indent=1) if options.json else as_text(checks)
    print(report)  # noqa: T201 - the command's own output
    return 1 if any(check.level == "fault" for check in checks) else 0


def examine() -> list[Check]:
    """Run every check and return what each found."""
    try:
        settings = load_settings()
    except InputError as error:
        return [fault("settings", str(error), _("Correct it, then run: bioskills doctor"))]
    patient = Patient(settings, places_of(settings))
    return [ok("settings", _("All options are known and valid.")), *map(_safely(patient), every())]


def every() -> list[Examination]:
    """Return all checks in the order of the report."""
    from bioskills.hub import (  # noqa: PLC0415 - they need Check
        doctor_labs,
        doctor_ledger,
        doctor_machine,
        doctor_state,
    )

    return [*doctor_machine.ALL, *doctor_labs.ALL, *doctor_state.ALL, *doctor_ledger.ALL]


def _safely(patient: Patient) -> Callable[[Examination], Check]:
    def act(examination: Examination) -> Check:
        try:
            return examination(patient)
        except (OSError, ValueError, SetupError) as error:
            name = examination.__name__.removeprefix("check_").replace("_", "-")
            text = _("This could not be checked: {error}.").format(error=error)
            return fault(name, text, _("Run it again as the user who runs the hub."))

    return act


def as_text(checks: list[Check]) -> str:
    """Return the report for a person."""
    lines = [line for check in checks for line in _lines(check)]
    return "\n".join([*lines, "", _summary(checks)])


def _lines(check: Check) -> list[str]:
    levels = {"ok": _("ok"), "warning": _("warning"), "fault": _("FAULT")}
    first = f"{levels[check.level]:8} {check.name:{WIDTH}} {check.sentence}"
    return [first, f"{'':8} {'':{WIDTH}} {check.next}"] if check.next else [first]


def _summary(checks: list[Check]) -> str:
    found = Counter(check.level for check in checks)
    faults = ngettext("{n} fault", "{n} faults", found["fault"]).format(n=found["fault"])
    warnings = ngettext("{n} warning", "{n} warnings", found["warning"]).format(n=found["warning"])
    return _("{all} checks: {faults}, {warnings}.").format(
        all=len(checks), faults=faults, warnings=warnings
    )
