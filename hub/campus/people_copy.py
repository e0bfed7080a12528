"""Understand the form that copies a cohort.

Law: everything is text until it is understood; every fault is told at once, at its field.
"""

from datetime import date

from pydantic import BaseModel

from bioskills.base.problems import InputError, Problem
from bioskills.base.text import _
from bioskills.hub.cohort_file import RESERVED, SLUG
from bioskills.hub.years import is_meant, rule

TITLE_CHARS = 100


class CopyForm(BaseModel):
    """What the form for a copy sends; everything is text until it is understood."""

    slug: str = ""
    title: str = ""
    opens: str = ""


def understood(form: CopyForm) -> date:
    """Return the day on which the copy opens.

    Raises:
        InputError: With every fault of the form, at its field.
    """
    problems = []
    if not SLUG.fullmatch(form.slug) or form.slug in RESERVED:
        rule = _("A cohort's name is 1-40 of a-z, 0-9 and inner hyphens.")
        problems.append(Problem("slug", rule))
    title = form.title.strip()
    if len(title) > TITLE_CHARS or not title.isprintable():
        rule = _("It is one line of at most {n} visible characters.").format(n=TITLE_CHARS)
        problems.append(Problem("title", rule))
    opens = _day(form.opens, problems)
    if problems:
        raise InputError(problems)
    return opens


def _day(text: str, problems: list[Problem]) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(Problem("opens", _("Give a date such as 2027-09-06.")))
        return date.min
    if not is_meant(day):
        problems.append(Problem("opens", rule()))
    return day
