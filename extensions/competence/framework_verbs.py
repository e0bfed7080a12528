"""Verbs with which no outcome may begin, because nobody can observe them.

Law: by language code, in the forms that a statement may begin with; a language
without a list is not asked.
"""

from collections.abc import Mapping
from types import MappingProxyType

DENIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (
            *("know", "knows", "understand", "understands", "learn", "learns"),
            *("be aware", "is aware", "be familiar", "is familiar", "appreciate", "appreciates"),
        ),
        "de": (
            *("kennt", "kennen", "weiß", "wissen", "versteht", "verstehen", "lernt", "lernen"),
            *("ist sich bewusst", "ist vertraut", "begreift", "begreifen"),
        ),
        "it": (
            *("conosce", "conoscere", "sa", "sapere", "capisce", "capire", "comprende"),
            *("comprendere", "impara", "imparare", "è consapevole", "è a conoscenza"),
        ),
        "es": (
            *("conoce", "conocer", "sabe", "saber", "entiende", "entender", "comprende"),
            *("comprender", "aprende", "aprender", "es consciente", "está familiarizado"),
        ),
        "bg": (
            *("знае", "познава", "разбира", "учи", "научава", "осъзнава", "наясно е"),  # noqa: RUF001 - Bulgarian
            *("запознат е", "запозната е"),  # noqa: RUF001 - Bulgarian
        ),
        "fr": (
            *("connaît", "connaître", "sait", "savoir", "comprend", "comprendre", "apprend"),
            *("apprendre", "est conscient", "est consciente", "est familier"),
        ),
    }
)


def denied_verb(statement: str, language: str) -> str:
    """Return the denied verb with which a statement begins; empty where it begins with none."""
    words = statement.casefold().replace(",", " ").split()
    for verb in DENIED.get(language, ()):
        parts = verb.casefold().split()
        if words[: len(parts)] == parts:
            return verb
    return ""
