"""Keep an uploaded list between the look at it and its apply.

Law: a list holds names, so it lies in the campus's own folder (0700), never in the database,
is found by the hash of its content alone, and goes when it was applied, or after a day.
"""

import base64
import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from bioskills.base.text import _
from bioskills.hub.campus.site import Refused, Site

KEPT = timedelta(days=1)
KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Staged:
    """One uploaded list.

    Attributes:
        key: Hash by which it is found.
        name: The file's name as the browser sent it.
        at: When it came.
        platform_roles: Whether the box about roles of the whole platform was ticked.
    """

    key: str
    name: str
    content: bytes
    at: datetime
    platform_roles: bool


def stage(site: Site, name: str, content: bytes, *, platform_roles: bool) -> str:
    """Keep a list and return the key by which it is found."""
    forget_old(site)
    key = hashlib.sha256(
        b"\0".join((name.encode(), str(platform_roles).encode(), content))
    ).hexdigest()
    body = {
        "name": name,
        "at": site.clock().isoformat(),
        "platform_roles": platform_roles,
        "content": base64.b64encode(content).decode("ascii"),
    }
    # A name of its own for each request: a second click sends the same list once more. 0600.
    with NamedTemporaryFile("w", dir=_folder(site), suffix=".new", delete=False) as target:
        json.dump(body, target)
    os.utime(target.name, times=(site.clock().timestamp(),) * 2)
    Path(target.name).rename(_file(site, key))
    return key


def staged(site: Site, key: str) -> Staged:
    """Return a list that was uploaded.

    Raises:
        Refused: 404 where there is none, or it is too old.
    """
    found = _read(site, key) if KEY.fullmatch(key) else {}
    at = datetime.fromisoformat(found["at"]) if found else site.clock() - 2 * KEPT
    if at + KEPT < site.clock():
        message = _("This list is not kept any more. Nothing was changed by it.")
        raise Refused(HTTPStatus.NOT_FOUND, "no_upload", message, _("Upload it again."))
    content = base64.b64decode(found["content"])
    return Staged(key, str(found["name"]), content, at, bool(found["platform_roles"]))


def _read(site: Site, key: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_file(site, key).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def forget(site: Site, key: str) -> None:
    """Remove a list that was applied."""
    _file(site, key).unlink(missing_ok=True)


def forget_old(site: Site) -> None:
    """Remove every list that is older than a day, whatever became of it."""
    oldest = (site.clock() - KEPT).timestamp()
    for file in _folder(site).iterdir():
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()


def _file(site: Site, name: str) -> Path:
    return _folder(site) / name


def _folder(site: Site) -> Path:
    folder = site.places.campus / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
