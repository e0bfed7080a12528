"""Say where everything of one installation lies.

Law: every path is derived here from the settings, so that no two parts
disagree; nothing here creates or changes a file.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.settings import Settings, installed_data_dir

SYSTEM_DATA_DIR = Path("/var/lib/bioskills")


@dataclass(frozen=True)
class Places:
    """The folders of one installation."""

    data: Path
    environments: Path
    homes: Path

    @property
    def state(self) -> Path:
        """Everything that must be backed up, apart from the homes."""
        return self.data / "state"

    @property
    def hub(self) -> Path:
        """The hub's own database and secrets."""
        return self.state / "hub"

    @property
    def campus(self) -> Path:
        """The campus service's objects and token."""
        return self.state / "campus"

    @property
    def objects(self) -> Path:
        """Content-addressed files: courses, releases, submissions, evidence."""
        return self.campus / "objects"

    @property
    def grader(self) -> Path:
        """Gradebooks, sources and submissions in work."""
        return self.state / "grader"

    @property
    def proxy(self) -> Path:
        """The proxy's token and pid."""
        return self.state / "proxy"

    @property
    def database(self) -> Path:
        """The folder of our own SQLite database."""
        return self.state / "db"

    @property
    def logs(self) -> Path:
        """The services' logs."""
        return self.state / "log"

    @property
    def machine(self) -> Path:
        """What root alone reads: the configuration of the supervisor and of the fork server."""
        return self.state / "machine"

    @property
    def hub_config(self) -> Path:
        """The hub's configuration files as the hub reads, and cannot change, them."""
        return self.state / "hub-config"

    @property
    def frameworks(self) -> Path:
        """Competence frameworks that were published in this installation."""
        return self.state / "frameworks"

    @property
    def reports(self) -> Path:
        """What root found out, for the campus to read."""
        return self.state / "reports"

    def environment(self, name: str) -> Path:
        """Return the folder of the environment *hub*, *lab* or *course*."""
        return self.environments / name


def database_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of our own database."""
    return settings.database.url or f"sqlite:///{places_of(settings).database / 'bioskills.sqlite'}"


def hub_database_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the hub's database."""
    return settings.database.hub_url or f"sqlite:///{places_of(settings).hub / 'hub.sqlite'}"


def places_of(settings: Settings) -> Places:
    """Return the folders that these settings mean."""
    data = (
        Path(settings.paths.data_dir).absolute() if settings.paths.data_dir else default_data_dir()
    )
    return Places(
        data=data,
        environments=Path(settings.paths.environments_dir or data / "env").absolute(),
        homes=Path(settings.paths.homes_dir or data / "homes").absolute(),
    )


def default_data_dir(base: Path | None = None) -> Path:
    """Return the data folder of an installation whose settings name none.

    A program in `<data>/env/<name>` means that data folder, wherever it is
    called from. Another one means `.bioskills` beside the code, or the system's
    folder where learners cannot reach that.

    Args:
        base: The folder beside which data would lie; the working folder by default.
    """
    installed = installed_data_dir()
    if installed and base is None:
        return installed
    here = (base or Path.cwd()).absolute()
    if os.geteuid() == 0 and not others_can_reach(here):
        return SYSTEM_DATA_DIR
    return here / ".bioskills"


def others_can_reach(path: Path) -> bool:
    """Say whether every folder on the way may be traversed by any uid."""
    return all(_is_open(folder) for folder in (path, *path.parents) if folder.exists())


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)
