"""Write a framework as the files of its folder, for people to read and change.

Law: the same content gives the same bytes; what is written here is read by
`framework_reading` as the same framework. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from bioskills.competence.framework_form import HEAD

_WIDE = 250


class _Dumper(yaml.SafeDumper):
    """Block style, with the small things in one line, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


class _Flow(dict[str, Any]):
    """A mapping that is written in one line."""


class _Row(list[Any]):
    """A list that is written in one line."""


_Dumper.add_representer(
    _Flow,
    lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True),
)
_Dumper.add_representer(
    _Row,
    lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True),
)


def unit_file_name(code: str) -> str:
    """Return the name of a unit's file: ``U04.yaml`` for ``BSH-U04``."""
    return f"{code.partition('-')[2]}.yaml"


def files_of(
    head: Mapping[str, Any], units: Iterable[Mapping[str, Any]], note: str = ""
) -> dict[str, bytes]:
    """Return the files of a framework.

    Args:
        head: What `framework.yaml` says, as plain data.
        units: What the files of the units say.
        note: Lines for the top of `framework.yaml`, without the sign of a comment.
    """
    comment = "".join(f"# {line}\n" for line in note.splitlines())
    files = {HEAD: comment.encode() + _text(_head(head))}
    return files | {unit_file_name(unit["code"]): _text(_unit(unit)) for unit in units}


def _head(head: Mapping[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {
        "languages": {key: _Row(value) for key, value in head["languages"].items()},
        "precedes": [_Row(pair) for pair in head["precedes"]],
    }
    if "crosswalks" in head:
        short["crosswalks"] = [_Flow(row) for row in head["crosswalks"]]
    return dict(head) | short


def _unit(unit: Mapping[str, Any]) -> dict[str, Any]:
    outcomes = [dict(o) | {"rule": _Flow(o["rule"])} for o in unit["outcomes"]]
    return dict(unit) | {"outcomes": outcomes}


def rule_of(theta: str, tasks: int, floor: str, validity_months: int | None) -> dict[str, Any]:
    """Return the numbers that decide an outcome, as a file holds them."""
    found = {"threshold": theta, "tasks": tasks, "critical_floor": floor}
    return found | ({} if validity_months is None else {"validity_months": validity_months})


def _text(data: Mapping[str, Any]) -> bytes:
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE)
    return str(text).encode()
