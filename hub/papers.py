"""Keep which paper is in force, and who was shown which.

Law: a person is told, not asked. What is kept is that a text was shown, in
which language and when; nothing here says that anybody agreed. The campus
writes what is in force; hub and campus both ask here whether somebody must
still be shown it.

Vocabulary: a *paper* is one text in all its languages; a *part* has a title
and lines; a *version* is a state of a paper.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bioskills.base.tables import Person
from bioskills.base.tables_papers import PaperSeen, PaperVersion

PRIVACY = "privacy"


@dataclass(frozen=True)
class Line:
    """A paragraph, or one item of a list."""

    text: str
    item: bool = False


@dataclass(frozen=True)
class Part:
    """A piece of a paper under a title of its own."""

    title: str
    lines: tuple[Line, ...]


Texts = Mapping[str, Sequence[Part]]
"""A paper by language."""


@dataclass(frozen=True)
class Changed:
    """A part that is not as it was; `before` is empty for a new one, `now` for one that is gone."""

    title: str
    before: tuple[Line, ...]
    now: tuple[Line, ...]


def put_in_force(session: Session, texts: Texts, now: datetime, paper: str = PRIVACY) -> None:
    """Make these texts the paper that counts; the same texts again change nothing."""
    rows = {language: [asdict(part) for part in parts] for language, parts in texts.items()}
    sha256 = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    newest = in_force(session, paper)
    if newest is None or newest.sha256 != sha256:
        session.add(PaperVersion(paper=paper, sha256=sha256, texts=rows, since=now))


def in_force(session: Session, paper: str = PRIVACY) -> PaperVersion | None:
    """Return the version that counts, if the campus has written one."""
    table = PaperVersion
    chosen = select(table).where(table.paper == paper).order_by(table.id.desc()).limit(1)
    return session.scalar(chosen)


def is_due(session: Session, name: str, paper: str = PRIVACY) -> bool:
    """Say whether this person must still be shown the version in force."""
    newest = select(PaperVersion.id).where(PaperVersion.paper == paper)
    version = session.scalar(newest.order_by(PaperVersion.id.desc()).limit(1))
    person = session.scalar(select(Person.id).where(Person.name == name))
    if version is None or person is None:
        return False
    shown = select(PaperSeen.id).where(
        PaperSeen.person_id == person, PaperSeen.paper_version_id == version
    )
    return session.scalar(shown) is None


def last_seen(
    session: Session, person_id: int, paper: str = PRIVACY
) -> tuple[PaperSeen, PaperVersion] | None:
    """Return what this person was shown last, and when; None for nothing."""
    found = session.execute(
        select(PaperSeen, PaperVersion)
        .join(PaperVersion, PaperVersion.id == PaperSeen.paper_version_id)
        .where(PaperSeen.person_id == person_id, PaperVersion.paper == paper)
        .order_by(PaperSeen.id.desc())
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def note_seen(
    session: Session, person_id: int, version_id: int, language: str, now: datetime
) -> None:
    """Write down that a person was shown a version; a second time changes nothing."""
    table = PaperSeen
    there = select(table.id).where(
        table.person_id == person_id, table.paper_version_id == version_id
    )
    if session.scalar(there) is None:
        shown = {"person_id": person_id, "paper_version_id": version_id}
        session.add(PaperSeen(**shown, language=language, seen_at=now))


def parts_of(version: PaperVersion, language: str) -> tuple[Part, ...]:
    """Return a version in this language, else in the first it has."""
    rows: list[dict[str, Any]] = version.texts.get(language) or next(iter(version.texts.values()))
    return tuple(
        Part(row["title"], tuple(Line(line["text"], line["item"]) for line in row["lines"]))
        for row in rows
    )


def changes(before: Sequence[Part], after: Sequence[Part]) -> list[Changed]:
    """Return the parts that are not as they were, those of today in their order, gone ones last."""
    old = {part.title: part.lines for part in before}
    new = {part.title: part.lines for part in after}
    found = [
        Changed(title, old.get(title, ()), lines)
        for title, lines in new.items()
        if old.get(title) != lines
    ]
    return found + [Changed(title, old[title], ()) for title in old if title not in new]
