"""Judge what a learner's code calls, and with what.

Law: pure; reads a syntax tree, never runs it. A finding is a code and a name of
Python's or a library's, never a learner's own.
"""

import ast
import re
from collections.abc import Callable, Mapping

from bioskills.graders.screening_names import NameReader, constant_text
from bioskills.graders.screening_objects import (
    always_says,
    answers_every_name,
    ignores_operand,
)
from bioskills.graders.screening_tables import (
    ARRAY_HOOKS,
    COMPARISONS,
    FREE_MODULES,
    OPENERS,
    TYPE_HOOKS,
)

PLACES = re.compile(
    r"(?P<process_files>^/proc/|^/dev/fd|^/sys/)"
    r"|(?P<grader_file>gradebook|autograded|/submitted/|(^|/)source/|\.ipynb$|nbgrader)"
    r"|(?P<outside_file>\.\./\.\.|^/etc/(passwd|shadow|hosts)|^/root\b|^/slot\b|^~/\.)"
)
MAGICS = {"run_line_magic", "run_cell_magic", "magic", "system", "getoutput"}
EVENTS = {"pre_execute", "pre_run_cell", "post_execute", "post_run_cell", "shell_initialized"}


class CallReader(NameReader):
    """Reads calls, and the methods of classes that a call makes."""

    def visit_Call(self, node: ast.Call) -> None:
        """Judge calls by what is called, and with what."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        member = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name and name not in self.bound:
            self._call_builtin(name, node)
        if (name or member) in OPENERS:
            self._places(node)
        if member in MAGICS or name == "get_ipython":
            self._shell_call(node, member)
            if member in MAGICS:
                self._arguments(node)
                return
        self._call_member(node, member)
        self.generic_visit(node)

    def _call_builtin(self, name: str, node: ast.Call) -> None:
        calls: Mapping[str, Callable[[ast.Call], None]] = {
            "getattr": self._call_getattr,
            "setattr": self._call_setattr,
            "delattr": self._call_setattr,
            "__import__": self._call_import,
            "exec": self._call_exec,
            "eval": self._call_exec,
            "compile": self._call_exec,
            "globals": self._call_globals,
            "type": self._call_type,
        }
        if name in calls:
            calls[name](node)

    def _arguments(self, node: ast.Call) -> None:
        for part in [*node.args, *node.keywords]:
            self.visit(part)

    def _places(self, node: ast.Call) -> None:
        for argument in [*node.args, *(word.value for word in node.keywords)]:
            text = constant_text(argument)
            match = PLACES.search(text) if text is not None else None
            if match:
                self.note(str(match.lastgroup), "")

    def _shell_call(self, node: ast.Call, member: str) -> None:
        if not member:
            self.note("shell_reached", "get_ipython")
            return
        texts = [constant_text(argument) for argument in node.args]
        if None in texts:
            self.note("runs_text", member)
        elif member in ("run_line_magic", "run_cell_magic", "magic"):
            sign = "%%" if member == "run_cell_magic" else "%"
            head, *rest = [str(text) for text in texts]
            self.texts.append(f"{sign}{head} {' '.join(rest[:1])}\n{''.join(rest[1:])}")
        else:
            self.texts.append(f"!{texts[0]}" if texts else "")

    def _call_member(self, node: ast.Call, member: str) -> None:
        path = self.path_of(node.func)
        if path in ("importlib.import_module", "importlib.__import__"):
            self._call_import(node)
        elif path in ("operator.attrgetter", "operator.methodcaller"):
            self._computed(node.args[:1])
        elif path.startswith("builtins."):
            self._call_builtin(member, node)
        elif member == "register" and node.args and constant_text(node.args[0]) in EVENTS:
            self.note("event_hook", "events.register")
        elif member in ("update", "setdefault", "__setitem__") and self._is_namespace(node.func):
            self.note("library_changed", "__dict__")

    def _is_namespace(self, func: ast.expr) -> bool:
        """Whether a method is one of a module's names: `vars(np).update`, `np.__dict__.update`."""
        owner = func.value if isinstance(func, ast.Attribute) else func
        if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name):
            return owner.func.id == "vars" and bool(owner.args and self.path_of(owner.args[0]))
        return isinstance(owner, ast.Attribute) and owner.attr == "__dict__" and bool(
            self.path_of(owner.value)
        )  # fmt: skip

    def _computed(self, parts: list[ast.expr]) -> None:
        """Judge a name that is given as text: a constant, a plain name, or put together."""
        for part in parts:
            if isinstance(part, ast.Call | ast.Subscript | ast.BinOp | ast.IfExp | ast.NamedExpr):
                self.note("hidden_name", "getattr")

    def _call_getattr(self, node: ast.Call) -> None:
        self._computed(node.args[1:2])

    def _call_setattr(self, node: ast.Call) -> None:
        self._computed(node.args[1:2])
        path = self.path_of(node.args[0]) if node.args else ""
        if path and not path.startswith(FREE_MODULES):
            self.note("library_changed", path.partition(".")[0])

    def _call_import(self, node: ast.Call) -> None:
        text = constant_text(node.args[0]) if node.args else None
        if text is None:
            self.note("hidden_name", "import")
        else:
            self._imported(text)

    def _call_exec(self, node: ast.Call) -> None:
        text = constant_text(node.args[0]) if node.args else None
        if text is None:
            self.note("runs_text", getattr(node.func, "id", "exec"))
        else:
            self.texts.append(text)

    def _call_globals(self, _node: ast.Call) -> None:
        self.note("names_reached", "globals")

    def _call_type(self, node: ast.Call) -> None:
        """Judge a class that is made by a call: its methods stand in a dictionary."""
        if len(node.args) != len(("name", "bases", "names")):
            return
        names = node.args[2]
        if not isinstance(names, ast.Dict):
            self.note("hidden_name", "type")
            return
        for key, value in zip(names.keys, names.values, strict=True):
            if key is not None:
                self.judge_method(constant_text(key) or "", value)

    def judge_method(self, name: str, code: ast.AST) -> None:
        """Judge what a class does where Python itself asks it."""
        if name in TYPE_HOOKS:
            self.note("type_hook", name)
        elif name == "_render_traceback_":
            self.note("error_hidden", name)
        elif name in ARRAY_HOOKS:
            self.note("array_hook", name)
        elif (name in COMPARISONS and ignores_operand(name, code)) or (
            name == "__bool__" and always_says(code, True)
        ):
            self.note("ignores_operand", name)
        elif name == "__getattr__" and answers_every_name(code):
            self.note("answers_every_name", name)
        elif name in ("__reduce__", "__reduce_ex__", "__setstate__"):
            self.note("runs_text", name)
