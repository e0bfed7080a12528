"""Know which courses want kernels that start as new interpreters.

Law: a course says it in its manifest (`requires.kernel: cold`), the admin may
say it for any course (`labs.cold_courses`). One version that says it is enough:
learners may be at that one. Asked once a minute at most, not at each start of a lab.
"""

import time
from collections.abc import Mapping

from sqlalchemy import select

from bioskills.base.store import Store
from bioskills.base.tables import CourseVersion

TRUST_S = 60.0


class ColdCourses:
    """The cold courses of one installation.

    Args:
        store: Our database.
        always: What the admin named.
    """

    def __init__(self, store: Store, always: tuple[str, ...]) -> None:
        self._store = store
        self._always = set(always)
        self._said: set[str] = set()
        self._until = 0.0

    def now(self) -> list[str]:
        """Return the ids, sorted."""
        if time.monotonic() >= self._until:
            self._said = said_cold(self._store)
            self._until = time.monotonic() + TRUST_S
        return sorted(self._always | self._said)


def said_cold(store: Store) -> set[str]:
    """Return the courses of which a version asks for cold kernels."""
    with store.reading() as session:
        rows = session.execute(select(CourseVersion.course, CourseVersion.manifest))
        return {course for course, manifest in rows if asks_for_cold(manifest)}


def asks_for_cold(manifest: Mapping[str, object]) -> bool:
    """Say whether a course asks for kernels that start anew (`requires.kernel: cold`)."""
    requires = manifest.get("requires")
    return isinstance(requires, dict) and requires.get("kernel") == "cold"
