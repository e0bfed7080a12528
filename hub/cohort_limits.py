"""Settle what a learner may use: the settings' table and what cohorts set for themselves.

Law: pure. The names and bounds are those of the section `labs` of the settings. Of several
cohorts the largest value counts; where no cohort sets a limit, the settings' does.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from bioskills.base.problems import Problem
from bioskills.base.settings import section_fields
from bioskills.base.text import _

SHOWN_CHARS = 100
LAB_LIMITS = ("memory_mb", "processes", "cpu_share", "tmp_mb", "shm_mb", "home_mb")
"""The names, as the settings and the fork server know them."""

MOST = 1 << 30
"""Where the settings name no upper bound: far more than a machine has, and still a number that
fits into what the kernel reads as bytes."""

Limits = Mapping[str, int]


def effective(settings: Limits, cohorts: Iterable[Limits]) -> dict[str, int]:
    """Return what a learner may use.

    Args:
        settings: The value of every limit where no cohort sets it.
        cohorts: What each cohort with an active seat of the learner sets; some names or none.
    """
    given = list(cohorts)
    return {
        name: max((own[name] for own in given if name in own), key=_size, default=value)
        for name, value in settings.items()
    }


def _size(value: int) -> float:
    return value or math.inf  # 0 is no limit


def limits_from(texts: Mapping[str, str], where: str, problems: list[Problem]) -> dict[str, int]:
    """Return the limits of a cohort file; a value that is none is added to the problems."""
    found = {}
    for name in LAB_LIMITS:
        if name not in texts:
            continue
        least, most = _bounds(name)
        if re.fullmatch(r"\d{1,12}", texts[name], re.ASCII) and least <= int(texts[name]) <= most:
            found[name] = int(texts[name])
        else:
            what = _("{key} is {value!r}.").format(key=name, value=texts[name][:SHOWN_CHARS])
            rule = _("It is a whole number from {least} to {most}.").format(least=least, most=most)
            problems.append(Problem(where, what, rule))
    return found


def _bounds(name: str) -> tuple[int, int]:
    marks = section_fields("labs")[name].metadata
    least = max((mark.ge for mark in marks if hasattr(mark, "ge")), default=0)
    return least, min((mark.le for mark in marks if hasattr(mark, "le")), default=MOST)


def differences(old: Limits, new: Limits) -> Iterator[str]:
    """Say what changes, limit by limit, as a person reads it in a plan."""
    text = _("limit {name} {old} → {new}, for each lab from its next start")
    for name in LAB_LIMITS:
        if old.get(name) != new.get(name):
            yield text.format(name=name, old=_shown(old.get(name)), new=_shown(new.get(name)))


def _shown(value: int | None) -> str:
    return _("as in the settings") if value is None else str(value)
