"""Read a workbook (XLSX, ODS) that somebody uploaded, and write the empty template.

Law: a workbook is hostile until it is read. It is measured before anything opens it, and
parsed by a child that has little memory and little time, so that a zip bomb or a sheet
with a cell in its last corner costs a sentence and nothing else. Formulas are read as
the values that the spreadsheet program stored.
"""

import io
import json
import subprocess
import sys
import zipfile
import zlib

import xlsxwriter  # type: ignore[import-untyped]  # it has no stubs

from bioskills.base.problems import InputError
from bioskills.base.text import _
from bioskills.hub.cohort_columns import COLUMNS, CSV_KEYS
from bioskills.hub.cohort_rows import Numbered
from bioskills.hub.cohort_text import MOST_ROWS
from bioskills.hub.cohort_wish import Fault

KINDS = (".xlsx", ".ods")
MB = 1024 * 1024
MOST_BYTES = 2 * MB
MOST_UNPACKED = 30 * MB
MOST_ENTRIES = 200
TIMEOUT_S = 30
CHILD = "bioskills.hub.cohort_book_child"


def tables_of(content: bytes, file: str) -> dict[str, list[Numbered]]:
    """Return the rows of every sheet with their numbers.

    Raises:
        InputError: It is no workbook, or larger than any list of people.
    """
    _measure(content, file)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", CHILD],
            input=content,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            env={},
        )
        sheets = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        sheets = None
    if not sheets:
        raise InputError([Fault(file, _("cannot be read as a workbook."), next=_again())])
    found = {name: _numbered(rows) for name, rows in sheets.items()}
    if any(len(rows) > MOST_ROWS for rows in found.values()):
        raise _too_large(file, _("has more than {n} rows.").format(n=MOST_ROWS))
    return found


def _numbered(rows: list[tuple[int, list[str]]]) -> list[Numbered]:
    return [(number, row) for number, row in rows]


def _measure(content: bytes, file: str) -> None:
    if len(content) > MOST_BYTES:
        raise _too_large(file, _("is larger than {n} MB.").format(n=MOST_BYTES // MB))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MOST_UNPACKED or len(entries) > MOST_ENTRIES:
                raise _too_large(file, _("unpacks to far more than a list of people."))
            # Reads every entry through: one that says less than it holds fails here.
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        broken = file
    if broken:
        raise InputError([Fault(file, _("is not a workbook, or is damaged."), next=_again())])


def _too_large(file: str, what: str) -> InputError:
    return InputError([Fault(file, what, next=_("Copy the list alone into a new workbook."))])


def _again() -> str:
    return _("Save it again as .xlsx or as CSV UTF-8; a protected workbook cannot be read.")


def template_csv() -> str:
    """Return the empty template as CSV: the first line alone, after a byte order mark for Excel."""
    return "\ufeff" + ",".join(CSV_KEYS) + "\r\n"


def template_book() -> bytes:
    """Return the empty template as a workbook: a sheet for each table, and one that explains."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    bold = book.add_format({"bold": True})
    text = book.add_format({"num_format": "@"})
    for table in ("people", "cohort", "runs"):
        sheet = book.add_worksheet(table)
        names = [
            c.name for c in COLUMNS if c.table == table or (table, c.table) == ("cohort", "limits")
        ]
        sheet.set_column(0, len(names) - 1, 18, text)
        sheet.write_row(0, 0, names, bold)
        sheet.freeze_panes(1, 0)
    guide = book.add_worksheet("what the columns mean")
    guide.set_column(0, 1, 16)
    guide.set_column(2, 2, 80)
    guide.write_row(0, 0, ["sheet", "column", "meaning", "example"], bold)
    for row, column in enumerate(COLUMNS, 1):
        place = "cohort" if column.table == "limits" else column.table
        guide.write_row(row, 0, [place, column.name, column.meaning, column.example])
    book.close()
    return target.getvalue()
