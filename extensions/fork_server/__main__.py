"""Start the fork server.

Law: refuses to run where it could not keep what it promises.

Usage: python -I -m bioskills.fork_server CONFIG.json [--sweep]

With `--sweep` it only ends and takes away what an earlier one left.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from bioskills.fork_server import (
    about,
    calls,
    cgroups,
    child,
    config,
    disk,
    links,
    parents,
    rooms,
)
from bioskills.fork_server.warden import Warden, close_all


def main(path: str, *, sweep: bool = False) -> int:
    """Prepare, then serve until SIGTERM, which ends every room."""
    if os.geteuid() != 0:
        parents.say("The fork server needs root: it gives every learner an own uid.")
        return 1
    settings = config.load(Path(path))
    os.umask(0o077)
    os.chdir("/")
    settings.run_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    if "mnt" in links.namespaces():
        rooms.prepare(settings)
    cgroups.here()
    if sweep:
        close_all(settings, links.Links(settings))
        rooms.unprepare(settings)
        return 0
    warden = Warden(settings)
    about.write(settings.run_dir / about.WARDEN, walls_of(settings))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    warden.parents.look()
    child.serve(warden.loop.serve)
    close_all(settings, warden.links)
    warden.parents.stop()
    rooms.unprepare(settings)
    if settings.ends_with_input:
        shutil.rmtree(settings.run_dir, ignore_errors=True)
    return 0


def walls_of(settings: config.Config) -> dict[str, object]:
    """Return which walls stand here, in codes."""
    kinds = links.namespaces()
    held = cgroups.here()
    closed = settings.network == "closed" and "net" in kinds
    return {
        "namespaces": list(kinds),
        "network": "closed" if closed else "shared",
        "why_network": "" if closed else ("settings" if "net" in kinds else "refused"),
        "limits": {"v2": "cgroup2", "v1": "cgroup1", "none": "rlimits"}[held.kind],
        "why_limits": held.why,
        "disk": disk.mechanism(settings.homes),
        "calls": "filtered" if calls.possible() else "open",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sweep="--sweep" in sys.argv[2:]))
