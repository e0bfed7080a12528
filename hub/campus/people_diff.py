"""Show what a list would change: a row for each person, and the cohort's own lines.

Law: made from the same changes that are applied; the fingerprint says which ones were shown,
so that nothing else is ever applied. Pure.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bioskills.base.text import _
from bioskills.hub.campus.wording import listed
from bioskills.hub.cohort_change import Change, count_of
from bioskills.hub.cohort_wish import WantedPerson, Wish

OPS = ("leaves", "out", "changes", "joins", "same")
OF_PEOPLE = ("person", "seat", "left")
AT_ONCE = 200
"""Rows of the table before *Show all*."""


@dataclass(frozen=True)
class DiffRow:
    """What happens to one person."""

    op: str
    line: int
    name: str
    display_name: str
    kept: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    happens: tuple[str, ...]


@dataclass(frozen=True)
class Diff:
    """What a list would change."""

    rows: tuple[DiffRow, ...]
    others: tuple[Change, ...]
    changes: int
    fingerprint: str

    def of(self, show: str) -> list[DiffRow]:
        """Return the rows of one filter: an op, ``changes`` for all but the same, or ``all``."""
        if show == "all":
            return list(self.rows)
        if show in {"joins", "leaves", "same", "changed"}:
            op = "changes" if show == "changed" else show
            return [row for row in self.rows if row.op == op]
        return [row for row in self.rows if row.op != "same"]

    def count(self, show: str) -> int:
        """Return how many rows a filter shows."""
        return len(self.of(show))


def diff_of(wish: Wish, changes: Sequence[Change]) -> Diff:
    """Return what the page shows of these changes."""
    own: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind in OF_PEOPLE:
            own[change.subject].append(change)
    wanted = {person.name: person for person in wish.people}
    rows = [_row(name, wanted.get(name), own.get(name, [])) for name in {**own, **wanted}]
    rows.sort(key=lambda row: (OPS.index(row.op), row.line, row.name))
    others = tuple(change for change in changes if change.kind not in OF_PEOPLE)
    return Diff(tuple(rows), others, count_of(changes), fingerprint(wish, changes))


def fingerprint(wish: Wish, changes: Sequence[Change]) -> str:
    """Return what identifies these changes of this cohort."""
    text = "\n".join([wish.cohort, *map(str, changes)])
    return hashlib.sha256(text.encode()).hexdigest()


def _row(name: str, wanted: WantedPerson | None, changes: Sequence[Change]) -> DiffRow:
    seats = [change for change in changes if change.kind == "seat"]
    new = tuple(change.role for change in seats if change.sign == "+")
    gone = tuple(change.role for change in seats if change.sign == "-")
    roles = wanted.roles if wanted else ()
    kept = tuple(role for role in roles if role not in new)
    op = _op(wanted, changes, joins=bool(new) and not kept and not gone)
    return DiffRow(
        op=op,
        line=wanted.line if wanted else 0,
        name=name,
        display_name=wanted.display_name if wanted else "",
        kept=kept,
        gone=gone,
        new=new,
        happens=tuple(_happens(op, new, changes)),
    )


def _op(wanted: WantedPerson | None, changes: Sequence[Change], *, joins: bool) -> str:
    if wanted is None:
        return "leaves"
    if not changes:
        return "same"
    if any(change.kind == "left" for change in changes):
        return "out"
    return "joins" if joins else "changes"


def _happens(op: str, new: Sequence[str], changes: Sequence[Change]) -> list[str]:
    if op == "leaves":
        return [_("The seat in this cohort ends. Work, evidence and credentials are kept.")]
    if op == "same":
        return [_("Nothing")]
    if op == "joins":
        dated = [c.detail for c in changes if c.kind == "seat" and "," in c.detail]
        first = _("May sign in and take part as {roles}.").format(roles=listed(new))
        told = [c.detail for c in changes if (c.kind, c.sign) == ("person", "~")]
        return [first, *told, *dated]
    return [change.detail for change in changes]
