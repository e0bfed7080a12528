"""Give every sentence a person reads to gettext, in that reader's language.

Law: no bare string reaches a person. Placeholders are filled after `_()`, so
that translators see the whole sentence. Who reads is kept per request or
command, never for the whole process.

A catalogue is read from its `.po` file, once per process and language: there
is nothing to compile, so no file can be older than its source. English needs
no catalogue and loads none.
"""

import gettext
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOMAIN = "bioskills"
LOCALES = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
"""The language that the sentences in the code are written in."""


@dataclass
class Reader:
    """Who reads what is being made just now.

    Attributes:
        language: A code of `known_languages()`.
        zone: The IANA time zone that they chose; empty where they chose none.
    """

    language: str = SOURCE_LANGUAGE
    zone: str = ""


_reader: ContextVar[Reader] = ContextVar("reader")


def begin_reader(language: str, zone: str = "") -> Reader:
    """Answer a new reader from here on: the first act of a request.

    Threads that are started for the same request share this reader: when one
    of them learns who it is, all of them know.
    """
    reader = Reader(known(language), zone)
    _reader.set(reader)
    return reader


def reader() -> Reader:
    """Return the present reader; one who chose nothing, where nobody began one."""
    return _reader.get(None) or begin_reader(SOURCE_LANGUAGE)


def use_language(code: str) -> None:
    """Answer the present reader in this language.

    Args:
        code: A BCP 47 tag such as ``de``; one without a catalogue reads English.
    """
    reader().language = known(code)


@contextmanager
def reading_as(language: str, zone: str = "") -> Iterator[None]:
    """Say what is said inside in the language and the zone of who will read it: a mail, a sheet."""
    before = _reader.set(Reader(known(language), zone))
    try:
        yield
    finally:
        _reader.reset(before)


def speak_as_terminal(environ: Mapping[str, str]) -> None:
    """Answer a command in the language of its terminal, in the order that POSIX gives.

    Args:
        environ: The environment. In a lab `BIOSKILLS_LANGUAGE` says what its owner reads.
    """
    names = ("BIOSKILLS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    use_language(next((environ[name] for name in names if environ.get(name)), SOURCE_LANGUAGE))


def known(code: str) -> str:
    """Return the language of ours that a tag means, English for none: ``de-AT`` is ``de``."""
    primary = code.replace("_", "-").partition("-")[0].lower()
    return primary if primary in known_languages() else SOURCE_LANGUAGE


@cache
def known_languages() -> tuple[str, ...]:
    """Return the languages there are, English first."""
    found = sorted(file.parts[-3] for file in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE_LANGUAGE, *found)


@cache
def catalogue(code: str) -> gettext.NullTranslations:
    """Return the sentences of a language."""
    if code == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    # Only who reads another language needs Babel, and waits for it once.
    from babel.messages import mofile, pofile  # noqa: PLC0415

    with (LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        sentences = pofile.read_po(file, locale=code)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, sentences)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """Return the sentence in the reader's language."""
    # gettext keeps its own notes under the empty sentence.
    return message and catalogue(reader().language).gettext(message)


def pgettext(context: str, message: str) -> str:
    """Return a word in the reader's language, in one of the meanings that it has in English.

    Args:
        context: Tells translators which one is meant: ``column: it is at work now``.
        message: The word.
    """
    return catalogue(reader().language).pgettext(context, message)


def ngettext(one: str, many: str, n: int) -> str:
    """Return the sentence in the plural form that fits n."""
    return catalogue(reader().language).ngettext(one, many, n)
