"""The models that travel over HTTP between lab, campus, grader and exchange plugin.

Law: both ends use these models and nothing else; an unknown field is ignored
by the reader, so that a newer end can speak to an older one. Times are aware
UTC; scores, points and shares are decimal strings, never floats.
"""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CAMPUS_PREFIX = "/services/campus/"
LAB_SCOPE = "custom:bioskills:lab"
RUN_LABS_SCOPE = "custom:bioskills:run-labs"
"""See which labs run, start and stop them; open none of them."""
INSTRUCTOR_TOKEN_PREFIX = "bsh_"  # noqa: S105 - marks a token, is none
VERSION_HEADER = "X-Bioskills-Version"
TAR = "application/x-tar"

OutcomeStatus = Literal[
    "not_assessed", "developing", "pending", "achieved", "exceeded",
    "granted_rpl", "under_review", "expired", "withdrawn",
]  # fmt: skip
WorkState = Literal[
    "not_open",
    "new",
    "handed_in",
    "grading",
    "preliminary",
    "published",
    "needs_person",
    "closed",
    "excused",
]


class Wire(BaseModel):
    """A frozen message."""

    model_config = ConfigDict(frozen=True)


class Refusal(Wire):
    """Why a request was refused."""

    error: str = Field(description="A stable word such as `late`, `too_large`, `forbidden`.")
    message: str = Field(description="What happened with the value, and the rule, as sentences.")
    next: str = Field("", description="What to do now.")


class FileEntry(Wire):
    """One regular file of a tree."""

    path: str
    sha256: str
    bytes: int


class Receipt(Wire):
    """Proof of a hand-in; stays true whatever happens later."""

    submission_id: int
    receipt: str = Field(description="Short code a learner can read out, such as `7KQ2-91`.")
    run: str
    assignment: str
    version: int
    attempt: int
    submitted_at: datetime
    tree_sha256: str
    late: bool
    late_note: str = Field("", description="What coming late means for the points; a sentence.")
    files: list[FileEntry]


class SubmissionInfo(Wire):
    """A hand-in as listed."""

    submission_id: int
    receipt: str
    assignment: str
    version: int
    attempt: int
    submitted_at: datetime
    tree_sha256: str
    late: bool
    state: WorkState
    learner: str = Field(
        description="User name for instructors and the learner; pseudonym for the grader."
    )


class SubmissionList(Wire):
    """All hand-ins the caller may see, newest first."""

    submissions: list[SubmissionInfo]


class AssignmentInfo(Wire):
    """An assignment as listed in the exchange."""

    name: str
    title: str
    version: int | None = Field(
        description="Number of the released version; null before the first release."
    )
    state: Literal["draft", "open", "closed"]
    due_at: datetime | None = Field(description="The caller's own due date, extension included.")
    notebooks: list[str]
    points: str = "0"


class AssignmentList(Wire):
    """The assignments of a run."""

    run: str
    assignments: list[AssignmentInfo]


class ReleaseResult(Wire):
    """What a release did."""

    run: str
    assignment: str
    version: int
    tree_sha256: str
    new: bool = Field(description="False where the same tree was released before.")


class CheckNote(Wire):
    """One named check of a criterion; a hidden one is known by its label alone."""

    id: str
    label: str
    visible: bool
    passed: bool | None = Field(None, description="Null where it did not come to run.")


class RubricLevel(Wire):
    """One level of a rubric."""

    points: str
    text: str


class Criterion(Wire):
    """One graded cell as its learner reads it; never hidden-test text."""

    cell: str
    title: str
    points: str | None = Field(description="Null while a person has not graded it.")
    max_points: str
    graded: Literal["automatic", "person"]
    outcomes: list[str]
    checks: list[CheckNote] = []
    hints: list[str] = []
    rubric: list[RubricLevel] = []
    comment: str = Field("", description="What a person wrote about it.")
    why: str = Field("", description="Why the machine gave no points, as a sentence.")
    answer: str = Field("", description="The learner's own answer as handed in (source text).")
    printed: str = Field(
        "", description="What this code printed before the first hidden test ran; plain text."
    )


class Printed(Wire):
    """What a cell printed that belongs to no criterion."""

    cell: str = Field(description="`<notebook>/<grade_id>`, or `<notebook>/#<number>`.")
    title: str
    text: str


class Feedback(Wire):
    """What came back for one hand-in."""

    submission_id: int
    receipt: str
    run: str
    assignment: str
    title: str
    attempt: int
    state: Literal["preliminary", "published"]
    submitted_at: datetime
    graded_at: datetime
    points: str
    max_points: str
    late: str = Field("", description="What coming late took off the points; a sentence.")
    counts: str = Field("", description="Whether this attempt counts, and why; a sentence.")
    reason: str = Field("", description="A sentence where the work could not be graded as it came.")
    mended: list[str] = Field([], description="Sentences: what was repaired before grading.")
    next: str = Field("", description="What to try next, as one sentence.")
    criteria: list[Criterion]
    printed: list[Printed] = []
    withheld: bool = Field(
        default=False,
        description="Whether hidden tests ran, after which nothing printed is shown.",
    )


