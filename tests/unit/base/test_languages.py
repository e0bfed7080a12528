"""A reader is answered in their own language, whoever else is answered at the same time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from bioskills.base.languages import first_known, lab_locale, name_key, own_name, wished
from bioskills.base.text import (
    _,
    begin_reader,
    catalogue,
    known,
    known_languages,
    ngettext,
    pgettext,
    reader,
    reading_as,
    speak_as_terminal,
    use_language,
)


def test_english_and_german_are_there() -> None:
    assert known_languages()[0] == "en"
    assert "de" in known_languages()
    assert [own_name(code) for code in ("en", "de")] == ["English", "Deutsch"]


def test_a_sentence_is_said_in_the_reader_s_language() -> None:
    def german() -> tuple[str, str, str]:
        begin_reader("de")
        return _("Passport"), ngettext("%(num)s entry", "%(num)s entries", 1), _("")

    assert copy_context().run(german) == ("Kompetenzpass", "%(num)s Eintrag", "")
    assert _("Passport") == "Passport"


def test_a_word_with_two_meanings_is_said_in_the_one_that_is_meant() -> None:
    def german() -> list[str]:
        begin_reader("de")
        return [_("Runs"), pgettext("several of a course", "Runs"), pgettext("no such", "Runs")]

    assert copy_context().run(german) == ["Läuft", "Kursdurchläufe", "Runs"]
    assert pgettext("several of a course", "Runs") == "Runs"


def test_a_language_is_called_in_jupyterlab_as_its_packs_are() -> None:
    called = [lab_locale(code) for code in ("en", "de", "fr", "pt", "zh")]

    assert called == ["en", "de_DE", "fr_FR", "pt_BR", "zh_CN"]


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LANG": "de_AT.UTF-8"}, "Kompetenzpass"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "Passport"),
        ({"LANG": "C.UTF-8", "BIOSKILLS_LANGUAGE": "de"}, "Kompetenzpass"),
        ({"LC_MESSAGES": "../../etc", "LANG": "de"}, "Passport"),
        ({}, "Passport"),
    ],
)
def test_a_command_speaks_as_its_terminal_asks(environ: dict[str, str], said: str) -> None:
    def command() -> str:
        speak_as_terminal(environ)
        return _("Passport")

    assert copy_context().run(command) == said


def test_what_somebody_else_will_read_is_in_their_language_and_zone() -> None:
    begin_reader("en", "Europe/Paris")

    with reading_as("de", "Asia/Kolkata"):
        assert (_("Passport"), reader().zone) == ("Kompetenzpass", "Asia/Kolkata")
    assert (_("Passport"), reader().zone) == ("Passport", "Europe/Paris")
    begin_reader("en")


def test_a_sentence_without_a_translation_stays_english() -> None:
    begin_reader("de")

    assert _("A sentence that nobody wrote.") == "A sentence that nobody wrote."
    begin_reader("en")


@pytest.mark.parametrize("code", ["../../etc", "de/../..", "xx", "", "\0", "de-\u2603"])
def test_a_language_is_never_a_path(code: str) -> None:
    assert known(code) in {"en", "de"}


def test_a_catalogue_is_read_once() -> None:
    assert catalogue("de") is catalogue("de")


def test_what_a_thread_of_the_request_learns_is_known_to_the_whole_request() -> None:
    begin_reader("en")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, use_language, "de").result()

    assert reader().language == "de"
    begin_reader("en")


async def test_requests_at_the_same_time_keep_their_own_readers() -> None:
    async def request(code: str) -> list[str]:
        begin_reader(code)
        said = []
        for _round in range(20):
            await asyncio.sleep(0)
            said.append(_("Passport"))
        return said

    german, english = await asyncio.gather(request("de"), request("en"))

    assert set(german) == {"Kompetenzpass"}
    assert set(english) == {"Passport"}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", ["de-AT", "de", "en"]),
        ("en;q=0.2, de;q=0.8", ["de", "en"]),
        ("de;q=0, en", ["en"]),
        ("", []),
        (";;;,,q=", []),
        ("de;q=nonsense", []),
    ],
)
def test_a_browser_s_wishes_are_read_in_their_order(header: str, found: list[str]) -> None:
    assert wished(header) == found


def test_a_wish_that_cannot_be_met_is_passed_over() -> None:
    assert first_known(["", "fr", "de-CH"], "en") == "de"
    assert first_known(["fr"], "de") == "de"
    assert first_known(["fr"], "xx") == "en"


def test_names_stand_where_their_letter_is_looked_for() -> None:
    names = [
        "Zoe",
        "Ärmel",
        "Azur",
        "adler",
        "Øster",
        "Oster",
        "Łukasz",
        "Lukas",
        "Straße",
        "Strasse",
    ]

    assert sorted(names, key=name_key) == [
        "adler",
        "Ärmel",
        "Azur",
        "Lukas",
        "Łukasz",
        "Oster",
        "Øster",
        "Strasse",
        "Straße",
        "Zoe",
    ]
