"""Take hand-ins, and list them.

Law: a hand-in, its receipt and its grading job are one transaction; nothing of it
is changed afterwards. The same work sent again before it was graded gives the same
receipt, so that a lost answer costs nothing. Late work is taken as the rule of the
assignment says (`late_rules.py`), an extension considered, and marked as late. Every refusal says the rule and what to do.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import (
    Assignment,
    AssignmentVersion,
    Person,
    Result,
    Submission,
)
from bioskills.base.tables_teaching import Resit
from bioskills.base.text import _, ngettext
from bioskills.base.wire import Receipt
from bioskills.hub.campus import jobs
from bioskills.hub.campus.deliveries import (
    Delivery,
    current_version,
    due_for,
    find_assignment,
    find_for_lab,
    first_due_for,
    late_rule_for,
    notebooks_of,
    open_to_learners,
    resit_for,
)
from bioskills.hub.campus.late_rules import LateRule, loss_words
from bioskills.hub.campus.site import Refused
from bioskills.hub.campus.trees import Tree, stored_files

# Read out over the phone: no 0/O, 1/I/L, and no vowels, so that no words come about.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class HandIn:
    """What a lab asks for.

    Attributes:
        version: Number of the release that the work was begun from; None for the
            current one, where the lab has lost its note of it.
        at: When the request came.
    """

    run: str
    assignment: str
    person: str
    person_id: int
    version: int | None
    at: datetime


@dataclass(frozen=True)
class _Place:
    """Where a hand-in goes, all checks passed."""

    delivery: Delivery
    assignment: Assignment
    version: AssignmentVersion
    last: Submission | None
    last_is_graded: bool
    due: datetime | None
    late: LateRule
    again: Resit | None


def check(session: Session, ask: HandIn) -> list[str]:
    """Refuse a hand-in that would not be accepted, before its files are read.

    Returns:
        The notebooks that are graded; one of them must be handed in.

    Raises:
        Refused: With the rule and what to do.
    """
    place = _place(session, ask)
    if place.last is None or place.last_is_graded:
        _check_attempts(place, ask)
    return notebooks_of(place.version)


def hand_in(session: Session, ask: HandIn, tree: Tree) -> Receipt:
    """Store a hand-in with its grading job and return the receipt.

    Raises:
        Refused: With the rule and what to do; nothing is stored.
    """
    # Two requests of one person wait for each other, so that each gets its own attempt.
    session.get(Person, ask.person_id, with_for_update=True)
    place = _place(session, ask)
    check_notebooks(notebooks_of(place.version), tree.paths)
    same = place.last is not None and place.last.tree_sha256 == tree.sha256
    if place.last is not None and same and not place.last_is_graded:
        return _receipt(session, place, place.last)
    _check_attempts(place, ask)
    submission = _store(session, place, ask, tree)
    jobs.ensure_grading(session, submission, place.delivery.run.id)
    return _receipt(session, place, submission)


def check_notebooks(expected: list[str], paths: frozenset[str]) -> None:
    """Refuse files among which there is no notebook that is graded.

    Raises:
        Refused: Naming the notebooks.
    """
    if not paths.intersection(expected):
        message = _("None of the notebooks that are graded is among your files: {names}.")
        after = _("Rename your notebook to that name, or fetch the assignment again.")
        raise Refused(422, "no_notebook", message.format(names=", ".join(expected)), after)


def new_receipt_code(session: Session) -> str:
    """Return a short code that no hand-in has yet."""
    while True:
        drawn = "".join(secrets.choice(ALPHABET) for _n in range(6))
        code = f"{drawn[:4]}-{drawn[4:]}"
        if session.scalar(select(Submission.id).where(Submission.receipt == code)) is None:
            return code


def _place(session: Session, ask: HandIn) -> _Place:
    delivery = find_for_lab(session, ask.run, ask.person, ask.at)
    assignment = find_assignment(session, delivery, ask.assignment)
    again = resit_for(session, assignment, ask.person_id)
    open_to_learners(delivery, assignment, ask.at, again)
    _check_open(delivery, assignment, ask, again)
    due = due_for(session, assignment, ask.person_id)
    late = late_rule_for(session, delivery, assignment)
    first = first_due_for(session, assignment, ask.person_id)
    until = late.last_moment(first, delivery.run.closes_at)
    until = max(until, again.due_at) if again else until
    _check_late(delivery, due, until, ask)
    version = _version(session, assignment, ask)
    last = session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment.id, Submission.person_id == ask.person_id)
        .order_by(Submission.attempt.desc())
        .limit(1)
    )
    graded = _is_graded(session, last)
    return _Place(delivery, assignment, version, last, graded, due, late, again)


def _is_graded(session: Session, submission: Submission | None) -> bool:
    chosen = select(Result.id).where(Result.submission_id == (submission and submission.id))
    return submission is not None and session.scalar(chosen.limit(1)) is not None


def _check_open(
    delivery: Delivery, assignment: Assignment, ask: HandIn, again: Resit | None
) -> None:
    after = _("Ask your instructor; your files stay where they are.")
    if assignment.state != "open" and (again is None or ask.at > again.due_at):
        message = _("The assignment {name} is closed for hand-ins.")
        raise Refused(409, "closed", message.format(name=assignment.name), after)
    if ask.at >= delivery.run.closes_at:
        message = _("The run {run} ended on {when}; nothing can be handed in any more.").format(
            run=delivery.run.slug, when=_local(delivery.run.closes_at, delivery)
        )
        raise Refused(409, "closed", message, after)


def _check_late(delivery: Delivery, due: datetime | None, until: datetime, ask: HandIn) -> None:
    if due is None or ask.at <= until:
        return
    message = _("{name} was due {due}, and late work was taken until {until}.").format(
        name=ask.assignment, due=_local(due, delivery), until=_local(until, delivery)
    )
    after = _("Ask your instructor for more time; your files stay where they are.")
    raise Refused(409, "late", message, after)


def _version(session: Session, assignment: Assignment, ask: HandIn) -> AssignmentVersion:
    if ask.version is None:
        found = current_version(session, assignment)
        message = _("The assignment {name} is not released yet.").format(name=assignment.name)
    else:
        found = session.scalar(
            select(AssignmentVersion).where(
                AssignmentVersion.assignment_id == assignment.id,
                AssignmentVersion.number == ask.version,
            )
        )
        message = _("There is no version {n} of the assignment {name}.")
        message = message.format(n=ask.version, name=assignment.name)
    if found is None:
        raise Refused(409, "unknown_version", message, _("Fetch the assignment again."))
    return found


def _check_attempts(place: _Place, ask: HandIn) -> None:
    plan = place.delivery.plan(place.assignment.name)
    if plan is None or place.last is None or _is_given(place, place.last, ask):
        return
    if plan.attempts.max is not None and place.last.attempt >= plan.attempts.max:
        message = ngettext(
            "You have used the only attempt of {title}.",
            "You have used all {n} attempts of {title}.",
            plan.attempts.max,
        ).format(n=plan.attempts.max, title=plan.title)
        raise Refused(409, "attempts", message, _("Ask your instructor for a resit."))
    ready = place.last.submitted_at + timedelta(hours=plan.attempts.cooldown_hours)
    # Without a cool-down, two requests at once are two attempts, whichever is written first.
    if plan.attempts.cooldown_hours and ask.at < ready:
        message = _("Between two attempts of {title} there are {n} hours.")
        message = message.format(title=plan.title, n=plan.attempts.cooldown_hours)
        after = _("You can hand in again from {when}.").format(when=_local(ready, place.delivery))
        raise Refused(409, "cooldown", message, after)


def _is_given(place: _Place, last: Submission, ask: HandIn) -> bool:
    """Say whether this is another attempt that an instructor gave, and not used yet."""
    again = place.again
    return again is not None and last.submitted_at < again.given_at and ask.at <= again.due_at


def _store(session: Session, place: _Place, ask: HandIn, tree: Tree) -> Submission:
    submission = Submission(
        assignment_id=place.assignment.id,
        assignment_version_id=place.version.id,
        person_id=ask.person_id,
        attempt=place.last.attempt + 1 if place.last else 1,
        receipt=new_receipt_code(session),
        tree_sha256=tree.sha256,
        files=tree.as_stored(),
        submitted_at=ask.at,
        late=place.due is not None and ask.at > place.due,
    )
    session.add(submission)
    session.flush()
    return submission


def _receipt(session: Session, place: _Place, submission: Submission) -> Receipt:
    version = session.get_one(AssignmentVersion, submission.assignment_version_id)
    return Receipt(
        submission_id=submission.id,
        receipt=submission.receipt,
        run=place.delivery.run.slug,
        assignment=place.assignment.name,
        version=version.number,
        attempt=submission.attempt,
        submitted_at=submission.submitted_at,
        tree_sha256=submission.tree_sha256,
        late=submission.late,
        late_note=loss_words(place.late, place.due, submission.submitted_at),
        files=stored_files(submission.files),
    )


def _local(when: datetime, delivery: Delivery) -> str:
    zone = delivery.run.time_zone
    return f"{when.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
