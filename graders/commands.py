"""The commands around courses that need nbgrader.

Law: nbgrader itself is imported only by the process that runs a course.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable

from bioskills.base.commands import Verbs, verbs_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import installed_data_dir
from bioskills.base.text import _
from bioskills.courses.commands import add_check
from bioskills.graders.course_trial import try_course
from bioskills.graders.plain_folder import add_config_verb

Act = Callable[[argparse.Namespace], int]


def add_course_commands(sub: "Verbs[argparse.ArgumentParser]") -> None:
    """Add `bioskills course check PATH|ZIP` and `bioskills course nbgrader-config PATH`."""
    text = _("Check, install and look at courses. For instructors and the admin.")
    verbs = verbs_of(sub, "course", text)
    add_check(verbs, try_course)
    add_config_verb(verbs)
    check = verbs.choices["check"]
    check.set_defaults(act=where_nbgrader_is(check.get_default("act")))


def where_nbgrader_is(act: Act) -> Act:
    """Go on in the lab environment where this one (the hub's) has no nbgrader."""

    def there(options: argparse.Namespace) -> int:
        if getattr(options, "quick", False) or importlib.util.find_spec("nbgrader"):
            return act(options)
        data = installed_data_dir()
        lab = str(data / "env" / "lab" / "bin" / "bioskills") if data else ""
        if not os.access(lab, os.X_OK):
            raise SetupError(
                _("The lab environment is missing, and nbgrader with it. Run: make setup")
            )
        return os.execv(lab, [lab, *sys.argv[1:]])  # noqa: S606 - no shell is wanted

    return there
