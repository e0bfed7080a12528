"""Hand the hub its configuration files.

Law: the hub runs what root chose and nobody else could have written, and it
cannot rewrite it: the files are copied at each start to where the hub may only
read. So they may hold secrets (0600 of root), and lie where the hub cannot go.
"""

import os
import shutil
import stat
import sys
from pathlib import Path

from bioskills.base.places import Places
from bioskills.base.problems import SetupError
from bioskills.base.text import _
from bioskills.hub.state import Owners, ensure_folder

CONFIG_NAME = "jupyterhub_config.py"
EXTRA = "jupyterhub_config.d"
READ_ONLY = 0o640


def hand_over_config(places: Places, owners: Owners) -> Path:
    """Copy the configuration for the hub to read; return the copy.

    Raises:
        SetupError: Somebody else could have written it.
    """
    chosen, extra = hub_config_files()
    folder = places.hub_config
    shutil.rmtree(folder, ignore_errors=True)
    for path in (folder, folder / EXTRA):
        ensure_folder(path, owners.root, 0o750, group=owners.hub)
    _copy(chosen, folder / CONFIG_NAME, owners)
    for path in extra:
        _copy(path, folder / EXTRA / path.name, owners)
    return folder / CONFIG_NAME


def _copy(source: Path, target: Path, owners: Owners) -> None:
    target.write_bytes(source.read_bytes())
    if os.geteuid() == 0:
        os.chown(target, owners.root, owners.hub)
    target.chmod(READ_ONLY)


def hub_config_files() -> tuple[Path, list[Path]]:
    """Return `jupyterhub_config.py` from the working folder, or the installed one, and the site's files.

    Raises:
        SetupError: Somebody else could have written one of them.
    """
    here = Path.cwd() / CONFIG_NAME
    installed = Path(sys.prefix) / "share" / "bioskills" / CONFIG_NAME
    chosen = here if here.exists() else installed
    extra = sorted(
        Path(os.environ.get("BIOSKILLS_HUB_CONFIG_D", chosen.parent / EXTRA)).glob("*.py")
    )
    for path in (chosen, *extra):
        refuse_foreign(path)
    return chosen, extra


def refuse_foreign(path: Path) -> None:
    """Refuse, as root, to run code that anybody else could have written.

    Raises:
        SetupError: The file or a folder above it belongs to, or can be written by, another account.
    """
    if os.geteuid() != 0:
        return
    real, trusted = path.resolve(), {0, int(os.environ.get("SUDO_UID", "0"))}
    for place in (real, real.parent):
        state = place.stat()
        if state.st_uid not in trusted or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SetupError(
                _(
                    "{place} can be written by others than root, and would be run with the hub's secrets. "
                    "Run: chown root {place} && chmod go-w {place}"
                ).format(place=place)
            )
