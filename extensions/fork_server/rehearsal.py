"""Let a warm parent work out once what every lab works out first.

Law: called before the parent serves; each step is a library's own function on
constants of ours, in one thread, without an event loop. A step that fails, as
it may with another version of a library, is left to the labs and said.
"""

import importlib
from collections.abc import Callable
from typing import Any

SETTINGS = "{/* as a schema of JupyterLab's is written */ 'a': [1, 2.5, true, null,], }"


def rehearse() -> list[str]:
    """Do all steps; return the names of those that failed."""
    failed = []
    for step in STEPS:
        try:
            step()
        except Exception:  # noqa: BLE001 - whatever a library does, a lab does without the rehearsal
            failed.append(step.__name__.lstrip("_"))
    return failed


def _notebooks() -> None:
    """Compile the validators of notebooks: 10 MB and 0.05 CPU seconds of each lab."""
    nbformat, v4 = _module("nbformat"), _module("nbformat.v4")
    output = v4.new_output("stream", text="a")
    cells = [v4.new_code_cell("1", outputs=[output]), v4.new_markdown_cell("a")]
    text = nbformat.writes(v4.new_notebook(cells=cells))
    nbformat.validate(nbformat.reads(text, 4))


def _translations() -> None:
    """Read the languages that JupyterLab offers."""
    _module("jupyterlab_server.translation_utils").get_language_packs()


def _settings() -> None:
    """Build the parser of JupyterLab's settings."""
    _module("json5").loads(SETTINGS)


def _module(name: str) -> Any:
    return importlib.import_module(name)


STEPS: tuple[Callable[[], None], ...] = (_notebooks, _translations, _settings)
