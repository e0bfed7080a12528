"""Tell the fork server what it needs to know of this installation.

Law: one file of root's, written anew at each start; nothing in it comes from a
learner. What warm parents import before they serve is what an installed course
requires *and* the admin allows *and* the environment holds.
"""

from collections.abc import Iterable

from sqlalchemy import select

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.runtime import runtime_dir
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.tables import CourseVersion
from bioskills.fork_server import preload
from bioskills.fork_server.config import Config
from bioskills.hub.lab_config import lab_arguments
from bioskills.hub.privileges import run_as
from bioskills.hub.spawner_choice import lab_limits
from bioskills.hub.state import Owners

SLOTS_AFTER, SLOTS = 10, 64
"""Where the uids of grading slots begin, counted from the services' first, and how many there are."""


def fork_config(settings: Settings, owners: Owners) -> Config:
    """Return the fork server's configuration."""
    places, labs, run_dir = places_of(settings), settings.labs, runtime_dir(settings)
    environments = {name: places.environment(name) for name in ("lab", "course")}
    return Config(
        mark=run_dir.name.rpartition("-")[2],
        run_dir=run_dir,
        homes=places.homes,
        log_dir=places.logs / "labs",
        first_uid=labs.first_uid,
        last_uid=labs.first_uid + labs.uid_count - 1,
        hub_uid=owners.hub,
        relay_uid=owners.relay,
        probe_uid=owners.probe,
        environments=environments,
        keep=(places.environments, places.data / "lab-config"),
        ports={"hub": settings.network.hub_port, "campus": settings.network.campus_port},
        network="shared" if labs.spawner == "slim_exec" else labs.network,
        limits=lab_limits(settings),
        preload={
            "course": _preimports(settings, owners, places),
            preload.ARGUMENTS: tuple(lab_arguments()),
        },
        grader_uid=owners.grader,
        first_slot_uid=labs.service_uid + SLOTS_AFTER,
        slots=SLOTS,
        cache=str(places.environments / "learned"),
    )


def _preimports(settings: Settings, owners: Owners, places: Places) -> tuple[str, ...]:
    groups = owners.groups(owners.campus)
    wanted = run_as(owners.campus, groups, lambda: required(database_url(settings)))
    there = preload.installed(places.environment("course"))
    return tuple(preload.course_preimports(wanted, settings.labs.preimports, there))


def required(url: str) -> list[str]:
    """Return what the installed courses require of Python, each once."""
    store = Store(url)
    try:
        with store.reading() as session:
            manifests = session.scalars(select(CourseVersion.manifest)).all()
    finally:
        store.close()
    return sorted(set(_requirements(manifests)))


def _requirements(manifests: Iterable[dict[str, object]]) -> Iterable[str]:
    for manifest in manifests:
        requires = manifest.get("requires")
        if isinstance(requires, dict):
            yield from map(str, requires.get("python", ()))
