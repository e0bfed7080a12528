"""Make the folders of one installation, with their owners and modes.

Law: state can be entered by the services alone (0710, a private group); every
folder in it is 0700 of the one service that uses it, except our SQLite database,
which the hub and the campus share by a group of their own. Idempotent; a folder
with a wrong owner is put right only below the state folder, which no learner can write.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.runtime import one_account_for_all
from bioskills.base.settings import Settings
from bioskills.base.store import ensure_schema, known_revisions, schema_revisions, sqlite_path
from bioskills.base.tables import now
from bioskills.base.text import _
from bioskills.hub.lab_config import write_lab_config
from bioskills.hub.ledger_signing import ensure_ledger_key
from bioskills.hub.oidc_secret import hand_over_client_secret
from bioskills.hub.privileges import run_as
from bioskills.hub.secrets_store import ensure_secret, write_private

TRAVERSE = 0o711
PRIVATE = 0o700
SHARED_FOLDER, SHARED_FILE = 0o2770, 0o660
"""Modes of our SQLite database: what is made in the folder belongs to its group (setgid), and
SQLite gives its -wal and -shm files the mode of the main one, whatever the umask."""


@dataclass(frozen=True)
class Owners:
    """The numeric ids of the services; all the caller's own where it is not root.

    Attributes:
        root: Who owns what no service may change.
        proxy: Also the group that may enter the state folder.
        relay: Carries what walled labs say to the hub and the campus.
        probe: Tries imports before a warm parent makes them.
        database: A group, not a user: who may open our SQLite database.
    """

    root: int
    proxy: int
    campus: int
    grader: int
    culler: int
    hub: int
    relay: int
    probe: int
    database: int

    @property
    def group(self) -> int:
        """The group that may enter the state folder."""
        return self.proxy

    def groups(self, uid: int) -> tuple[int, ...]:
        """Return the further groups of a service: beside its own, the fewest that it needs."""
        return (self.group, self.database) if uid in {self.hub, self.campus} else (self.group,)

    @property
    def services(self) -> set[int]:
        """Every uid that a process of ours runs as, root apart."""
        every = {self.proxy, self.campus, self.grader, self.culler, self.hub}
        return (every | {self.relay, self.probe}) - {self.root}


def owners_of(settings: Settings) -> Owners:
    """Return the uids that the services run as."""
    me = os.geteuid()
    if me != 0:
        return Owners(*[me] * 9)
    return Owners(0, *(settings.labs.service_uid + n for n in range(8)))


def proxy_uid(settings: Settings) -> int:
    """Return whom the proxy runs as, whoever asks; `owners_of` answers only who starts it all."""
    alone = one_account_for_all(places_of(settings).state)
    return os.geteuid() if alone else settings.labs.service_uid


@dataclass(frozen=True)
class Secrets:
    """Files of the tokens by which the services know each other; each is read by one of them."""

    proxy: Path
    proxy_at_hub: Path
    campus: Path
    campus_at_hub: Path
    grader_at_campus: Path
    grader: Path
    culler: Path
    culler_at_hub: Path
    provision: Path
    cookie: Path
    second_factor: Path
    auth_state: Path


def secret_files(places: Places) -> Secrets:
    """Return where each secret lies."""
    return Secrets(
        proxy=places.proxy / "token",
        proxy_at_hub=places.hub / "proxy_token",
        campus=places.campus / "hub_token",
        campus_at_hub=places.hub / "campus_token",
        grader_at_campus=places.campus / "grader_token",
        grader=places.grader / "campus_token",
        culler=places.state / "culler" / "hub_token",
        culler_at_hub=places.hub / "culler_token",
        provision=places.hub / "provision_token",
        cookie=places.hub / "cookie_secret",
        second_factor=places.hub / "second_factor_key",
        auth_state=places.hub / "auth_state_key",
    )


def ensure_state(settings: Settings) -> Places:
    """Make folders, secrets and tables; return the places."""
    places, owners = places_of(settings), owners_of(settings)
    places.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    ensure_folder(places.homes, owners.root, TRAVERSE)
    for folder, owner, mode, group in folders_of(places, owners):
        _hand_over(folder, owner)
        ensure_folder(folder, owner, mode, group=group)
    _ensure_secrets(secret_files(places), owners)
    ensure_ledger_key(places, owners.campus, now())
    hand_over_client_secret(settings, places, owners.hub)
    write_lab_config(places.data / "lab-config")
    # As the campus: root opens nothing by path in a folder that a service can write.
    groups = owners.groups(owners.campus)
    run_as(owners.campus, groups, lambda: _ensure_campus(settings, places, owners))
    return places


def folders_of(places: Places, owners: Owners) -> list[tuple[Path, int, int, int]]:
    """Return every folder of the state with its owner, mode and group."""
    alone = owners.root != 0
    private = (
        (places.machine, owners.root),
        (places.logs, owners.root),
        (places.logs / "labs", owners.root),
        (places.hub, owners.hub),
        (places.proxy, owners.proxy),
        (places.state / "culler", owners.culler),
        (places.campus, owners.campus),
        (places.grader, owners.grader),
    )
    return [
        (places.state, owners.root, PRIVATE if alone else 0o710, owners.group),
        (places.hub_config, owners.root, PRIVATE if alone else 0o750, owners.hub),
        (places.reports, owners.root, PRIVATE if alone else 0o750, owners.campus),
        # Each service reads them; the campus alone writes.
        (places.frameworks, owners.campus, PRIVATE if alone else 0o750, owners.group),
        *((folder, owner, PRIVATE, owner) for folder, owner in private),
        (
            places.database,
            owners.campus,
            PRIVATE if alone else SHARED_FOLDER,
            owners.database,
        ),
    ]


def _hand_over(folder: Path, owner: int) -> None:
    """Give a service what root kept in its folder while the service ran as root (the hub, once)."""
    if os.geteuid() != 0 or owner == 0 or not folder.is_dir() or folder.stat().st_uid != 0:
        return
    for entry in folder.iterdir():
        if entry.is_file() and not entry.is_symlink():
            os.chown(entry, owner, owner, follow_symlinks=False)


def _ensure_campus(settings: Settings, places: Places, owners: Owners) -> None:
    places.objects.mkdir(mode=PRIVATE, exist_ok=True)
    _ensure_database(database_url(settings))
    file = sqlite_path(database_url(settings))
    if file is not None and owners.root == 0:
        share_database(file, owners.database)


def share_database(file: Path, group: int) -> None:
    """Let a group write a SQLite database, as its owner and a member of that group."""
    for end in ("", "-wal", "-shm"):
        part = file.with_name(file.name + end)
        # One beside the main file may be the hub's; then it has this mode already.
        with suppress(FileNotFoundError, PermissionError):
            os.chown(part, -1, group, follow_symlinks=False)
            part.chmod(SHARED_FILE)


def ensure_folder(path: Path, owner: int, mode: int = PRIVATE, *, group: int | None = None) -> None:
    """Make a folder, or put its owner and mode right."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, owner, owner if group is None else group)
    path.chmod(mode)


def _ensure_secrets(files: Secrets, owners: Owners) -> None:
    ensure_secret(files.provision, owners.hub)
    ensure_secret(files.cookie, owners.hub)
    ensure_secret(files.second_factor, owners.hub)
    ensure_secret(files.auth_state, owners.hub)
    for secret, owner, copy, reader in (
        (files.proxy, owners.proxy, files.proxy_at_hub, owners.hub),
        (files.campus, owners.campus, files.campus_at_hub, owners.hub),
        (files.culler, owners.culler, files.culler_at_hub, owners.hub),
        (files.grader, owners.grader, files.grader_at_campus, owners.campus),
    ):
        shared = ensure_secret(secret, owner)
        if ensure_secret(copy, reader) != shared:
            write_private(copy, shared, reader)


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
    ensure_folder(folder, owners_of(settings).campus)
    return folder
