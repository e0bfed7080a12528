"""`nbgrader release_feedback` and `nbgrader fetch_feedback` over HTTP.

Law: a learner gets feedback on their own work alone. Pages with hidden tests are
refused by the campus. Where no page of nbgrader's exists, the campus's own feedback
is written as a page.
"""

from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback, ExchangeReleaseFeedback

from bioskills.base.text import _
from bioskills.base.wire import SubmissionInfo
from bioskills.graders.exchange.campus import CampusError
from bioskills.graders.exchange.campus_exchange import TIMESTAMP, CampusExchange, stamp_of
from bioskills.graders.exchange.feedback_page import feedback_page
from bioskills.graders.exchange.trees import lay_out, packed

RETURNED = ("preliminary", "published")
NOT_FOUND = 404


class CampusFetchFeedback(CampusExchange, ExchangeFetchFeedback):  # type: ignore[misc]
    """Fetch the feedback on one's own hand-ins."""

    def copy_files(self) -> None:
        """Write the feedback of each hand-in into a folder of its own."""
        listed = self.campus.submissions(self.run, self.assignment).submissions
        if not listed:
            text = _("You have handed in nothing for {name}. Run: nbgrader submit {name}")
            self.log.warning(text.format(name=self.assignment))
        for info in listed:
            self._fetch(info)

    def _fetch(self, info: SubmissionInfo) -> None:
        folder = self.work_folder / "feedback" / stamp_of(info)
        if folder.is_dir():
            self.tell(_("Feedback already fetched: {folder}"), folder=folder)
        elif self._pages(info, folder) or self._own(info, folder):
            self.tell(_("Fetched feedback: {folder}"), folder=folder)
        else:
            text = _("There is no feedback yet on what you handed in at {when}.")
            self.log.warning(text.format(when=stamp_of(info)))

    def _pages(self, info: SubmissionInfo, folder: Path) -> bool:
        try:
            with self.campus.feedback_pages(self.run, info.submission_id) as tree:
                lay_out(tree, folder)
        except CampusError as error:
            if error.status != NOT_FOUND:
                raise
            return False
        return True

    def _own(self, info: SubmissionInfo, folder: Path) -> bool:
        if info.state not in RETURNED:
            return False
        page = feedback_page(self.campus.feedback(info.submission_id))
        folder.mkdir(parents=True)
        (folder / f"{info.assignment}.html").write_text(page, encoding="utf-8")
        return True


class CampusReleaseFeedback(CampusExchange, ExchangeReleaseFeedback):  # type: ignore[misc]
    """Return the pages that `nbgrader generate_feedback` made."""

    staff = True

    def copy_files(self) -> None:
        """Send each learner's pages to the hand-in they belong to."""
        listed = self.campus.submissions(self.run, self.assignment).submissions
        folders = {name: self._folder(name) for name in {info.learner for info in listed}}
        ready = [name for name in sorted(folders) if self.wants(name) and folders[name].is_dir()]
        if not ready:
            text = _("There is no feedback to release. Run: nbgrader generate_feedback {name}")
            self.fail(text.format(name=self.assignment))
        troubles = [
            trouble for name in ready if (trouble := self._send(name, folders[name], listed))
        ]
        if troubles:
            self.fail("\n".join(troubles))

    def _folder(self, learner: str) -> Path:
        course = self.coursedir
        return Path(course.format_path(course.feedback_directory, learner, self.assignment))

    def _send(self, learner: str, folder: Path, listed: list[SubmissionInfo]) -> str:
        """Send one learner's pages; return what went wrong, so that the others still go."""
        info = self._belonging(learner, folder, listed)
        if info is None:
            text = _("{who}: no hand-in has the time in {file}. Run: nbgrader collect --update")
            return text.format(who=learner, file=folder / TIMESTAMP)
        try:
            with packed(folder, _but_pages) as tree:
                self.campus.put_feedback_pages(self.run, info.submission_id, tree)
        except CampusError as error:
            return f"{learner}: {error}"
        text = _("Releasing feedback for student '{who}' on '{name}' ({when})")
        self.tell(text, who=learner, name=self.assignment, when=stamp_of(info))
        return ""

    def _belonging(
        self, learner: str, folder: Path, listed: list[SubmissionInfo]
    ) -> SubmissionInfo | None:
        file = folder / TIMESTAMP
        when = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
        own = [info for info in listed if info.learner == learner]
        return next((info for info in own if stamp_of(info) == when), None)


def _but_pages(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".html")]
