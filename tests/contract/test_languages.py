"""Every sentence reaches the translators, and German is complete where a learner reads it."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from clone import CLONE

_file = CLONE / "docs" / "messages.py"
_spec = importlib.util.spec_from_file_location("update_catalogues", _file)
assert _spec is not None
assert _spec.loader is not None
update = importlib.util.module_from_spec(_spec)
sys.modules["update_catalogues"] = update
_spec.loader.exec_module(update)

COMMANDS = re.compile(
    r"/(commands|\w+_command|cohort_verbs|run|upgrade|readiness|session_warm|plain_folder|folder_\w+)\.py$"
)
"""Files that speak in the terminal of an instructor or an admin alone, and to nobody on a page."""
MOST_OPEN = 40
"""Sentences of commands that may wait for a translator; today none does."""
PLACEHOLDER = re.compile(r"\{\w*(?:![rs])?\}|%\(\w+\)s|%%|%\d")


def catalogue(domain: Any, language: str) -> Catalog:
    with domain.file(language).open("rb") as stream:
        return read_po(stream, locale=language, domain=domain.name)


@pytest.fixture(params=update.DOMAINS, ids=lambda domain: domain.name, scope="module")
def domain(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def german(domain: Any) -> Catalog:
    return catalogue(domain, "de")


def forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or [""])


def name_of(message: Message) -> tuple[str | None, str]:
    return message.context, forms(message.id)[0]


def open_entries(found: Catalog, *, commands: bool) -> Iterator[str]:
    """Yield the untranslated sentences that a page may show, or that commands alone say."""
    for message in found:
        alone = all(COMMANDS.search(name) for name, _line in message.locations)
        is_open = message.fuzzy or not all(forms(message.string))
        if message.id and is_open and alone == commands:
            yield forms(message.id)[0]


def wrong_placeholders(message: Message) -> bool:
    wanted = {frozenset(PLACEHOLDER.findall(form)) for form in forms(message.id)}
    return any(
        frozenset(PLACEHOLDER.findall(said)) not in wanted for said in forms(message.string) if said
    )


def test_every_sentence_is_in_every_catalogue(domain: Any) -> None:
    found = {name_of(message) for message in update.sentences(domain) if message.id}
    for language in domain.languages():
        kept = {name_of(message) for message in catalogue(domain, language) if message.id}

        assert sorted(map(str, found - kept)) == [], f"{language}: run make messages"


def test_german_leaves_out_no_sentence_of_a_page_a_lab_or_a_mail(german: Catalog) -> None:
    assert list(open_entries(german, commands=False)) == []


def test_german_leaves_out_few_sentences_of_commands(german: Catalog) -> None:
    assert len(list(open_entries(german, commands=True))) <= MOST_OPEN


def test_a_planted_gap_is_found() -> None:
    planted = Catalog("de")
    planted.add("Your lab", locations=[("hub/templates/home.html", 0)])
    planted.add("A new page", locations=[("hub/campus/pages_new.py", 0)])
    planted.add("Said by both", locations=[("hub/commands.py", 0), ("hub/doctor.py", 0)])
    planted.add("Start everything", locations=[("hub/commands.py", 0)])

    assert list(open_entries(planted, commands=False)) == ["Your lab", "A new page", "Said by both"]
    assert list(open_entries(planted, commands=True)) == ["Start everything"]


def test_a_word_with_two_meanings_has_two_translations() -> None:
    german = catalogue(update.DOMAINS[0], "de")
    said = {german.get("Runs").string, german.get("Runs", "several of a course").string}

    assert said == {"Läuft", "Kursdurchläufe"}


def test_no_translation_loses_or_invents_a_placeholder(german: Catalog) -> None:
    assert [m.id for m in german if m.id and wrong_placeholders(m)] == []


def test_a_planted_wrong_placeholder_is_found() -> None:
    assert wrong_placeholders(Message("{n} days", "{m} Tage"))
    assert not wrong_placeholders(Message(("{n} day", "{n} days"), ("{n} Tag", "{n} Tage")))


def test_the_panel_reads_what_its_translators_wrote() -> None:
    panel = update.DOMAINS[1]
    for language in panel.languages():
        written = panel.file(language).with_suffix(".json").read_text(encoding="utf-8")

        assert written == update.as_json(catalogue(panel, language)), "run make messages"


def test_no_catalogue_names_a_line_or_a_date() -> None:
    for each in update.DOMAINS:
        text = "".join(each.file(code).read_text(encoding="utf-8") for code in each.languages())

        assert re.findall(r"^#: .*:\d+|POT-Creation-Date", text, re.MULTILINE) == []
