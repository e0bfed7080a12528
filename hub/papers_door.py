"""Show the papers before the first lab: learners begin in the lab, not at the campus.

Law: who must still be shown the paper is sent to it instead of starting a lab;
the paper leads back here. It is shown, not asked: nobody is kept out for good.
"""

from typing import Any

from jupyterhub.handlers.pages import SpawnHandler
from tornado import web

from bioskills.base.store import Store
from bioskills.hub.papers import is_due

PATHS = (r"/spawn", r"/spawn/([^/]+)", r"/spawn/([^/]+)/([^/]+)")
LAB = "lab"
"""What the page of the paper leads to when it is opened from here."""


class PapersFirst(SpawnHandler):  # type: ignore[misc]  # jupyterhub is untyped
    """The hub's page that starts a lab, with the paper before it."""

    def initialize(self, store: Store, page: str) -> None:
        """Know our database, and the address of the paper."""
        self._papers = store
        self._page = page

    @web.authenticated
    def get(self, user_name: str | None = None, server_name: str = "") -> Any:
        """Send who must be shown the paper to it, and start the lab of everybody else."""
        name = self.current_user.name
        if user_name in (None, name) and self._is_due(name):
            return self.redirect(f"{self._page}?next={LAB}")
        return super().get(user_name, server_name)

    def _is_due(self, name: str) -> bool:
        with self._papers.reading() as session:
            return is_due(session, name)


def doors(store: Store, page: str) -> list[Any]:
    """Return the handlers that stand before the hub's own; none where the paper is not shown."""
    return [(path, PapersFirst, {"store": store, "page": page}) for path in PATHS if page]


def page_of_papers(campus: str) -> str:
    """Return the address of the page that shows the paper once."""
    return f"{campus}papers/first"
