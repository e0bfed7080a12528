"""The commands around courses that need nbgrader.

Law: nbgrader itself is imported only by the process that runs a course.
"""

import argparse

from bioskills.base.text import _
from bioskills.courses.commands import add_check
from bioskills.graders.course_trial import try_course

Nouns = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_course_commands(sub: "Nouns[argparse.ArgumentParser]") -> None:
    """Add the noun `course` with its verb `check`."""
    add_course_check(add_course_noun(sub))


def add_course_noun(sub: "Nouns[argparse.ArgumentParser]") -> "Nouns[argparse.ArgumentParser]":
    """Add the noun `course` and return the place for its verbs."""
    noun = sub.add_parser("course", help=_("Check courses and bring them into the platform."))
    return noun.add_subparsers(dest="verb", required=True)


def add_course_check(verbs: "Nouns[argparse.ArgumentParser]") -> None:
    """Add the verb `check` with everything it can do."""
    add_check(verbs, try_course)


add_course = add_course_commands
