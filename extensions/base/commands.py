"""Dispatch `bioskills <noun> <verb>` to the part that knows it.

Law: nothing of a part is imported before its noun is asked for; a person's
mistake ends in sentences and exit code 2, never in a traceback.
"""

import argparse
import os
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from bioskills.base.problems import InputError, SetupError, nearest
from bioskills.base.text import _, speak_as_terminal

GROUP = "bioskills.commands"
READER_LEFT, INTERRUPTED = 141, 130
"""Exit codes as a shell gives them: 128 and the number of SIGPIPE or SIGINT."""
Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse gives this type no public name
Register = Callable[["Verbs[argparse.ArgumentParser]"], None]


def nouns() -> dict[str, list[EntryPoint]]:
    """Return every noun with the entry points that add its verbs.

    An entry point is named after its noun; a part that adds a verb to another
    part's noun names it `<noun>.<verb>`.
    """
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        found.setdefault(point.name.partition(".")[0], []).append(point)
    return found


def verbs_of(
    sub: "Verbs[argparse.ArgumentParser]", noun: str, text: str
) -> "Verbs[argparse.ArgumentParser]":
    """Return the verbs of a noun, made on first use: several parts may add to one noun."""
    if noun in sub.choices:
        return sub.choices[noun].get_default("verbs")  # type: ignore[no-any-return]  # set below
    parser = sub.add_parser(noun, help=text, description=text)
    verbs = parser.add_subparsers(dest="verb", required=True)
    parser.set_defaults(verbs=verbs)
    return verbs


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    speak_as_terminal(os.environ)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our answer (head, less) has seen enough: end as other programs do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _dispatch(arguments: list[str]) -> int:
    known = nouns()
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_usage(known))  # noqa: T201 - the command line's own output
        return 0
    if arguments[0] not in known:
        return _refuse(_unknown_noun(arguments[0], known))
    return _run(known[arguments[0]], arguments)


def build_parser(points: list[EntryPoint]) -> argparse.ArgumentParser:
    """Return a parser with the verbs of these nouns."""
    parser = argparse.ArgumentParser(prog="bioskills")
    sub = parser.add_subparsers(dest="noun", required=True)
    for point in points:
        register: Register = point.load()
        register(sub)
    return parser


def _run(points: list[EntryPoint], arguments: list[str]) -> int:
    options = build_parser(points).parse_args(arguments)
    try:
        return int(options.act(options) or 0)
    except (InputError, SetupError) as error:
        return _refuse(str(error))


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 2


def _unknown_noun(word: str, known: dict[str, list[EntryPoint]]) -> str:
    near = nearest(word, known)
    hint = _(" Did you mean: bioskills {near}").format(near=near) if near else ""
    return (
        _("bioskills: there is no command {word!r}.{hint}").format(word=word, hint=hint)
        + "\n"
        + _usage(known)
    )


def _usage(known: dict[str, list[EntryPoint]]) -> str:
    lines = "\n".join(f"  bioskills {name}" for name in known)
    return _("Commands (each has --help):\n{lines}").format(lines=lines)
