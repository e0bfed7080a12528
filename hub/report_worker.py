"""Make one report and print it: `python -m bioskills.hub.report_worker`, run by `bioskills run`.

Law: does always the same and takes no word from anybody. A home is measured with its owner's
rights, by a process that the owner cannot reach (`fork_server.measuring`).
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from bioskills.base.places import places_of
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.base.tables import now
from bioskills.base.text import use_language
from bioskills.fork_server import measuring
from bioskills.hub.doctor import examine
from bioskills.hub.privileges import run_as
from bioskills.hub.root_reports import CheckMade, HomeSize, Report, as_json
from bioskills.hub.state import owners_of

HOMES_S = 60.0
"""Longest time for all homes; what is left is said to be left."""
FOLDER_S = 20.0


def main() -> int:
    """Print a report."""
    os.nice(19)
    begun, at = time.monotonic(), now()
    try:
        settings: Settings | None = load_settings()
    except InputError:
        settings = None  # the doctor says which option is wrong
    if settings is not None:
        use_language(settings.site.language)
    as_root = settings is not None and os.geteuid() == 0
    homes, left = sizes_of(settings) if settings and as_root else ([], 0)
    report = Report(
        at=at,
        seconds=0,
        as_root=os.geteuid() == 0,
        checks=[CheckMade(**vars(check)) for check in examine()],
        homes=homes,
        homes_left=left,
        folders=folders_of_services(settings) if settings and as_root else {},
    )
    seconds = round(time.monotonic() - begun, 1)
    sys.stdout.write(as_json(report.model_copy(update={"seconds": seconds})))
    return 0


def sizes_of(settings: Settings) -> tuple[list[HomeSize], int]:
    """Return what each learner's home holds, and how many there was no time for."""
    homes, nobody = list(_homes(settings)), owners_of(settings).relay
    ends, found = time.monotonic() + HOMES_S, []
    for uid, home in homes:
        if time.monotonic() > ends:
            break
        used, whole, _cpu_s = measuring.measure(home, uid, nobody)
        found.append(HomeSize(uid=uid, used=used, whole=whole))
    return found, len(homes) - len(found)


def folders_of_services(settings: Settings) -> dict[str, int]:
    """Return what each folder of a service holds, looked through as that service."""
    owners, places = owners_of(settings), places_of(settings)
    folders = {
        "hub": (places.hub, owners.hub),
        "campus": (places.campus, owners.campus),
        "database": (places.database, owners.campus),
        "grader": (places.grader, owners.grader),
        "logs": (places.logs, owners.root),
        "backups": (places.state / "backups", owners.campus),
    }
    found = {}
    for name, (folder, uid) in folders.items():
        # One that is not there, or closed to its own service, is left out; the doctor says so.
        with suppress(SetupError):
            found[name] = int(run_as(uid, owners.groups(uid), partial(_total, folder)))
    return found


def _total(folder: Path) -> int:
    walk, ends = measuring.Walk(), time.monotonic() + FOLDER_S
    for _folder in walk.through(folder):
        if time.monotonic() > ends:
            break
    return walk.total


def _homes(settings: Settings) -> Iterator[tuple[int, Path]]:
    """Yield the homes whose name is the uid that owns them; others are nobody's."""
    labs = settings.labs
    if not places_of(settings).homes.is_dir():
        return
    for home in sorted(places_of(settings).homes.iterdir()):
        uid = int(home.name) if home.name.isdecimal() else -1
        known = labs.first_uid <= uid < labs.first_uid + labs.uid_count
        if known and not home.is_symlink() and home.lstat().st_uid == uid:
            yield uid, home


if __name__ == "__main__":
    sys.exit(main())
