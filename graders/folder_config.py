"""Read what a plain nbgrader course folder configures, without running any of it.

Law: `nbgrader_config.py` is a program of somebody else's: it is parsed, never
executed. Assignments of literal values to names on the list below count;
everything else is named, with its line, and left out. A value that would lead
grading out of the folder, or hand scores to somebody's own code, is refused.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _

CONFIG, CONFIG_JSON = "nbgrader_config.py", "nbgrader_config.json"
OWN_PLUGINS = {
    "LateSubmissionPlugin",
    "nbgrader.plugins.LateSubmissionPlugin",
    "nbgrader.plugins.latesubmission.LateSubmissionPlugin",
}
PLUGIN = "AssignLatePenalties.plugin_class"
NAMES = list[str]
HERE: dict[str, Any] = {
    "CourseDirectory.course_id": str,
    "CourseDirectory.db_url": str,
    "CourseDirectory.directory_structure": str,
    "CourseDirectory.source_directory": str,
    "CourseDirectory.submitted_directory": str,
    "CourseDirectory.autograded_directory": str,
    "CourseDirectory.ignore": NAMES,
    "CourseDirectory.student_id_exclude": str,
    "CourseDirectory.groupshared": bool,
    "Autograde.create_student": bool,
    "Autograde.exclude_overwriting": dict,
    "Autograde.permissions": int,
    "BaseConverter.permissions": int,
    "LateSubmissionPlugin.penalty_method": str,
    PLUGIN: str,
    "NotebookClient.timeout": int,
    "ExecutePreprocessor.timeout": int,
    "Execute.timeout": int,
}
"""What the folder's own bookkeeping uses, and the type of its value."""
INSIDE: dict[str, Any] = {
    "Execute.execute_retries": int,
    "Execute.error_on_timeout": dict,
    "Execute.allow_errors": bool,
    "ExecutePreprocessor.allow_errors": bool,
    "IgnorePattern.enabled": bool,
    "IgnorePattern.pattern": str,
    "LimitOutput.max_lines": int,
    "LimitOutput.max_traceback": int,
    "OverwriteCells.add_missing_cells": bool,
    "OverwriteCells.missing_cell_notification": str,
    "ClearMetadataPreprocessor.enabled": bool,
}
"""What nbgrader's own steps use while they grade one submission."""
SCORING = {name.partition(".")[0] for name in (*HERE, *INSIDE)} | {
    "CheckCellMetadata",
    "ClearOutput",
    "DeduplicateIds",
    "KernelManager",
    "NbGraderPreprocessor",
    "OverwriteKernelspec",
    "Preprocessor",
    "SaveAutoGrades",
    "",
}
_HARMLESS = (ast.Import, ast.ImportFrom, ast.Pass)
_NONE = object()
_VARIABLE = "(variable)"
"""Stands for a name of the file's own: by itself it changes nothing."""


@dataclass
class FolderConfig:
    """What of a folder's configuration counts.

    Attributes:
        used: Values by name, such as `CourseDirectory.course_id`.
        may_matter: What was left out and could change a score, as `file:line: text`.
        aside: What was left out and has nothing to do with grading.
    """

    used: dict[str, Any] = field(default_factory=dict)
    may_matter: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def get(self, name: str, default: Any) -> Any:
        """Return a value, or the default where none was given."""
        return self.used.get(name, default)

    @property
    def inside(self) -> dict[str, dict[str, Any]]:
        """What nbgrader's steps must be told, by class and option."""
        found: dict[str, dict[str, Any]] = {}
        for name in INSIDE.keys() & self.used.keys():
            kind, _dot, trait = name.partition(".")
            found.setdefault(kind, {})[trait] = self.used[name]
        return found


def read_config(root: Path) -> FolderConfig:
    """Read the configuration files of a course folder.

    Raises:
        InputError: One cannot be parsed, or hands the late penalty to code of its own.
    """
    found = FolderConfig()
    for name, parse in ((CONFIG, _python), (CONFIG_JSON, _json)):
        path = root / name
        if path.is_file():
            _take(found, path.name, parse(path))
    return found


def _take(found: FolderConfig, file: str, entries: Iterator[tuple[int, str, Any, str]]) -> None:
    for line, name, value, text in entries:
        where = f"{file}:{line}" if line else file
        kind = name.partition(".")[0]
        if name == PLUGIN and value not in OWN_PLUGINS:
            raise InputError([_foreign_plugin(where, text)])
        wanted = HERE.get(name) or INSIDE.get(name)
        if wanted and _is(value, wanted):
            found.used[name] = value
        else:
            matters = kind in SCORING and name != "CourseDirectory.root"
            (found.may_matter if matters else found.aside).append(f"{where}: {text}")


def _is(value: Any, wanted: Any) -> bool:
    if wanted is NAMES:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if wanted is int and isinstance(value, bool):
        return False
    return isinstance(value, wanted)


def _foreign_plugin(where: str, text: str) -> Problem:
    return Problem(
        where,
        _("the late penalty is computed by a plugin of the course: {text}.").format(text=text),
        _("Only nbgrader's own LateSubmissionPlugin is used here; code of a course is not run."),
        _("Take the line out, or grade with: nbgrader autograde"),
    )


def _json(path: Path) -> Iterator[tuple[int, str, Any, str]]:
    """Yield every value of a JSON configuration."""
    try:
        content = json.loads(path.read_text("utf-8"))
        sections = content.items()
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError([_unreadable(path.name, error)]) from error
    for kind, values in sections:
        for trait, value in values.items() if isinstance(values, Mapping) else ():
            yield 0, f"{kind}.{trait}", value, f"{kind}.{trait}"


def _python(path: Path) -> Iterator[tuple[int, str, Any, str]]:
    """Yield every statement of a Python configuration: line, name, value, text."""
    try:
        text = path.read_text("utf-8")
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise InputError([_unreadable(path.name, error)]) from error
    imported = dict(_imported(tree))
    for statement in tree.body:
        if isinstance(statement, _HARMLESS) or _only_gets_config(statement):
            continue
        said = (ast.get_source_segment(text, statement) or "").splitlines()[0][:80]
        name, value = _assigned(statement, imported)
        yield statement.lineno, name, value, said


def _unreadable(where: str, error: Exception) -> Problem:
    said = _("it cannot be read ({error}).").format(error=str(error).splitlines()[0])
    return Problem(where, said, next=_("Correct it, or move it away."))


def _only_gets_config(statement: ast.stmt) -> bool:
    """Say whether this is a text without effect or `c = get_config()`."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "get_config"
    )


def _assigned(statement: ast.stmt, imported: Mapping[str, str]) -> tuple[str, Any]:
    """Return what `c.Class.option = value` assigns; an empty name where it is no such line."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return "", _NONE
    match statement.targets[0]:
        case ast.Attribute(attr=trait, value=ast.Attribute(attr=kind, value=ast.Name())):
            return f"{kind}.{trait}", _literal(statement.value, imported)
        case ast.Name():
            return _VARIABLE, _NONE
    return "", _NONE


def _literal(node: ast.expr, imported: Mapping[str, str]) -> Any:
    """Return the value of a literal, or where an imported name comes from; nothing is run."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, _NONE)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _NONE


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            for name in statement.names:
                yield name.asname or name.name, f"{statement.module}.{name.name}"
