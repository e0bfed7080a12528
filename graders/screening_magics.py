"""Take a cell's magics apart: what is Python, and what is told to IPython or a shell.

Law: pure, and no IPython: the words are judged, the rest is given back as
Python. Magics for plots, times and settings are anybody's; a shell is part of
some courses.
"""

import ast
import re
from collections.abc import Callable

Found = dict[str, str]
LINE = re.compile(r"^(\s*)(?:([\w.,\s\[\]'\"]+)=\s*)?([%!]{1,2})(.*)$")
HELP = re.compile(r"^\s*\?{1,2}[\w.]+\s*$|^\s*%{0,2}[\w.]+\?{1,2}\s*$")
CELL = re.compile(r"^%%(\w+)[ \t]*(.*)$")
READS = {"history", "hist", "recall", "rep", "rerun", "macro", "save", "edit", "notebook",
         "logstart", "psource", "pfile"}  # fmt: skip
RUNS = {"run", "load", "loadpy", "load_ext", "alias_magic", "debug", "pdb", "store", "autocall",
        "python2", "pypy", "writefile_", "connect_info", "killbgscripts"}  # fmt: skip
PYTHON = {"time", "timeit", "prun", "capture", "python", "python3", "memit"}
SCRIPTS = {"javascript", "js"}
SHELLS = {"bash", "sh", "script", "system", "sx", "!", "ruby", "perl"}
SHELL_WORDS = re.compile(
    r"/proc/|\bgdb\b|\bptrace\b|\bkill(all)?\b|\bpkill\b|\bnohup\b|\bsetsid\b|\bdisown\b"
    r"|gradebook|autograded|nbgrader|ipykernel|\.ipynb\b|\.\./\.\./"
)
EXTENSIONS = ("autoreload",)
SETTINGS = ("InlineBackend", "Completer")
CLEAN_FORMAT = re.compile(r"|%?\d+|%\.\d+[efgEFG]")


def read(source: str) -> tuple[str, Found, list[str]]:
    """Return the Python of a cell, what its magics mean, and Python that they hold as text."""
    found: Found = {}
    inner: list[str] = []
    text = source.lstrip("\n")
    cell = CELL.match(text.partition("\n")[0]) if text.startswith("%%") else None
    if cell:
        return _cell(cell[1], cell[2], text.partition("\n")[2], found)
    if not re.search(r"^\s*[%!?]|=\s*[%!]|\?\s*$", source, re.MULTILINE):
        return source, found, inner
    lines = [_line(line, found, inner) for line in source.split("\n")]
    return "\n".join(lines), found, inner


def _cell(name: str, options: str, body: str, found: Found) -> tuple[str, Found, list[str]]:
    if name in PYTHON:
        python, more, inner = read(body)
        if name == "timeit" and options:
            inner = [*inner, _without_options(options)]
        return python, found | more, inner
    _judge(name, options, found)
    if name in SHELLS:
        _judge_shell(f"{options}\n{body}", found)
    elif name in SCRIPTS or (name in ("html", "svg", "HTML") and "<script" in body.lower()):
        found["script_shown"] = f"%%{name}"
    return "", found, []


def _line(line: str, found: Found, inner: list[str]) -> str:
    if HELP.match(line):
        return ""
    match = LINE.match(line)
    if not match or (match[2] and not _is_target(match[2])):
        return line
    indent, target, sign, rest = match.groups()
    if sign.startswith("!"):
        _judge_shell(rest, found)
    else:
        name, _space, options = rest.strip().partition(" ")
        _judge(name, options, found)
        if name in PYTHON:
            inner.append(_without_options(options))
    return f"{indent}{target} = None" if target else f"{indent}pass"


def _is_target(text: str) -> bool:
    """Whether this can stand left of `=`, as in `files = !ls`; `x %= 3` and `a == %b` cannot."""
    try:
        ast.parse(f"{text.strip()} = None")
    except SyntaxError:
        return False
    return True


def _without_options(options: str) -> str:
    return re.sub(r"^(\s*-\w+(\s*\d+)?\s+)+", "", f"{options} ").strip()


def _judge(name: str, options: str, found: Found) -> None:
    if name in READS:
        found["history_read"] = f"%{name}"
    elif name in RUNS and not options.startswith(EXTENSIONS):
        found["magic_used"] = f"%{name}"
    elif name in SHELLS:
        _judge_shell(options, found)
    special = _SPECIAL.get(name)
    if special and special[1](options.strip()):
        found[special[0]] = f"%{name}"


def _is_foreign_setting(options: str) -> bool:
    return bool(options) and not options.startswith(SETTINGS)


_SPECIAL: dict[str, tuple[str, Callable[[str], bool]]] = {
    "config": ("shell_reached", _is_foreign_setting),
    "precision": ("display_changed", lambda options: not CLEAN_FORMAT.fullmatch(options)),
}


def _judge_shell(text: str, found: Found) -> None:
    word = SHELL_WORDS.search(text)
    if word:
        found["grader_file"] = word[0]
    if re.search(r"(?<!&)&\s*$", text, re.MULTILINE):
        found["thread_started"] = "&"
