"""Read what a learner wrote, without running it, for what is no answer but an attack on tests.

Law: pure. What beginners write is never flagged: names such as `sum` or `list`
for data, wrong comparisons, magics for plots, settings of libraries. What the
released cell held already is the instructor's. A cell that Python cannot read
is read as words, since none of it runs.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bioskills.base.wire import Flag
from bioskills.graders import screening_magics as magics
from bioskills.graders.flag_words import flags
from bioskills.graders.screening_names import Rules
from bioskills.graders.screening_rules import Reader

Found = dict[str, str]
SHARP_WORDS = re.compile(
    r"\b(ast_transformers|input_transformers?_\w+|_getframe|settrace|setprofile|__subclasses__"
    r"|__globals__|__builtins__|f_locals|f_back|tb_frame|set_custom_exc|run_ast_nodes|meta_path)\b"
)
DEEPEST = 4
SHORTEST_NAME = 6


@dataclass(frozen=True)
class Written:
    """A cell that a learner wrote, changed or added.

    Attributes:
        cell: `<notebook>/<grade_id>`, or another name of the cell.
        source: As handed in.
        given: As released; empty where the learner added it.
    """

    cell: str
    source: str
    given: str = ""


def screen(
    written: Iterable[Written], tests: Iterable[str] = (), provided: Iterable[str] = ()
) -> list[Flag]:
    """Return what a person should look at, one flag for each kind and cell.

    Args:
        written: Answer cells, and every other cell that is not as released.
        tests: Sources of the hidden tests: names that stand in them alone give away who read them.
        provided: Sources of the cells that learners leave as they are.
    """
    cells = list(written)
    rules = Rules(
        helpers=functions_of(provided),
        secrets=_names_in(tests) - _names_in([*provided, *(cell.given for cell in cells)]),
    )
    shared: dict[str, Any] = {}
    found: list[Flag] = []
    for cell in cells:
        given = _given(cell.given) if cell.given else frozenset()
        here = _read(cell.source, rules, shared)
        found += flags(
            [(code, detail) for code, detail in here.items() if code not in given], cell.cell
        )
    return found


@lru_cache(maxsize=512)
def _given(source: str) -> frozenset[str]:
    """Return the codes of what was released: a class has it in common."""
    return frozenset(_read(source, Rules(), {}))


def _read(source: str, rules: Rules, shared: dict[str, Any], depth: int = 0) -> Found:
    """Return codes and details of a source, and of the sources inside it."""
    if depth > DEEPEST:
        return {"runs_text": ""}
    found: Found = {}
    inner: list[str] = []
    tree = _parsed(source)
    if tree is None:
        body, found, inner = magics.read(source)
        tree = _parsed(body) or _parsed(_as_ipython(source))
    if tree is None:
        found.update(("hidden_name", match[1]) for match in SHARP_WORDS.finditer(source))
        return found
    reader = Reader(rules, shared)
    reader.visit(tree)
    found.update(reader.found)
    for text in [*inner, *reader.texts]:
        for code, detail in _read(text, rules, shared, depth + 1).items():
            found.setdefault(code, detail)
    return found


def _as_ipython(source: str) -> str:
    """Return what IPython makes of a cell: it alone knows a magic from the rest of a formula."""
    try:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - rarely

        return str(TransformerManager().transform_cell(source))
    except Exception:  # noqa: BLE001 - whatever it says of a cell that is no Python
        return source


@lru_cache(maxsize=512)
def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # What Python would say of a learner's escapes and comparisons is not for our log.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def functions_of(sources: Iterable[str]) -> frozenset[str]:
    """Return the names of the functions and classes that sources define at their top."""
    return frozenset[str]().union(*map(_functions_in, sources))


@lru_cache(maxsize=512)
def _functions_in(source: str) -> frozenset[str]:
    tree = _parsed(magics.read(source)[0])
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in (tree.body if tree else ()) if isinstance(node, kinds))


def _names_in(sources: Iterable[str]) -> frozenset[str]:
    """Return names that a test gives to something; short ones anybody may think of."""
    return frozenset[str]().union(*map(_names_of, sources))


@lru_cache(maxsize=512)
def _names_of(source: str) -> frozenset[str]:
    tree = _parsed(magics.read(source)[0])
    names: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case _:
                pass
    return frozenset(name for name in names if len(name) >= SHORTEST_NAME and "_" in name)


def by_cell(found: Iterable[Flag]) -> Mapping[str, list[Flag]]:
    """Return the flags of each cell."""
    cells: dict[str, list[Flag]] = {}
    for one in found:
        cells.setdefault(one.cell, []).append(one)
    return cells
