"""The commands around courses that need nbgrader.

Law: nbgrader itself is imported only by the process that runs a course.
"""

import argparse

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.text import _
from bioskills.courses.commands import add_check
from bioskills.graders.course_trial import try_course


def add_course_commands(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills course check PATH|ZIP`."""
    text = _("Check, install and look at courses. For instructors and the admin.")
    add_check(verbs_of(sub, "course", text), try_course)
