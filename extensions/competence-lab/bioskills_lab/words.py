"""Speak the language the reader has chosen in JupyterLab.

Law: every sentence a person can read passes through `_`; values are
filled after it, never before. The catalogue is the one that the browser part
reads: JupyterLab looks for others in language packs alone.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jupyterlab_server.translation_utils import translator

DOMAIN = "bioskills_lab"
LOCALES = Path(__file__).parent / "locale"


def language() -> str:
    """Return the language that the reader's browser asked JupyterLab for last."""
    return str(translator._LOCALE)  # noqa: SLF001 - it has no public name


def _(text: str) -> str:
    """Give the text in the reader's language (looked up at each call: it can change)."""
    said = _sentences(language()).get(text)
    return str(said[0]) if said else text


@cache
def _sentences(code: str) -> dict[str, Any]:
    file = LOCALES / code.partition("_")[0] / "LC_MESSAGES" / f"{DOMAIN}.json"
    if not code.isidentifier() or not file.is_file():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {text: said for text, said in found.items() if text}
