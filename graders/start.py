"""Make of the settings what the grader needs on this machine.

Law: the key of a bench names everything on this machine that can change a score:
the content of the environments and the limits. The same key is the same grading.
"""

import hashlib
import json
import os
from functools import partial
from pathlib import Path

from bioskills.base.places import Places
from bioskills.base.runtime import one_account_for_all, runtime_dir
from bioskills.base.settings import Grading, Settings
from bioskills.graders.daemon import Start
from bioskills.graders.executors import Executor, Say
from bioskills.graders.grading import Bench
from bioskills.graders.own_parent import WardenDoor
from bioskills.graders.pool import Pool
from bioskills.graders.sandbox import Limits

MARKER = ".complete"
SPARE_HANDS = 2
LIMITS = ("cell_timeout_s", "job_timeout_s", "memory_mb", "processes", "disk_mb")
"""Settings that can change a score."""


def bench_of(settings: Settings, places: Places) -> Bench:
    """Return what grading needs of this machine."""
    lab, course, given = places.environment("lab"), places.environment("course"), settings.grading
    return Bench(
        lab=lab,
        course=course,
        cell_timeout_s=given.cell_timeout_s,
        job_timeout_s=given.job_timeout_s,
        key=f"course:{_content_key(lab, course)}:{_limits_key(given)}",
        language=settings.site.language,
        limits=Limits(given.memory_mb, given.processes, given.disk_mb),
        # Where root started everything, the fork server makes boxes; otherwise we do.
        door=None
        if one_account_for_all(places.state)
        else WardenDoor(runtime_dir(settings) / "warden.sock"),
    )


def _content_key(*environments: Path) -> str:
    """Return a short hash that changes with the packages in the environments."""
    packages = " ".join(map(_packages, environments))
    return hashlib.sha256(packages.encode()).hexdigest()[:16]


def _packages(environment: Path) -> str:
    try:
        return str(json.loads((environment / MARKER).read_text(encoding="utf-8"))["packages"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(environment)  # not made by our set-up: its name is all that is known


def _limits_key(given: Grading) -> str:
    named = [f"{name}={getattr(given, name)}" for name in LIMITS]
    return hashlib.sha256(" ".join(named).encode()).hexdigest()[:8]


def hands_of(given: Grading) -> int:
    """Return how many hands this machine has."""
    return given.at_once or len(os.sched_getaffinity(0)) + SPARE_HANDS


def executor_of(settings: Settings, bench: Bench) -> Start:
    """Return what starts the executor that the settings name."""
    return partial(_start, settings.grading, bench)


def _start(given: Grading, bench: Bench, say: Say) -> Executor:
    if given.executor == "dask":
        from bioskills.graders.dask_executor import DaskExecutor  # noqa: PLC0415 - optional

        return DaskExecutor(given, bench.key, say)
    return Pool(bench, hands_of(given), say)
