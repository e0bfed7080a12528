"""`bioskills grade folder`: grade a plain nbgrader course folder.

Law: no hub, no exchange, no mapping is needed. Nothing of the course runs
outside the walls; without walls the command refuses.
"""

import argparse
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SAWarning, SQLAlchemyError

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.places import places_of
from bioskills.base.problems import InputError, Problem, SetupError, nearest
from bioskills.base.settings import load_settings
from bioskills.base.text import _
from bioskills.graders.commands import where_nbgrader_is
from bioskills.graders.course_folder import CourseFolder, open_folder
from bioskills.graders.engine import spare_imports
from bioskills.graders.folder_gradebook import rows_of
from bioskills.graders.folder_record import alone
from bioskills.graders.folder_run import Verdict, grade_folder, opened, takes_options
from bioskills.graders.folder_scores import write_scores


def add_grade_commands(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills grade folder PATH ASSIGNMENT`."""
    verbs = verbs_of(sub, "grade", _("Grade without a hub. For instructors."))
    parser = verbs.add_parser(
        "folder",
        help=_("Grade what lies in a plain nbgrader course folder."),
        description=_(
            "Grade what lies in `submitted/` of a plain nbgrader course folder, as `nbgrader autograde` does, behind walls and several at once. Instructors run it. Example: bioskills grade folder my-course ps1 --scores scores.csv"
        ),
    )
    parser.add_argument("path", type=Path, metavar="PATH", help=_("The course folder."))
    parser.add_argument("assignment", metavar="ASSIGNMENT", help=_("Name of the assignment."))
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE.csv",
        required=True,
        help=_("Where to write one row for each graded cell."),
    )
    parser.add_argument(
        "--student", nargs="+", metavar="ID", help=_("Grade these learners' work only.")
    )
    parser.add_argument(
        "--force", action="store_true", help=_("Grade again what has not changed, too.")
    )
    parser.add_argument(
        "--gradebook",
        default="",
        metavar="URL",
        help=_("Where the scores go, if not into the folder's own gradebook.db."),
    )
    parser.add_argument(
        "--at-once",
        type=int,
        default=0,
        metavar="N",
        help=_("Submissions to grade at one time; without it, one for each core."),
    )
    parser.set_defaults(act=where_nbgrader_is(_folder))


def _folder(options: argparse.Namespace) -> int:
    _be_quiet()
    folder = open_folder(options.path, options.assignment, options.gradebook)
    students = _chosen(folder, options.student)
    scores = options.scores.absolute()
    if not scores.parent.is_dir():
        raise InputError([Problem(str(scores.parent), _("there is no such folder."))])
    try:
        with alone(folder.own):
            return _graded(folder, students, options)
    except SQLAlchemyError as error:
        said = str(error).splitlines()[0]
        raise SetupError(_("The gradebook cannot be used: {reason}").format(reason=said)) from error
    except OSError as error:
        raise SetupError(_("The folder cannot be used: {reason}").format(reason=error)) from error


def _be_quiet() -> None:
    """Keep back what nbgrader and its libraries say to developers."""
    spare_imports()
    warnings.filterwarnings("ignore", category=SAWarning)


def _graded(folder: CourseFolder, students: list[str], options: argparse.Namespace) -> int:
    from bioskills.graders.start import bench_of  # noqa: PLC0415 - the service, not for --help

    settings = load_settings()
    # What plain nbgrader grades gets the same scores: nothing is put right but what it would lose.
    bench = replace(bench_of(settings, places_of(settings)), door=None, restore=False)
    at_once = options.at_once if options.at_once > 0 else os.cpu_count() or 1
    with opened(folder, bench) as (run, outside), _shown(len(students)) as show:
        _say_all([*_about_config(folder), *_about_data(outside)])
        # A warm parent is dear: a folder that cannot be graded is refused before it starts.
        warm = replace(run, bench=replace(run.bench, door=run.bench.way_in()))
        said = grade_folder(warm, students, at_once, show, force=options.force)
    verdicts = {found.student: found.verdict or "needs_person" for found in said}
    write_scores(options.scores, folder.assignment, rows_of(folder, students), verdicts)
    _say_all([*_verdicts(said), _summary(folder, said)])
    _say_all([_("Scores: {path}").format(path=options.scores)])
    return 1 if any(not found.verdict for found in said) else 0


def _chosen(folder: CourseFolder, wanted: Sequence[str] | None) -> list[str]:
    """Return whose work is graded.

    Raises:
        InputError: Nothing was handed in, or not by these.
    """
    there = folder.students()
    if not there:
        where = str(folder.place("submitted", "*"))
        raise InputError([Problem(where, _("there is nothing handed in."))])
    faults = []
    for name in sorted(set(wanted or ()) - set(there)):
        near = nearest(name, there)
        hint = _("Did you mean {near}?").format(near=near) if near else ""
        faults.append(
            Problem("--student", _("{name} has handed in nothing.").format(name=name), hint)
        )
    if faults:
        raise InputError(faults)
    return sorted(set(wanted)) if wanted else there


def _about_config(folder: CourseFolder) -> Iterator[str]:
    """Say which lines of the folder's configuration count, and which do not."""
    config = folder.config
    inside = {f"{kind}.{name}" for kind, given in config.inside.items() for name in given}
    unused = set() if takes_options() else inside
    used = sorted(config.used.keys() - unused)
    if used:
        yield _("nbgrader_config was read, not run. These count: {names}").format(
            names=", ".join(used)
        )
    for text in [*sorted(unused), *config.may_matter]:
        yield _("Not used, and could change scores: {text}").format(text=text)
    if config.aside:
        yield _("Not used here: {lines}").format(lines="; ".join(config.aside))


def _about_data(outside: Sequence[str]) -> Iterator[str]:
    for name in outside:
        yield _("Left out, because it leads out of the folder: {name}").format(name=name)


def _verdicts(said: Sequence[Verdict]) -> Iterator[str]:
    """Say what a person should know of each submission."""
    failed = _("{student}: could not be graded on this machine: {reason}")
    for found in said:
        if not found.verdict:
            yield failed.format(student=found.student, reason=found.reason)
        elif found.reason:
            yield f"{found.student}: {found.reason}"
        yield from (f"{found.student}: {remark}" for remark in found.remarks)


def _summary(folder: CourseFolder, said: Sequence[Verdict]) -> str:
    count = Counter(found.verdict if found.fresh else "unchanged" for found in said)
    parts = [
        _("{n} graded").format(n=count["graded"]),
        _("{n} for a person").format(n=count["needs_person"]),
        _("{n} unchanged").format(n=count["unchanged"]),
    ]
    if count[""]:
        parts.append(_("{n} not graded").format(n=count[""]))
    return f"{folder.assignment}: {', '.join(parts)}."


@contextmanager
def _shown(count: int) -> Iterator[Callable[[Verdict], None]]:
    """Yield what shows progress: one line that the next one replaces, where a person looks."""
    done, began, sees = 0, time.monotonic(), sys.stderr.isatty()

    def show(_found: Verdict) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - began) / done * (count - done)
        text = _("{done} of {count} done, about {seconds} s left").format(
            done=done, count=count, seconds=round(left)
        )
        if sees:
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if sees:
            sys.stderr.write("\r\033[K")


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
