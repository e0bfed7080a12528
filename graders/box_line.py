"""The ways into a box, what makes boxes, and the environment of a kernel in one."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HOME = "/box/home"


@dataclass(frozen=True)
class Lines:
    """The ways into a box.

    Attributes:
        kernel: Cells in, messages out.
        control: Orders to the box's first process.
        held: Closing it ends the box, where a warden keeps it.
    """

    kernel: socket.socket
    control: socket.socket
    held: socket.socket | None = None

    def close(self) -> None:
        """End the box."""
        for each in (self.kernel, self.control, self.held):
            if each is not None:
                each.close()


Door = Callable[[Mapping[str, str], Mapping[str, int]], Lines]
"""Makes a box: environment and limits in, its lines out; raises SandboxError."""


def variables(course: Path) -> dict[str, str]:
    """Return the environment of a kernel in a box."""
    return {
        "HOME": HOME,
        "USER": "learner",
        "LOGNAME": "learner",
        "PATH": f"{course / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "JUPYTER_PATH": str(course / "share" / "jupyter"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "NBGRADER_EXECUTION": "autograde",
        "PYTHONNOUSERSITE": "1",
        # One thread each: run time depends on no machine's number of cores.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
