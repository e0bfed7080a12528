"""Sign a checkpoint each night: `python -m bioskills.hub.ledger_nightly`, run by `bioskills run`.

Law: once per day (UTC), and again each hour of that day where it could not be signed; what
is under way never delays anything else. Why it was not signed stands in the log and, by the
age of the newest checkpoint, in the doctor's answer.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from bioskills.base.places import Places
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import load_settings
from bioskills.base.tables import now
from bioskills.competence.checkpoints import BadCheckpointError
from bioskills.hub.ledger_signing import kept_file, make_checkpoint, read_kept
from bioskills.hub.side_process import SideProcess

FIRST_AFTER_S, EACH_S, LONGEST_S = 900.0, 3600.0, 3000.0


class Nightly:
    """Starts the signing when a day has no checkpoint yet; asked now and then by who has root.

    Args:
        places: The installation.
        clock: Monotonic seconds.
        today: The present moment.
    """

    def __init__(
        self,
        places: Places,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = now,
    ) -> None:
        self._places, self._clock, self._today = places, clock, today
        self._next = clock() + FIRST_AFTER_S
        self._worker = SideProcess("bioskills.hub.ledger_nightly", LONGEST_S, clock)

    @property
    def is_under_way(self) -> bool:
        """Whether it signs at this moment."""
        return self._worker.is_under_way

    def tick(self) -> None:
        """Begin what is due, or look after what is under way; never waits."""
        if self._worker.is_under_way:
            self._worker.look()
        elif self._clock() >= self._next:
            self._next = self._clock() + EACH_S
            if self._is_due():
                with (self._places.logs / "ledger.log").open("ab") as log:
                    self._worker.begin(log, log)

    def end(self) -> None:
        """End what is under way; the next one begins again."""
        self._worker.end()

    def _is_due(self) -> bool:
        # A file that cannot be read is told by the attempt itself.
        with suppress(SetupError, BadCheckpointError):
            newest = read_kept(kept_file(self._places)).newest()
            return newest is None or newest.at.date() < self._today().date()
        return True


def main() -> int:
    """Sign, or say why not; always the same, for nobody in particular."""
    os.nice(19)
    at = now()
    try:
        from bioskills.hub.state import owners_of  # noqa: PLC0415 - set-up needs this module's neighbour

        settings = load_settings()
        signed = make_checkpoint(settings, owners_of(settings).campus, at)
    except (InputError, SetupError, BadCheckpointError, OSError) as error:
        sys.stderr.write(f"{at:%Y-%m-%d %H:%M} {error}\n")
        return 1
    sys.stdout.write(f"{at:%Y-%m-%d %H:%M} signed {signed.count} records up to {signed.head}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
