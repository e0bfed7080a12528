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

TEMPLATES = "hub/campus/templates/"
CAMPUS = "hub/campus/"
COVERED = (
    "extensions/competence-lab/",
    "hub/templates/",
    *(
        TEMPLATES + name
        for name in (
            "_f",
            "accessibility",
            "base",
            "error",
            "feedback",
            "home",
            "papers",
            "passport",
            "signed_out",
            "to_lab",
            "your_settings",
        )
    ),
    *(
        CAMPUS + name
        for name in (
            "app",
            "callers",
            "exchange_",
            "feedback",
            "job_board",
            "overview",
            "pages_feedback",
            "pages_learner",
            "pages_passport",
            "pages_sentences",
            "pages_settings",
            "pages_shared",
            "printed",
            "refusals",
            "signin",
            "submissions",
            "trees",
            "wording",
        )
    ),
    "hub/fork_spawner",
    "hub/lab_failures",
    "hub/papers",
    "hub/spawner",
)
"""Beginnings of the files whose sentences are shown to a learner: German leaves none of them out."""
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


def open_entries(found: Catalog, covered: tuple[str, ...]) -> Iterator[str]:
    for message in found:
        here = any(name.startswith(covered) for name, _line in message.locations)
        if message.id and here and (message.fuzzy or not all(forms(message.string))):
            yield forms(message.id)[0]


def wrong_placeholders(message: Message) -> bool:
    wanted = {frozenset(PLACEHOLDER.findall(form)) for form in forms(message.id)}
    return any(
        frozenset(PLACEHOLDER.findall(said)) not in wanted for said in forms(message.string) if said
    )


def test_every_sentence_is_in_every_catalogue(domain: Any) -> None:
    found = {forms(message.id)[0] for message in update.sentences(domain) if message.id}
    for language in domain.languages():
        kept = {forms(message.id)[0] for message in catalogue(domain, language) if message.id}

        assert sorted(found - kept) == [], f"{language}: run make messages"


def test_german_leaves_out_no_sentence_that_a_learner_reads(german: Catalog) -> None:
    assert list(open_entries(german, COVERED)) == []


def test_a_planted_gap_is_found() -> None:
    planted = Catalog("de")
    planted.add("Your lab", locations=[("hub/templates/home.html", 0)])
    planted.add("Doctor", locations=[("hub/doctor.py", 0)])

    assert list(open_entries(planted, COVERED)) == ["Your lab"]


def test_what_is_covered_exists(german: Catalog, domain: Any) -> None:
    stands = {
        name for each in update.DOMAINS for m in catalogue(each, "de") for name, _ in m.locations
    }

    assert [part for part in COVERED if not any(name.startswith(part) for name in stands)] == []


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