class OutcomeView(Wire):
    """One outcome as shown."""

    id: str
    kind: Literal["knowledge", "skill", "autonomy"]
    statement: str
    status: OutcomeStatus
    level: str | None = Field(None, description="Share 0-1, four places.")


class UnitView(Wire):
    """One unit with its outcomes."""

    code: str
    title: str
    eqf: int
    points: int
    reached: int
    total: int
    status: OutcomeStatus
    outcomes: list[OutcomeView]


class LessonView(Wire):
    """A lesson in the panel."""

    id: str
    title: str
    question: str
    minutes: int
    path: str = Field(
        description="Path below the materials' root, such as `lessons/01-notebooks.ipynb`."
    )


class GradingProgress(Wire):
    """Where the grading of one hand-in is; what nobody measured is null or 0."""

    submission_id: int
    state: Literal["queued", "again", "running", "ended"] = Field(
        description="`again`: a try failed, and the next one waits for its pause to end."
    )
    place: int | None = Field(None, description="Place in the queue; 1 is the next one.")
    seconds: int | None = Field(
        None, description="About how long until the answer, as recent work was measured."
    )
    done: int = Field(0, description="Cells that were run.")
    of: int = Field(0, description="Cells to run.")


class AssignmentView(Wire):
    """An assignment card in the panel."""

    name: str
    title: str
    summary: str
    kind: Literal["practice", "summative"]
    minutes: int
    state: WorkState
    version: int | None
    due_at: datetime | None
    closes_at: datetime | None
    closed_early: bool = Field(
        default=False, description="The instructor takes no hand-ins now, whatever closes_at says."
    )
    extended: bool = False
    late: str = Field("", description="What happens with late work, said before the due date.")
    points: str | None = Field(None, description="Points of the attempt that counts; null before.")
    max_points: str
    passed: bool | None = Field(
        None, description="Whether these points reach the pass share; null before."
    )
    attempt: int = Field(description="Number of hand-ins so far.")
    max_attempts: int | None
    next_attempt_at: datetime | None = None
    proves: list[str] = Field(description="Outcome ids the assignment gives evidence for.")
    receipt: str | None = None
    submitted_at: datetime | None = None
    submission_id: int | None = None
    feedback_id: int | None = Field(None, description="Submission whose feedback can be read.")
    message: str = ""
    progress: GradingProgress | None = Field(None, description="While the grader has to answer.")


class NextStep(Wire):
    """The one thing to do now."""

    kind: Literal["lesson", "assignment", "feedback", "wait", "none"]
    id: str = ""
    title: str
    detail: str = ""
    button: str = ""


class RunView(Wire):
    """One run as its learner sees it."""

    slug: str
    course: str
    title: str
    opens_at: datetime
    closes_at: datetime
    time_zone: str
    is_open: bool
    next: NextStep
    lessons: list[LessonView]
    assignments: list[AssignmentView]
    units: list[UnitView]


class NoticeView(Wire):
    """A message that an instructor wrote to a cohort of this person."""

    text: str = Field(description="Plain text; may have several lines.")
    cohort: str = Field(description="The cohort's title.")
    until: datetime


class LabOverview(Wire):
    """Everything the Lab panel shows, in one answer."""

    person: str
    display_name: str
    pseudonym: str
    campus_url: str = Field(description="Public address of the campus pages (passport).")
    help_contact: str = ""
    runs: list[RunView]
    roles: list[str] = []
    notices: list[NoticeView] = []


class CellScore(Wire):
    """A graded cell as the gradebook holds it."""

    cell: str = Field(description="`<notebook>/<grade_id>`.")
    cell_type: str = Field("code", description="`code` or `markdown`, as the gradebook holds it.")
    max_points: str
    auto_points: str | None = None
    manual_points: str | None = None
    extra_credit: str | None = None
    needs_person: bool
    failed_checks: list[str] = Field(
        [], description="Ids of named checks that failed; never test text."
    )
    comment: str = Field("", description="Why the machine gave no points, as a sentence.")
    person_comment: str = Field("", description="What a person wrote in the gradebook.")


class Job(Wire):
    """Work for the grader."""

    id: int
    kind: Literal["release", "grade"]
    run: str
    course: str
    course_version: str
    assignments: list[str] = Field(description="For a release: all; for grading: the one.")
    learner: str = Field("", description="Pseudonym; empty for a release.")
    submission_id: int | None = None
    attempt: int = 0
    version: int | None = None
    submitted_at: datetime | None = None
    due_at: datetime | None = None
    late_percent: int = Field(
        0, ge=0, le=100, description="What coming late takes off the points in the gradebook."
    )
    notes: dict[str, object] = Field({}, description="grading/<assignment>.yml by assignment.")
    cold: bool = Field(
        default=False, description="Whether the course asks for kernels that start anew."
    )


