"""Let in who has a seat, and nobody else.

Law: the authenticator proves who somebody is; the membership table says
whether they may enter and what they may do. Groups and roles come from the
table at sign-in, at each refresh and at the hub's start (charter, law 6).

Traps seen on JupyterHub 6.1: `reset_managed_roles_on_startup` must be on or
start-up dies; a role list without `user` strips the default role.
"""

from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Bool, Instance, Unicode

from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.hub import grading_accounts, papers_door
from bioskills.hub.claims_door import end_sign_ins
from bioskills.hub.factor_due import demanding, who_lacks
from bioskills.hub.grading_door import PATH, FormgraderDoor, take_back_shares
from bioskills.hub.labs_door import LAB_PATH, LABS_PATH, LabDoor, LabsDoor
from bioskills.hub.membership import Seat, everybody, seats
from bioskills.hub.membership_door import PATH as MEMBERSHIP_PATH
from bioskills.hub.membership_sync import MembershipDoor, MembershipSync, People
from bioskills.hub.reception import Reception, make_reception
from bioskills.hub.roles import EVERYBODY, groups_of, hub_role_of
from bioskills.hub.sign_in_routes import handlers_of

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
    sync = Instance(MembershipSync, allow_none=True, help="Made when the hub starts.")

    def _store(self) -> Store:
        store: Store | None = self.store
        if store is None:
            store = self.store = Store(self.database_url)
        return store

    def seats_of(self, name: str) -> list[Seat]:
        """Return the person's active seats."""
        with self._store().reading() as session:
            return seats(session, name)

    def lacking(self, people: People) -> list[str]:
        """Return who of these must prove more than they have before their roles count."""
        del people
        return []

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
        """Add the doors to formgraders, labs, what derives the hub from the table, and the papers."""
        sync = self.sync = MembershipSync(app, self._store())
        sync.follow_dates()
        ours = ((PATH, FormgraderDoor), (LABS_PATH, LabsDoor), (LAB_PATH, LabDoor))
        store = {"store": self._store()}
        return [
            *super().get_handlers(app),
            *((path, door, store) for path, door in ours),
            (MEMBERSHIP_PATH, MembershipDoor, {"sync": sync}),
            *papers_door.doors(self._store(), self.papers_page),
        ]

    async def load_managed_roles(self) -> list[dict[str, Any]]:
        """Return every role that somebody holds, with its people."""
        with self._store().reading() as session:
            people = everybody(session)
        found: dict[str, dict[str, Any]] = {}
        for name, held in people.items():
            for role in filter(None, map(hub_role_of, held)):
                found.setdefault(str(role["name"]), {**role, "users": []})["users"].append(name)
        return [*found.values(), {**grading_accounts.ROLE, "users": []}]


class OwnAccounts(Authenticator):  # type: ignore[misc]  # jupyterhub is untyped
    """Prove a person by the password that they set by their own link.

    The pages do it step by step (`reception.py`) and say whom they have proven; no other
    request does. Without a request, as in a test, name and password are looked at.
    """

    settings = Instance(Settings, allow_none=True, config=True, help="Set by apply().")
    _reception = Instance(Reception, allow_none=True)

    @property
    def reception(self) -> Reception:
        """What all pages of the sign-in share."""
        found: Reception | None = self._reception
        if found is None:
            found = self._reception = make_reception(self.settings or Settings(), self._store())
        return found

    async def authenticate(self, handler: Any, data: Any) -> dict[str, Any] | None:
        """Take whom our own page has proven, or a right name and password."""
        proven = getattr(handler, "proven", "")
        if handler is not None:
            # The hub's API would ask with a password, too, past the delay and the second factor.
            return {"name": proven} if proven else None
        name = self.normalize_username(data["username"])
        found = await self.reception.proven(name, data["password"])
        return {"name": name} if found and not found.totp_sealed else None

    def get_handlers(self, app: Any) -> list[Any]:
        """Put our pages in front of the hub's own sign-in."""
        return [*handlers_of(), *super().get_handlers(app)]


class AccountsAuthenticator(MembershipMixin, OwnAccounts):
    """The embedded sign-in: own passwords, membership decides."""

    def lacking(self, people: People) -> list[str]:
        """Return who has a role that asks for a second factor, and has none."""
        settings = self.settings or Settings()
        if not demanding(settings):
            return []
        with self._store().reading() as session:
            return who_lacks(session, settings, people)

    async def refresh_user(self, user: Any, handler: Any = None) -> dict[str, Any] | bool:
        """Sign out whose new role asks for a second factor; they set it up on the way in."""
        if self.lacking({user.name: self.seats_of(user.name)}):
            end_sign_ins(user)
            return False
        return await super().refresh_user(user, handler)
