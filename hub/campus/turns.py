"""Let only so many people do something large at once.

Law: nobody waits in line with an open connection: who finds no place is told so, with
what to do, and nothing of what they sent is read.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from bioskills.base.text import _
from bioskills.hub.campus.site import Refused

AGAIN_S = 20


class Turns:
    """So many places, of one kind of work.

    Args:
        places: How many may work at once.
    """

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            Refused: 503 where none is free.
        """
        if not self._free.acquire(blocking=False):
            raise _busy()
        try:
            yield
        finally:
            self._free.release()


def _busy() -> Refused:
    message = _("Others are uploading just now, so yours was not read. Nothing was changed.")
    after = _("Try again in a moment; your file stays where it is.")
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, after, retry_after_s=AGAIN_S)
