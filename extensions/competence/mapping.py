"""Read a course's `competence.yaml` (rule R1).

Law: the file comes from outside, so every fault in it is reported at once and
nothing of a faulty file is used. Pure: text in, mapping out. What needs the
framework or the gradebook is asked in `lint_mapping`.
"""

from collections.abc import Iterator
from collections.abc import Mapping as AbcMapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bioskills.base.problems import nearest
from bioskills.base.text import _
from bioskills.competence.faults import Fault, MappingError
from bioskills.competence.lint import CellInfo, lint_mapping
from bioskills.competence.strict_yaml import MAX_CHARACTERS, NotYamlError, read_yaml
from bioskills.competence.tasks import Attempts, Cell, Gate, Mapping, Task

__all__ = [
    "MAX_CHARACTERS",
    "CellInfo",
    "Fault",
    "Mapping",
    "MappingError",
    "lint_mapping",
    "parse_mapping",
]

_FIX = "bioskills course check"


class _Head(BaseModel):
    """The file without its tasks, which are read one by one to find every fault."""

    model_config = ConfigDict(extra="forbid", strict=True)
    framework: Annotated[str, Field(pattern=r"^[A-Z]+@\d+\.\d+\.\d+$")]
    mapping_version: Annotated[int, Field(ge=1)]
    tasks: Annotated[list[Any], Field(min_length=1)]
    critical: dict[str, list[str]] = {}


_KEYS = {name for model in (_Head, Task, Cell, Gate, Attempts) for name in model.model_fields}


def _path(parts: tuple[int | str, ...], prefix: str = "") -> str:
    text = prefix
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 (one line of a terminal)


def _sentence(kind: str, name: str, value: str, context: AbcMapping[str, Any], plain: str) -> str:
    """Say what pydantic found in words for a course author."""
    if kind == "missing":
        return _("{name} is missing.").format(name=name)
    if kind == "extra_forbidden":
        return _("{name} is not a key that is known here.").format(name=name)
    if kind == "literal_error":
        return _("{name} is {value}; allowed: {allowed}.").format(
            name=name, value=value, allowed=context["expected"]
        )
    if kind == "value_error":
        return _("{name} is {value}. {reason}").format(
            name=name, value=value, reason=context["error"]
        )
    return _("{name} is {value}. {reason}.").format(name=name, value=value, reason=plain)


def _next(kind: str, name: str) -> str:
    near = nearest(name, _KEYS) if kind == "extra_forbidden" else ""
    if near:
        return _("Did you mean {near}? Then run: {command}").format(near=near, command=_FIX)
    return _("Correct it in competence.yaml, then run: {command}").format(command=_FIX)


def _faults_of(error: ValidationError, prefix: str = "") -> Iterator[Fault]:
    items = error.errors(include_url=False)
    places = {item["loc"] for item in items}
    for item in items:
        if item["type"] == "too_short" and _holds_another(item["loc"], places):
            # Pydantic drops a faulty entry and then finds the list too short.
            continue
        name = str(item["loc"][-1]) if item["loc"] else prefix
        value = "" if item["type"] == "missing" else _shown(item["input"])
        yield Fault(
            path=_path(item["loc"], prefix),
            value=value,
            message=_sentence(item["type"], name, value, item.get("ctx", {}), item["msg"]),
            next=_next(item["type"], name),
        )


def _holds_another(place: tuple[int | str, ...], places: set[tuple[int | str, ...]]) -> bool:
    return any(len(place) < len(other) and other[: len(place)] == place for other in places)


def _read(source: str) -> object:
    if len(source) > MAX_CHARACTERS:
        text = _("The mapping has {n} characters; at most {most} are read.")
        raise MappingError([_whole(text.format(n=len(source), most=MAX_CHARACTERS))])
    try:
        return read_yaml(source).data
    except NotYamlError as error:
        reason = _("This is not YAML that can be read: {reason}.").format(reason=error)
        raise MappingError([_whole(reason)]) from None


