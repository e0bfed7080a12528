"""Bound what a grader may say beside the points.

Law: far above what an honest grader sends, so that nothing honest is lost here; what is
merely long is cut where it is stored. Pure.
"""

import math
from collections.abc import Iterator

from bioskills.base.text import _
from bioskills.base.wire import GradeResult

MOST_THINGS = 1_000
MOST_NAME = 300
MOST_SENTENCE = 10_000
MOST_OUTPUT = 4_000_000


def size_faults(grade: GradeResult) -> Iterator[str]:
    """Find more than anybody could mean in what is kept beside the points."""
    flags = [(flag.code, flag.cell, flag.message) for flag in grade.flags]
    names = [*(name for flag in flags for name in flag[:2]), *grade.shown, *grade.parts]
    sentences = [*(flag[2] for flag in flags), *grade.mended]
    for what, found, most in (
        (_("flags"), len(flags), MOST_THINGS),
        (_("repairs"), len(grade.mended), MOST_THINGS),
        (_("shown outputs"), len(grade.shown), MOST_THINGS),
        (_("parts of the work"), len(grade.parts), MOST_THINGS),
        (_("letters in a name"), max(map(len, names), default=0), MOST_NAME),
        (_("letters in a sentence"), max(map(len, sentences), default=0), MOST_SENTENCE),
        (_("letters of output"), sum(map(len, grade.shown.values())), MOST_OUTPUT),
    ):
        if found > most:
            yield _("{n} {what} are more than {most}").format(n=found, what=what, most=most)
    for seconds in (grade.seconds, *grade.parts.values()):
        if not math.isfinite(seconds) or seconds < 0:
            yield _("{seconds} is no number of seconds").format(seconds=seconds)
