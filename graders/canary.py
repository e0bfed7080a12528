"""A cell that must fail in one exact way, sent before each graded cell.

Law: pure. Who makes tests pass, by dropping assertions, swallowing errors or
letting everything equal everything, makes this pass too, or fail with another
message: the message is computed by the cell, from a nonce that nobody knows
before, in forms that nobody knows before. It uses syntax alone, no builtin
that a beginner may have given another meaning, and leaves no name behind.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Form = Callable[[random.Random, str], tuple[str, str]]
FORMS_OF_A_CELL = 3
INDENT = "    "


def canary(nonce: str, names: Iterable[str] = (), *, numpy: bool = False) -> str:
    """Return the source of the cell.

    Args:
        nonce: New for each cell, at least 64 random bits as text.
        names: What the coming test calls, such as the learner's function: what
            spares asserts unless they are about these is found as well.
        numpy: Whether to try the functions of `numpy.testing`, too.
    """
    return _made(nonce, tuple(names), numpy)[0]


def passed(
    reply: Mapping[str, Any], nonce: str, names: Iterable[str] = (), *, numpy: bool = False
) -> bool:
    """Say whether the cell failed as it had to.

    Args:
        reply: Content of its `execute_reply`, or of its `error` message.
        nonce: That of the cell.
        names: Those of the cell.
        numpy: As for the cell.
    """
    expected = _made(nonce, tuple(names), numpy)[1]
    failed = reply.get("status", "error") == "error" and reply.get("ename") == "AssertionError"
    return failed and str(reply.get("evalue")) == expected


def hides_its_error(reply: Mapping[str, Any], outputs: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a cell failed and shows no error: nbgrader would give it full points.

    So ends what raises the error with which a debugger quits, or an error that
    cannot be shown.

    Args:
        reply: Content of the cell's `execute_reply`.
        outputs: The cell's outputs, as nbformat has them.
    """
    seen = any(output.get("output_type") == "error" for output in outputs)
    return reply.get("status") == "error" and not seen


def _made(nonce: str, names: tuple[str, ...], numpy: bool) -> tuple[str, str]:
    # Both ends make the same choices from the nonce; nobody guesses it, so `random` will do.
    chance = random.Random(nonce)  # noqa: S311
    always = [_assert_fails, *([_numpy_fails] if numpy else [])]
    chosen = always + chance.sample(FORMS, FORMS_OF_A_CELL - len(always))
    chance.shuffle(chosen)
    own = f"_{chance.getrandbits(48):x}"
    name = chance.choice(names) if names else "said"
    parts = [form(chance, name) for form in chosen]
    left, right = chance.sample(range(100, 999), 2)
    body = "".join(f"{INDENT}{line}\n" for code, _said in parts for line in code.splitlines())
    source = (
        f"def {own}():\n{INDENT}said = ''\n{body}{INDENT}return said\n"
        f"assert {left} == {right}, globals().pop({own!r})()\n"
    )
    return source, "".join(said for _code, said in parts)


def _product(chance: random.Random) -> tuple[str, str]:
    """Return an f-string that must be computed, and what it gives."""
    one, two = chance.randrange(1000, 9999), chance.randrange(1000, 9999)
    return f"f'{{{one} * {two}}} '", f"{one * two} "


def _assert_fails(chance: random.Random, name: str) -> tuple[str, str]:
    text, said = _product(chance)
    other = chance.randrange(1, 10**6)
    lines = (
        "try:",
        f"    assert {name} is {text}, {text}",
        "except NameError:",
        f"    said += {text}",
        "except AssertionError as error:",
        "    said += f'{error}'",
        "else:",
        f"    said += '{other}'",
    )
    return "\n".join(lines), said


def _error_is_raised(chance: random.Random, _name: str) -> tuple[str, str]:
    text, said = _product(chance)
    kind = f"E{chance.getrandbits(32):x}"
    lines = (
        f"class {kind}(Exception): pass",
        "try:",
        f"    raise {kind}({text})",
        f"except {kind} as error:",
        "    said += f'{error}'",
    )
    return "\n".join(lines), said


def _unequal_stays_unequal(chance: random.Random, _name: str) -> tuple[str, str]:
    text, said = _product(chance)
    one, two = chance.sample(range(10**6), 2)
    pairs = ("{}, {}", "[{}], [{}]", "{}.5, {}.25", "'{}', '{}'", "({}, 1), ({}, 1)")
    left, right = chance.choice(pairs).format(one, two).rsplit(", ", 1)
    if left.startswith("("):
        left, right = f"({one}, 1)", f"({two}, 1)"
    return f"if not ({left} == {right}) and {left} != {right}:\n    said += {text}", said


def _missing_key(chance: random.Random, _name: str) -> tuple[str, str]:
    text, said = _product(chance)
    one, two = chance.sample(range(10**6), 2)
    return (
        f"try:\n    {{{one}: 1}}[{two}]\nexcept LookupError as error:\n    said += {text}",
        said,
    )


def _numpy_fails(chance: random.Random, _name: str) -> tuple[str, str]:
    text, said = _product(chance)
    one, two = chance.sample(range(10**6), 2)
    helper = chance.choice(("assert_allclose", "assert_array_equal", "assert_equal"))
    lines = (
        "from numpy import testing",
        "try:",
        f"    testing.{helper}([{one}.5], [{two}.5])",
        "except AssertionError:",
        f"    said += {text}",
    )
    return "\n".join(lines), said


FORMS: tuple[Form, ...] = (_error_is_raised, _unequal_stays_unequal, _missing_key)
