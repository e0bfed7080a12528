"""One program of ours beside `bioskills run`: begun, looked at now and then, never waited for.

Law: at most one at a time, and none for longer than it may take. What it forked ends with
it, so that nothing of it keeps a lock.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO


class SideProcess:
    """A module of ours that is run now and then.

    Args:
        module: What `python -m` runs.
        longest_s: How long it may take, in seconds.
        clock: Monotonic seconds.
    """

    def __init__(self, module: str, longest_s: float, clock: Callable[[], float]) -> None:
        self._module, self._longest_s, self._clock = module, longest_s, clock
        self._begun = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it was begun, and its end was not looked at yet."""
        return self._process is not None

    def begin(self, out: IO[bytes], errors: IO[bytes]) -> None:
        """Start it.

        Raises:
            OSError: It cannot be started.
        """
        self._begun = self._clock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", self._module],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            start_new_session=True,
        )

    def look(self) -> int | None:
        """Return its exit code, once, when it has ended; None until then. Too long, it is ended."""
        if self._process is None:
            return None
        if self._process.poll() is None and self._clock() - self._begun > self._longest_s:
            self._kill(self._process)
        code = self._process.poll()
        if code is not None:
            self._process = None
        return code

    def end(self) -> None:
        """End it with everything that it started."""
        if self._process is not None:
            self._kill(self._process)
            self._process = None

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
