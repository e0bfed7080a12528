"""Tell which names a cell needs from the cells before it, and which it gives.

Law: pure; reads syntax. A name that a cell reads in one of its functions counts
as needed unless the cell binds it. A cell that is not Python needs and gives nothing.
"""

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator

KNOWN = frozenset(vars(builtins)) | {"display", "get_ipython", "exit", "quit", "__file__"}


def needs(source: str) -> frozenset[str]:
    """Return the names that a cell reads before it has given them a value itself."""
    tree = _tree(source)
    if tree is None:
        return frozenset()
    bound: set[str] = set()
    needed = set(_flow(tree.body, bound))
    inner = _inner_globals(symtable.symtable(source, "<cell>", "exec"))
    local = _locals_only(tree)
    return frozenset((needed - local) | (inner - bound)) - KNOWN


def binds(source: str) -> frozenset[str]:
    """Return the names that a cell gives a value at its top level."""
    tree = _tree(source)
    if tree is None:
        return frozenset()
    return frozenset(name for statement in tree.body for name in _bound(statement))


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _scopes(node: ast.AST) -> bool:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
    return isinstance(node, kinds)


def _flow(statements: Iterable[ast.AST], bound: set[str]) -> Iterator[str]:
    """Yield what is read before it is bound, in the order in which lines run."""
    for statement in statements:
        inner = [*_blocks(statement)]
        head = [c for c in ast.iter_child_nodes(statement) if not _is_inside(c, inner)]
        parts = head if inner else [statement]
        yield from {name for part in parts for name in _names(part)} - bound
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            yield from {statement.target.id} - bound
        bound.update(name for part in parts for name in _bound(part))
        if name := getattr(statement, "name", None):
            bound.add(name)
        for block in inner:
            yield from _flow(block, bound)


def _blocks(statement: ast.AST) -> Iterator[list[ast.AST]]:
    """Yield the lines inside a statement, block by block; none for one that makes a scope."""
    if _scopes(statement):
        return
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if isinstance(block, list) and block:
            yield block


def _is_inside(part: ast.AST, blocks: list[list[ast.AST]]) -> bool:
    return any(part is line for block in blocks for line in block)


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement that belong to the cell's own scope."""
    yield node
    for child in _outer(node) if _scopes(node) else ast.iter_child_nodes(node):
        yield from _here(child)


def _outer(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a function or class is computed outside it."""
    arguments = getattr(scope, "args", None)
    yield from getattr(scope, "decorator_list", [])
    yield from getattr(scope, "bases", [])
    yield from getattr(scope, "keywords", [])
    if isinstance(arguments, ast.arguments):
        yield from (d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None)


def _names(statement: ast.AST) -> Iterator[str]:
    for node in _here(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def _bound(statement: ast.AST) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in _here(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case _:
                pass


def _locals_only(tree: ast.Module) -> set[str]:
    """Return names that only comprehensions bind, and only they read."""
    own = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension):
            own |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    outside = {name for s in tree.body for name in _outside(s)}
    return own - outside


def _outside(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) or _scopes(
        node
    ):
        return
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _outside(child)


def _inner_globals(table: symtable.SymbolTable) -> set[str]:
    """Return the names of the cell's own level that its functions and classes read."""
    found: set[str] = set()
    for child in table.get_children():
        found |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        found |= _inner_globals(child)
    return found


def classes(source: str) -> frozenset[str]:
    """Return the names of the classes that a cell defines at its top level."""
    tree = _tree(source)
    body = tree.body if tree else []
    return frozenset(part.name for part in body if isinstance(part, ast.ClassDef))
