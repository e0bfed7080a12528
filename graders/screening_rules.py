"""Judge the parts of a learner's code by how they are used.

Law: pure; reads a syntax tree, never runs it. Follows names that stand for
modules, and texts that are put together from constants. A finding is a code and
a name of Python's or a library's, never a learner's own.
"""

import ast
import re
from dataclasses import dataclass
from typing import Any

from bioskills.graders.screening_objects import (
    always_says,
    answers_every_name,
    ignores_operand,
    parameters_of,
)
from bioskills.graders.screening_tables import (
    ARRAY_HOOKS,
    ATTRIBUTES,
    COMPARISONS,
    DECIDERS,
    FREE_MODULES,
    MEMBERS,
    MODULES,
    NAMES,
    OPENERS,
    SETTINGS,
    TYPE_HOOKS,
)

PLACES = re.compile(
    r"(?P<process_files>^/proc/|^/dev/fd|^/sys/)"
    r"|(?P<grader_file>gradebook|autograded|/submitted/|(^|/)source/|\.ipynb$|nbgrader)"
    r"|(?P<outside_file>\.\./\.\.|^/etc/(passwd|shadow|hosts)|^/root\b|^/slot\b|^~/\.)"
)
MAGICS = {"run_line_magic", "run_cell_magic", "magic", "system", "getoutput"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Rules:
    """What depends on the assignment.

    Attributes:
        helpers: Functions that the assignment gives.
        secrets: Names that stand in hidden tests alone.
    """

    helpers: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()


class Reader(ast.NodeVisitor):
    """Reads one cell; `found` holds codes and details, `texts` code that stands in texts."""

    def __init__(self, rules: Rules, shared: dict[str, Any]) -> None:
        self.rules = rules
        self.found: dict[str, str] = {}
        self.texts: list[str] = []
        self.modules: dict[str, str] = shared.setdefault("modules", {})
        self.functions: dict[str, bool] = shared.setdefault("functions", {})
        self.bound: set[str] = set()
        self.depth = 0

    def note(self, code: str, detail: str = "") -> None:
        """Keep the first finding of each kind."""
        if code:
            self.found.setdefault(code, detail)

    def visit_Module(self, node: ast.Module) -> None:
        """See first which names the cell gives a value itself."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                self.bound.add(part.id)
            elif isinstance(part, ast.arg):
                self.bound.add(part.arg)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """Follow `import x as y`."""
        for alias in node.names:
            self._imported(alias.name)
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            self.modules[alias.asname or whole] = whole

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Follow `from x import y as z`."""
        module = node.module or ""
        for alias in node.names:
            full = f"{module}.{alias.name}"
            self._imported(module)
            self._imported(full)
            self.note(MEMBERS.get(full, ""), full)
            self.modules[alias.asname or alias.name] = full

    def _imported(self, module: str) -> None:
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            self.note(MODULES.get(name, ""), name)

    def path_of(self, node: ast.AST) -> str:
        """Return the full name of a module's member, such as `numpy.testing.assert_equal`."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, "")
        if isinstance(node, ast.Attribute):
            root = self.path_of(node.value)
            return f"{root}.{node.attr}" if root else ""
        return ""

    def visit_Name(self, node: ast.Name) -> None:
        """Judge a name that is read."""
        if isinstance(node.ctx, ast.Load) and node.id not in self.bound:
            self.note(NAMES.get(node.id, ""), node.id)
            if re.fullmatch(r"_i\d+", node.id):
                self.note("history_read", "_i")
        if node.id in self.rules.secrets:
            self.note("knows_tests")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Judge what stands after a dot."""
        path = self.path_of(node)
        code = ATTRIBUTES.get(node.attr) or MEMBERS.get(path, "")
        # `'numpy' in sys.modules` asks only whether something was imported.
        if not (path == "sys.modules" and getattr(node, "asked", False)):
            self.note(code, node.attr)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Let `x in sys.modules` pass."""
        if all(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            for side in node.comparators:
                side.asked = True  # type: ignore[attr-defined]
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Judge a text that spells a name of Python's inside, or a place."""
        if isinstance(node.value, str):
            self._text(node.value)

    def _text(self, text: str) -> None:
        name = text.strip()
        if name in ATTRIBUTES or name in ("ast_transformers", "__dict__"):
            self.note("hidden_name", name)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Judge a text that is put together from constants."""
        text = constant_text(node)
        if text is not None:
            self._text(text)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """The same for f-strings."""
        text = constant_text(node)
        if text is not None:
            self._text(text)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Judge calls by what is called, and with what."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        member = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        special = getattr(self, f"_call_{name}", None) if name not in self.bound else None
        if special is not None:
            special(node)
        if (name or member) in OPENERS:
            self._places(node)
        if member in MAGICS or name == "get_ipython":
            self._shell_call(node, member)
            if member in MAGICS:
                self._arguments(node)
                return
        self._call_member(node, member)
        self.generic_visit(node)

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
            self._call___import__(node)
        elif path in ("operator.attrgetter", "operator.methodcaller"):
            self._computed(node.args[:1])
        elif path.startswith("builtins."):
            getattr(self, f"_call_{member}", lambda _node: None)(node)
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

    def _call_delattr(self, node: ast.Call) -> None:
        self._call_setattr(node)

    def _call_setattr(self, node: ast.Call) -> None:
        self._computed(node.args[1:2])
        path = self.path_of(node.args[0]) if node.args else ""
        if path and not path.startswith(FREE_MODULES):
            self.note("library_changed", path.partition(".")[0])

    def _call___import__(self, node: ast.Call) -> None:
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

    _call_eval = _call_compile = _call_exec

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
                self._method(constant_text(key) or "", value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Judge the methods of a class."""
        for part in node.body:
            if isinstance(part, Function):
                self._method(part.name, part)
            elif isinstance(part, ast.Assign):
                for target in part.targets:
                    self._method(getattr(target, "id", ""), part.value)
        self._defined(node.name, False)
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def _method(self, name: str, code: ast.AST) -> None:
        if name in TYPE_HOOKS:
            self.note("type_hook", name)
        elif name in ARRAY_HOOKS:
            self.note("array_hook", name)
        elif name in COMPARISONS and ignores_operand(name, code):
            self.note("ignores_operand", name)
        elif name == "__bool__" and always_says(code, True):
            self.note("ignores_operand", name)
        elif name == "__getattr__" and answers_every_name(code):
            self.note("answers_every_name", name)
        elif name in ("__reduce__", "__reduce_ex__", "__setstate__"):
            self.note("runs_text", name)

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


EVENTS = {"pre_execute", "pre_run_cell", "post_execute", "post_run_cell", "shell_initialized"}


def constant_text(node: ast.AST) -> str | None:
    """Return the text that an expression of constants gives; None for any other."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [constant_text(left), constant_text(right)]
        case ast.JoinedStr(values=values):
            parts = [constant_text(value) for value in values]
        case ast.FormattedValue(value=value):
            return constant_text(value)
        case ast.Call(
            func=ast.Attribute(value=glue, attr="join"), args=[ast.List(elts=e) | ast.Tuple(elts=e)]
        ):
            joined = [constant_text(part) for part in e]
            glue_text = constant_text(glue)
            known = glue_text is not None and None not in joined
            return glue_text.join(map(str, joined)) if known and glue_text is not None else None
        case ast.Subscript(value=ast.Constant(value=str(text)), slice=ast.Slice(
            lower=None, upper=None, step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))
        )):
            return text[::-1]
        case _:
            return None
    return None if None in parts else "".join(map(str, parts))
