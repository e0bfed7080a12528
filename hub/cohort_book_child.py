"""Parse a workbook from the standard input, with little memory and little time.

Law: run as a process of its own by `cohort_book.py`, as nobody where root calls; writes
the rows of every sheet that hold anything as JSON, with their numbers. A date is written as it reads in a CSV file; a whole number without its point.
"""

import datetime as dt
import io
import json
import os
import resource
import sys
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_S = 20
MOST_ROWS = 20_000
"""As `cohort_text.MOST_ROWS`; nothing of ours is imported into this process."""
NOBODY = 65534


def text_of(value: object) -> str:
    """Return a cell as a CSV file would hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.replace(microsecond=0).isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def rows_of(sheet: Any) -> list[tuple[int, list[str]]]:
    """Return the rows that hold anything with their numbers; one more than is read says: too many."""
    found: list[tuple[int, list[str]]] = []
    for number, row in enumerate(sheet.iter_rows(), 1):
        texts = list(map(text_of, row))
        if any(texts):
            found.append((number, texts))
        if len(found) > MOST_ROWS:
            break
    return found


def _become_nobody() -> None:
    # The list may come from a partner: its parser has no business with root.
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def main() -> int:
    """Read, parse, write."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - below the limits

    _become_nobody()
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    found = {name: rows_of(book.get_sheet_by_name(name)) for name in book.sheet_names}
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
