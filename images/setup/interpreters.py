"""Choose the Python that the environments stand on.

Law: as root, learners' processes run under other uids, so the interpreter must
be readable for them. This is tried as such a user, never guessed from modes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from setup.words import SetupError, _

OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3")
SYSTEM_FOLDERS = ("/usr/bin", "/usr/local/bin")
NOBODY = 65534
ABOUT = "import sys, ssl, sqlite3, ctypes; print('%d.%d.%d' % sys.version_info[:3])"
CAN_BOOTSTRAP = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"


@dataclass(frozen=True)
class Interpreter:
    """One Python of this machine."""

    path: Path
    version: str


def choose_interpreter() -> Interpreter:
    """Return the first Python that learners' processes can run.

    Raises:
        SetupError: None was found; names what was tried.
    """
    tried: list[str] = []
    for path in _once(_candidates()):
        version = _version_for_others(path)
        if version and tuple(int(part) for part in version.split(".")) >= OLDEST:
            return Interpreter(path, version)
        tried.append(str(path))
    text = _(
        "No Python 3.11 or newer on this machine can be run by other users (tried: {tried}). "
        "Install one for the whole system (Debian, Ubuntu: apt install python3), then run this again."
    )
    raise SetupError(text.format(tried=", ".join(tried) or _("none found")))


def bootstrap_python() -> str:
    """Return a Python with `venv` and `ensurepip` for the installer alone.

    Raises:
        SetupError: None on the PATH has both.
    """
    on_path = (Path(folder) / name for folder in os.get_exec_path() for name in reversed(NAMES))
    for path in _once([Path(sys.executable), *on_path]):
        if (
            os.access(path, os.X_OK)
            and _quietly([str(path), "-I", "-c", CAN_BOOTSTRAP]) is not None
        ):
            return str(path)
    text = _(
        "No Python 3.11 or newer with `venv` was found. "
        "Debian, Ubuntu: apt install python3-venv. Then run this again."
    )
    raise SetupError(text)


def _candidates() -> Iterable[Path]:
    base = getattr(sys, "_base_executable", None) or sys.executable
    yield Path(base).resolve()
    for folder in SYSTEM_FOLDERS:
        yield from (Path(folder) / name for name in NAMES)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield Path(found)


def _once(paths: Iterable[Path]) -> Iterable[Path]:
    seen: set[Path] = set()
    for path in paths:
        real = path.resolve()
        if real not in seen and path.exists():
            seen.add(real)
            yield path


def _version_for_others(path: Path) -> str | None:
    command = [str(path), "-I", "-c", ABOUT]
    return _quietly(command, as_nobody=os.geteuid() == 0)


def _quietly(command: list[str], *, as_nobody: bool = False) -> str | None:
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody else {}
    try:
        done = subprocess.run(  # type: ignore[call-overload]
            command, capture_output=True, text=True, timeout=30, check=False, cwd="/", **other
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
