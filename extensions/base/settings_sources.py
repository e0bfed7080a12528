"""Gather what the settings file and the environment say, before it is believed.

Law: every fault of both is found in one look, and each names where it stands:
the file, or the variable. Nothing here knows what an option means.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.text import _

ENVIRONMENT_PREFIX = "BIOSKILLS_"
SLIP = 0.9
"""How alike a variable of no section must be to a known one to count as mistyped."""

Known = Mapping[str, Collection[str]]
"""Names of the options by section."""


@dataclass
class Gathered:
    """What was said, and where each value stands.

    Attributes:
        file: What faults of the file are named after.
        values: Known options by section.
        variables: The variable that set an option, by (section, key).
        problems: Every fault so far.
    """

    file: str
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[tuple[str, ...], str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def where(self, name: tuple[str, ...]) -> str:
        """Return the variable or file in which this option stands."""
        return self.variables.get(name, self.file)


def gather(path: Path | None, file: str, environ: Mapping[str, str], known: Known) -> Gathered:
    """Return what a file and the environment say; the environment wins.

    Args:
        path: The file, or None where there is none.
        file: Its name for faults.
        environ: The environment's variables.
        known: Every option there is.

    Raises:
        InputError: The file cannot be read as TOML.
    """
    found = Gathered(file)
    for section, body in (_read_toml(path) if path else {}).items():
        _take_section(found, section, body, known)
    _take_environment(found, environ, known)
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = _("cannot be read: {reason}.").format(reason=error.strerror)
        raise InputError([Problem(str(path), what)]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        what = _("is not TOML: {error}.").format(error=error)
        raise InputError([Problem(str(path), what)]) from error


def _take_section(found: Gathered, section: str, body: object, known: Known) -> None:
    if section not in known:
        found.problems.append(_unknown(found.file, section, known))
    elif not isinstance(body, dict):
        what = _("{section} is {value!r}.").format(section=section, value=body)
        step = _("Write its options below a line [{section}].").format(section=section)
        found.problems.append(Problem(found.file, what, _("A section is a table."), step))
    else:
        names = [f"{section}.{key}" for key in known[section]]
        for key, value in body.items():
            if key in known[section]:
                found.values.setdefault(section, {})[key] = value
            else:
                found.problems.append(_unknown(found.file, f"{section}.{key}", names))


def _take_environment(found: Gathered, environ: Mapping[str, str], known: Known) -> None:
    options = {variable_of(s, k): (s, k) for s, keys in known.items() for k in keys}
    for name, value in environ.items():
        if name in options:
            section, key = options[name]
            found.values.setdefault(section, {})[key] = value
            found.variables[section, key] = name
        elif _looks_like_ours(name, known, options):
            found.problems.append(_unknown(_("environment"), name, options))


def _looks_like_ours(name: str, known: Known, options: Collection[str]) -> bool:
    sections = tuple(variable_of(section, "") for section in known)
    return name.startswith(sections) or (
        name.startswith(ENVIRONMENT_PREFIX) and bool(nearest(name, options, SLIP))
    )


def variable_of(section: str, key: str) -> str:
    """Return the variable that overrides an option."""
    return f"{ENVIRONMENT_PREFIX}{section}_{key}".upper()


def _unknown(where: str, name: str, known: Collection[str]) -> Problem:
    near = nearest(name, known)
    hint = (
        _("Did you mean {near}?").format(near=near) if near else _("See: bioskills settings list")
    )
    return Problem(where, _("there is no option {name}.").format(name=name), next=hint)
