"""Let a warm parent work out once what every lab works out first.

Law: called before the parent serves; each step is a library's own function on
constants of ours or on files of the environment, in one thread, without an
event loop. What is remembered is looked up by its content, so a lab with other
content gets the library's own answer. A step that fails, as it may with another
version of a library, is left to the labs and said.
"""

import functools
import hashlib
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SETTINGS = "{/* as a schema of JupyterLab's is written */ 'a': [1, 2.5, true, null,], }"
PROVISIONERS = ("local-provisioner", "bioskills-fork")
NOWHERE = "/nonexistent"


def rehearse() -> list[str]:
    """Do all steps; return the names of those that failed."""
    failed = []
    for step in STEPS:
        try:
            step()
        except Exception:  # noqa: BLE001 - whatever a library does, a lab does without the rehearsal
            failed.append(step.__name__.lstrip("_"))
    return failed


class GoodSchemas:
    """Stands before a JSON-schema validator: a schema that was found good is not checked again.

    JupyterLab's 94 schemas are checked against the schema of schemas at every page.
    """

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        self._known: set[bytes] = set()

    def __call__(self, *words: Any, **named: Any) -> Any:
        """Return a validator, as the class that this stands for does."""
        return self._validator(*words, **named)

    def check_schema(self, schema: Any) -> None:
        """Check a schema, unless the same one was found good."""
        content = json.dumps(schema, sort_keys=True).encode()
        mark = hashlib.sha256(content).digest()
        if mark not in self._known:
            self._validator.check_schema(schema)
            self._known.add(mark)


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
    """Read all settings once, as a page does."""
    _module("json5").loads(SETTINGS)
    utils = _module("jupyterlab_server.settings_utils")
    if not isinstance(utils.Validator, GoodSchemas):
        utils.Validator = GoodSchemas(utils.Validator)
    share = Path(sys.prefix, "share", "jupyter")
    utils.get_settings(
        str(share / "lab" / "settings"),
        str(share / "lab" / "schemas"),
        NOWHERE,
        labextensions_path=[str(share / "labextensions")],
    )


def _kernels() -> None:
    """Find what starts kernels; a lab would read the metadata of every installed package."""
    factory = _module("jupyter_client.provisioning.factory")
    if not hasattr(factory.entry_points, "cache_info"):
        factory.entry_points = functools.cache(factory.entry_points)
    group = factory.KernelProvisionerFactory.GROUP_NAME
    for more in ({}, *({"name": name} for name in PROVISIONERS)):
        factory.entry_points(group=group, **more)


def _events() -> None:
    """Check the schemas of Jupyter Server's own events, and hand each lab the checked ones."""
    logger = _module("jupyter_events.logger").EventLogger
    make = _module("jupyter_events.schema").EventSchema
    register = logger.register_event_schema
    if hasattr(register, "__wrapped__"):
        return
    files = Path(_module("jupyter_server").DEFAULT_EVENTS_SCHEMA_PATH).rglob("*.yaml")
    kept = {path: make(path) for path in files}

    @functools.wraps(register)
    def register_kept(self: Any, schema: Any) -> Any:
        return register(self, kept.get(schema, schema) if isinstance(schema, Path) else schema)

    logger.register_event_schema = register_kept


def _module(name: str) -> Any:
    return importlib.import_module(name)


STEPS: tuple[Callable[[], None], ...] = (
    _notebooks,
    _translations,
    _settings,
    _kernels,
    _events,
)
