"""What all exchange steps over HTTP share.

Law: nbgrader's command line, options and folders stay as they are; only the
transport is ours. A person's mistake ends in a sentence and nbgrader's own
"failed" line, never in a traceback.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.exchange.abc import Exchange
from nbgrader.utils import ignore_patterns
from traitlets import Bool

from bioskills.base.problems import InputError
from bioskills.base.text import _
from bioskills.base.wire import AssignmentInfo, SubmissionInfo
from bioskills.graders.exchange.campus import Address, Campus, CampusError
from bioskills.graders.exchange.trees import Ignore

TIMESTAMP = "timestamp.txt"
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"
SEVERAL = "*"
"""nbgrader's student id for everybody."""


class CampusExchange(Exchange):  # type: ignore[misc]  # nbgrader has no types
    """An exchange step that asks the campus."""

    staff = False
    """Whether the step is an instructor's; decides which token is tried first."""

    path_includes_course = Bool(
        False,
        help="Whether assignments lie in a folder named like the run, as in ./spring-27/ps1.",
    ).tag(config=True)

    def start(self) -> Any:
        """Do the step; every known trouble ends in a sentence."""
        try:
            self.campus = Campus(Address.of(staff=self.staff))
        except CampusError as error:
            self.fail(str(error))
        try:
            return super().start()
        except (CampusError, InputError) as error:
            self.fail(str(error))
        finally:
            self.campus.close()

    def init_src(self) -> None:
        """Need nothing; the steps override what they need."""

    def init_dest(self) -> None:
        """Need nothing; the steps override what they need."""

    def copy_files(self) -> None:
        """Need nothing; the steps override what they need."""

    @property
    def run(self) -> str:
        """The run's slug: nbgrader's course id."""
        slug = str(self.coursedir.course_id)
        if not slug:
            self.fail(_("No course id specified. Re-run with --course=RUN; see: nbgrader list"))
        return slug

    @property
    def assignment(self) -> str:
        """The assignment's name."""
        return str(self.coursedir.assignment_id)

    @property
    def work_folder(self) -> Path:
        """The learner's folder of the assignment."""
        root = Path(self.assignment_dir).absolute()
        return (
            root / self.run / self.assignment
            if self.path_includes_course
            else root / self.assignment
        )

    def fail(self, msg: str) -> NoReturn:
        """End the step with a sentence."""
        super().fail(msg)
        raise AssertionError(msg)

    def find_assignment(self) -> AssignmentInfo:
        """Return the assignment as the campus lists it."""
        listed = self.campus.assignments(self.run).assignments
        found = next((info for info in listed if info.name == self.assignment), None)
        if found is None:
            names = ", ".join(info.name for info in listed) or _("none")
            text = _("The run {run} has no assignment {name}. It has: {names}.")
            self.fail(text.format(run=self.run, name=self.assignment, names=names))
        return found

    def ignored(self) -> Ignore:
        """Return nbgrader's rule for files that are left out."""
        rule: Ignore = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )
        return rule

    def wants(self, learner: str) -> bool:
        """Say whether `--student` and its counterpart choose this learner."""
        chosen = self.coursedir.student_id
        excluded = str(self.coursedir.student_id_exclude or "").split(",")
        return chosen in {SEVERAL, "", learner} and learner not in excluded

    def tell(self, text: str, **values: object) -> None:
        """Log a line for the person at the terminal."""
        self.log.info(text.format(**values))


def stamp_of(info: SubmissionInfo) -> str:
    """Return when it was handed in, as nbgrader writes it."""
    return stamp(info.submitted_at)


def stamp(moment: datetime) -> str:
    """Return a moment as nbgrader writes it."""
    return moment.astimezone(UTC).strftime(TIMESTAMP_FORMAT)
