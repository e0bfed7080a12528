"""The tables of our own database: people, courses, exchange, jobs, evidence.

Law: membership lives in `membership` alone (charter, law 6). Names and mail
addresses live in `person` alone; every other table knows people by id or
pseudonym. The ledger, evidence and submissions are added, never changed; of the
first two triggers of the database hold that.

Times are aware UTC. Shares and points are decimal strings, never floats.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bioskills.base.settings import ROLES as ROLES  # noqa: PLC0414 - said here, too

PLATFORM = "platform"
"""The cohort of people who serve the whole platform (admin, manager)."""

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, also where the database forgets zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a naive time and store UTC."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return an aware time."""
        del dialect
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC))


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Parent of all tables; names of constraints are stable for migrations."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Person(Base):
    """A person; the only table with names (erasable by key)."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)  # the hub's user name
    pseudonym: Mapped[str] = mapped_column(String(16), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str | None] = mapped_column(String(16))
    time_zone: Mapped[str | None] = mapped_column(String(64))  # null: that of what is shown
    created_at: Mapped[datetime] = mapped_column(default=now)


class LabUid(Base):
    """The numeric uid of a person's servers; allocated once, never reused."""

    __tablename__ = "lab_uid"
    uid: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)


class Cohort(Base):
    """A group of people who are taught together."""

    __tablename__ = "cohort"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    # Of labs, by the names of the settings; null: as in the settings.
    limits: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Membership(Base):
    """Who has which role in which cohort, from which source, from when to when."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("person_id", "cohort_id", "role", "source"),
        CheckConstraint(
            "role in ({})".format(", ".join(f"'{role}'" for role in ROLES)), name="role_known"
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(60))  # file:<cohort>, or who else gave it
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]


class CourseVersion(Base):
    """An installed version of a course; its ZIP lies in the objects by hash."""

    __tablename__ = "course_version"
    __table_args__ = (UniqueConstraint("course", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    manifest: Mapped[dict[str, Any]]
    mapping: Mapped[dict[str, Any]]
    notes: Mapped[dict[str, Any]]  # grading/<assignment>.yml by assignment
    installed_at: Mapped[datetime] = mapped_column(default=now)


class Run(Base):
    """A dated delivery of a course version to a cohort."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)  # nbgrader's course_id
    course_version_id: Mapped[int] = mapped_column(ForeignKey("course_version.id"))
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(String(64))


class Assignment(Base):
    """An assignment of a run, with its dates and its state."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("run_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16), default="open")  # draft | open | closed
    due_at: Mapped[datetime | None]
    release_policy: Mapped[str] = mapped_column(String(16))  # automatic | after_review


class AssignmentVersion(Base):
    """One released tree of an assignment; never changed."""

    __tablename__ = "assignment_version"
    __table_args__ = (UniqueConstraint("assignment_id", "tree_sha256"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    number: Mapped[int]
    tree_sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[list[Any]]  # [{path, sha256, bytes}]
    released_at: Mapped[datetime] = mapped_column(default=now)
    released_by: Mapped[str] = mapped_column(String(64))


class Extension(Base):
    """A later due date for one learner; ended, never erased."""

    __tablename__ = "extension"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    due_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500), default="")
    granted_by: Mapped[str] = mapped_column(String(64))
    granted_at: Mapped[datetime] = mapped_column(default=now)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]


class Submission(Base):
    """A hand-in: immutable, content-addressed, with its receipt."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("assignment_id", "person_id", "attempt"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    assignment_version_id: Mapped[int] = mapped_column(ForeignKey("assignment_version.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    attempt: Mapped[int]
    receipt: Mapped[str] = mapped_column(String(16), unique=True)
    tree_sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[list[Any]]
    submitted_at: Mapped[datetime] = mapped_column(default=now)
    late: Mapped[bool] = mapped_column(Boolean, default=False)


