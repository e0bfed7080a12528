"""Keep and give out feedback pages that stock nbgrader made.

Law: a page that shows hidden tests reaches no learner: nbgrader puts their text
into its feedback, and what a learner's code printed while they ran, so such a
page is refused with the reason. A page is for the
owner of its submission alone. Uploads are added, the newest counts.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import AuditEntry, FeedbackFiles, Submission
from bioskills.base.text import _
from bioskills.hub.campus.hidden_tests import shows
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.releases import HIDDEN_TESTS, holds
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.trees import Tree


def check_pages(tree: Tree, objects: Objects, secret: frozenset[str] = frozenset()) -> None:
    """Refuse what is not an HTML page, and pages with hidden tests.

    Args:
        tree: The pages.
        objects: Where their content lies.
        secret: The assignment's `hidden_lines`.

    Raises:
        Refused: Naming every such file.
    """
    odd = [path for path in sorted(tree.paths) if not path.endswith(".html") or "/" in path]
    if odd:
        message = _("Feedback is HTML pages without folders; this is not: {files}.")
        raise Refused(422, "not_html", message.format(files=", ".join(odd)))
    leaks = [entry.path for entry in tree.files if _leaks(entry.sha256, objects, secret)]
    if leaks:
        message = _(
            "Not released: {files} shows the hidden tests, because nbgrader copies them, and what "
            "was printed while they ran, into its feedback. Learners would see what the tests ask."
        ).format(files=", ".join(leaks))
        after = _(
            "Nothing is lost: learners already see points, hints and comments in the Lab panel. "
            "Press Return on the course page if their work waits for your review."
        )
        raise Refused(422, "hidden_tests", message, after)


def _leaks(sha256: str, objects: Objects, secret: frozenset[str]) -> bool:
    if holds(objects.chunks(sha256), (HIDDEN_TESTS,)):
        return True
    page = b"".join(objects.chunks(sha256)).decode("utf-8", "replace")
    return shows(page, secret)


def keep_pages(
    session: Session, submission: Submission, tree: Tree, *, by: str, at: datetime
) -> bool:
    """Make these pages the feedback of a submission; return whether they are new."""
    current = pages_of(session, submission)
    if current is not None and current.tree_sha256 == tree.sha256:
        return False
    session.add(
        FeedbackFiles(
            submission_id=submission.id,
            tree_sha256=tree.sha256,
            files=tree.as_stored(),
            released_at=at,
            released_by=by,
        )
    )
    subject, detail = f"submission/{submission.id}", {"tree_sha256": tree.sha256}
    session.add(
        AuditEntry(at=at, actor=by, action="released feedback", subject=subject, detail=detail)
    )
    return True


def pages_of(session: Session, submission: Submission) -> FeedbackFiles | None:
    """Return the newest pages of a submission, or None."""
    return session.scalar(
        select(FeedbackFiles)
        .where(FeedbackFiles.submission_id == submission.id)
        .order_by(FeedbackFiles.id.desc())
        .limit(1)
    )
