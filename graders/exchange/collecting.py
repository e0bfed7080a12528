"""`nbgrader collect` over HTTP.

Law: who handed in and when is what the campus says, never what a file says. A
folder that is replaced is moved aside, not removed.
"""

from pathlib import Path

from nbgrader.exchange.abc import ExchangeCollect

from bioskills.base.text import _
from bioskills.base.wire import SubmissionInfo
from bioskills.graders.exchange.campus_exchange import TIMESTAMP, CampusExchange, stamp_of
from bioskills.graders.exchange.trees import lay_out

ASIDE = ".replaced"
"""Where replaced folders go, below the course's root."""


class CampusCollect(CampusExchange, ExchangeCollect):  # type: ignore[misc]
    """Bring learners' newest work into the folder `submitted`."""

    staff = True

    def init_src(self) -> None:
        """Choose one hand-in for each learner."""
        listed = self.campus.submissions(self.run, self.assignment).submissions
        chosen: dict[str, SubmissionInfo] = {}
        # Newest first: the first one of a learner stays, unless a later one was in time.
        for info in listed:
            known = chosen.setdefault(info.learner, info)
            if self.before_duedate and known.late and not info.late:
                chosen[info.learner] = info
        self.chosen = [info for name, info in sorted(chosen.items()) if self.wants(name)]

    def copy_files(self) -> None:
        """Bring each chosen hand-in."""
        if not self.chosen:
            text = _("No submissions of '{name}' for course '{run}' to collect")
            self.log.warning(text.format(name=self.assignment, run=self.run))
        for info in self.chosen:
            self._collect(info)

    def _collect(self, info: SubmissionInfo) -> None:
        folder = self._folder(info.learner)
        existing = self._existing(folder)
        if existing == stamp_of(info):
            self._tell(_("No newer submission to collect: {who} {name}"), info)
        elif folder.is_dir() and not (self.update or self.before_duedate):
            self._tell(_("Submission already exists, use --update to update: {who} {name}"), info)
        else:
            text = _("Collecting submission: {who} {name}")
            if folder.is_dir():
                text = _("Updating submission: {who} {name}")
                self._set_aside(folder, info.learner, existing)
            self._tell(text, info)
            self._lay_out(info, folder)

    def _tell(self, text: str, info: SubmissionInfo) -> None:
        self.tell(text, who=info.learner, name=self.assignment)

    def _folder(self, learner: str) -> Path:
        if learner in {"", ".", ".."} or "/" in learner:
            self.fail(_("The user name {name} cannot be a folder.").format(name=ascii(learner)))
        course = self.coursedir
        return Path(course.format_path(course.submitted_directory, learner, self.assignment))

    def _existing(self, folder: Path) -> str:
        file = folder / TIMESTAMP
        return file.read_text(encoding="utf-8").strip() if file.is_file() else ""

    def _lay_out(self, info: SubmissionInfo, folder: Path) -> None:
        with self.campus.submission(self.run, info.submission_id) as tree:
            # A file of this name that a learner sent would pass for the time of the campus.
            lay_out(tree, folder, frozenset({TIMESTAMP}))
        (folder / TIMESTAMP).write_text(stamp_of(info), encoding="utf-8")

    def _set_aside(self, folder: Path, learner: str, existing: str) -> None:
        aside = Path(self.coursedir.root) / ASIDE / learner / self.assignment
        target = aside / (existing.replace(":", "-") or "unknown")
        while target.exists():
            target = target.with_name(f"{target.name}~")
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        self.tell(_("The earlier one was moved to {path}"), path=target)
