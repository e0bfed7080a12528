"""Give every sentence a person reads to gettext.

Law: no bare string reaches a person. Placeholders are filled after `_()`, so
that translators see the whole sentence.
"""

import gettext
from contextvars import ContextVar
from pathlib import Path

DOMAIN = "bioskills"
LOCALES = Path(__file__).parent / "locale"

_language: ContextVar[str] = ContextVar("language", default="en")


def use_language(code: str) -> None:
    """Answer the current task's or thread's reader in this language.

    Args:
        code: A BCP 47 primary tag such as ``de``; one without a catalogue reads English.
    """
    _language.set(code)


def _catalogue() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, languages=[_language.get()], fallback=True)


def _(message: str) -> str:
    """Return the sentence in the reader's language."""
    return _catalogue().gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """Return the sentence in the plural form that fits n."""
    return _catalogue().ngettext(one, many, n)
