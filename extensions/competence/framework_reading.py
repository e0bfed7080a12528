"""Read the files of a framework's folder: text in, a draft out.

Law: every fault of every file is said at once, with file and line, and nothing
of a faulty folder is used. Pure: bytes by file name in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.text import SOURCE_LANGUAGE, _
from bioskills.competence.framework_form import HEAD, HeadForm, OutcomeForm, RoleForm, UnitForm
from bioskills.competence.framework_model import (
    Carry,
    Crosswalk,
    Framework,
    Outcome,
    Role,
    Unit,
    in_language,
)
from bioskills.competence.strict_yaml import Document, NotYamlError, Step, read_yaml

Files = Mapping[str, bytes]
TARGETS = "targets.csv"
_MAX_SHOWN = 60
_Form = TypeVar("_Form", bound=BaseModel)


class UnitFile(NamedTuple):
    """A unit and the file it came from."""

    name: str
    form: UnitForm


@dataclass(frozen=True)
class Draft:
    """A framework as its files say it, before anybody asked whether that makes sense."""

    head: HeadForm
    units: tuple[UnitFile, ...]
    files: Files
    documents: Mapping[str, Document]

    @property
    def ref(self) -> str:
        """Name and version as evidence writes them."""
        return f"{self.head.id}@{self.head.version}"

    def where(self, name: str, *path: Step) -> str:
        """Return file, line and key of a value, as a person would look for it."""
        line = self.documents[name].line(path) if name in self.documents else 1
        return f"{name}:{line}" + (f" {_key(path)}" if path else "")

    def framework(self) -> Framework:
        """Return the framework; sound only where `lint_draft` found no fault."""
        forms = {form.code: form for _name, form in self.units}
        return Framework(
            **_head_fields(self.head),
            units=tuple(_unit(forms[code]) for code in self.head.units if code in forms),
            roles=tuple(_role(role) for role in self.head.roles),
        )


def read_draft(files: Files) -> Draft:
    """Return the draft that these files hold.

    Raises:
        InputError: With every fault of form in any of them.
    """
    problems: list[Problem] = []
    documents = dict(_documents(files, problems))
    head = _parsed(HeadForm, HEAD, documents, problems)
    units = [
        UnitFile(name, form)
        for name in sorted(documents)
        if name != HEAD and (form := _parsed(UnitForm, name, documents, problems))
    ]
    if HEAD not in files:
        text = _("is missing, so this is not a framework.")
        problems.append(Problem(HEAD, text, next=_("Name the folder that holds framework.yaml.")))
    if problems or head is None:
        raise InputError(problems)
    return Draft(head, tuple(units), files, MappingProxyType(documents))


def _documents(files: Files, problems: list[Problem]) -> Iterator[tuple[str, Document]]:
    for name, content in files.items():
        if PurePath(name).suffix != ".yaml":
            continue
        try:
            yield name, read_yaml(content.decode())
        except UnicodeDecodeError as error:
            text = _("is not UTF-8 text: byte {n}.").format(n=error.start)
            problems.append(Problem(name, text, next=_("Save it as UTF-8.")))
        except NotYamlError as error:
            text = _("is not YAML that can be read: {reason}.").format(reason=error)
            problems.append(Problem(name, text, next=_next()))


def _parsed(
    kind: type[_Form], name: str, documents: Mapping[str, Document], problems: list[Problem]
) -> _Form | None:
    document = documents.get(name)
    if document is None:
        return None
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(name, document, item) for item in error.errors(include_url=False)]
        return None


def _problem(name: str, document: Document, item: Any) -> Problem:
    path = tuple(step for step in item["loc"] if step != "[key]")
    where = f"{name}:{document.line(path)} {_key(path)}".rstrip()
    if item["type"] == "missing":
        return Problem(where, _("is missing."), next=_next())
    if item["type"] == "extra_forbidden":
        return Problem(where, _("is not a key that is known here."), next=_advice(path))
    text = _("is {value}: {reason}.")
    context = item.get("ctx", {})
    reason = str(context.get("error") or item["msg"]).rstrip(".")
    return Problem(where, text.format(value=_shown(item["input"]), reason=reason), next=_next())


def _advice(path: Sequence[Step]) -> str:
    known = {
        key for form in (HeadForm, UnitForm, OutcomeForm, RoleForm) for key in form.model_fields
    }
    near = nearest(str(path[-1]), known) if path else ""
    return _("Did you mean {near}?").format(near=near) if near else _next()


def _next() -> str:
    return _("Correct it, then run: bioskills framework check DIR")


def _key(path: Sequence[Step]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def _words(words: Mapping[str, str] | None) -> Mapping[str, str]:
    return MappingProxyType(dict(words or {}))


def _head_fields(head: HeadForm) -> dict[str, Any]:
    return {
        "id": head.id,
        "version": head.version,
        "title": in_language(head.title, SOURCE_LANGUAGE),
        "titles": _words(head.title),
        "qualification": head.qualification,
        "point_hours": head.point_hours,
        "precedes": tuple((first, then) for first, then in head.precedes),
        "uri": head.uri,
        "creator": head.creator,
        "issued": head.issued.isoformat(),
        "complete": tuple(head.languages.complete),
        "title_languages": tuple(head.languages.titles),
        "replaces": head.replaces or "",
        "crosswalks": tuple(
            Crosswalk(**{**c.model_dump(), "uri": c.uri or "", "reviewed_by": tuple(c.reviewed_by)})
            for c in head.crosswalks
        ),
        "carries": tuple(
            Carry(c.source, c.target, c.relation, _words(c.missing)) for c in head.carries
        ),
    }


def _unit(form: UnitForm) -> Unit:
    return Unit(
        code=form.code,
        title=in_language(form.title, SOURCE_LANGUAGE),
        eqf=form.eqf,
        points=form.points,
        hours=form.hours,
        outcomes=tuple(_outcome(outcome, form.code) for outcome in form.outcomes),
        criteria=tuple(in_language(words, SOURCE_LANGUAGE) for words in form.criteria),
        titles=_words(form.title),
        criteria_words=tuple(_words(words) for words in form.criteria),
    )


def _outcome(form: OutcomeForm, unit: str) -> Outcome:
    return Outcome(
        id=form.id,
        unit=unit,
        type=form.type,
        statement=in_language(form.statement, SOURCE_LANGUAGE),
        theta=form.rule.threshold,
        n=form.rule.tasks,
        floor=form.rule.critical_floor,
        validity_months=form.rule.validity_months,
        statements=_words(form.statement),
    )


def _role(form: RoleForm) -> Role:
    asked = {code: mode for code, mode in form.units.items() if mode != "none"}
    return Role(
        code=form.code,
        title=in_language(form.title, SOURCE_LANGUAGE),
        elective_points=form.elective_points,
        units=MappingProxyType(asked),
        titles=_words(form.title),
    )
