"""`nbgrader release_assignment` over HTTP.

Law: a release is a new version; learners who fetched keep what they have. It needs
an instructor's token.
"""

from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseAssignment

from bioskills.base.text import _
from bioskills.graders.exchange.campus_exchange import CampusExchange
from bioskills.graders.exchange.trees import packed


class CampusReleaseAssignment(CampusExchange, ExchangeReleaseAssignment):  # type: ignore[misc]
    """Release what `nbgrader generate_assignment` made."""

    staff = True

    def init_src(self) -> None:
        """Find the folder that generate_assignment made."""
        folder = self.coursedir.format_path(self.coursedir.release_directory, ".", self.assignment)
        self.src_path = Path(folder)
        if not self.src_path.is_dir():
            text = _("Assignment not found at: {path}. Run: nbgrader generate_assignment {name}")
            self.fail(text.format(path=self.src_path, name=self.assignment))

    def init_dest(self) -> None:
        """Ask for --force before a second version, as nbgrader does."""
        found = self.find_assignment()
        if found.version is not None and not self.force:
            text = _(
                "{run} {name} is released as version {n}. To release a new version (learners keep "
                "what they fetched): nbgrader release_assignment {name} --course={run} --force"
            )
            self.fail(text.format(run=self.run, name=self.assignment, n=found.version))

    def copy_files(self) -> None:
        """Send the folder."""
        self.tell(_("Source: {path}"), path=self.src_path)
        with packed(self.src_path, self.ignored()) as tree:
            done = self.campus.put_release(self.run, self.assignment, tree)
        text = _("Released as: {run} {name}, version {n}")
        if not done.new:
            text = _("{run} {name} is unchanged: it stays version {n}")
        self.tell(text, run=done.run, name=done.assignment, n=done.version)
