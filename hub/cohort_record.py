"""Keep what a change of a cohort wrote, row by row, and take it back.

Law: an undo puts back what was, or refuses whole where something changed since; what cannot
be taken back (a new person, a changed name, a run whose work may have been fetched) is said.
Rows are known by table and id; nothing of `person` is copied here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from bioskills.base.problems import InputError, Problem
from bioskills.base.tables import AuditEntry, Base, Cohort, Membership, Person, Run, UtcTime
from bioskills.base.tables_cohorts import CohortChange, CohortOptions, SeatTags
from bioskills.base.tables_notices import Notice
from bioskills.base.tables_teaching import Withdrawal
from bioskills.base.text import _, ngettext

TAKEN_BACK: Mapping[str, type[Base]] = {
    table.__tablename__: table
    for table in (Membership, SeatTags, CohortOptions, Cohort, Run, Withdrawal)
}


class Record:
    """The rows that one change writes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: list[tuple[Base, dict[str, Any] | None, tuple[str, ...]]] = []

    def add(self, row: Base) -> None:
        """Add a new row."""
        self._session.add(row)
        self._rows.append((row, None, ()))

    def set(self, row: Base, **values: Any) -> None:
        """Change columns of a row that is there."""
        before = {key: _plain(getattr(row, key)) for key in values}
        for key, value in values.items():
            setattr(row, key, value)
        self._rows.append((row, before, tuple(values)))

    def keep(self, cohort: str, kind: str, actor: str, at: datetime, count: int) -> None:
        """Store the record in the transaction of the change, with its line in the audit log."""
        self._session.flush()
        rows = [self._entry(*row) for row in self._rows]
        change = CohortChange(at=at, actor=actor, cohort=cohort, kind=kind, count=count, rows=rows)
        detail = {"changes": count}
        entry = AuditEntry(at=at, actor=actor, action=f"cohort.{kind}", subject=cohort)
        entry.detail = detail
        self._session.add_all([change, entry])

    def _entry(
        self, row: Base, before: dict[str, Any] | None, keys: tuple[str, ...]
    ) -> dict[str, Any]:
        named = isinstance(row, Person)
        keys = keys or _columns(row)
        return {
            "table": row.__tablename__,
            "id": getattr(row, _key(row)),
            "before": None if before is None else {} if named else before,
            "after": {} if named else {key: _plain(getattr(row, key)) for key in keys},
        }


def last_change(session: Session, cohort: str) -> CohortChange | None:
    """Return the newest change of a cohort, if an undo would take it back."""
    newest = newest_change(session, cohort)
    return newest if newest and newest.undone_at is None and newest.kind != "undo" else None


def newest_change(session: Session, cohort: str) -> CohortChange | None:
    """Return the newest change of a cohort, an undo included."""
    chosen = select(CohortChange).where(CohortChange.cohort == cohort)
    return session.scalars(chosen.order_by(CohortChange.id.desc()).limit(1)).first()


def undo(session: Session, cohort: str, *, actor: str, at: datetime) -> list[str]:
    """Take the last change of a cohort back and return sentences about what stays.

    How many rows were put back stands in the newest change then; it may be none.

    Raises:
        InputError: There is none, or something that it wrote changed since.
    """
    change = last_change(session, cohort)
    if change is None:
        what = _("there is no change that could be taken back.")
        raise InputError([Problem(cohort, what, next=_("See: bioskills cohort list"))])
    moved = [entry for entry in change.rows if not _as_left(session, entry)]
    if moved:
        raise InputError([_moved(cohort, entry) for entry in moved])
    stays = [entry for entry in reversed(change.rows) if not _put_back(session, entry)]
    change.undone_at, change.undone_by = at, actor
    Record(session).keep(cohort, "undo", actor, at, len(change.rows) - len(stays))
    return _said(session, stays)


def _row(session: Session, entry: Mapping[str, Any]) -> Base | None:
    table = TAKEN_BACK.get(entry["table"])
    return session.get(table, entry["id"]) if table else None


def _as_left(session: Session, entry: Mapping[str, Any]) -> bool:
    if entry["table"] not in TAKEN_BACK:
        return True
    row = _row(session, entry)
    return row is not None and all(
        _plain(getattr(row, key)) == value for key, value in entry["after"].items()
    )


def _moved(cohort: str, entry: Mapping[str, Any]) -> Problem:
    what = _("{table} {id} was changed again since, so nothing was taken back.")
    step = _("Apply the earlier file instead; its plan shows what it would do.")
    return Problem(cohort, what.format(table=entry["table"], id=entry["id"]), next=step)


def _put_back(session: Session, entry: Mapping[str, Any]) -> bool:
    """Put one row back; say False where it has to stay as it is."""
    row = _row(session, entry)
    if row is None:
        return False
    if entry["before"] is not None:
        for key, value in entry["before"].items():
            setattr(row, key, _typed(row, key, value))
    elif isinstance(row, Run) or (isinstance(row, Cohort) and _is_used(session, row)):
        return False
    else:
        session.delete(row)
    session.flush()
    return True


def _is_used(session: Session, cohort: Cohort) -> bool:
    seats = select(func.count()).where(Membership.cohort_id == cohort.id)
    runs = select(func.count()).where(Run.cohort_id == cohort.id)
    others = (select(func.count()).where(t.cohort_id == cohort.id) for t in (Notice, Withdrawal))
    return any(map(session.scalar, (seats, runs, *others)))


def _said(session: Session, stays: list[Mapping[str, Any]]) -> list[str]:
    said = []
    people = [entry for entry in stays if entry["table"] == Person.__tablename__]
    new = sum(entry["before"] is None for entry in people)
    if new:
        text = ngettext(
            "{n} person stays known, without this seat; work and results are kept.",
            "{n} people stay known, without this seat; work and results are kept.",
            new,
        )
        said.append(text.format(n=new))
    if len(people) > new:
        said.append(_("Changed names and addresses stay: the earlier ones are kept nowhere."))
    for entry in stays:
        if entry["table"] == Run.__tablename__:
            run = session.get_one(Run, entry["id"])
            text = _("The run {run} stays: its work may have been fetched.")
            said.append(text.format(run=run.slug))
        elif entry["table"] == Cohort.__tablename__:
            said.append(_("The cohort stays, because a run or a seat belongs to it."))
    return said


def _key(row: Base) -> str:
    return str(inspect(type(row)).primary_key[0].key)


def _columns(row: Base) -> tuple[str, ...]:
    mapper = inspect(type(row))
    return tuple(column.key for column in mapper.column_attrs if not column.columns[0].primary_key)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _typed(row: Base, key: str, value: Any) -> Any:
    column = inspect(type(row)).column_attrs[key].columns[0]
    is_time = isinstance(column.type, UtcTime)
    return datetime.fromisoformat(value) if is_time and value is not None else value
