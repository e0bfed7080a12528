"""Give every sentence of the set-up to gettext, before anything is installed.

Law: nothing is imported from an installed package. The product's own text
module needs none either, so it is loaded from the clone by its path.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """The machine does not allow the set-up; the text ends with the next step."""


def _load_gettext() -> Callable[[str], str]:
    source = CLONE / "extensions" / "base" / "text.py"
    spec = importlib.util.spec_from_file_location("bioskills_text", source)
    if spec is None or spec.loader is None:
        return str
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[str], str] = module._
    return function


_ = _load_gettext()


def say(sentence: str, end: str = "\n") -> None:
    """Tell the person at the terminal, at once."""
    print(sentence, end=end, flush=True)  # noqa: T201 - the set-up's own output
