"""Read the set-up's command line.

Law: a failure is one sentence with the next step; the program asked for takes
this process's place, so Ctrl-C reaches it once and nobody stands between.
"""

import argparse
import errno
import os
import shutil
import sys
from pathlib import Path

from setup import chores
from setup.folders import environments_folder
from setup.plan import set_up
from setup.words import CLONE, SetupError, _


def main(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    os.umask(0o022)
    try:
        return _do(_options(argv))
    except SetupError as stop:
        return _refuse(str(stop))
    except OSError as error:
        return _refuse(_sentence(error))
    except KeyboardInterrupt:
        _refuse(_("Interrupted. Run the same command again: it continues where it stopped."))
        return 130


def _refuse(sentence: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"{sentence}\n")
    return 1


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="images/build.py", description=_("Make the environments of this clone.")
    )
    parser.add_argument("--dev", action="store_true", help=_("make the dev environment, too"))
    parser.add_argument(
        "--where", action="store_true", help=_("print the environments' folder and stop")
    )
    parser.add_argument(
        "--lock", action="store_true", help=_("write the requirements locks again and stop")
    )
    parser.add_argument(
        "--upgrade", action="store_true", help=_("with --lock: take the newest versions")
    )
    parser.add_argument(
        "--typing", action="store_true", help=_("make the links for type checkers and stop")
    )
    parser.add_argument(
        "--clean", action="store_true", help=_("remove all environments, after a question")
    )
    parser.add_argument(
        "command", nargs="*", help=_("a program of the environment and its arguments")
    )
    return parser.parse_args(argv)


def _do(options: argparse.Namespace) -> int:
    environments = environments_folder(CLONE)
    chore = next((name for name in chores.ALL if getattr(options, name)), None)
    if chore:
        return chores.ALL[chore](CLONE, environments, options)
    set_up(CLONE, environments, dev=options.dev)
    if options.command:
        _become(options.command, environments / ("dev" if options.dev else "hub"), environments)
    return 0


def _become(command: list[str], environment: Path, environments: Path) -> None:
    program = shutil.which(command[0], path=str(environment / "bin"))
    if program is None:
        raise SetupError(
            _("There is no program {name} in {path}.").format(name=command[0], path=environment)
        )
    os.environ["PATH"] = os.pathsep.join(
        [str(environment / "bin"), os.environ.get("PATH", os.defpath)]
    )
    os.environ["BIOSKILLS_TEST_ENVIRONMENTS"] = str(environments)
    os.chdir(CLONE)
    os.execv(program, [program, *command[1:]])  # noqa: S606


def _sentence(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The disk is full. Free at least 3 GB, then run the same command again.")
    text = _(
        "Cannot use {path}: {why}. Correct its owner or mode, then run the same command again."
    )
    return text.format(path=error.filename or _("a file"), why=error.strerror)
