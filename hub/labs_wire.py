"""What the hub tells an admin's campus about labs.

Law: who, since when, how much memory, which place, why not; never what is in a lab, never
an address or a token of one.
"""

from datetime import datetime
from typing import Literal

from bioskills.base.wire import Wire

State = Literal["running", "starting", "queued", "stopping", "failed"]


class LabNow(Wire):
    """One person's lab at one moment.

    Attributes:
        name: The owner's user name at the hub.
        started: Since when it runs; null while it starts.
        last_activity: When somebody last did something in it, as far as the hub knows.
        memory: Bytes used now; null where nobody counts them.
        memory_limit: Bytes its owner may use; 0 for no limit.
        place: In the queue; 1 is the next, 0 is in none.
        seconds: In how many its turn should come.
        failure: Why the last start failed, in a sentence; empty where it did not.
        reason: The same in one word.
    """

    name: str
    state: State
    started: datetime | None = None
    last_activity: datetime | None = None
    memory: int | None = None
    memory_limit: int = 0
    place: int = 0
    seconds: int = 0
    failure: str = ""
    reason: str = ""


class LabsNow(Wire):
    """A part of all labs, those that need attention first.

    Attributes:
        at: When the hub looked.
        counts: How many there are of each state, of all.
        labs: This part.
        total: How many labs there are in all parts.
    """

    at: datetime
    counts: dict[str, int]
    labs: list[LabNow]
    total: int
