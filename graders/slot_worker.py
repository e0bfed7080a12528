"""Grade one submission with stock nbgrader, inside the walls.

Law: runs only in a sandbox, in a slot that holds a pristine gradebook and the
one submission; its answer is a JSON file in the slot. nbgrader's own converter
and preprocessors, unmodified, decide every score.

Usage: python -m bioskills.graders.slot_worker ASSIGNMENT LEARNER CELL_TIMEOUT_S
"""

import json
import sys
from pathlib import Path
from typing import Any

SLOT = Path("/slot")
RESULT = "result.json"


def main(assignment: str, learner: str, cell_timeout_s: int) -> None:
    """Autograde and write what the gradebook then holds."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # 1.9 CPU seconds that nothing here needs
    from nbgrader.apps.api import NbGraderAPI  # noqa: PLC0415 - after the line above

    api = NbGraderAPI(config=configuration(SLOT, cell_timeout_s))
    outcome = api.autograde(assignment, learner, force=True, create=True)
    answer = {
        "success": bool(outcome["success"]),
        "error": str(outcome.get("error") or "")[-4000:],
        "log": str(outcome.get("log") or "")[-4000:],
        "cells": scores_of(api, assignment, learner) if outcome["success"] else [],
    }
    (SLOT / RESULT).write_text(json.dumps(answer), encoding="utf-8")


def configuration(root: Path, cell_timeout_s: int) -> Any:
    """Return nbgrader's configuration for a folder of ours; no file of a course is read."""
    from traitlets.config import Config  # noqa: PLC0415

    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "course"
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.ExecutePreprocessor.timeout = cell_timeout_s
    config.Execute.timeout = cell_timeout_s
    config.Exchange.root = str(root / "exchange")  # nbgrader looks there even where it exchanges nothing
    # Kernels speak TCP here: the sandbox's loopback is its own. (With ipc and no connection
    # file yet, jupyter_client names sockets relative to two different working folders.)
    return config


def scores_of(api: Any, assignment: str, learner: str) -> list[dict[str, Any]]:
    """Return every grade cell as the gradebook holds it; numbers as decimal strings."""
    with api.gradebook as gradebook:
        submission = gradebook.find_submission(assignment, learner)
        return [_score(book.name, grade) for book in submission.notebooks for grade in book.grades]


def _score(notebook: str, grade: Any) -> dict[str, Any]:
    return {
        "cell": f"{notebook}/{grade.name}",
        "cell_type": str(grade.cell.cell_type),
        "max_points": _decimal(grade.max_score),
        "auto_points": _decimal(grade.auto_score),
        "manual_points": _decimal(grade.manual_score),
        "extra_credit": _decimal(grade.extra_credit),
        "needs_person": bool(grade.needs_manual_grade),
    }


def _decimal(number: float | None) -> str | None:
    return None if number is None else format(number, ".4f").rstrip("0").rstrip(".")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