def _whole(message: str) -> Fault:
    return Fault("competence.yaml", "", message, _next("", ""))


def _tasks_of(raw: object, faults: list[Fault]) -> list[tuple[int, Task]]:
    found = []
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        try:
            found.append((index, Task.model_validate(item)))
        except ValidationError as error:
            faults += _faults_of(error, f"tasks[{index}]")
    return found


def _repeated(places: list[tuple[str, str]], sentence: str) -> Iterator[Fault]:
    seen = set[str]()
    for path, name in places:
        if name in seen:
            yield Fault(path, name, sentence.format(name=name), _next("", ""), code="repeated")
        seen.add(name)


def _repetitions(tasks: list[tuple[int, Task]]) -> Iterator[Fault]:
    """Find what would let one piece of work count as two tasks (R5 needs distinct ones)."""
    yield from _repeated(
        [(f"tasks[{i}].id", task.id) for i, task in tasks],
        _("The task {name} is there twice; each task has its own id."),
    )
    yield from _repeated(
        [
            (f"tasks[{i}].assignments[{j}]", name)
            for i, task in tasks
            for j, name in enumerate(task.assignments)
        ],
        _("The assignment {name} is in two places; it belongs to one task."),
    )
    yield from _repeated(
        [
            (f"tasks[{i}].cells[{j}].cell", cell.cell)
            for i, task in tasks
            for j, cell in enumerate(task.cells)
        ],
        _("The cell {name} is mapped twice; name all its outcomes in one entry."),
    )


def _strays(tasks: list[tuple[int, Task]], critical: object, names: set[str]) -> Iterator[Fault]:
    """Find gates and critical entries that could never have an effect."""
    for i, task in tasks:
        for j, gate in enumerate(task.gates):
            for outcome in sorted(set(gate.outcomes) - task.outcomes):
                text = _("The gate names {outcome}, which no cell of the task {task} maps.")
                yield Fault(
                    f"tasks[{i}].gates[{j}].outcomes",
                    outcome,
                    text.format(outcome=outcome, task=task.id),
                    _next("", ""),
                    code="stray",
                )
    for outcome, wanted in (critical if isinstance(critical, dict) else {}).items():
        for name in wanted if isinstance(wanted, list) else []:
            if str(name) not in names:
                text = _("The critical task {name} is not among the tasks.").format(name=name)
                yield Fault(f"critical.{outcome}", _shown(name), text, _next("", ""), code="stray")


def parse_mapping(source: str | AbcMapping[str, Any], course: str = "") -> Mapping:
    """Return the mapping held in a `competence.yaml`.

    Args:
        source: The file's text, or the same as plain dictionaries and lists.
        course: The course id. Give it wherever evidence is written or evaluated:
            two courses may each have a task of the same name.

    Raises:
        MappingError: With every fault that can be seen without framework and gradebook.
    """
    raw = _read(source) if isinstance(source, str) else source
    faults: list[Fault] = []
    head = None
    try:
        head = _Head.model_validate(raw)
    except ValidationError as error:
        faults += _faults_of(error, "" if isinstance(raw, AbcMapping) else "competence.yaml")
    content = raw if isinstance(raw, AbcMapping) else {}
    tasks = _tasks_of(content.get("tasks"), faults)
    # A faulty task still has its name: a reference to it is not a second fault.
    names = {str(item.get("id")) for item in _dicts(content.get("tasks"))}
    faults += [*_repetitions(tasks), *_strays(tasks, content.get("critical"), names)]
    if faults or head is None:
        raise MappingError(faults)
    critical = {outcome: tuple(wanted) for outcome, wanted in head.critical.items()}
    return Mapping(
        framework=head.framework,
        version=head.mapping_version,
        tasks=tuple(task for _index, task in tasks),
        critical=MappingProxyType(critical),
        course=course,
    )


def _dicts(value: object) -> list[AbcMapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, AbcMapping)]
