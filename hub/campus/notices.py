"""Keep the messages that instructors write to their cohorts.

Law: a message is plain text of one cohort with a beginning and an end; who reads it is
decided by seats at the moment of asking. What was once shown is never deleted: it ends,
and until its time is over it may be shown again.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import AuditEntry, Cohort
from bioskills.base.tables_notices import Notice
from bioskills.base.text import _
from bioskills.base.wire import NoticeView
from bioskills.hub.campus.pages_changes import Typed, parse_moment

EMPTY = Typed("", "")
MOST_CHARS = 500
MOST_DAYS = 92


@dataclass(frozen=True)
class Writing:
    """What the form sent, as it came.

    Attributes:
        start: Day and time from which it is shown; both empty: at once.
        end: Day and time at which it ends.
    """

    text: str = ""
    start: Typed = EMPTY
    end: Typed = EMPTY


def written(writing: Writing, zone: str, now: datetime) -> tuple[str, datetime, datetime]:
    """Return text, beginning and end of what was written.

    Args:
        writing: What the form sent.
        zone: IANA zone of the typed times.
        now: The present moment; a beginning that is left empty is this.

    Raises:
        InputError: With all faults, each at its field (`text`, `start date`, `end time` ...).
    """
    problems: list[Problem] = []
    text = "\n".join(line.rstrip() for line in writing.text.strip().splitlines())
    problems += _text_problems(text)
    start = _moment(writing.start, "start", zone, problems) if writing.start.is_given else now
    end = _moment(writing.end, "end", zone, problems)
    if start is not None and end is not None:
        problems += _window_problems(start, end, now)
    if problems or start is None or end is None:
        raise InputError(problems)
    return text, start, end


@dataclass(frozen=True)
class Desk:
    """Where one instructor writes to one cohort, in one transaction.

    Attributes:
        by: Pseudonym of the instructor.
        zone: IANA zone of typed times.
    """

    session: Session
    cohort: Cohort
    by: str
    zone: str
    now: datetime

    def add(self, writing: Writing) -> Notice:
        """Keep a new message.

        Raises:
            InputError: As `written`.
        """
        text, start, end = written(writing, self.zone, self.now)
        notice = Notice(cohort_id=self.cohort.id, text=text, shown_from=start, shown_until=end)
        notice.by, notice.created_at = self.by, self.now
        self.session.add(notice)
        self.session.flush()
        self._note("wrote message", notice)
        return notice

    def change(self, notice: Notice, writing: Writing) -> None:
        """Give a message another text or another time.

        Raises:
            InputError: As `written`; the message stays as it was.
        """
        text, start, end = written(writing, self.zone, self.now)
        # One that is shown already did not begin later because its end was moved.
        begun = not writing.start.is_given and notice.shown_from <= self.now
        notice.text, notice.shown_until = text, end
        notice.shown_from = notice.shown_from if begun else start
        self._note("changed message", notice)

    def end(self, notice: Notice) -> None:
        """Take a message away; again changes nothing."""
        if notice.ended_at is None and notice.shown_until > self.now:
            notice.ended_at = self.now
            self._note("ended message", notice)

    def show_again(self, notice: Notice) -> None:
        """Undo `end` while the message's time is not over."""
        if notice.ended_at is not None and notice.shown_until > self.now:
            notice.ended_at = None
            self._note("showed message again", notice)

    def _note(self, action: str, notice: Notice) -> None:
        entry = AuditEntry(at=self.now, actor=self.by, action=action, subject=self.cohort.slug)
        # The text is not in the log: it is in the table, for as long as that is kept.
        entry.detail = {"message": notice.id, "until": notice.shown_until.isoformat()}
        self.session.add(entry)


def all_of(session: Session, cohort: Cohort) -> Sequence[Notice]:
    """Return every message of a cohort, the newest first."""
    query = select(Notice).where(Notice.cohort_id == cohort.id).order_by(Notice.id.desc())
    return session.scalars(query).all()


def now_shown(session: Session, cohorts: Iterable[str], now: datetime) -> list[NoticeView]:
    """Return what people of these cohorts read now, the newest first."""
    query = (
        select(Notice, Cohort.title)
        .join(Cohort, Cohort.id == Notice.cohort_id)
        .where(
            Cohort.slug.in_(sorted(set(cohorts))),
            Notice.shown_from <= now,
            Notice.shown_until > now,
            Notice.ended_at.is_(None),
        )
        .order_by(Notice.id.desc())
    )
    return [
        NoticeView(text=notice.text, cohort=title, until=notice.shown_until)
        for notice, title in session.execute(query)
    ]


def state_of(notice: Notice, now: datetime) -> str:
    """Return *ended*, *over*, *coming* or *shown*."""
    if notice.shown_until <= now:
        return "over"
    if notice.ended_at is not None:
        return "ended"
    return "coming" if notice.shown_from > now else "shown"


def _text_problems(text: str) -> list[Problem]:
    if not text:
        return [Problem("text", _("This is empty."), next=_("Write what the cohort should know."))]
    if len(text) > MOST_CHARS:
        what = _("The message has {n} characters.").format(n=len(text))
        rule = _("A message has at most {n}.").format(n=MOST_CHARS)
        return [Problem("text", what, rule, _("Put the rest where it can be read in peace."))]
    hidden = {c for c in text if unicodedata.category(c).startswith("C")} - {"\n"}
    if hidden:
        codes = ", ".join(f"U+{ord(char):04X}" for char in sorted(hidden))
        what = _("The message holds characters that nobody sees: {codes}.").format(codes=codes)
        return [Problem("text", what, next=_("Take them out."))]
    return []


def _moment(typed: Typed, which: str, zone: str, problems: list[Problem]) -> datetime | None:
    try:
        return parse_moment(typed, zone)
    except InputError as error:
        problems += [
            Problem(f"{which}_{one.where}", one.what, one.rule, one.next) for one in error.problems
        ]
        return None


def _window_problems(start: datetime, end: datetime, now: datetime) -> list[Problem]:
    if end <= now:
        what = _("The message would be over before it is read.")
        return [Problem("end_date", what, next=_("Choose an end that is still to come."))]
    if end <= start:
        what = _("The message would end before it begins.")
        return [Problem("end_date", what, next=_("Choose a later end or an earlier beginning."))]
    if end - max(start, now) > timedelta(days=MOST_DAYS):
        what = _("The message would be shown for more than {n} days.").format(n=MOST_DAYS)
        return [Problem("end_date", what, next=_("Choose an earlier end."))]
    return []
