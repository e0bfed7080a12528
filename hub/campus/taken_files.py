"""Give out a table as a file, and write down who took it.

Law: CSV and XLSX by the one writer; each file that is taken is in the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import Response

from bioskills.base import tables
from bioskills.hub.campus import spreadsheets
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.site import Site


@dataclass(frozen=True)
class Sheet:
    """A table as a file holds it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[spreadsheets.Cell]]


def as_file(name: str, sheet: Sheet, kind: str) -> Response:
    """Return a table as a file of this kind: ``csv`` or ``xlsx``."""
    if kind == "xlsx":
        content: str | bytes = spreadsheets.as_xlsx(sheet.title, sheet.head, sheet.rows)
    else:
        content = spreadsheets.as_csv(sheet.head, sheet.rows)
    return Response(
        content,
        media_type=spreadsheets.XLSX_TYPE if kind == "xlsx" else spreadsheets.CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )


def note_taken(site: Site, caller: Browser, action: str, subject: str, **detail: object) -> None:
    """Write into the audit log that somebody took a file."""
    with site.store.transaction() as session:
        entry = tables.AuditEntry(
            at=site.clock(), actor=caller.pseudonym, action=action, subject=subject, detail=detail
        )
        session.add(entry)
