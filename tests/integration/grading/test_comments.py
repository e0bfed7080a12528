"""What a person wrote in the gradebook comes back with the result."""

from datetime import timedelta
from typing import Any

import pytest

from bioskills.graders.engine import COURSE
from bioskills.graders.gradebook import record

pytestmark = [
    pytest.mark.integration,
    # nbgrader's own way to make a submission's rows.
    pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning"),
]


def test_a_comment_of_a_person_comes_with_their_points(class_: Any) -> None:
    from nbgrader.api import Gradebook  # noqa: PLC0415 - 1,300 modules, only where they are used

    job = class_.job("s1", "p-comment")
    result = class_.grade("s1", class_.released("s1"), "p-comment")
    url = class_.shop.gradebook_url
    first = record(url, job, result)
    with Gradebook(url, COURSE) as book:
        (notebook,) = book.find_submission("s1", "p-comment").notebooks
        for comment in notebook.comments:
            comment.manual_comment = f"About {comment.name}."
        for grade in notebook.grades:
            grade.manual_score = 1
        book.db.commit()

    assert job.submitted_at is not None
    later = job.model_copy(update={"submitted_at": job.submitted_at + timedelta(hours=1)})
    second = record(url, later, result)

    assert first is not None
    assert second is not None
    notes: Any = job.notes["s1"]
    about = {f"s1/{name}": cell.get("answer") or name for name, cell in notes["cells"].items()}
    assert {cell.person_comment for cell in first.cells} == {""}
    assert {cell.cell: (cell.manual_points, cell.person_comment) for cell in second.cells} == {
        cell.cell: ("1", f"About {about[cell.cell]}.") for cell in result.cells
    }
