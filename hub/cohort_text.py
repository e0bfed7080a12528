"""Turn the bytes of a CSV or TOML file into text and rows, as spreadsheet programs write them.

Law: nothing is guessed that could change a name. UTF-8 and marked UTF-16 are read; an old
code page would be a guess, so it is refused with the way out.
"""

import codecs
import csv
import io

from bioskills.base.problems import InputError
from bioskills.base.text import _
from bioskills.hub.cohort_columns import CSV_KEYS
from bioskills.hub.cohort_rows import Numbered
from bioskills.hub.cohort_wish import Fault

SEPARATORS = (",", ";", "\t")
MOST_ROWS = 20_000
LONGEST_FIELD = 10_000


def text_of(content: bytes, file: str) -> str:
    """Return the text of a file.

    Raises:
        InputError: It is in no encoding that says which one it is.
    """
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        what, step = _("is not UTF-8 text."), _("Save it as CSV UTF-8, or as a workbook (.xlsx).")
        raise InputError([Fault(file, what, next=step)]) from error
    if "\0" in text:
        what = _("is not text.")
        raise InputError([Fault(file, what, next=_("Save it as CSV UTF-8."))])
    return text


def table_of(text: str, file: str) -> list[Numbered]:
    """Return the rows of a CSV text with their line numbers; comma, semicolon or tab part them.

    Raises:
        InputError: It is no CSV, or far too long.
    """
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text), delimiter=separator_of(text), skipinitialspace=True)
    rows: list[Numbered] = []
    try:
        for values in reader:
            if values or rows:
                rows.append((reader.line_num, values))
            if len(rows) > MOST_ROWS:
                what = _("has more than {n} rows.").format(n=MOST_ROWS)
                raise InputError([Fault(file, what, next=_("Make one file for each cohort."))])
    except csv.Error as error:
        what = _("is not CSV: {error}.").format(error=error)
        raise InputError([Fault(file, what, line=reader.line_num)]) from error
    return rows


def separator_of(text: str) -> str:
    """Return what parts the columns: what makes most names of ours out of the first line."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def known(separator: str) -> int:
        return sum(name.strip(' "').lower() in CSV_KEYS for name in first.split(separator))

    return max(SEPARATORS, key=known)
