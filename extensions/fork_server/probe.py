"""Start one real lab or kernel, use it as a person does, and print what it imported.

Law: runs as an unprivileged uid with an empty home, in the environment whose
modules are wanted; touches nothing else and leaves nothing running. A name is
printed only if a fresh interpreter imports it without starting a thread or an
event loop: a warm parent has to fork afterwards.

Usage: python -I -m bioskills.fork_server.probe lab|kernel [NAMES] [ARGUMENTS]
Prints a JSON list of sorted names.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bioskills.fork_server import lab_child, linux, preload, probe_lab, warm
from bioskills.fork_server.probe_lab import ANSWER_S, COMMAND, NAMES_FILE, READY_S, written

CPU_S, FILE_BYTES = 120, 1 << 28
PROBE = "bioskills.fork_server.probe"
MOST_CULPRITS = 10
CULPRIT_STATUS = 3
LATER = ("bioskills.fork_server.provisioner", "httpcore")
"""What a lab imports after the probe has seen enough: with its learner's first kernel (the
probe's is started cold), and when an extension of the server asks somebody something by httpx."""
CELLS = (
    "print('out')",
    "1 + 1",
    "1 / 0",
    "from IPython.display import HTML, display; display(HTML('<b>out</b>'))",
)
WRITE = """
import json as _json, pathlib as _pathlib, sys as _sys
_pathlib.Path({path!r}).write_text(_json.dumps([n for n, m in _sys.modules.items() if m is not None]))
"""


def main(words: list[str]) -> None:
    """Learn, check, print."""
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    kind, *more = words
    given = [json.loads(word) for word in more]
    acts: dict[str, Callable[..., None]] = {
        "lab": lambda names=(), arguments=(): _print(
            probe_lab.modules(arguments), [*names, *LATER]
        ),
        "kernel": lambda names=(), _arguments=(): _print(_of_kernel(names), names),
        "serve": probe_lab.serve,
        "check": _check,
    }
    acts[kind](*given)


def _print(found: Iterable[str], more: Iterable[str]) -> None:
    wanted = {name for name in (*found, *more) if _is_wanted(name)}
    print(json.dumps(sorted(_importable(wanted))))  # noqa: T201 - this is the answer


def _is_wanted(name: str) -> bool:
    mine = name.startswith(PROBE) or name in {"__main__", "__mp_main__"}
    return preload.is_name(name) and not mine


def _of_kernel(names: Iterable[str]) -> list[str]:
    """Return the modules of a kernel that has run, failed, completed and explained something."""
    from jupyter_client.manager import KernelManager  # noqa: PLC0415 - not where a lab is probed

    os.environ["JUPYTER_RUNTIME_DIR"] = str(Path.home() / "run")
    manager = KernelManager(transport="ipc", kernel_name="python3")
    manager.start_kernel(stdout=subprocess.DEVNULL)
    try:
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=READY_S)
        imports = [f"import {name}" for name in names if preload.is_name(name)]
        for cell in (*imports, *CELLS):
            _run(client, cell)
        client.complete("impor", reply=True, timeout=ANSWER_S)
        client.inspect("print", reply=True, timeout=ANSWER_S)
        _run(client, WRITE.format(path=str(Path(NAMES_FILE).resolve())))
        client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
    return written()


def _run(client: Any, cell: str) -> None:
    client.execute_interactive(cell, timeout=READY_S, output_hook=lambda _message: None)


def _importable(names: set[str]) -> list[str]:
    """Return the names that a fresh interpreter imports without threads or an event loop."""
    left = set(names)
    for _try in range(MOST_CULPRITS):
        environ = {**os.environ, **dict.fromkeys(warm.ONE_THREAD, "1")}
        Path(NAMES_FILE).write_text(json.dumps(sorted(left)), encoding="utf-8")
        # What a module prints at its import must not be taken for our answer.
        done = subprocess.run(
            [*COMMAND, "check"], env=environ, stdout=subprocess.DEVNULL, check=False
        )
        found = written()
        if done.returncode == 0:
            return found
        if done.returncode != CULPRIT_STATUS:
            raise SystemExit(f"the check of what was learned ended with {done.returncode}")
        left -= set(found)
    raise SystemExit("too many modules start threads")


def _check() -> None:
    """Import what is listed one by one; write the good ones, or the one after which this must not fork."""
    sys.modules[lab_child.HEAVY] = None  # type: ignore[assignment]  # the documented way to make an import fail
    good = []
    for name in written():
        try:
            good += [] if warm.import_names([name]) else [name]
            warm.refuse_threads()
        except (warm.NotForkableError, SystemExit):
            Path(NAMES_FILE).write_text(json.dumps([name]), encoding="utf-8")
            os._exit(CULPRIT_STATUS)
    Path(NAMES_FILE).write_text(json.dumps(good), encoding="utf-8")
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
