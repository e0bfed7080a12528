"""`nbgrader submit` over HTTP.

Law: what is sent are the regular files of one folder; who sends it, and when, the
campus knows by itself. The receipt is shown.
"""

from pathlib import Path

from nbgrader.exchange.abc import ExchangeSubmit

from bioskills.base.text import _
from bioskills.base.wire import Receipt
from bioskills.graders.exchange.campus_exchange import CampusExchange, stamp
from bioskills.graders.exchange.fetching import noted_version
from bioskills.graders.exchange.trees import packed


class CampusSubmit(CampusExchange, ExchangeSubmit):  # type: ignore[misc]
    """Hand in a folder."""

    def init_src(self) -> None:
        """Find the folder; a path is taken for its last part, as nbgrader does."""
        self.src_path = self.work_folder
        self.coursedir.assignment_id = self.src_path.name
        if not self.src_path.is_dir():
            text = _("Assignment not found at: {path}. Run: nbgrader fetch_assignment {name}")
            self.fail(text.format(path=self.src_path, name=self.assignment))

    def copy_files(self) -> None:
        """Check the notebooks' names, send the folder and show the receipt."""
        self._compare(self.find_assignment().notebooks)
        version = noted_version(self.src_path, self.run)
        with packed(self.src_path, self.ignored()) as tree:
            receipt = self.campus.hand_in(self.run, self.assignment, tree, version)
        self._show(receipt)

    def _compare(self, expected: list[str]) -> None:
        here = sorted(path.name for path in Path(self.src_path).glob("*.ipynb"))
        missing = [name for name in expected if name not in here]
        extra = [name for name in here if name not in expected]
        if not missing and not extra:
            return
        text = _("Expected: {expected}. Found: {here}.")
        found = text.format(expected=", ".join(expected), here=", ".join(here) or _("none"))
        if missing and self.strict:
            self.fail(
                _("Not handed in, because notebooks are missing. {found}").format(found=found)
            )
        self.log.warning(_("Notebooks are missing or additional. {found}").format(found=found))

    def _show(self, receipt: Receipt) -> None:
        self.tell(
            _("Submitted as: {run} {name} {when}"),
            run=receipt.run,
            name=receipt.assignment,
            when=stamp(receipt.submitted_at),
        )
        self.tell(
            _("Receipt {code}: attempt {n}, {files} files, {late}"),
            code=receipt.receipt,
            n=receipt.attempt,
            files=len(receipt.files),
            late=_("late") if receipt.late else _("in time"),
        )
