"""Do the developers' chores around the environments.

Law: nothing is removed before the person said so.
"""

import argparse
import os
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from setup.lock import write_locks
from setup.plan import set_up_tools
from setup.wheels import FORK_SERVER
from setup.words import _, say

Chore = Callable[[Path, Path, argparse.Namespace], int]


def where(_clone: Path, environments: Path, _options: argparse.Namespace) -> int:
    """Print the folder of all environments."""
    say(str(environments))
    return 0


def lock(clone: Path, environments: Path, options: argparse.Namespace) -> int:
    """Write the requirements locks again."""
    for path in write_locks(clone, set_up_tools(clone, environments), upgrade=options.upgrade):
        say(_("Wrote {path}.").format(path=path.relative_to(clone)))
    return 0


def typing(clone: Path, _environments: Path, _options: argparse.Namespace) -> int:
    """Link every package folder under its import name, for type checkers alone."""
    for package, folder in [*_packages_of(clone), *_packages_of(clone / FORK_SERVER)]:
        link = clone / ".typing" / Path(*package.split("."))
        target = Path(os.path.relpath(folder, link.parent))
        if link.is_symlink() and link.readlink() == target:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return 0


def _packages_of(distribution: Path) -> list[tuple[str, Path]]:
    project = tomllib.loads((distribution / "pyproject.toml").read_text(encoding="utf-8"))
    mapped: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return [(package, distribution / folder) for package, folder in mapped.items()]


def clean(_clone: Path, environments: Path, _options: argparse.Namespace) -> int:
    """Remove all environments, after a question; homes and state stay."""
    if not environments.exists():
        say(_("Nothing to remove: {path} is not there.").format(path=environments))
        return 0
    say(
        _("This removes all environments below {path}. Homes, courses and state stay.").format(
            path=environments
        )
    )
    say(_("Remove them? Type yes:"), end=" ")
    if sys.stdin.readline().strip().lower() != _("yes"):
        say(_("Nothing was removed."))
        return 1
    shutil.rmtree(environments)
    say(_("Removed. The next `make run` makes them again."))
    return 0


ALL: dict[str, Chore] = {"where": where, "lock": lock, "typing": typing, "clean": clean}
