"""Hand the hub the secret that the provider gave to the operator.

Law: the operator's file is read by whoever starts, and by nobody else on the machine; the
hub, which runs as another uid, gets a 0600 copy of its own. It is never printed.
"""

import os
import stat
from pathlib import Path

from bioskills.base.places import Places
from bioskills.base.problems import SetupError
from bioskills.base.settings import Settings
from bioskills.base.text import _
from bioskills.hub.secrets_store import MOST_BYTES, open_plain, read_secret, write_private

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def client_secret_file(places: Places) -> Path:
    """Return where the hub reads the secret."""
    return places.hub / "oidc_client_secret"


def hand_over_client_secret(settings: Settings, places: Places, reader: int) -> None:
    """Give the hub the provider's secret; nothing where no provider is used.

    Raises:
        SetupError: The file cannot be read, is empty, or others may read it.
    """
    if settings.sign_in.method != "oidc" or not settings.oidc.client_secret_file:
        return
    copy, secret = (
        client_secret_file(places),
        read_client_secret(Path(settings.oidc.client_secret_file)),
    )
    if not copy.exists() or read_secret(copy) != secret:
        write_private(copy, secret, reader)


def read_client_secret(path: Path) -> str:
    """Return the secret in the operator's file.

    Raises:
        SetupError: As above.
    """
    try:
        with open_plain(path) as file:
            open_to_others = os.fstat(file.fileno()).st_mode & OTHERS
            secret = file.read(MOST_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = _(
            "The secret of the identity provider cannot be read ({path}: {reason}). Put it into that file, alone on a line."
        )
        raise SetupError(text.format(path=path, reason=error)) from error
    if open_to_others:
        text = _("Others can read the secret of the identity provider. Run: chmod 600 {path}")
        raise SetupError(text.format(path=path))
    if not secret:
        raise SetupError(_("{path} is empty: no secret of the provider.").format(path=path))
    return secret
