"""Run the campus service: `python -m bioskills.hub.campus`.

Law: everything comes from the settings and from two files in `state/campus`
that nobody but this service's uid can read: `hub_token` (our token at the hub)
and `grader_token` (the token the grader shows us). It listens on loopback only.
"""

import hashlib
import logging
import stat
import sys
from pathlib import Path

import uvicorn

from bioskills.base.places import Places, database_url, places_of
from bioskills.base.problems import InputError, SetupError
from bioskills.base.settings import Settings, load_settings
from bioskills.base.store import Store
from bioskills.base.tables import now
from bioskills.base.text import _, use_language
from bioskills.hub.addresses import hub_api_url
from bioskills.hub.campus.app import create_app, static_url
from bioskills.hub.campus.connections import (
    KEEP_ALIVE_S,
    MOST_CONNECTIONS,
    PromptProtocol,
    quiet_accept_errors,
    raise_file_limit,
)
from bioskills.hub.campus.hub_api import HubApi
from bioskills.hub.campus.objects import Objects
from bioskills.hub.campus.site import Site, make_templates
from bioskills.hub.papers import put_in_force
from bioskills.hub.papers_text import privacy_texts
from bioskills.hub.warnings_shown import WarningsNow

HUB_TOKEN = "hub_token"  # noqa: S105 - a file's name
GRADER_TOKEN = "grader_token"  # noqa: S105 - a file's name


def make_site(settings: Settings, places: Places | None = None) -> Site:
    """Return the site of these settings.

    Raises:
        SetupError: A secret is missing, empty or readable by others.
    """
    places = places or places_of(settings)
    own_token = read_secret(places.campus / HUB_TOKEN)
    return Site(
        settings=settings,
        places=places,
        store=Store(database_url(settings)),
        hub=HubApi(hub_api_url(settings), own_token, settings.sign_in.permissions_age_s),
        clock=now,
        objects=Objects(places.objects),
        templates=make_templates(settings, static_url, WarningsNow(settings)),
        grader_token_sha256=hashlib.sha256(
            read_secret(places.campus / GRADER_TOKEN).encode()
        ).hexdigest(),
    )


def read_secret(path: Path) -> str:
    """Return a token from a file that only its owner can read.

    Raises:
        SetupError: The file is missing, empty or open to others.
    """
    try:
        mode, token = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            _("{path}: {error}. Run: bioskills doctor").format(path=path, error=error)
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(_("{path} can be read by others. Run: chmod 600 {path}").format(path=path))
    if not token:
        raise SetupError(_("{path} is empty. Run: bioskills doctor").format(path=path))
    return token


def publish_papers(site: Site) -> None:
    """Put the paper that the settings give in force.

    Raises:
        SetupError: The operator's own file cannot be read.
    """
    texts = privacy_texts(site.settings)
    with site.store.transaction() as session:
        put_in_force(session, texts, site.clock())


def serve(site: Site) -> None:
    """Answer requests until the process is told to stop."""
    raise_file_limit()
    quiet_accept_errors()
    uvicorn.Server(server_config(site)).run()


def server_config(site: Site) -> uvicorn.Config:
    """Return how the campus listens, and how much of everything a caller gets."""
    return uvicorn.Config(
        create_app(site),
        host="127.0.0.1",
        port=site.settings.network.campus_port,
        http=PromptProtocol,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        proxy_headers=False,  # nothing of X-Forwarded-* is believed (headers.py)
        server_header=False,
        access_log=False,  # it would keep names and sign-in codes
        log_level="info",
        timeout_graceful_shutdown=10,
    )


def main() -> int:
    """Start the service; a person's mistake ends in a sentence and exit code 2."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = load_settings()
        use_language(settings.site.language)
        site = make_site(settings)
        publish_papers(site)
        serve(site)
    except (InputError, SetupError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
