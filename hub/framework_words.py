"""Say in lines what a framework is, and what its next version changes.

Law: pure; data in, lines out.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from bioskills.base.text import _, ngettext
from bioskills.competence.framework import Framework
from bioskills.competence.framework_diff import Fate, Step


def shown(framework: Framework, print_of: str, language: str) -> Iterator[str]:
    """Yield the lines of `bioskills framework show`.

    Args:
        framework: What is shown.
        print_of: Its fingerprint.
        language: Of the texts.
    """
    yield f"{framework.ref}  {framework.title_in(language)}"
    yield _("{units} units, {outcomes} outcomes, {points} points; by {creator}, {day}").format(
        units=len(framework.units),
        outcomes=len(framework.outcomes),
        points=framework.points,
        creator=framework.creator,
        day=framework.issued,
    )
    yield _("Fingerprint: {sha256}").format(sha256=print_of)
    yield _("Languages: {all}; titles of units alone: {titles}").format(
        all=", ".join(framework.complete), titles=", ".join(framework.title_languages) or "-"
    )
    for unit in framework.units:
        facts = _("EQF {level}, {points} points").format(level=unit.eqf, points=unit.points)
        yield f"\n{unit.code}  {unit.title_in(language)} ({facts})"
        yield from (f"  {o.id}  {o.statement_in(language)}" for o in unit.outcomes)
    yield ""
    yield from (
        f"{role.code}  {role.title_in(language)}: {_modes(role.units)}" for role in framework.roles
    )
    reviewed = sum(row.reviewed for row in framework.crosswalks)
    yield _("{n} links to other frameworks, {reviewed} of them reviewed.").format(
        n=len(framework.crosswalks), reviewed=reviewed
    )


def _modes(units: Any) -> str:
    counts = Counter(units.values())
    return _("{m} mandatory, {k} knowledge only, {e} elective").format(
        m=counts["mandatory"], k=counts["knowledge-only"], e=counts["elective"]
    )


def fate_word(fate: Fate) -> str:
    """Return a fate in the reader's language."""
    return {
        Fate.CARRIES: _("carries over"),
        Fate.GAP: _("gap"),
        Fate.AGAIN: _("must be shown again"),
        Fate.NEW: _("new"),
    }[fate]


def table(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the lines of `bioskills framework diff`: what changes first, then the sums."""
    for step in steps:
        if step.fate is Fate.CARRIES and step.old == step.new:
            continue
        why = "; ".join(step.missing) or step.reason
        line = f"{step.old or '-'} → {step.new or '-'}  {fate_word(step.fate)}"
        yield f"{line}: {why}" if why else line
    counts = Counter(step.fate for step in steps)
    n = counts[Fate.CARRIES]
    yield ngettext("{n} outcome carries over.", "{n} outcomes carry over.", n).format(n=n)
    yield _("{gap} with a gap, {again} to be shown again, {new} new.").format(
        gap=counts[Fate.GAP], again=counts[Fate.AGAIN], new=counts[Fate.NEW]
    )


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the table for programs."""
    return [
        {
            "old": step.old,
            "new": step.new,
            "fate": step.fate.value,
            "relation": step.relation,
            "missing": list(step.missing),
            "reason": step.reason,
        }
        for step in steps
    ]
