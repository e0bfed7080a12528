"""`nbgrader list` over HTTP.

Law: the answer has the form that nbgrader's own pages expect. Nothing can be
removed: releases and hand-ins are kept.
"""

from pathlib import Path
from typing import Any, NoReturn

from nbgrader.exchange.abc import ExchangeList

from bioskills.base.text import _
from bioskills.base.wire import AssignmentInfo, SubmissionInfo
from bioskills.graders.exchange.campus_exchange import CampusExchange, stamp_of

Row = dict[str, Any]
RETURNED = ("preliminary", "published")


class CampusList(CampusExchange, ExchangeList):  # type: ignore[misc]
    """List what is released, or what was handed in."""

    @property
    def staff(self) -> bool:  # type: ignore[override]
        """Everybody's hand-ins are an instructor's step."""
        return bool(self.inbound)

    def list_files(self) -> list[Row]:
        """Log and return what the campus lists."""
        if self.inbound or self.cached:
            return self._handed_in()
        return self._released()

    def remove_files(self) -> NoReturn:
        """Refuse: the campus keeps everything."""
        text = _(
            "Nothing was removed: releases and hand-ins are kept for good. "
            "To end an assignment, open the course page and press Close."
        )
        self.fail(text)

    def _runs(self) -> list[str]:
        return [self.run] if self.coursedir.course_id else self.campus.runs()

    def _assignments(self, run: str) -> list[AssignmentInfo]:
        chosen = self.coursedir.assignment_id
        listed = self.campus.assignments(run).assignments
        return [info for info in listed if not chosen or info.name == chosen]

    def _released(self) -> list[Row]:
        rows = [
            self._released_row(run, info)
            for run in self._runs()
            for info in self._assignments(run)
            if info.version is not None
        ]
        self.log.info(_("Released assignments:"))
        for row in rows:
            note = _(" (already downloaded)") if row["status"] == "fetched" else ""
            self.tell(
                "{run} {name}{note}", run=row["course_id"], name=row["assignment_id"], note=note
            )
        return rows

    def _released_row(self, run: str, info: AssignmentInfo) -> Row:
        folder = self._folder(run, info.name)
        fetched = folder.is_dir()
        return {
            "course_id": run,
            "assignment_id": info.name,
            "status": "fetched" if fetched else "released",
            "path": str(folder) if fetched else f"{run}/{info.name}",
            "notebooks": [
                {"notebook_id": Path(name).stem, "path": str(folder / name)}
                for name in info.notebooks
            ],
        }

    def _folder(self, run: str, name: str) -> Path:
        root = Path(self.assignment_dir).absolute()
        return root / run / name if self.path_includes_course else root / name

    def _handed_in(self) -> list[Row]:
        groups: dict[tuple[str, str, str], Row] = {}
        self.log.info(_("Submitted assignments:"))
        for run in self._runs():
            for info in self._assignments(run):
                for submission in reversed(self.campus.submissions(run, info.name).submissions):
                    if self.wants(submission.learner):
                        self._add(groups, run, info, submission)
        return [groups[key] for key in sorted(groups)]

    def _add(
        self,
        groups: dict[tuple[str, str, str], Row],
        run: str,
        info: AssignmentInfo,
        submission: SubmissionInfo,
    ) -> None:
        row = self._submitted_row(run, info, submission)
        key = (run, submission.learner, info.name)
        names = ("course_id", "student_id", "assignment_id", "status")
        group = groups.setdefault(key, {**{n: row[n] for n in names}, "submissions": []})
        group["submissions"].append(row)
        self.log.info(self._line(row))

    def _submitted_row(self, run: str, info: AssignmentInfo, submission: SubmissionInfo) -> Row:
        there = submission.state in RETURNED
        local = self._folder(run, info.name) / "feedback" / stamp_of(submission)
        fetched = local.is_dir()
        notebooks = [
            {
                "notebook_id": Path(name).stem,
                "path": f"{run}/{info.name}/{submission.receipt}/{name}",
                "has_local_feedback": fetched,
                "has_exchange_feedback": there,
                "local_feedback_path": str(local / f"{Path(name).stem}.html") if fetched else None,
                "feedback_updated": False,
            }
            for name in info.notebooks
        ]
        return {
            "course_id": run,
            "student_id": submission.learner,
            "assignment_id": info.name,
            "timestamp": stamp_of(submission),
            "status": "submitted",
            "path": f"{run}/{info.name}/{submission.receipt}",
            "notebooks": notebooks,
            "has_local_feedback": fetched,
            "has_exchange_feedback": there,
            "feedback_updated": False,
            "local_feedback_path": str(local) if fetched else None,
        }

    def _line(self, row: Row) -> str:
        if row["has_local_feedback"]:
            note = _("feedback already fetched")
        elif row["has_exchange_feedback"]:
            note = _("feedback ready to be fetched")
        else:
            note = _("no feedback available")
        names = ("course_id", "student_id", "assignment_id", "timestamp")
        return f"{' '.join(row[name] for name in names)} ({note})"
