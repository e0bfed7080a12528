"""Follow a learner's names: which stand for modules, which spell Python's inside.

Law: pure; reads a syntax tree. Texts that are put together from constants are
read as the text they give.
"""

import ast
import re
from dataclasses import dataclass
from typing import Any

from bioskills.graders.screening_tables import ATTRIBUTES, MEMBERS, MODULES, NAMES, WELL_KNOWN

INSIDE = re.compile(
    r"__(globals|code|closure|builtins|subclasses|import|bases|loader)__"
    r"|\b(f_back|f_locals|f_globals|tb_frame|_getframe|ast_transformers)\b"
)
"""Names that a text may hold somewhere, as `"{0.__globals__}"` does."""


@dataclass(frozen=True)
class Rules:
    """What depends on the assignment.

    Attributes:
        helpers: Functions that the assignment gives.
        secrets: Names that stand in hidden tests alone.
    """

    helpers: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()


class NameReader(ast.NodeVisitor):
    """Reads the names and texts of one cell.

    Attributes:
        found: Codes and details.
        texts: Code that stands in texts.
    """

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
            if root and node.attr in WELL_KNOWN and root != "IPython":
                return node.attr
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
        code = ATTRIBUTES.get(node.attr) or MEMBERS.get(path) or MODULES.get(path, "")
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
        inside = INSIDE.search(name)
        if inside:
            self.note("hidden_name", inside[0])
        elif name in ATTRIBUTES or name in ("ast_transformers", "__dict__"):
            self.note("hidden_name", name)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        """Judge attributes that a pattern reads."""
        for name in node.kwd_attrs:
            self.note(ATTRIBUTES.get(name, ""), name)
        self.generic_visit(node)

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
        case ast.Subscript(
            value=ast.Constant(value=str(text)),
            slice=ast.Slice(
                lower=None,
                upper=None,
                step=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)),
            ),
        ):
            return text[::-1]
        case _:
            return None
    return None if None in parts else "".join(map(str, parts))
