"""Make the folders of one installation, with their owners and modes.

Law: state can be entered by the services alone (0710, a private group); every
folder in it is 0700 of the one service that uses it. Idempotent; a folder with
a wrong owner is put right only below the state folder, which no learner can write.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema, known_revisions, schema_revisions
from bioskills.base.text import _
from bioskills.hub.lab_config import write_lab_config
from bioskills.hub.privileges import run_as
from bioskills.hub.secrets_store import ensure_secret, write_private

TRAVERSE = 0o711
PRIVATE = 0o700


@dataclass(frozen=True)
class Owners:
    """The numeric uids of the services; all the caller's own where it is not root."""

    hub: int
    proxy: int
    campus: int
    grader: int
    culler: int

    @property
    def group(self) -> int:
        """The group that may enter the state folder."""
        return self.proxy


def owners_of(settings: Settings) -> Owners:
    """Return the uids that the services run as."""
    me = os.geteuid()
    if me != 0:
        return Owners(me, me, me, me, me)
    first = settings.labs.service_uid
    return Owners(hub=0, proxy=first, campus=first + 1, grader=first + 2, culler=first + 3)


@dataclass(frozen=True)
class Secrets:
    """Files of the tokens by which the services know each other."""

    proxy: Path
    campus: Path
    grader_at_campus: Path
    grader: Path
    culler: Path
    provision: Path
    cookie: Path


def secret_files(places: Places) -> Secrets:
    """Return where each secret lies."""
    return Secrets(
        proxy=places.proxy / "token",
        campus=places.campus / "hub_token",
        grader_at_campus=places.campus / "grader_token",
        grader=places.grader / "campus_token",
        culler=places.state / "culler" / "hub_token",
        provision=places.hub / "provision_token",
        cookie=places.hub / "cookie_secret",
    )


def ensure_state(settings: Settings) -> Places:
    """Make folders, secrets and tables; return the places."""
    places, owners = places_of(settings), owners_of(settings)
    places.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    _ensure_folder(places.homes, owners.hub, TRAVERSE)
    _ensure_folder(
        places.state, owners.hub, 0o710 if os.geteuid() == 0 else PRIVATE, group=owners.group
    )
    _ensure_folder(places.hub, owners.hub)
    _ensure_folder(places.logs, owners.hub)
    _ensure_folder(places.proxy, owners.proxy)
    _ensure_folder(places.state / "culler", owners.culler)
    _ensure_folder(places.campus, owners.campus)
    _ensure_folder(places.grader, owners.grader)
    _ensure_folder(places.database, owners.campus)
    _ensure_secrets(secret_files(places), owners)
    write_lab_config(places.data / "lab-config")
    # As the campus: root opens nothing by path in a folder that a service can write.
    run_as(owners.campus, owners.group, lambda: _ensure_campus(settings, places))
    return places


def _ensure_campus(settings: Settings, places: Places) -> None:
    places.objects.mkdir(mode=PRIVATE, exist_ok=True)
    _ensure_database(database_url(settings))


def runtime_dir(settings: Settings) -> Path:
    """Return a short folder for kernel sockets: a socket's path may hold 107 bytes only."""
    mark = hashlib.sha256(str(places_of(settings).data).encode()).hexdigest()[:8]
    parent = (
        Path("/run")
        if os.geteuid() == 0
        else Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    )
    return parent / f"bsh-{mark}"


def _ensure_folder(
    path: Path, owner: int, mode: int = PRIVATE, *, group: int | None = None
) -> None:
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, owner, owner if group is None else group)
    path.chmod(mode)


def _ensure_secrets(files: Secrets, owners: Owners) -> None:
    ensure_secret(files.proxy, owners.proxy)
    ensure_secret(files.campus, owners.campus)
    ensure_secret(files.culler, owners.culler)
    ensure_secret(files.provision, owners.hub)
    ensure_secret(files.cookie, owners.hub)
    shared = ensure_secret(files.grader, owners.grader)
    if ensure_secret(files.grader_at_campus, owners.campus) != shared:
        write_private(files.grader_at_campus, shared, owners.campus)


def _ensure_database(url: str) -> None:
    found, newest = schema_revisions(url)
    if found not in {None, newest}:
        raise SetupError(_other_revision(url, str(found), str(newest)))
    ensure_schema(url)


def _other_revision(url: str, found: str, newest: str) -> str:
    if found in known_revisions(url):
        text = _(
            "The database is at revision {found}, this version needs {newest}. Run: bioskills upgrade"
        )
    else:
        text = _(
            "The database is at revision {found}, made by a newer version; this one knows up to {newest}. Install the newer version again, or bring back a backup."
        )
    return text.format(found=found, newest=newest)


def ensure_backups(settings: Settings) -> Path:
    """Return the folder of backups, owned by the campus like the database it copies.

    Raises:
        SetupError: There is no installation here.
    """
    folder = places_of(settings).state / "backups"
    if not folder.parent.is_dir():
        text = _("There is no installation at {data}. Start first: bioskills run")
        raise SetupError(text.format(data=places_of(settings).data))
    _ensure_folder(folder, owners_of(settings).campus)
    return folder
