"""Know the service accounts in whose servers formgrader runs, one for each run.

Law: such an account is nobody: it has no seat, nobody signs in as it, no person
may be named like it, and its role lets its own server report activity and know who
comes, nothing more. Who may enter follows from the membership table (`grading_door.py`).
"""

from typing import Any

from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import Cohort, Run
from bioskills.hub.membership import has_seat
from bioskills.hub.role_routes import TEACHING

PREFIX = "grading-"
ROLE: dict[str, Any] = {
    "name": "formgrader",
    "description": "Runs formgrader for those who teach one run",
    "scopes": [
        "users:activity!user",
        "access:servers!user",
        "read:users:name!user",
        "read:users:groups!user",
    ],
}


def account_of(run: str) -> str:
    """Return the account's user name at the hub."""
    return PREFIX + run


def is_account(name: str) -> bool:
    """Say whether a user name is that of a service account."""
    return name.startswith(PREFIX)


def run_of(account: str) -> str:
    """Return the run that an account grades."""
    return account.removeprefix(PREFIX)


def account_model(name: str) -> dict[str, Any]:
    """Return the hub's model of an account: no group, one narrow role."""
    return {"name": name, "groups": [], "roles": [dict(ROLE)], "admin": False}


def teaches(store: Store, run: str, person: str) -> bool:
    """Say whether this person is instructor or assessor of the run's cohort now; False for no such run."""
    with store.reading() as session:
        chosen = select(Cohort.slug).join(Run, Run.cohort_id == Cohort.id).where(Run.slug == run)
        cohort: str | None = session.scalar(chosen)
        return cohort is not None and has_seat(session, person, cohort, TEACHING)
