"""Show and document the operator's options.

Law: what is shown is what the settings module knows; the reference page is
made from it and compared with it, so the two cannot drift apart.
"""

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioskills.base.problems import InputError, Problem
from bioskills.base.settings import (
    DEFAULT_FILE,
    SECTIONS,
    Settings,
    load_settings,
    section_fields,
    settings_file,
)
from bioskills.base.settings_sources import variable_of
from bioskills.base.text import _
from bioskills.base.toml_text import as_toml

SOURCES = "setting_sources.json"
"""Where each value came from, for a process that was handed all of them in one file."""

SECRET = re.compile(r"(secret|password|token|key)$")
"""Names of options whose value is shown nowhere."""

PAGE = Path("docs") / "reference" / "settings.md"
SCHEME_END = "://"


@dataclass(frozen=True)
class Option:
    """One option with its value and where that comes from."""

    section: str
    key: str
    value: Any
    source: str
    field: Any

    @property
    def name(self) -> str:
        """The dotted name, as in `bioskills.toml`."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return variable_of(self.section, self.key)


def add_settings(sub: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `bioskills settings list|docs`."""
    parser = sub.add_parser(
        "settings",
        help=_("Show and document the options."),
        description=_("Show every option with its value and source; for admins."),
        epilog=_("Example: bioskills settings list"),
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser(
        "list", help=_("every option, its value and where that comes from")
    ).set_defaults(act=_list)
    docs = verbs.add_parser("docs", help=_("write the reference page, or compare it"))
    docs.add_argument(
        "--check", action="store_true", help=_("only say whether the page is up to date")
    )
    docs.add_argument("--file", type=Path, default=PAGE, help=_("the page"))
    docs.set_defaults(act=_docs)


def options_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[Option]:
    """Yield every option with its value and source.

    Args:
        settings: What was loaded.
        environ: The variables it was loaded with.
    """
    file = settings_file(environ)
    for section in SECTIONS:
        body = getattr(settings, section)
        for key, field in section_fields(section).items():
            variable = variable_of(section, key)
            in_file = section in settings.model_fields_set and key in body.model_fields_set
            source = (
                variable
                if variable in environ
                else str(file or DEFAULT_FILE)
                if in_file
                else _("default")
            )
            yield Option(section, key, getattr(body, key), source, field)


def _list(_options: argparse.Namespace) -> int:
    for option in options_of(load_settings()):
        about = option.field.description or ""
        _say(f"{option.name} = {shown(option)}   ({option.source})\n    {_(about)}")
    return 0


def sources_of(settings: Settings) -> dict[str, str]:
    """Return where each option's value comes from, by dotted name; empty for a default."""
    default = _("default")
    found = {option.name: option.source for option in options_of(settings)}
    return {name: "" if source == default else source for name, source in found.items()}


def shown(option: Option) -> str:
    """Return a value for people; of a secret, only whether there is one."""
    if SECRET.search(option.key):
        return _("set; not shown") if option.value else _("not set")
    return _shown(option.value)


def _shown(value: object) -> str:
    # An address of a database may hold a password: only its kind is shown.
    if isinstance(value, str) and SCHEME_END in value and "@" in value:
        return f"{value.partition(SCHEME_END)[0]}{SCHEME_END}..."
    return repr(value)


def reference_page() -> str:
    """Return the reference page of all options."""
    parts = [_introduction()]
    for section in SECTIONS:
        kind = Settings.model_fields[section].annotation
        parts.append(f"## {section}\n\n{(kind.__doc__ if kind else '') or ''}\n")
        parts += [
            _entry(Option(section, key, field.default, "", field))
            for key, field in section_fields(section).items()
        ]
    return "\n".join(parts)


def _introduction() -> str:
    return (
        "# Settings\n\n"
        "<!-- Made by `bioskills settings docs`; change the descriptions in extensions/base/settings.py. -->\n\n"
        "Options stand in `bioskills.toml`, in a table per section.\n"
        "A variable of the environment overrides the file; `bioskills settings list` shows every value and its source.\n"
        "An unknown name is refused, with the nearest known one.\n"
    )


def _entry(option: Option) -> str:
    limits = ", ".join(str(rule) for rule in option.field.metadata)
    facts = [f"- Default: `{as_toml(option.value)}`", f"- Variable: `{option.variable}`"]
    facts += [f"- Limits: `{limits}`"] if limits else []
    return f"### {option.name}\n\n{option.field.description}\n\n" + "\n".join(facts) + "\n"


def _docs(options: argparse.Namespace) -> int:
    page = reference_page()
    if not options.check:
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_text(page, encoding="utf-8")
        _say(_("Wrote {path}.").format(path=options.file))
        return 0
    if options.file.is_file() and options.file.read_text(encoding="utf-8") == page:
        _say(_("{path} is up to date.").format(path=options.file))
        return 0
    what = _("is not what the settings say.")
    raise InputError([Problem(str(options.file), what, next=_("Run: bioskills settings docs"))])


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own output
