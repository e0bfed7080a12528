"""Let in who has a seat, and nobody else.

Law: the authenticator proves who somebody is; the membership table says
whether they may enter and what they may do. Groups and roles come from the
table at sign-in, at each refresh and at the hub's start (charter, law 6).

Traps seen on JupyterHub 6.1: `reset_managed_roles_on_startup` must be on or
start-up dies; a role list without `user` strips the default role.
"""

import hmac
import json
import secrets
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Bool, Instance, Unicode

from bioskills.base.store import Store
from bioskills.hub import grading_accounts, papers_door
from bioskills.hub.grading_door import PATH, FormgraderDoor, take_back_shares
from bioskills.hub.membership import Seat, everybody, seats
from bioskills.hub.roles import EVERYBODY, groups_of, hub_role_of

DEFAULT_ROLE = {"name": "user", "scopes": list(EVERYBODY)}


class MembershipMixin(Authenticator):  # type: ignore[misc]  # jupyterhub is untyped
    """Derive access, groups and roles from the membership table.

    Put it before any authenticator class: ``class Oidc(MembershipMixin,
    GenericOAuthenticator)``. In increasing level of customisation: set
    ``database_url``; override ``model_of``; override ``authenticate``.
    """

    database_url = Unicode(config=True, help="SQLAlchemy URL of our database; set by apply().")
    manage_groups = Bool(True)
    manage_roles = Bool(True)
    reset_managed_roles_on_startup = Bool(True)
    allow_all = Bool(True, help="The table below decides; nobody without a seat gets a model.")
    papers_page = Unicode(
        config=True, help="Where the paper on privacy is shown first; empty: not."
    )
    store = Instance(Store, allow_none=True)

    def _store(self) -> Store:
        store: Store | None = self.store
        if store is None:
            store = self.store = Store(self.database_url)
        return store

    def seats_of(self, name: str) -> list[Seat]:
        """Return the person's active seats."""
        with self._store().reading() as session:
            return seats(session, name)

    def model_of(self, name: str) -> dict[str, Any] | None:
        """Return the hub's model of a person, or None for who has no seat."""
        # Nobody signs in as a service account, whatever the table says.
        held = [] if grading_accounts.is_account(name) else self.seats_of(name)
        if not held:
            return None
        roles = [role for role in map(hub_role_of, held) if role]
        return {
            "name": name,
            "groups": groups_of(held),
            "roles": [DEFAULT_ROLE, *roles],
            "admin": False,
        }

    async def authenticate(self, handler: Any, data: Any) -> dict[str, Any] | None:
        """Prove the person by the parent class, then ask the table."""
        proven = await super().authenticate(handler, data)
        if not proven:
            return None
        name = proven["name"] if isinstance(proven, dict) else proven
        model = self.model_of(self.normalize_username(name))
        if model and isinstance(proven, dict) and "auth_state" in proven:
            model["auth_state"] = proven["auth_state"]
        return model

    async def refresh_user(self, user: Any, handler: Any = None) -> dict[str, Any] | bool:
        """Return the person as the table says now; False signs them out."""
        if grading_accounts.is_account(user.name):
            return grading_accounts.account_model(user.name)
        take_back_shares(self._store(), user)
        parent = await super().refresh_user(user, handler)
        if not parent:
            return False
        return self.model_of(user.name) or False

    def get_handlers(self, app: Any) -> list[Any]:
        """Add the door through which instructors reach formgrader, and the paper before a lab."""
        formgrader = (PATH, FormgraderDoor, {"store": self._store()})
        papers = papers_door.doors(self._store(), self.papers_page)
        return [*super().get_handlers(app), formgrader, *papers]

    async def load_managed_roles(self) -> list[dict[str, Any]]:
        """Return every role that somebody holds, with its people."""
        with self._store().reading() as session:
            people = everybody(session)
        found: dict[str, dict[str, Any]] = {}
        for name, held in people.items():
            for role in filter(None, map(hub_role_of, held)):
                found.setdefault(str(role["name"]), {**role, "users": []})["users"].append(name)
        return [*found.values(), {**grading_accounts.ROLE, "users": []}]


class PrintedPasswords(Authenticator):  # type: ignore[misc]  # jupyterhub is untyped
    """Prove a demo person by the password that `bioskills run` printed.

    Refused on anything but loopback, by `apply()`, before the hub starts.
    """

    sign_ins_file = Unicode(config=True, help="JSON file, name to password, 0600.")

    async def authenticate(self, handler: Any, data: Any) -> dict[str, Any] | None:
        """Compare in constant time, also for names that do not exist."""
        del handler
        known = _sign_ins(Path(self.sign_ins_file))
        name = self.normalize_username(data["username"])
        # Nobody knows the password of who has none: it is made now and forgotten.
        wanted = known.get(name) or secrets.token_hex()
        right = hmac.compare_digest(wanted.encode(), data["password"].encode())
        return {"name": name} if right else None


def _sign_ins(file: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


class DemoAuthenticator(MembershipMixin, PrintedPasswords):
    """Demo sign-in: printed passwords, membership decides."""
