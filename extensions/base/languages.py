"""Choose the language of a reader, and order names as readers look for them.

Law: what a person chose comes first, then what the browser asks for, then the
site's language; a language that we do not have is passed over. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable

from babel import Locale
from babel.core import get_global

from bioskills.base.text import SOURCE_LANGUAGE, known_languages

COOKIE = "bioskills-language"
"""Holds the choice of who has not signed in; says nothing about a person."""

_LIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_REGIONS = {SOURCE_LANGUAGE: "en_GB"}
"""Where a language alone would write dates and numbers of another place."""
_MOST_WISHES = 20


def first_known(wishes: Iterable[str], site_language: str) -> str:
    """Return the first of these languages that we have, else the site's."""
    for wish in (*wishes, site_language):
        primary = wish.replace("_", "-").partition("-")[0].strip().lower()
        if primary in known_languages():
            return primary
    return SOURCE_LANGUAGE


def wished(accept_language: str) -> list[str]:
    """Return the languages that a browser asks for, the dearest first.

    Args:
        accept_language: The header of that name (RFC 9110, 12.5.4).
    """
    found: list[tuple[float, str]] = []
    for part in accept_language[:500].split(",")[:_MOST_WISHES]:
        tag, _semicolon, weight = part.partition(";")
        match = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        dearness = float(match[1]) if match else 0.0 if weight else 1.0
        if dearness > 0 and re.fullmatch(r"[A-Za-z0-9-]+", tag.strip()):
            found.append((dearness, tag.strip()))
    return [tag for _dearness, tag in sorted(found, key=lambda one: -one[0])]


def own_name(language: str) -> str:
    """Return a language's name as its readers write it: ``Deutsch``."""
    name = Locale.parse(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]


def locale_of(language: str) -> Locale:
    """Return whose habits of dates and numbers the readers of a language follow."""
    return Locale.parse(_REGIONS.get(language, language))


def lab_locale(language: str) -> str:
    """Return what JupyterLab's language packs call a language: with its land, ``de_DE``."""
    if language == SOURCE_LANGUAGE:
        return language
    land = Locale.parse(get_global("likely_subtags").get(language, language)).territory
    return f"{language}_{land}" if land else language


def name_key(name: str) -> tuple[str, str]:
    """Return what names are sorted by: accents beside their letters, capitals like small ones.

    One order for all languages: readers of German, French or Polish find every
    name where they look; Swedish or Danish, which put Å, Ä and Ö at the end, do not.
    """
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LIKE))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return letters, name
