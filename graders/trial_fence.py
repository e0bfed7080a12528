"""Start a program that may not reach the network, and as little else as possible.

Law: a course under check is somebody's code. It sees the environments, its own
working folder and nothing of the platform's state; sockets lead nowhere. The
strongest fence this machine offers is taken, and its name is reported; root runs
a course behind bubblewrap's walls or not at all.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bioskills.base
import bioskills.competence
import bioskills.courses
import bioskills.graders
from bioskills.base.settings import installed_data_dir
from bioskills.base.text import _
from bioskills.graders.sandbox import SandboxError, bubblewrap

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/passwd", "/etc/localtime")
_TRY_SECONDS = 20

# Python code alone: the weakest fence, for machines that allow no namespaces.
_REFUSING_SITE = '''"""Refuse every connection that leaves this machine."""

import sys


def _refuse(event, arguments):
    if event == "socket.getaddrinfo":
        raise OSError("this course is checked without a network")
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1")):
            raise OSError("this course is checked without a network")


sys.addaudithook(_refuse)
'''


@dataclass(frozen=True)
class Fence:
    """A way to start a program without network.

    Attributes:
        name: What a report calls it.
        prefix: Command that starts another command behind the fence.
        site: Folder to put first on PYTHONPATH; None for most.
    """

    name: str
    prefix: tuple[str, ...]
    site: Path | None = None

    def environment(self, work: Path) -> dict[str, str]:
        """Return the clean environment of a program whose folder is `work`."""
        binaries = str(Path(sys.prefix, "bin"))
        return {
            "PATH": f"{binaries}:/usr/bin:/bin",
            "HOME": str(work),
            "TMPDIR": str(work / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "JUPYTER_RUNTIME_DIR": str(work / "run"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_PLATFORM_DIRS": "1",
            "IPYTHONDIR": str(work / "ipython"),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Learners' packages and their kernel live in the course environment where there is one.
            **(
                {"JUPYTER_PATH": f"{course}/share/jupyter"}
                if (course := course_environment())
                else {}
            ),
            **({"PYTHONPATH": str(self.site)} if self.site else {}),
        }


def course_environment() -> Path | None:
    """Return the course environment beside the one this runs in, or None (in development)."""
    data = installed_data_dir()
    found = data / "env" / "course" if data else None
    return found if found and Path(sys.prefix).name == "lab" and found.is_dir() else None


def strongest_fence(work: Path) -> Fence:
    """Return the strongest fence that works here, for a program in this folder.

    Raises:
        SandboxError: Root asks, and bubblewrap's walls cannot be built.
    """
    if os.geteuid() == 0:
        return _walled_or_refused(work)
    candidates = [*_bubblewraps(work), _own_network("--map-root-user")]
    for fence in candidates:
        if shutil.which(fence.prefix[0]) and _works(fence):
            return fence
    return refusing_in_python(work)


def _walled_or_refused(work: Path) -> Fence:
    # A course's code is not trusted with the platform (charter, law 3): no weaker fence for root.
    for fence in _bubblewraps(work):
        if _works(fence):
            return fence
    raise SandboxError(
        _(
            "The walls around a course's code cannot be built here, and root runs none without. "
            "Allow unprivileged user namespaces, or run this as another account."
        )
    )


def _bubblewraps(work: Path) -> list[Fence]:
    try:
        return [_bubblewrap(work)]
    except SandboxError:
        return []


def _bubblewrap(work: Path) -> Fence:
    arguments = [bubblewrap(), "--unshare-all", "--die-with-parent", "--new-session"]
    # Before the binds: environments may themselves lie below /tmp.
    arguments += ["--tmpfs", "/tmp"]  # noqa: S108 - a new, empty one
    for path in _readable_places():
        arguments += ["--ro-bind-try", path, path]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--bind", str(work), str(work), "--chdir", str(work)]
    return Fence(_("bubblewrap"), tuple(arguments))


def _readable_places() -> Iterable[str]:
    parts = (bioskills.base, bioskills.competence, bioskills.courses, bioskills.graders)
    code = [str(Path(str(part.__file__)).parent) for part in parts]
    course = course_environment()
    return dict.fromkeys(
        [
            *([str(course)] if course else []),
            *_SYSTEM,
            *_SETTINGS,
            sys.base_prefix,
            sys.prefix,
            *code,
        ]
    )


def _own_network(*options: str) -> Fence:
    return Fence(_("a network namespace of its own"), ("unshare", *options, "--net"))


def refusing_in_python(work: Path) -> Fence:
    """Return the weakest fence: Python's own connections fail; for accounts other than root."""
    site = work / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(_REFUSING_SITE, encoding="utf-8")
    return Fence(_("refused connections in Python only"), (), site)


def _works(fence: Fence) -> bool:
    # What the course needs must be in sight: the interpreter, its packages and our code.
    code = "import bioskills.courses, importlib.util as u; assert u.find_spec('nbgrader')"
    command: Sequence[str] = (*fence.prefix, sys.executable, "-c", code)
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TRY_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