class Job(Base):
    """A durable intent: one release of a run, or one grading of a submission (charter, order of writes 1)."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("kind", "submission_id", "assignment_version_id", "run_id", "environment"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # release | grade
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submission.id"))
    assignment_version_id: Mapped[int | None] = mapped_column(ForeignKey("assignment_version.id"))
    environment: Mapped[str] = mapped_column(String(80), default="")
    step: Mapped[str | None] = mapped_column(String(16))  # fetched | running | scored
    done: Mapped[int | None]  # cells that were run ...
    of: Mapped[int | None]  # ... of so many
    started_at: Mapped[datetime | None]  # the present try
    state: Mapped[str] = mapped_column(
        String(16), default="queued", index=True
    )  # queued | running | done | failed
    tries: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(Text, default="")  # plain words, for a person


class Result(Base):
    """What grading one submission gave; a regrade or a person's judgement adds another row."""

    __tablename__ = "result"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"), unique=True)  # null: a person
    verdict: Mapped[str] = mapped_column(String(16))  # graded | needs_person
    reason: Mapped[str] = mapped_column(Text, default="")
    cells: Mapped[list[Any]]  # wire.CellScore
    hashes: Mapped[dict[str, Any]]
    flags: Mapped[list[Any] | None]  # wire.Flag: what a person should look at
    mended: Mapped[list[Any] | None]  # sentences: what was repaired before grading
    shown: Mapped[dict[str, Any] | None]  # output the learner may see again, by cell
    judged: Mapped[dict[str, Any] | None]  # by cell: {by: pseudonym, at}
    graded_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(String(16))  # held | preliminary | published
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(String(64))


class Judgement(Base):
    """What a person saved in formgrader for one cell of one hand-in; settled once, never changed."""

    __tablename__ = "judgement"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # points | comment
    cell: Mapped[str] = mapped_column(String(300))  # <notebook>/<grade_id>
    points: Mapped[str | None] = mapped_column(String(32))  # null: taken back
    extra_credit: Mapped[str | None] = mapped_column(String(32))
    comment: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(16))  # pseudonym
    at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None] = mapped_column(String(16))
    result_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"))  # null: left out


class LedgerRow(Base):
    """One record as canonical JSON, bound to the one before it by its hash."""

    __tablename__ = "ledger"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    learner: Mapped[str] = mapped_column(String(16), index=True)  # pseudonym
    record: Mapped[str] = mapped_column(Text)  # what the hash is of
    prev: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class Evidence(Base):
    """One record of the ledger in columns: per learner, task, attempt and outcome; add only."""

    __tablename__ = "evidence"
    seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(String(16))
    learner: Mapped[str] = mapped_column(String(16), index=True)  # pseudonym
    outcome: Mapped[str] = mapped_column(String(32))
    task: Mapped[str] = mapped_column(String(64))
    attempt: Mapped[int]
    score: Mapped[str | None] = mapped_column(
        String(16)
    )  # share 0-1, four places; null while pending
    raw: Mapped[str | None] = mapped_column(String(16))
    max: Mapped[str] = mapped_column(String(16))
    pending: Mapped[bool] = mapped_column(Boolean, default=False)
    submitted_at: Mapped[datetime]
    framework: Mapped[str] = mapped_column(String(40))
    mapping: Mapped[str] = mapped_column(String(80))
    rule: Mapped[str] = mapped_column(String(16))
    notebook_sha256: Mapped[str] = mapped_column(String(64))
    notebook_src_sha256: Mapped[str] = mapped_column(String(64))
    cells_sha256: Mapped[str] = mapped_column(String(64))
    feedback_sha256: Mapped[str] = mapped_column(String(64))
    image: Mapped[str] = mapped_column(String(80))
    released_by: Mapped[str] = mapped_column(String(64))
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("evidence.seq"))
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"))


class FeedbackFiles(Base):
    """HTML pages that stock nbgrader made for one submission; the newest counts."""

    __tablename__ = "feedback_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    tree_sha256: Mapped[str] = mapped_column(String(64))
    files: Mapped[list[Any]]  # [{path, sha256, bytes}]
    released_at: Mapped[datetime] = mapped_column(default=now)
    released_by: Mapped[str] = mapped_column(String(64))


class ApiToken(Base):
    """A named, narrow, expiring token made by an instructor; stored as a hash."""

    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    verbs: Mapped[list[Any]]  # list | release | collect | feedback
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class WebSession(Base):
    """A browser's session at the campus; the cookie's value is stored as a hash."""

    __tablename__ = "web_session"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_name: Mapped[str] = mapped_column(String(64))
    hub_token: Mapped[str] = mapped_column(String(128))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """Who changed what: one past-tense sentence with names of things, not of people's work."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]]
