"""Judge what a learner's code defines, and what it puts in the place of something else.

Law: pure; reads a syntax tree, never runs it. A finding is a code and a name of
Python's or a library's, never a learner's own.
"""

import ast

from bioskills.graders.screening_calls import CallReader
from bioskills.graders.screening_objects import always_says, parameters_of
from bioskills.graders.screening_tables import DECIDERS, FREE_MODULES, SETTINGS

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reader(CallReader):
    """Reads one cell whole."""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Judge the methods of a class."""
        for part in node.body:
            if isinstance(part, Function):
                self.judge_method(part.name, part)
            elif isinstance(part, ast.Assign):
                for target in part.targets:
                    self.judge_method(getattr(target, "id", ""), part.value)
        self._defined(node.name, False)
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Judge what a function takes the place of."""
        if not self.depth:
            self._defined(node.name, always_says(node) or not parameters_of(node))
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def _defined(self, name: str, blind: bool) -> None:
        if self.depth:
            return
        self.functions[name] = True
        if name in self.rules.helpers:
            self.note("helper_redefined")
        if blind and name in DECIDERS:
            self.note("shadowed_builtin", name)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Judge what gets a new value."""
        for target in node.targets:
            self._assigned(target, node.value)
        self.generic_visit(node)

    def _assigned(self, target: ast.AST, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if self.path_of(value):
                self.modules[target.id] = self.path_of(value)
            if isinstance(value, ast.Lambda):
                self._defined(target.id, always_says(value))
        elif isinstance(target, ast.Attribute):
            self._patched(target, value)
        elif isinstance(target, ast.Subscript) and (
            self._is_namespace(target) or self._is_namespace(target.value)
        ):
            self.note("library_changed", "__dict__")

    def _patched(self, target: ast.Attribute, value: ast.expr) -> None:
        path = self.path_of(target)
        if not path or path.startswith(FREE_MODULES) or SETTINGS & set(path.split(".")):
            return
        if path in ("sys.stdout", "sys.stderr", "sys.displayhook", "sys.excepthook"):
            self.note("stream_replaced", path)
        elif self._is_function(value) or path.partition(".")[0] in ("sys", "builtins"):
            strict = "testing" in path or "unittest" in path
            self.note("test_helper_changed" if strict else "library_changed", path)

    def _is_function(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            return value.id in self.functions or value.id in DECIDERS | {"print", "id"}
        is_member = isinstance(value, ast.Attribute) and bool(self.path_of(value))
        return is_member or isinstance(value, ast.Lambda) or (
            isinstance(value, ast.Call) and "partial" in ast.unparse(value.func)
        )  # fmt: skip