ODD_POINTS = "odd_points"
"""Code of the flag for points that a test does not give by itself; held until a person looked."""


class Flag(Wire):
    """Something in a submission that a person should look at; never a reason for fewer points."""

    code: str = Field(description="What kind of thing, such as `ast_transformer`.")
    cell: str = Field("", description="`<notebook>/<grade_id>`; empty for the whole submission.")
    message: str = Field(description="A sentence for the instructor; no learner content.")


class GradeResult(Wire):
    """What grading one submission gave."""

    verdict: Literal["graded", "needs_person"]
    reason: str = ""
    cells: list[CellScore]
    answers: dict[str, str] = Field(
        {}, description="The learner's source by cell key, as handed in."
    )
    notebook_sha256: str = ""
    notebook_src_sha256: str = ""
    cells_sha256: str = ""
    environment: str = ""
    seconds: float = 0.0
    flags: list[Flag] = Field([], description="What a person should look at before this counts.")
    mended: list[str] = Field(
        [], description="Sentences: what was repaired before grading, for learner and instructor."
    )
    shown: dict[str, str] = Field(
        {}, description="Free output that the learner may see again, as plain text, by cell."
    )
    parts: dict[str, float] = Field({}, description="CPU seconds by part of the work.")


class Claim(Wire):
    """A grader asks for work."""

    at_most: int = Field(
        1,
        ge=0,
        le=64,
        description="Jobs to take at once. 0: the grader ends; what it does not hold any more "
        "waits again, and was no try.",
    )
    environment: str = Field(
        "", max_length=80, description="Names what the grader grades with: environment and limits."
    )
    holding: list[int] | None = Field(
        None,
        description="Every job that the grader has in work; all others that are under way were "
        "left over and wait again. Null: it does not say.",
    )
    wait_s: float = Field(
        0, ge=0, le=25, description="Longest wait for work where there is none at once."
    )


class JobList(Wire):
    """Jobs that the caller holds from now on."""

    jobs: list[Job]
    taken_back: int = Field(0, description="Jobs that were left over and wait again.")


class JobProgress(Wire):
    """How far one job is; also renews its lease."""

    step: Literal["fetched", "running", "scored"]
    done: int = Field(0, ge=0, description="Cells that were run.")
    of: int = Field(0, ge=0, description="Cells to run.")


class JobFailure(Wire):
    """Why one try of a job failed; the campus decides whether there is another."""

    message: str = Field(description="A sentence for the people who run this; no learner content.")
    at_once: bool = Field(default=False, description="Whether the next try need not wait.")


class RunList(Wire):
    """The runs that the caller may use in the exchange."""

    runs: list[str] = Field(description="Slugs; each is nbgrader's course_id.")


class GradeAgain(Wire):
    """Formgrader asks for gradings, for the person who pressed the button."""

    by: str = Field(max_length=64, description="The hub's user name; checked to be an instructor.")
    learner: str = Field("", max_length=16, description="Pseudonym; empty for everybody.")


class Judgement(Wire):
    """What a person saves in formgrader for one cell, told before the gradebook changes."""

    by: str = Field(max_length=64, description="The hub's user name; checked to be an instructor.")
    learner: str = Field(max_length=16, description="Pseudonym.")
    submitted_at: AwareDatetime = Field(description="Time of the hand-in that the page showed.")
    kind: Literal["points", "comment"]
    cell: str = Field(max_length=300, description="`<notebook>/<grade_id>`.")
    points: str | None = Field(
        None, max_length=32, description="Null: the person leaves it to the machine's points."
    )
    extra_credit: str | None = Field(None, max_length=32)
    comment: str = Field("", max_length=20_000)


class Sight(Wire):
    """Whose work or points somebody is about to see in formgrader, told before it is shown."""

    by: str = Field(max_length=64, description="The hub's user name; checked to teach the run.")
    assignment: str = Field("", max_length=200, description="Empty for all of the run.")
    learner: str = Field("", max_length=200, description="Pseudonym; empty for everybody.")
    work: bool = Field(False, description="A hand-in itself; otherwise points.")


class LearnerGrading(Wire):
    """Where the grading of a learner's newest hand-in is."""

    learner: str = Field(description="Pseudonym.")
    state: Literal["queued", "running", "done", "failed"]
    before: int = Field(0, description="Gradings that come before it.")
    done: int = Field(0, description="Cells that were run.")
    of: int = Field(0, description="Cells to run.")
    message: str = ""


class AssignmentGradings(Wire):
    """How far the gradings of an assignment are."""

    gradings: list[LearnerGrading]
