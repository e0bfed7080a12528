"""Say where the environments of this clone lie.

Law: the same rule as `bioskills.base.places`, which cannot be imported before
its libraries are there; a contract test holds the two together.
"""

import os
import shutil
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from setup.words import SetupError, _, say

SYSTEM_DATA_DIR = Path("/var/lib/bioskills")
NEEDED_BYTES = 3 * 1024**3


def environments_folder(clone: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds all environments.

    Args:
        clone: The folder of the source code, from which `bioskills run` starts.
        environ: Variables that override the settings file.
    """
    chosen = _option(clone, environ, "environments_dir")
    return (clone / chosen).absolute() if chosen else data_folder(clone, environ) / "env"


def data_folder(clone: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder: chosen, beside the clone, or the system's."""
    chosen = _option(clone, environ, "data_dir")
    if chosen:
        return (clone / chosen).absolute()
    if os.geteuid() == 0 and closed_folder(clone):
        return SYSTEM_DATA_DIR
    return clone / ".bioskills"


def closed_folder(path: Path) -> Path | None:
    """Return the first folder on the way that other users may not enter, from the top."""
    way = [folder for folder in (path, *path.parents) if folder.exists()]
    return next((f for f in reversed(way) if not f.stat().st_mode & stat.S_IXOTH), None)


def ensure_folder(clone: Path, environments: Path) -> None:
    """Make the environments' folder, readable for all and writable by nobody else.

    Raises:
        SetupError: It cannot be made, or learners' processes could not reach it.
    """
    try:
        environments.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = _(
            "Cannot make the folder {path}: {why}. Choose another with BIOSKILLS_PATHS_DATA_DIR=<folder>."
        )
        raise SetupError(text.format(path=environments, why=error.strerror)) from error
    closed = closed_folder(environments)
    if os.geteuid() == 0 and closed:
        text = _(
            "Learners' servers could not read {path}, because {closed} is closed to other users. "
            "Choose another folder with BIOSKILLS_PATHS_DATA_DIR=<folder>, or open it: chmod o+x {closed}"
        )
        raise SetupError(text.format(path=environments, closed=closed))
    if environments.is_relative_to(SYSTEM_DATA_DIR) and not clone.is_relative_to(SYSTEM_DATA_DIR):
        text = _("Data folder: {data} (not beside the code: {closed} is closed to other users).")
        say(text.format(data=SYSTEM_DATA_DIR, closed=closed_folder(clone) or clone))


def ensure_space(environments: Path) -> None:
    """Stop before anything is half-made where the disk is too full.

    Raises:
        SetupError: With what is free and what is needed.
    """
    free = shutil.disk_usage(environments).free
    if free < NEEDED_BYTES:
        text = _(
            "{path} has {free:.1f} GB free; the set-up needs {need:.0f} GB. Free some space, then run it again."
        )
        raise SetupError(
            text.format(path=environments, free=free / 1024**3, need=NEEDED_BYTES / 1024**3)
        )


def _option(clone: Path, environ: Mapping[str, str], key: str) -> str:
    """Read one path of the settings; the full check is `bioskills doctor`'s."""
    override = environ.get(f"BIOSKILLS_PATHS_{key.upper()}")
    if override:
        return override
    named = environ.get("BIOSKILLS_SETTINGS")
    file = clone / (named or "bioskills.toml")
    if not file.is_file():
        return ""
    try:
        return str(tomllib.loads(file.read_text(encoding="utf-8")).get("paths", {}).get(key, ""))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text = _("{file} is not TOML: {error}. Correct it, then run the set-up again.")
        raise SetupError(text.format(file=file, error=error)) from error
