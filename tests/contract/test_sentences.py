"""Every string that a person reads goes through gettext.

Looks at the calls that speak to people, and at the text of every template.
"""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from clone import CLONE, modules, name_of, tracked_files
from jinja2 import Environment

SPEAKING = {
    "Problem",
    "Refused",
    "InputError",
    "SetupError",
    "HomeError",
    "print",
    "say",
    "_say",
    "add_argument",
    "add_parser",
    "ArgumentParser",
}
"""Functions and errors whose strings reach a person."""
SPEAKING_NAMES = {"ok", "warning", "fault"}
"""The doctor's; as a method, `warning` writes a log line, which stays English."""
SILENT_TAGS = {"script", "style", "code", "pre", "kbd", "samp"}
TECHNICAL = {
    "prog",
    "dest",
    "metavar",
    "action",
    "error",
    "code",
    "type",
    "where",
    "name",
    "default",
    "end",
}
"""Keywords of those calls that name something to the program, not to a person."""
SENTENCE = re.compile(r"[^\W\d_]{2,}[,;:]?\s+[^\W\d_]{2,}")
"""Two words in a row: a name, a path, a format or a code has none."""
ALLOWED = {
    "docs/generate.py": "the developers' own tool",
    "graders/trial_worker.py": "a sandboxed worker: its words are read by the process that started it",
}
LOGS_ONLY = "extensions/fork_server/"
"""Stands alone and speaks in codes, which hub and lab word; its few lines are for the log."""
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title", "aria-description"}
TEMPLATES = [p for p in tracked_files() if "templates" in p.parts and p.suffix in {".html", ".j2"}]
NOT_ENGLISH = {"BioSkills", "Hub", "JupyterLab", "JupyterHub", "CSV", "JSON", "ZIP", "EQF"}
"""Names that are the same in every language."""


def bare_sentences(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and called(node):
            spoken = [*node.args, *(k.value for k in node.keywords if k.arg not in TECHNICAL)]
            for argument in spoken:
                yield from (
                    f"{name_of(path)}:{node.lineno} {text!r}" for text in constants(argument)
                )


def called(call: ast.Call) -> str:
    """Return the name of what is called, empty where nobody is spoken to."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr if call.func.attr in SPEAKING else ""
    name = getattr(call.func, "id", "")
    return name if name in SPEAKING | SPEAKING_NAMES else ""


def constants(node: ast.AST) -> Iterator[str]:
    """Yield the sentences of an expression that no call stands around."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SENTENCE.search(node.value)
    ):
        yield node.value
    elif isinstance(
        node, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.IfExp | ast.List | ast.Tuple
    ):
        for child in ast.iter_child_nodes(node):
            yield from constants(child)
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "join"}
    ):
        yield from constants(node.func.value)


def test_no_bare_sentence_is_given_to_a_person() -> None:
    found = [
        text
        for path in modules()
        if name_of(path) not in ALLOWED and not name_of(path).startswith(LOGS_ONLY)
        for text in bare_sentences(path)
    ]

    assert found == []


class Words(HTMLParser):
    """Collects what a reader sees: text and spoken attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = 0
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT_TAGS
        self.found += [value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT_TAGS

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def untranslated(source: str) -> list[str]:
    """Return the words of a template that stand outside `_()` and `{% trans %}`."""
    plain, translated, block = [], False, []
    for _line, kind, value in Environment(extensions=["jinja2.ext.i18n"], autoescape=True).lex(
        source
    ):
        if kind == "block_begin":
            block = []
        elif kind == "block_end":
            translated = (block[:1] == ["trans"]) or (translated and block[:1] != ["endtrans"])
        elif kind == "name":
            block.append(value)
        elif kind == "data" and not translated:
            plain.append(value)
    words = Words()
    words.feed(" ".join(plain))
    spoken = [re.findall(r"[^\W\d_]{2,}", text) for text in words.found]
    return [" ".join(text) for text in spoken if [word for word in text if word not in NOT_ENGLISH]]


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_no_template_holds_a_bare_word(template: Path) -> None:
    assert untranslated(template.read_text(encoding="utf-8")) == []


def test_a_planted_bare_word_is_found() -> None:
    template = '<p title="Bad tip">{{ _("fine") }}</p>{% trans %}fine{% endtrans %}<b>Bad text</b>'

    assert untranslated(template) == ["Bad tip", "Bad text"]


def test_a_planted_bare_sentence_is_found() -> None:
    code = 'raise SetupError(f"The disk {x} is full.")\nraise SetupError(_("The disk is full."))'
    found = [
        t
        for n in ast.walk(ast.parse(code))
        if isinstance(n, ast.Call) and called(n)
        for a in n.args
        for t in constants(a)
    ]

    assert found == ["The disk ", " is full."]


def test_the_list_of_exceptions_names_files_that_exist() -> None:
    assert [name for name in ALLOWED if not (CLONE / name).is_file()] == []
