"""Speak the language that the panel in the reader's browser speaks.

Law: every sentence a person can read passes through `_`; values are
filled after it, never before. The panel names its language with each request:
JupyterLab's own notion of it is per process, and goes back to English whenever
a setting is read. The catalogue is the one that the browser part reads.
"""

import json
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

DOMAIN = "bioskills_lab"
LOCALES = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


def speak(accept_language: str) -> None:
    """Answer the present request in the first language that it names, if we have it."""
    first = accept_language.partition(",")[0].partition(";")[0].strip().partition("-")[0].lower()
    _language.set(first if first in _known() else SOURCE_LANGUAGE)


def language() -> str:
    """Return the language of the present request."""
    return _language.get()


def _(text: str) -> str:
    """Give the text in the reader's language."""
    said = _sentences(language()).get(text)
    return str(said[0]) if said else text


@cache
def _known() -> dict[str, Path]:
    """Return the catalogues by language; their folders are named as JupyterLab names it: ``de_DE``."""
    found = LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.json")
    return {file.parts[-3].partition("_")[0]: file for file in found}


@cache
def _sentences(code: str) -> dict[str, Any]:
    if code not in _known():
        return {}
    found: dict[str, Any] = json.loads(_known()[code].read_text(encoding="utf-8"))
    return {text: said for text, said in found.items() if text}
