"""The columns of a cohort file as a table of data.

Law: every form of the file (CSV, workbook, TOML) has these columns and no others; the empty
template and the reference page are made from here. A workbook's sheets and a TOML file's
tables are named like the column's table; a CSV file holds all of them in each row.
"""

from dataclasses import dataclass

from bioskills.hub.cohort_limits import LAB_LIMITS

OFFERED_ENVIRONMENTS = ("course",)
"""Environments for course work that this installation offers to labs."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        table: ``people``, ``runs``, ``cohort`` or ``limits``.
        meaning: One sentence for the reference.
        example: A value that is read, for the template.
        csv: Its name in a CSV file, where it differs.
    """

    table: str
    name: str
    meaning: str
    example: str = ""
    csv: str = ""


def _limit(name: str) -> Column:
    return Column("limits", name, "Of each learner's lab; empty: as in the settings.")


COLUMNS: tuple[Column, ...] = (
    Column(
        "people",
        "name",
        "User name for signing in: 1 to 40 of a-z, 0-9, dot and hyphen. Needed.",
        "lea.brandt",
    ),
    Column("people", "display_name", "The name on pages; empty: the user name.", "Lea Brandt"),
    Column("people", "email", "Mail address; may be empty, never twice.", "lea@example.org"),
    Column("people", "roles", "One or more roles, with a space between them. Needed.", "learner"),
    Column("people", "tags", "Words to sort people by, with a space between them.", "evening"),
    Column(
        "people",
        "from",
        "The seat begins: a date, or a date with a time. Empty: when the file is applied.",
        "2027-03-01",
    ),
    Column("people", "to", "The seat ends: a date counts to its end. Empty: no end.", "2027-06-30"),
    Column(
        "people",
        "pseudonym",
        "Shown in lists that were saved from here; never changed by a file.",
    ),
    Column(
        "people",
        "returns",
        "yes: somebody who has left the cohort takes part again. Empty: who has left stays out.",
    ),
    Column("cohort", "slug", "The cohort's short name. Needed.", "spring-27", csv="cohort"),
    Column("cohort", "title", "The cohort's name on pages.", "Spring 2027"),
    Column("cohort", "seats", "Most learners in the cohort; more are refused.", "24"),
    Column(
        "cohort",
        "environment",
        f"Environment of course work. This version offers: {', '.join(OFFERED_ENVIRONMENTS)}.",
        "course",
    ),
    Column(
        "runs",
        "slug",
        "The run's short name; empty: cohort and course.",
        "spring-27-sequences",
        csv="run",
    ),
    Column(
        "runs",
        "course",
        "An installed course. Needed for a run.",
        "sequences-first-steps",
    ),
    Column("runs", "version", "Its version; empty: the one that was installed last."),
    Column("runs", "opens", "The run opens: a date with a time.", "2027-03-01T09:00"),
    Column("runs", "closes", "The run closes; a date counts to its end.", "2027-05-31"),
    Column(
        "runs",
        "time_zone",
        "IANA zone of dates that name none; empty: the site's.",
        "Europe/Berlin",
    ),
    *map(_limit, LAB_LIMITS),
)


def keys_of(table: str) -> tuple[str, ...]:
    """Return the names of a table's columns, as a workbook or TOML spells them."""
    return tuple(column.name for column in COLUMNS if column.table == table)


PERSON_KEYS = keys_of("people")
RUN_KEYS = keys_of("runs")
COHORT_KEYS = keys_of("cohort")
CSV_KEYS = tuple(column.csv or column.name for column in COLUMNS)
TABLES = ("cohort", "people", "runs", "limits")
