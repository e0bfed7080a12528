"""Let instructors into the formgrader of their run, on a running hub.

Law: the membership table is asked at each visit. A server is shared with the group
of the run's instructors and with nobody else, so whoever leaves the group is out; the
share is the hub's own record (its Shares API shows it), made here because no token
in any service may then share people's servers.
"""

from http import HTTPStatus
from typing import Any

from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from bioskills.base.store import Store
from bioskills.base.text import _
from bioskills.hub.grading_accounts import account_of, cohort_taught
from bioskills.hub.grading_spawner import GradingSpawner
from bioskills.hub.membership import Seat
from bioskills.hub.roles import groups_of

PATH = r"/formgrader/([a-z0-9-]{1,64})"
SHARED = frozenset({"access:servers", "read:servers", "servers"})
"""An instructor may enter, see whether it runs, and start it again when it was idle."""


class FormgraderDoor(BaseHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """Share a run's server with its instructors and send this one there."""

    def initialize(self, store: Store) -> None:
        """Take our database."""
        self.store = store

    @web.authenticated
    async def get(self, run: str) -> None:
        """Redirect an instructor to the server; it starts on the way."""
        cohort = cohort_taught(self.store, run, self.current_user.name)
        if cohort is None:
            text = _("This formgrader is for the instructors of its course run.")
            raise _refused(HTTPStatus.FORBIDDEN, text)
        # Whoever became an instructor a moment ago is not in the hub's group yet.
        await self.refresh_auth(self.current_user, force=True)
        account = self.user_from_username(account_of(run))
        if not isinstance(account.spawner, GradingSpawner):
            text = _("Formgrader is not offered with the spawner that this site uses.")
            raise _refused(HTTPStatus.NOT_FOUND, text)
        self._share(account, groups_of([Seat(cohort, "instructor")])[0])
        # The site runs this server, so nobody is asked whether to trust it.
        self.settings["oauth_no_confirm_list"].add(account.spawner.oauth_client_id)
        self.redirect(url_path_join(self.hub.base_url, "spawn", account.escaped_name))

    def _share(self, account: Any, group: str) -> None:
        spawner = account.spawner.orm_spawner
        for share in list(spawner.shares):
            if share.group is None or share.group.name != group:
                self.db.delete(share)
        found = orm.Group.find(self.db, name=group)
        if found is None:
            found = orm.Group(name=group)
            self.db.add(found)
        self.db.commit()
        orm.Share.grant(self.db, spawner, found, scopes=SHARED)


def _refused(status: HTTPStatus, sentence: str) -> web.HTTPError:
    error: Any = web.HTTPError(status, reason=status.phrase)
    error.jupyterhub_message = sentence  # what the hub's error page shows
    return error  # type: ignore[no-any-return]  # as made above
