"""Write a table as a file for spreadsheet programs: CSV and XLSX.

Law: a number stays a number, a text stays a text: no cell can become a formula, a
link or a date, whatever it begins with. Pure.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from bioskills.hub.formula_guard import guarded

BOM = "\ufeff"
"""Spreadsheets read the file as UTF-8 only with this mark in front."""
Cell = str | Decimal | None
"""Text, an exact number, or nothing."""

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv; charset=utf-8"
_PLAIN = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_SHEET_NAME_CHARS = 31
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", "-"))
_WIDEST = 40


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return the table as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([guarded(text) for text in head])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return BOM + buffer.getvalue()


def as_xlsx(sheet: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return the table as a workbook of one sheet; head and first column stay in sight."""
    buffer = io.BytesIO()
    with Workbook(buffer, _PLAIN) as book:
        page = book.add_worksheet(sheet.translate(_FORBIDDEN)[:_SHEET_NAME_CHARS] or "1")
        bold = book.add_format({"bold": True, "text_wrap": True})
        page.freeze_panes(1, 1)
        for column, text in enumerate(head):
            page.write_string(0, column, guarded(text), bold)
            page.set_column(column, column, _width([text, *(row[column] for row in rows)]))
        for number, row in enumerate(rows, start=1):
            _write(page, number, row)
    return buffer.getvalue()


def _write(page: Worksheet, number: int, row: Sequence[Cell]) -> None:
    for column, cell in enumerate(row):
        if isinstance(cell, Decimal):
            page.write_number(number, column, cell)
        elif cell:
            page.write_string(number, column, guarded(cell))


def _plain(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return guarded(cell or "")


def _width(cells: Iterable[Cell]) -> int:
    return min(_WIDEST, max(len(str(cell or "")) for cell in cells) + 2)
