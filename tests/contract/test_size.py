"""Functions and files stay short: marks, with the longest named when one is missed."""

import ast
from statistics import quantiles

from clone import CLONE, modules, name_of

MEDIAN_LINES = 8
NINETY_PERCENT_LINES = 25
FILE_LINES = 300
LONGER_FILES = {
    "extensions/base/settings.py": "a table: one entry per option, with its description",
    "extensions/base/tables.py": "every table on one page: the data model is read as a whole",
    "extensions/base/migrations/versions/0001_first_tables.py": "written by Alembic from the tables",
    "extensions/base/wire.py": "every model that travels on one page: the API is read as a whole",
}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines that hold code: no docstring, no comment, no blank."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return len({node.lineno for part in body for node in ast.walk(part) if hasattr(node, "lineno")})


def functions() -> dict[str, int]:
    found = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{name_of(path)}:{node.lineno} {node.name}"] = code_lines(node)
    return found


def longest(found: dict[str, int]) -> str:
    return "\n".join(
        f"{lines:4} {name}" for name, lines in sorted(found.items(), key=lambda f: -f[1])[:15]
    )


def test_half_of_the_functions_fit_in_eight_lines() -> None:
    found = functions()

    assert quantiles(found.values(), n=2)[0] <= MEDIAN_LINES, longest(found)


def test_nine_of_ten_functions_fit_in_twenty_five_lines() -> None:
    found = functions()

    assert quantiles(found.values(), n=10)[8] <= NINETY_PERCENT_LINES, longest(found)


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    found = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    long = {name: lines for name, lines in found.items() if lines > FILE_LINES}

    assert {name: lines for name, lines in long.items() if name not in LONGER_FILES} == {}
    assert [name for name in LONGER_FILES if not (CLONE / name).is_file()] == []
