"""Open one assignment of a run to who may change it.

Law: a role is asked for in the cohort of the run, before anything is read; a change
is one transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from bioskills.base import tables
from bioskills.base.text import _
from bioskills.hub.campus.callers import Browser
from bioskills.hub.campus.pages_changes import Change
from bioskills.hub.campus.pages_class import read_class
from bioskills.hub.campus.pages_shared import find_run, require_role, require_teaching
from bioskills.hub.campus.site import Refused, Site

Where = tuple[str, str]
"""Slug of the run and name of the assignment."""


@contextmanager
def changing(
    site: Site, caller: Browser, where: Where
) -> Iterator[tuple[Session, Change, tables.Cohort]]:
    """Yield a transaction in which an instructor of the cohort changes one assignment."""
    require_teaching(caller)
    with site.store.transaction() as session:
        change, cohort = change_for(session, site, caller, where, ("instructor",))
        yield session, change, cohort
    site.bell.ring()


def change_for(
    session: Session, site: Site, caller: Browser, where: Where, roles: Sequence[str]
) -> tuple[Change, tables.Cohort]:
    """Return an assignment for somebody with one of these roles in its cohort.

    Raises:
        Refused: Another cohort, or no such run or assignment.
    """
    run, name = where
    row, cohort = find_run(session, run)
    require_role(caller, cohort.slug, roles)
    group = read_class(session, row, cohort, site.clock())
    found = next((one for one in group.assignments if one.name == name), None)
    if found is None:
        message = _("The run {run} has no assignment {name}.").format(run=run, name=name)
        raise Refused(404, "unknown_assignment", message, _("Choose one on the page of the run."))
    return Change(group, found, caller.pseudonym), cohort
