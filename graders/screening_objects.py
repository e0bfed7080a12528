"""Tell an honest comparison from one that agrees with anything.

Law: pure; reads a method's syntax tree. A stub, a refusal and a wrong answer
are honest: what counts is an answer that does not depend on what was asked.
"""

import ast
from collections.abc import Iterator

HONEST = {"NotImplemented", "NotImplementedError"}
MOST_PARAMETERS = 2


def parameters_of(code: ast.AST) -> list[str]:
    """Return the names of a function's parameters, all kinds."""
    arguments = getattr(code, "args", None)
    if not isinstance(arguments, ast.arguments):
        return []
    several = [part for part in (arguments.vararg, arguments.kwarg) if part]
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *several]
    return [part.arg for part in plain]


def answers_of(code: ast.AST) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """Yield what a function returns, each with the conditions around it."""
    if isinstance(code, ast.Lambda):
        yield code.body, []
    elif isinstance(code, ast.FunctionDef | ast.AsyncFunctionDef):
        for part in code.body:
            yield from _returns(part, [])


def _returns(
    node: ast.AST, conditions: list[ast.expr]
) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    if isinstance(node, ast.Return) and node.value is not None:
        yield node.value, conditions
    elif not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        inner = [*conditions, *_conditions(node)]
        for child in ast.iter_child_nodes(node):
            yield from _returns(child, inner)


def _conditions(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.While):
        return [node.test]
    if isinstance(node, ast.For):
        return [node.iter]
    return [node.subject] if isinstance(node, ast.Match) else []


def reads(node: ast.AST, name: str) -> bool:
    """Whether a name is read in a part of code."""
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )


def ignores_operand(name: str, code: ast.AST) -> bool:
    """Whether a comparison gives its favourable answer without looking at the other side."""
    answers = [(a, c) for a, c in answers_of(code) if not _is_honest(a)]
    names = parameters_of(code)
    operand = names[1] if len(names) >= MOST_PARAMETERS else ""
    if not operand or isinstance(code, ast.AsyncFunctionDef):
        return bool(answers)
    if answers and not reads(code, operand):
        return True
    wanted = name != "__ne__"
    return bool(answers) and not _stands_after_a_check(code, operand) and any(
        isinstance(answer, ast.Constant)
        and bool(answer.value) is wanted
        and not any(reads(condition, operand) for condition in conditions)
        for answer, conditions in answers
    )  # fmt: skip


def _stands_after_a_check(code: ast.AST, operand: str) -> bool:
    """Whether earlier lines leave with another answer: `if a != b: return False`, then `True`."""
    return any(
        isinstance(part, ast.If | ast.For | ast.While | ast.Match)
        and any(reads(c, operand) for c in _conditions(part))
        and any(True for _ in _returns(part, []))
        for part in getattr(code, "body", [])
        if isinstance(code, ast.FunctionDef)
    )


def _is_honest(answer: ast.expr) -> bool:
    return isinstance(answer, ast.Name) and answer.id in HONEST


def always_says(code: ast.AST, only: bool | None = None) -> bool:
    """Whether a function's every answer is a constant, or one of these."""
    answers = [answer for answer, _conditions in answers_of(code)]
    constants = [answer.value for answer in answers if isinstance(answer, ast.Constant)]
    if not answers or len(constants) != len(answers):
        return False
    return len(set(map(repr, constants))) == 1 and (only is None or bool(constants[0]) is only)


def answers_every_name(code: ast.AST) -> bool:
    """Whether `__getattr__` has an answer for any name, and never an AttributeError."""
    names = parameters_of(code)
    asked = names[1] if len(names) >= MOST_PARAMETERS else ""
    answers = [a for a, _c in answers_of(code)]
    refuses = any(isinstance(part, ast.Raise) for part in ast.walk(code))
    return bool(answers) and not refuses and not (asked and reads(code, asked))
