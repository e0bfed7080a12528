"""Answer the Lab panel: everything one person's runs ask of them, in one message.

Law: what is next is one thing. The server knows what was handed in and what
came back; which lessons were opened is known in the Lab alone, so the panel
may move `next` from a lesson on to the one after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.settings import Settings
from bioskills.base.text import _, ngettext
from bioskills.base.wire import (
    AssignmentView,
    LabOverview,
    LessonView,
    NextStep,
    RunView,
    WorkState,
)
from bioskills.competence.framework import Framework
from bioskills.competence.mapping import parse_mapping
from bioskills.competence.tasks import Mapping
from bioskills.courses.manifest import Assignment as Plan
from bioskills.courses.manifest import Lesson, Manifest
from bioskills.hub.addresses import campus_public_url
from bioskills.hub.campus import flags
from bioskills.hub.campus import pages_work as work
from bioskills.hub.campus.counted import which_counts
from bioskills.hub.campus.decided import cool_down, decided, is_kept_back, most_attempts
from bioskills.hub.campus.job_board import progress_of, progress_words
from bioskills.hub.campus.late_rules import rule_words
from bioskills.hub.campus.notices import now_shown
from bioskills.hub.campus.pages_shelf import read_works
from bioskills.hub.campus.passport import Standing, runs_of, standing_of, unit_view, version_of
from bioskills.hub.campus.wording import begins, moment, plain_number
from bioskills.hub.membership import seats

SEES_RUNS = ("learner", "instructor")
_WAITING: tuple[WorkState, ...] = ("handed_in", "grading", "needs_person")


@dataclass(frozen=True)
class _Course:
    """One run with the course version it delivers."""

    run: tables.Run
    manifest: Manifest
    mapping: Mapping

    @property
    def zone(self) -> str:
        return self.run.time_zone


def lab_overview(
    session: Session,
    person: tables.Person,
    framework: Framework,
    now: datetime,
    settings: Settings,
) -> LabOverview:
    """Return everything the Lab panel of this person shows."""
    standing = standing_of(session, framework, person, now)
    held = seats(session, person.name, now)
    runs = runs_of(session, person, SEES_RUNS, now)
    return LabOverview(
        person=person.name,
        display_name=person.display_name,
        pseudonym=person.pseudonym,
        campus_url=campus_public_url(settings),
        help_contact=settings.site.help_contact,
        runs=[run_view(session, run, person, standing, now) for run in runs],
        roles=sorted({seat.role for seat in held}),
        notices=now_shown(session, (seat.cohort for seat in held), now),
    )


def run_view(
    session: Session,
    run: tables.Run,
    person: tables.Person,
    standing: Standing,
    now: datetime,
) -> RunView:
    """Return one run as this person sees it."""
    version = version_of(session, run)
    course = _Course(run, work.manifest_of(version), parse_mapping(version.mapping, version.course))
    assignments = [
        _with_progress(session, assignment_view(done, plan, course.mapping, now), now)
        for done in read_works(session, run, [person.id]).values()
        if not is_kept_back(done, course.mapping.resits)
        for plan in [course.manifest.assignment(done.assignment.name)]
        if plan is not None
    ]
    return RunView(
        slug=run.slug,
        course=version.course,
        title=course.manifest.title,
        opens_at=run.opens_at,
        closes_at=run.closes_at,
        time_zone=run.time_zone,
        is_open=run.opens_at <= now < run.closes_at,
        next=next_step(course.run, course.manifest, assignments, now),
        lessons=[_lesson_view(lesson) for lesson in course.manifest.lessons],
        assignments=assignments,
        units=[
            unit_view(standing, part.code)
            for part in course.manifest.units
            if part.code in standing.units
        ],
    )


def assignment_view(done: work.Work, plan: Plan, mapping: Mapping, now: datetime) -> AssignmentView:
    """Return the card of one assignment."""
    state, latest, counting = work.state_of(done, now), done.latest, done.counting
    returned, again = done.returned, done.may_sit_again(now)
    reached = done.points(*counting) if counting else None
    return AssignmentView(
        name=plan.id,
        title=plan.title,
        summary=plan.summary,
        kind=plan.kind,
        minutes=plan.minutes,
        state=state,
        version=done.version.number if done.version else None,
        due_at=done.due_at,
        closes_at=done.last_moment,
        late=""
        if done.by_resit_alone
        else rule_words(done.late, done.due_at, done.run.closes_at, done.run.time_zone, now),
        closed_early=done.assignment.state == "closed" and now < done.run.closes_at and not again,
        extended=done.extension is not None,
        points=plain_number(reached[0]) if reached else None,
        max_points=plain_number(reached[1] if reached else plan.points),
        passed=reached[0] >= Fraction(plan.pass_share) * reached[1] if reached else None,
        attempt=latest.attempt if latest else 0,
        max_attempts=most_attempts(done, plan, again=again),
        next_attempt_at=None if again else cool_down(done, now),
        proves=proves(mapping, plan.id),
        receipt=latest.receipt if latest else None,
        submitted_at=latest.submitted_at if latest else None,
        submission_id=latest.id if latest else None,
        feedback_id=returned[0][0].id if returned else None,
        message=decided(done, now) or _message(done, state) or which_counts(done),
    )


def _with_progress(session: Session, card: AssignmentView, now: datetime) -> AssignmentView:
    if card.submission_id is None or card.state not in ("handed_in", "grading"):
        return card
    progress = progress_of(session, card.submission_id, now)
    return card.model_copy(update={"progress": progress})


def proves(mapping: Mapping, assignment: str) -> list[str]:
    """Return the outcomes that an assignment's cells give evidence for, in the file's order."""
    mine = [cell for cell in mapping.cells if cell.cell.startswith(f"{assignment}/")]
    return list(dict.fromkeys(outcome for cell in mine for outcome in cell.outcomes))


def next_step(
    run: tables.Run, manifest: Manifest, assignments: Sequence[AssignmentView], now: datetime
) -> NextStep:
    """Return the one thing to do now.

    The first assignment that is not handed in decides, its lessons come before it.
    """
    if now < run.opens_at:
        opens = moment(run.opens_at, run.time_zone, now, relative=True)
        detail = _("It opens on {time}. Until then you can look around.").format(time=opens)
        return NextStep(kind="wait", title=begins(run.opens_at, run.time_zone, now), detail=detail)
    if now >= run.closes_at:
        detail = _("What you handed in and what came back stay here.")
        return NextStep(kind="none", title=_("This course has ended."), detail=detail)
    todo = next((card for card in assignments if card.state == "new"), None)
    if todo is None:
        return _after_the_last(assignments)
    lesson = first_lesson(manifest, assignments, todo)
    return _lesson_step(lesson) if lesson else _assignment_step(todo, run, now)


def first_lesson(
    manifest: Manifest, assignments: Sequence[AssignmentView], todo: AssignmentView
) -> Lesson | None:
    """Return the first lesson before this assignment that no handed-in one needed already."""
    ends = {card.name: _lessons_before(manifest, card) for card in assignments}
    begin = max((ends[card.name] for card in assignments if card.attempt), default=0)
    lessons = manifest.lessons[begin : ends[todo.name]]
    return lessons[0] if lessons else None


def _lessons_before(manifest: Manifest, card: AssignmentView) -> int:
    """Return how many lessons prepare for it: up to the last one that shares an outcome."""
    shared = [
        index
        for index, lesson in enumerate(manifest.lessons, start=1)
        if set(lesson.outcomes) & set(card.proves)
    ]
    return max(shared, default=0)


def _lesson_step(lesson: Lesson) -> NextStep:
    return NextStep(
        kind="lesson",
        id=lesson.id,
        title=lesson.title,
        detail=_("{question} About {n} minutes.").format(
            question=lesson.question, n=lesson.minutes
        ),
        button=_("Open lesson"),
    )


def _assignment_step(card: AssignmentView, run: tables.Run, now: datetime) -> NextStep:
    about = ngettext("About {n} minute.", "About {n} minutes.", card.minutes)
    due = card.due_at and moment(card.due_at, run.time_zone, now, relative=True)
    parts = [about.format(n=card.minutes), _("Due {time}.").format(time=due) if due else ""]
    return NextStep(
        kind="assignment",
        id=card.name,
        title=card.title,
        detail=" ".join(part for part in parts if part),
        button=_("Start"),
    )


def _after_the_last(assignments: Sequence[AssignmentView]) -> NextStep:
    # Whatever happened last is what the person has in mind: a hand-in, or its answer.
    active = [card for card in assignments if card.submitted_at is not None]
    for card in sorted(active, key=_submitted_at, reverse=True):
        if card.state in _WAITING:
            return _wait_step(card)
        if card.feedback_id is not None:
            return _feedback_step(card)
    coming = next((card for card in assignments if card.state == "not_open"), None)
    if coming is not None:
        title = _("The next assignment is not open yet.")
        return NextStep(kind="wait", id=coming.name, title=title, detail=coming.title)
    return NextStep(kind="none", title=_("Nothing is left to do."))


def _submitted_at(card: AssignmentView) -> float:
    return card.submitted_at.timestamp() if card.submitted_at else 0.0


def _wait_step(card: AssignmentView) -> NextStep:
    return NextStep(
        kind="wait",
        id=card.name,
        title=_("{title} is handed in.").format(title=card.title),
        detail=card.message or _waiting_words(card),
    )


def _waiting_words(card: AssignmentView) -> str:
    where = progress_words(card.progress) if card.progress else ""
    return " ".join(part for part in (where, _("You can close this page.")) if part)


def _feedback_step(card: AssignmentView) -> NextStep:
    score = _("{points} of {max} points.").format(points=card.points, max=card.max_points)
    return NextStep(
        kind="feedback",
        id=card.name,
        title=_("Read your feedback on {title}").format(title=card.title),
        detail=" ".join(part for part in (score, card.message) if part),
        button=_("See feedback"),
    )


def _lesson_view(lesson: Lesson) -> LessonView:
    return LessonView(
        id=lesson.id,
        title=lesson.title,
        question=lesson.question,
        minutes=lesson.minutes,
        path=lesson.file,
    )


def _message(done: work.Work, state: WorkState) -> str:
    """Return what a learner should know about a state that is not plain."""
    latest = done.latest
    if latest is None or state not in ("preliminary", "needs_person"):
        return ""
    if state == "preliminary":
        part = _("Part of it is read by an assessor; your points can only grow.")
        return flags.for_learner(done.shown[latest.id]) or part
    result, job = done.results.get(latest.id), done.jobs.get(latest.id)
    if result is not None:
        return result.reason or _("It is graded. Your instructor looks at it before it goes out.")
    return (job.message if job else "") or _("A person has to look at it. Your work is safe.")
