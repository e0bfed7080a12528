"""What every warm parent checks and sets before it serves.

Law: a process that forks has one thread and no event loop, otherwise its
children may wait for ever for a lock that nobody holds. It ends with the warden.
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Iterable

from bioskills.fork_server import linux

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class NotForkableError(RuntimeError):
    """This process must not fork; the text says why."""


def end_with_parent() -> None:
    """End when the warden ends; keep number libraries from starting threads at import."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)
    for name in ONE_THREAD:
        os.environ[name] = "1"


def import_names(names: Iterable[str]) -> list[str]:
    """Import modules by name; return those that cannot be imported."""
    missing = []
    for name in names:
        if name in sys.modules:
            continue
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - a module of somebody's that fails is only not preloaded
            missing.append(name)
    return missing


def refuse_threads() -> None:
    """Refuse to serve with a second thread or with an event loop.

    Raises:
        NotForkableError: There is one.
    """
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - counted, not used as paths
    if threads != 1:
        raise NotForkableError(f"{threads} threads are running")
    policy = asyncio.get_event_loop_policy()
    local = getattr(policy, "_local", None)
    if getattr(local, "_loop", None) is not None:
        raise NotForkableError("an event loop was made")
