"""Tell the hub of changed membership, while the page says how far it is.

Law: what is written is written; the hub is told afterwards, in the background, one telling
at a time, and once more where something changed meanwhile.
"""

import threading
import time

from bioskills.base.text import _
from bioskills.hub.campus.site import Site
from bioskills.hub.membership_door import Told


class Telling:
    """What the hub knows of the last change."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._busy = self._again = False
        self._begun = 0.0
        self._told: Told | None = None

    def begin(self) -> None:
        """Tell the hub now, or again when the present telling ends."""
        with self._lock:
            self._again = True
            if self._busy:
                return
            self._busy, self._begun = True, time.monotonic()
        threading.Thread(target=self._tell, name="telling the hub", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether the hub is still being told."""
        return self._busy

    def words(self) -> str:
        """Return the sentence that a page says about it; empty where nothing was told."""
        if self._busy:
            seconds = round(time.monotonic() - self._begun)
            return _("The hub is taking it over, for {n} seconds now.").format(n=seconds)
        match self._told:
            case Told.YES:
                return _("The running hub was told.")
            case Told.AWAY:
                return _("No hub is running; it reads the table when it starts.")
            case Told.REFUSED:
                return _("The hub did not take it; it reads the table when it starts.")
            case None:
                return ""

    def _tell(self) -> None:
        while self._next():
            self._told = None
            try:
                self._told = self._site.hub.tell_membership()
            finally:
                if self._told is None:
                    self._told, self._busy = Told.REFUSED, False

    def _next(self) -> bool:
        with self._lock:
            self._busy, self._again = self._again, False
            return self._busy
