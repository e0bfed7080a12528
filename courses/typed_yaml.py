"""Turn the text of a YAML file into a typed, frozen value.

Law: unknown and doubled keys are refused, and every fault of the file is
reported at once.
"""

from collections.abc import Hashable, Sequence
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from bioskills.base.problems import nearest
from bioskills.base.text import _
from bioskills.courses.faults import CourseError, Fault

Text = Annotated[str, StringConstraints(strict=True, min_length=1, strip_whitespace=True)]

_SHOWN_CHARACTERS = 60


class Record(BaseModel):
    """Base of everything read from a course: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


RecordType = TypeVar("RecordType", bound=Record)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice, and aliases.

    Plain YAML keeps the last of two keys silently; nested aliases can grow a
    small file into gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, _("aliases (*name) are not allowed"), mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, _("the key {key} stands twice").format(key=key), key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_yaml(file: str, text: str) -> object:
    """Return the plain value of a YAML text.

    Raises:
        CourseError: the text is not YAML, or a mapping holds a key twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CourseError([_syntax_fault(file, error)]) from error


def parse_record(kind: type[RecordType], file: str, text: str) -> RecordType:
    """Return the typed value of a YAML text.

    Raises:
        CourseError: with one fault per missing, unknown or wrong key.
    """
    value = parse_yaml(file, text)
    if not isinstance(value, dict):
        raise CourseError([Fault(file, "", _shown(value), _("the file must hold keys and values"))])
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        details = _told_once(error.errors(include_url=False))
        raise CourseError([_fault_of(kind, file, detail) for detail in details]) from error


def _told_once(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where it is so because of its faulty entries."""
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(_inside(other["loc"], detail["loc"]) for other in details)
    ]


def _inside(inner: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _syntax_fault(file: str, error: Exception) -> Fault:
    mark = getattr(error, "problem_mark", None)
    line = _("line {line}").format(line=mark.line + 1) if mark else ""
    reason = getattr(error, "problem", None) or str(error)
    message = _("the file is not valid YAML: {reason}").format(reason=reason)
    return Fault(file, line, "", message, _("Correct that line."))


def _fault_of(kind: type[Record], file: str, detail: ErrorDetails) -> Fault:
    key = _key_of(detail["loc"])
    value = "" if detail["type"] == "missing" else _shown(detail["input"])
    if detail["type"] == "extra_forbidden":
        return Fault(
            file, key, value, _("this key is not known here"), _advice(kind, detail["loc"])
        )
    return Fault(file, key, value, _message_of(detail, value))


def _message_of(detail: ErrorDetails, value: str) -> str:
    context = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "missing":
        return _("this key is missing")
    if kind == "literal_error":
        return _("{value} is not one of {expected}").format(value=value, **context)
    if kind == "string_type":
        return _("{value} must be text; write it in quotes").format(value=value)
    if kind == "string_pattern_mismatch":
        return _("{value} does not have the form {pattern}").format(value=value, **context)
    if kind == "value_error":
        return _("{value}: {reason}").format(value=value, reason=context["error"])
    return _("{value}: {reason}").format(value=value, reason=detail["msg"])


def _key_of(location: Sequence[int | str]) -> str:
    key = ""
    for step in location:
        key += f"[{step}]" if isinstance(step, int) else f".{step}"
    return key.removeprefix(".")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _advice(kind: type[Record], location: Sequence[int | str]) -> str:
    known = _model_at(kind, location[:-1]).model_fields
    likely = nearest(str(location[-1]), known)
    if likely:
        return _("Did you mean {key}?").format(key=likely)
    return _("Known keys: {keys}.").format(keys=", ".join(known))


def _model_at(kind: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel]:
    model = kind
    for step in location:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        model = (_model_in(field.annotation) if field else None) or model
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)
