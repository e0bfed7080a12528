"""Read and write tables as CSV, as every program does.

Law: UTF-8, one line end, and the same rows give the same bytes; what cannot be
read is refused in a sentence. Pure.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _

MAX_BYTES = 8 * 2**20


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as a file holds it."""
    return csv_text(head, rows).encode()


def csv_rows(content: bytes, name: str, most: int = MAX_BYTES) -> list[tuple[int, list[str]]]:
    """Return the rows of a table, each with the line at which it ends; the head is the first.

    Args:
        content: The file.
        name: What it is called in a message.
        most: Bytes that are read.

    Raises:
        InputError: Too large, not UTF-8, or no CSV.
    """
    if len(content) > most:
        text = _("is larger than {n} MB.").format(n=most // 2**20)
        raise InputError([Problem(name, text, next=_("Take out what is not needed."))])
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return [(reader.line_num, row) for row in reader if any(row)]
    except UnicodeDecodeError:
        step = _("Save it as CSV UTF-8.")
        raise InputError([Problem(name, _("is not UTF-8 text."), next=step)]) from None
    except csv.Error as error:
        text = _("is no CSV that can be read: {reason}.").format(reason=error)
        step = _("Save it as CSV UTF-8.")
        raise InputError([Problem(f"{name}:{reader.line_num}", text, next=step)]) from None
