"""Say what becomes of each outcome in the next version of a framework (R9).

Law: nothing carries over by guess. The same code with the same words is the same
outcome; anything else is what the new version says about it in `carries`, or it
must be shown again. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _, ngettext
from bioskills.competence.framework_form import HEAD
from bioskills.competence.framework_model import Carry, Framework, Outcome, Words, in_language


class Fate(StrEnum):
    """What becomes of an outcome."""

    CARRIES = "carries over"
    GAP = "gap"
    AGAIN = "must be shown again"
    NEW = "new"


RELATIONS: Mapping[Fate, str] = MappingProxyType(
    {Fate.CARRIES: "exactMatchOf", Fate.GAP: "replacedBy"}
)


@dataclass(frozen=True)
class Step:
    """One row of the table.

    Attributes:
        old: Outcome of the old version; empty for a new one.
        new: Outcome of the new version; empty where nothing follows.
        missing: What must still be shown, in sentences.
        reason: Why nothing carries over.
    """

    old: str
    new: str
    fate: Fate
    missing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def relation(self) -> str:
        """The type of association that CASE has for it; empty where there is none."""
        return RELATIONS.get(self.fate, "")


def compare(old: Framework, new: Framework) -> list[Step]:
    """Return the crosswalk from one version to the next: every old outcome, then the new ones.

    Raises:
        InputError: `carries` names what the old version does not have, or is for another version.
    """
    problems = list(_carry_faults(old, new))
    if problems:
        raise InputError(problems)
    said = {carry.source: carry for carry in new.carries} if new.replaces == old.ref else {}
    steps = [_fate(outcome, new, said.get(outcome.id)) for outcome in old.outcomes.values()]
    reached = {step.new for step in steps}
    return steps + [
        Step("", code, Fate.NEW, reason=_("not in {ref}").format(ref=old.ref))
        for code in new.outcomes
        if code not in reached
    ]


def _carry_faults(old: Framework, new: Framework) -> Iterator[Problem]:
    if new.replaces not in {"", old.ref}:
        yield Problem(
            f"{HEAD} replaces",
            _("is {said}, but this compares with {ref}.").format(said=new.replaces, ref=old.ref),
            next=_("Compare with that version, or correct `replaces`."),
        )
        return
    seen = set[str]()
    for carry in new.carries:
        if carry.source not in old.outcomes:
            yield Problem(
                f"{HEAD} carries",
                _("names {code}, which {ref} does not have.").format(
                    code=carry.source, ref=old.ref
                ),
                next=_("Name an outcome of the version before."),
            )
        if carry.source in seen:
            text = _("names {code} twice.").format(code=carry.source)
            yield Problem(f"{HEAD} carries", text, next=_("Say once what becomes of it."))
        seen.add(carry.source)


def _fate(outcome: Outcome, new: Framework, said: Carry | None) -> Step:
    if said is not None:
        target = new.outcomes[said.target]
        gaps = (*_told(said.missing), *_harder(outcome, target))
        if said.relation == "exactMatchOf":
            gaps = _harder(outcome, target)
        return Step(outcome.id, target.id, Fate.GAP if gaps else Fate.CARRIES, gaps)
    same = new.outcomes.get(outcome.id)
    if same is None:
        return Step(outcome.id, "", Fate.AGAIN, reason=_("nothing follows it"))
    if same.type != outcome.type:
        reason = _("it was {old} and is {new}").format(old=outcome.type, new=same.type)
        return Step(outcome.id, same.id, Fate.AGAIN, reason=reason)
    if same.statement != outcome.statement:
        return Step(outcome.id, same.id, Fate.AGAIN, reason=_("it says something else"))
    gaps = _harder(outcome, same)
    return Step(outcome.id, same.id, Fate.GAP if gaps else Fate.CARRIES, gaps)


def _told(missing: Words) -> tuple[str, ...]:
    return (in_language(missing),) if missing else ()


def _harder(old: Outcome, new: Outcome) -> tuple[str, ...]:
    """Return what the new numbers ask beyond the old ones."""
    found = []
    if new.theta > old.theta:
        text = _("{new:.0%} in a task, where {old:.0%} were enough")
        found.append(text.format(new=float(new.theta), old=float(old.theta)))
    if new.n > old.n:
        text = ngettext("{n} more task", "{n} more tasks", new.n - old.n)
        found.append(text.format(n=new.n - old.n))
    if new.floor > old.floor:
        text = _("{new:.0%} in a critical task, where {old:.0%} were enough")
        found.append(text.format(new=float(new.floor), old=float(old.floor)))
    if new.validity_months and new.validity_months < (old.validity_months or float("inf")):
        text = ngettext(
            "evidence not older than {n} month",
            "evidence not older than {n} months",
            new.validity_months,
        )
        found.append(text.format(n=new.validity_months))
    if new.type != old.type and new.needs_person:
        found.append(_("the judgement of a person"))
    return tuple(found)
