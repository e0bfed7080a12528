"""Write the reference pages from the code, or compare them with it.

Law: a reference page is never edited by hand. Run it with `make docs`;
`--check` changes nothing and fails where a page is not what the code says.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from bioskills.base.commands import build_parser, nouns
from bioskills.base.settings_command import reference_page
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.cohort_columns import COLUMNS
from bioskills.hub.role_routes import CAMPUS_ROUTES, HUB_ROUTES, Opening
from bioskills.hub.role_words import words_of
from bioskills.hub.roles import EVERYBODY, ROLE_TABLE

COLUMNS_INTRODUCTION = """\
A list of people has these columns and no others, in whatever order and form.
A CSV file or a workbook of one sheet holds all of them in each row; a workbook may have the sheets `people`, `cohort` (with the limits) and `runs` instead; a TOML file has the tables `[cohort]`, `[limits]`, `[[people]]` and `[[runs]]`.
In CSV, two columns have another name, because there the word alone would say too little: `cohort` and `run` for the two called `slug`."""
REFERENCE = Path(__file__).parent / "reference"
ROLES_INTRODUCTION = """\
A role comes from a seat in a cohort; `bioskills cohort apply` gives and ends seats.
`{cohort}` stands for the cohort's name: no hub scope of a cohort's role reaches beyond it.
An admin's scopes count on the cohort `platform` alone."""
ROUTES_INTRODUCTION = """\
Every address of the campus is here, and who opens it; what is not named is refused. A test asks each one as each role, for its own cohort and for another, and expects exactly this table.
A program with a token is kept to its own run and to what is its owner's; the grader alone serves every run."""
NOTE = "<!-- Made by `make docs`; change the help texts in the code. -->"


def commands_page() -> str:
    """Return the reference page of all commands."""
    points = [point for found in nouns().values() for point in found]
    parts = ["# Commands", NOTE, "Every command has `--help`.", *_entries(build_parser(points))]
    return "\n\n".join(parts) + "\n"


def _entries(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to walk
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        for name, child in action.choices.items():
            yield _entry(child, helps.get(name, ""))
            yield from _entries(child)


def _entry(parser: argparse.ArgumentParser, summary: str) -> str:
    about = parser.description or (summary[:1].upper() + summary[1:]).rstrip(".") + "."
    lines = [f"## {parser.prog}", about]
    arguments = [_argument(action) for action in parser._actions if _is_shown(action)]  # noqa: SLF001
    lines += ["\n".join(arguments)] if arguments else []
    lines += [f"`{parser.epilog}`"] if parser.epilog else []
    return "\n\n".join(lines)


def _is_shown(action: argparse.Action) -> bool:
    hidden = argparse._HelpAction | argparse._SubParsersAction  # noqa: SLF001
    return not isinstance(action, hidden)


def _argument(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    return f"- `{name}`: {action.help or ''}".rstrip(": ")


def roles_page() -> str:
    """Return the reference page of the roles: what each is for, and what the hub gives it."""
    parts = [
        "# Roles",
        NOTE.replace("help texts in the code", "tables in hub/roles.py and hub/role_routes.py"),
        ROLES_INTRODUCTION,
        f"Everybody with a seat has the hub scopes {_codes(EVERYBODY)}: the own lab, the campus, the lab's verbs.",
    ]
    for name, rule in ROLE_TABLE.items():
        scopes = _codes(rule.scopes) or "none beyond everybody's"
        facts = f"- Hub group: `{rule.group}`\n- Hub scopes: {scopes}"
        parts += [f"## {name}", rule.purpose, facts]
    parts += ["## Who opens what", ROUTES_INTRODUCTION, _routes(CAMPUS_ROUTES, CAMPUS_PREFIX)]
    parts += ["What we add to the hub:", _routes(HUB_ROUTES, "/hub/")]
    return "\n\n".join(parts) + "\n"


def _routes(table: tuple[Opening, ...], prefix: str) -> str:
    lines = ["| address | opened by |", "|---|---|"]
    for row in table:
        path = prefix.rstrip("/") if row.path == ".." else prefix + row.path
        lines.append(f"| `{row.method} {path}` | {words_of(row)} |")
    return "\n".join(lines)


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def columns_page() -> str:
    """Return the reference page of the columns of a list of people."""
    head = "| Column | In CSV | Meaning | Such as |\n|---|---|---|---|\n"
    parts = [
        "# Columns of a list of people",
        NOTE.replace("help texts in the code", "table in hub/cohort_columns.py"),
        COLUMNS_INTRODUCTION,
    ]
    for table in ("people", "cohort", "limits", "runs"):
        rows = "\n".join(
            f"| `{c.name}` | `{c.csv or c.name}` | {c.meaning} | {_codes((c.example,)) if c.example else ''} |"
            for c in COLUMNS
            if c.table == table
        )
        parts += [f"## {table}", head + rows]
    return "\n\n".join(parts) + "\n"


PAGES = {
    "columns.md": columns_page,
    "commands.md": commands_page,
    "roles.md": roles_page,
    "settings.md": reference_page,
}


def main(argv: list[str]) -> int:
    """Write or check every page; return the exit code."""
    stale = []
    for name, make in PAGES.items():
        file, text = REFERENCE / name, make()
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in argv:
            file.write_text(text, encoding="utf-8")
    if stale:
        print(
            ", ".join(stale),
            "not what the code says; run: make docs" if "--check" in argv else "written",
        )
    return 1 if stale and "--check" in argv else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
