"""Read YAML that came from outside, and say on which line a value stands.

Law: what hides things (repeated keys, aliases) is refused, and so is what no
person would write by hand: too long, nested too deeply. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from bioskills.base.text import _

MAX_CHARACTERS = 256_000
"""Longest file that is read; the largest we know has 20 000 characters."""

Step = int | str


class NotYamlError(ValueError):
    """The text is no YAML that is read here; says why."""


class _Loader(yaml.SafeLoader):
    """YAML without the two constructs that hide things: repeated keys and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, _("aliases (*) are not allowed"), mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(str(key.value) for key, _value in node.value)
        for key, _value in node.value:
            if keys[str(key.value)] > 1:
                text = _("the key {key} is there twice").format(key=key.value)
                raise yaml.MarkedYAMLError(None, None, text, key.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Document:
    """One YAML file: what it says, and where it says it."""

    data: Any
    _root: yaml.Node | None

    def line(self, path: Sequence[Step]) -> int:
        """Return the line, from 1, of a value; of the nearest thing around it where it is missing."""
        node, line = self._root, 1
        for step in path:
            node, at = _child(node, step)
            if node is None:
                break
            line = at
        return line


def _child(node: yaml.Node | None, step: Step) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found = node.value[step]
        return found, found.start_mark.line + 1
    return None, 0


def read_yaml(source: str) -> Document:
    """Return what a file says.

    Raises:
        NotYamlError: It cannot be read, or holds what is refused here.
    """
    if len(source) > MAX_CHARACTERS:
        text = _("it has {n} characters; at most {most} are read")
        raise NotYamlError(text.format(n=len(source), most=MAX_CHARACTERS))
    try:
        return _document(source)
    except (yaml.YAMLError, ValueError) as error:
        raise NotYamlError(" ".join(str(error).split())) from None
    except (LookupError, AttributeError, ArithmeticError, TypeError):
        # PyYAML's own readers of numbers, times and truth values end so.
        raise NotYamlError(_("a value is not of the type that it is written as")) from None
    except RecursionError:
        raise NotYamlError(_("it is nested too deeply")) from None


def _document(source: str) -> Document:
    loader = _Loader(source)
    try:
        root = loader.get_single_node()
        data = None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()
    return Document(data, root)
