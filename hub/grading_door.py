"""Let instructors and assessors into the formgrader of their run, on a running hub.

Law: the membership table is asked at each visit, and again whenever the hub looks at
a person anew: who teaches the run has a share of its server, nobody else has. A share is
the hub's own record (its Shares API shows it), written here, inside the hub, so that no
token in any service may share people's servers.

Trap on JupyterHub 6.1: a share with a group opens no server. The check of the token
that a browser gets for the server looks at shares with the person alone.
"""

from http import HTTPStatus
from typing import Any

from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from bioskills.base.store import Store
from bioskills.base.text import _
from bioskills.hub.grading_accounts import account_of, is_account, run_of, teaches
from bioskills.hub.grading_spawner import GradingSpawner

PATH = r"/formgrader/([a-z0-9-]{1,64})"
SHARED = frozenset({"access:servers", "read:servers", "servers"})
"""Who teaches may enter, see whether it runs, and start it again when it was idle."""


class FormgraderDoor(BaseHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """Share a run's server with who teaches it and send this one there."""

    def initialize(self, store: Store) -> None:
        """Take our database."""
        self.store = store

    @web.authenticated
    async def get(self, run: str) -> None:
        """Redirect who teaches the run to the server; it starts on the way."""
        if not teaches(self.store, run, self.current_user.name):
            text = _("This formgrader is for the instructors and assessors of its course run.")
            raise _refused(HTTPStatus.FORBIDDEN, text)
        account = self.user_from_username(account_of(run))
        if not isinstance(account.spawner, GradingSpawner):
            text = _("Formgrader is not offered with the spawner that this site uses.")
            raise _refused(HTTPStatus.NOT_FOUND, text)
        if account.running:
            await account.spawner.poll_and_notify()  # it may have died a moment ago
        orm.Share.grant(
            self.db, account.spawner.orm_spawner, self.current_user.orm_user, scopes=SHARED
        )
        # The site runs this server, so nobody is asked whether to trust it.
        self.settings["oauth_no_confirm_list"].add(account.spawner.oauth_client_id)
        self.redirect(url_path_join(self.hub.base_url, "spawn", account.escaped_name))


def take_back_shares(store: Store, user: Any) -> None:
    """End a person's shares of the servers of runs that they teach no more.

    Args:
        store: Our database.
        user: The hub's user, as `refresh_user` gets it.
    """
    shares = [share for share in user.orm_user.shared_with_me if is_account(share.owner.name)]
    for share in shares:
        if not teaches(store, run_of(share.owner.name), user.name):
            user.db.delete(share)
    if shares:
        user.db.commit()


def _refused(status: HTTPStatus, sentence: str) -> web.HTTPError:
    error: Any = web.HTTPError(status, reason=status.phrase)
    error.jupyterhub_message = sentence  # what the hub's error page shows
    return error  # type: ignore[no-any-return]  # as made above
