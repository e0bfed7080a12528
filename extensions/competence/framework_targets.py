"""The local table of entries of other frameworks: which there are, and where.

Law: facts only. An address that we do not know stays empty and is never made
up; a crosswalk may name only what is in this table or in the folder's own.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.competence.framework_reading import TARGETS
from bioskills.competence.tables import csv_rows

COLUMNS = ("framework", "version", "code", "title", "uri", "source")
_SHIPPED = Path(__file__).parent / "frameworks" / TARGETS


class Target(NamedTuple):
    """One entry of another framework.

    Attributes:
        uri: Its address; empty where we do not know it.
        source: Where the entry was read.
    """

    framework: str
    version: str
    code: str
    title: str
    uri: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it: framework, version and code."""
        return self.framework, self.version, self.code


Targets = Mapping[tuple[str, str, str], Target]


@cache
def shipped_targets() -> Targets:
    """Return the table that comes with this package."""
    return {target.key: target for target in read_targets(_SHIPPED.read_bytes())}


def known_targets(own: bytes | None) -> Targets:
    """Return the shipped table and a folder's own `targets.csv`, which adds to it.

    Raises:
        InputError: With every faulty row of the folder's own.
    """
    return {**{t.key: t for t in read_targets(own or b"")}, **shipped_targets()}


def read_targets(content: bytes) -> list[Target]:
    """Return the rows of a table.

    Raises:
        InputError: With every faulty row.
    """
    rows = csv_rows(content, TARGETS)
    if not rows:
        return []
    problems = list(_head_faults(rows[0][1]))
    found: dict[tuple[str, str, str], Target] = {}
    for number, row in rows[1:]:
        fault = _row_fault(row)
        target = Target(*row) if not fault else None
        if target and target.key in found:
            fault = _("{code} is there twice.").format(code=target.code)
        if fault or target is None:
            step = _("Correct the row: {columns}").format(columns=",".join(COLUMNS))
            problems.append(Problem(f"{TARGETS}:{number}", fault, next=step))
        else:
            found[target.key] = target
    if problems:
        raise InputError(problems)
    return list(found.values())


def _head_faults(head: list[str]) -> Iterator[Problem]:
    if tuple(head) != COLUMNS:
        text = _("has the columns {found}.").format(found=",".join(head))
        step = _("Give exactly these: {columns}").format(columns=",".join(COLUMNS))
        yield Problem(f"{TARGETS}:1", text, next=step)


def _row_fault(row: list[str]) -> str:
    if len(row) != len(COLUMNS):
        return _("has {n} cells, not {most}.").format(n=len(row), most=len(COLUMNS))
    framework, version, code, _title, uri, source = row
    if not (framework and version and code and source):
        return _("needs framework, version, code and source.")
    if uri and not uri.startswith(("https://", "http://", "urn:")):
        return _("has the address {uri}, which is no https:, http: or urn: address.").format(
            uri=uri
        )
    return ""
