"""Put our settings into JupyterHub's configuration.

Law: each function sets one slice of `c` and never appends; running it twice
gives the same. What must not be is refused here, before the hub starts.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from bioskills.base.places import database_url, hub_database_url, places_of
from bioskills.base.problems import SetupError
from bioskills.base.runtime import one_account_for_all, runtime_dir
from bioskills.base.settings import Settings
from bioskills.base.store import Store
from bioskills.base.text import _
from bioskills.base.wire import LAB_SCOPE, RUN_LABS_SCOPE
from bioskills.hub.addresses import campus_public_url
from bioskills.hub.authenticator import AccountsAuthenticator
from bioskills.hub.demo import is_demo
from bioskills.hub.grading_spawner import door_below, with_formgrader
from bioskills.hub.hub_words import TEMPLATES, hub_words
from bioskills.hub.lab_spawner import campus_api_url
from bioskills.hub.membership import Seat, seats
from bioskills.hub.membership_door import MEMBERSHIP_SCOPE
from bioskills.hub.oidc_apply import apply_oidc
from bioskills.hub.oidc_incomplete import refuse_incomplete
from bioskills.hub.origins import has_tls, refuse_unclear_origin, trusted_fronts
from bioskills.hub.papers_door import page_of_papers
from bioskills.hub.request_log import log_what_matters
from bioskills.hub.roles import CAMPUS_ACCESS, EVERYBODY
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.spawner_choice import lab_limits, spawner_of
from bioskills.hub.state import secret_files
from bioskills.hub.watched_proxy import WatchedProxy

POLL_S = 5
QUEUE_PATIENCE_S = 3600

LOGO = Path(__file__).parent / "campus" / "static" / "logo.svg"

CAMPUS_DOORS = ("instructor", "assessor", "certifier", "admin", "manager", "funder")
"""Roles whose first page is the campus; everybody else starts in the lab."""


def apply_all(c: Any, settings: Settings) -> None:
    """Set every slice.

    Raises:
        SetupError: The settings ask for something unsafe.
    """
    refuse_unsafe(settings)
    apply_network(c, settings)
    apply_databases(c, settings)
    apply_sign_in(c, settings)
    apply_roles(c)
    apply_services(c, settings)
    apply_labs(c, settings)


def refuse_unsafe(settings: Settings) -> None:
    """Refuse printed passwords off loopback, a provider half set up, and a silent single origin."""
    refuse_public_demo(settings, demo=is_demo(places_of(settings)))
    if settings.sign_in.method == "oidc":
        refuse_incomplete(settings)
    if one_account_for_all(places_of(settings).state) and not settings.is_loopback:
        raise SetupError(
            _(
                "Not started as root, so all labs would run as one account; that is for "
                "127.0.0.1 only, not for {address}. Start it as root, or set network.address."
            ).format(address=settings.network.address)
        )
    refuse_unclear_origin(settings)


def refuse_public_demo(settings: Settings, *, demo: bool) -> None:
    """Refuse an installation with printed passwords where others could reach it.

    Raises:
        SetupError: It is a demo, and listens for more than this machine.
    """
    if not demo or (settings.is_loopback and not settings.network.public_url):
        return
    raise SetupError(
        _(
            "Demo sign-ins would be reached by {address}: their passwords are printed, so a demo runs on 127.0.0.1 only. Begin another installation (paths.data_dir) without --demo, or leave out network.address and network.public_url."
        ).format(address=settings.network.public_url or settings.network.address)
    )


def apply_network(c: Any, settings: Settings) -> None:
    """Set addresses; each lab gets its own origin below the host."""
    net, alone = settings.network, one_account_for_all(places_of(settings).state)
    c.JupyterHub.bind_url = f"http://{net.address}:{net.port}/"
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{net.hub_port}"
    if not net.accept_single_origin:
        c.JupyterHub.subdomain_host = settings.public_url
    # Never found out from a request: of its scheme cookies are made.
    c.JupyterHub.public_url = f"{settings.public_url}/"
    c.JupyterHub.trusted_downstream_ips = trusted_fronts(settings)
    # A lab on a sibling host cannot plant a `__Host-` cookie; browsers take those over https alone,
    # and send them to every path: with one origin for all, to the labs, too.
    own_origins = has_tls(settings) and not net.accept_single_origin
    c.JupyterHub.cookie_host_prefix_enabled = own_origins
    c.JupyterHub.proxy_class = WatchedProxy
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{net.proxy_api_port}"
    c.ConfigurableHTTPProxy.auth_token = read_secret(secret_files(places_of(settings)).proxy_at_hub)
    # Labs live through a restart of the hub; `bioskills run` ends them when it ends.
    c.JupyterHub.cleanup_servers = alone
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.tornado_settings = {
        "log_function": log_what_matters,
        # Two of them: the hub writes a path into the second.
        "cookie_options": {"secure": has_tls(settings)},
        "xsrf_cookie_kwargs": {"secure": has_tls(settings)},
    }


def apply_databases(c: Any, settings: Settings) -> None:
    """Set the hub's own database: losing its last commit on power failure loses no grade."""
    places = places_of(settings)
    c.JupyterHub.db_url = hub_database_url(settings)
    c.JupyterHub.cookie_secret = bytes.fromhex(read_secret(secret_files(places).cookie))
    os.umask(0o077)
    if c.JupyterHub.db_url.startswith("sqlite"):
        connect = {"check_same_thread": False, "factory": FastSqlite}
        c.JupyterHub.db_kwargs = {"connect_args": connect}


class FastSqlite(sqlite3.Connection):
    """A connection of the hub's own file; ours is opened by `Store`, with full durability."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self.execute(f"PRAGMA {pragma}")


def apply_sign_in(c: Any, settings: Settings) -> None:
    """Set who proves people, and how soon a change of membership is felt."""
    c.Authenticator.auth_refresh_age = settings.sign_in.membership_age_s
    c.Authenticator.refresh_pre_spawn = True
    c.MembershipMixin.database_url = database_url(settings)
    if settings.sign_in.method == "accounts":
        c.JupyterHub.authenticator_class = AccountsAuthenticator
        c.OwnAccounts.settings = settings
    if settings.sign_in.method == "oidc":
        apply_oidc(c, settings)
    c.JupyterHub.oauth_require_pkce = True
    c.JupyterHub.oauth_token_expires_in = 12 * 3600
    c.JupyterHub.logo_file = str(LOGO)
    if settings.papers.at_first_sign_in:
        c.MembershipMixin.papers_page = page_of_papers(campus_public_url(settings))
    c.JupyterHub.template_paths = [str(TEMPLATES)]
    c.JupyterHub.template_vars = hub_words(settings)


def apply_roles(c: Any) -> None:
    """Set scopes of everybody and of services; people's roles come from the table."""
    c.JupyterHub.custom_scopes = {
        LAB_SCOPE: {"description": "List, fetch, hand in and read feedback from one's own lab."},
        RUN_LABS_SCOPE: {"description": "See which labs run, start and stop them; open none."},
        MEMBERSHIP_SCOPE: {"description": "Say that membership changed; the hub reads the table."},
    }
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": list(EVERYBODY)},
        {
            "name": "provision",
            "services": ["provision"],
            "scopes": [
                "admin:users",
                "admin:groups",
                "list:users",
                "servers",
                "users:activity",
                "tokens",
            ],
        },
        {
            "name": "membership",
            "services": ["campus", "provision"],
            "scopes": [MEMBERSHIP_SCOPE],
        },
        {
            "name": "culler",
            "services": ["culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        },
    ]


def apply_services(c: Any, settings: Settings) -> None:
    """Name the services; all are started by `bioskills run`, none by the hub."""
    files = secret_files(places_of(settings))
    c.JupyterHub.services = [
        {
            "name": "campus",
            "url": f"http://127.0.0.1:{settings.network.campus_port}",
            "api_token": read_secret(files.campus_at_hub),
            "oauth_no_confirm": True,
            "oauth_redirect_uri": f"{campus_public_url(settings)}oauth_callback",
            # The second is in nobody's token but an admin's: the hub takes the person's own scopes.
            "oauth_client_allowed_scopes": [CAMPUS_ACCESS, RUN_LABS_SCOPE],
            "display": True,
        },
        {"name": "culler", "api_token": read_secret(files.culler_at_hub)},
        {"name": "provision", "api_token": read_secret(files.provision)},
    ]


def apply_labs(c: Any, settings: Settings) -> None:
    """Set how labs start and what their tokens may do."""
    labs, alone = settings.labs, one_account_for_all(places_of(settings).state)
    labs_spawner = spawner_of(settings, alone=alone)
    own = isinstance(labs_spawner, type)
    c.JupyterHub.spawner_class = with_formgrader(labs_spawner) if own else labs_spawner
    _describe_labs(c, settings)
    _describe_formgrader(c, settings)
    c.ExecSpawner.alone = alone
    c.ForkSpawner.mode = "exec" if labs.spawner == "slim_exec" else "fork"
    c.ForkSpawner.limits = lab_limits(settings)
    c.ForkSpawner.cold_courses = list(labs.cold_courses)
    c.ForkSpawner.lab_timeout_s = labs.start_timeout_s
    c.ForkSpawner.concurrent_starts = labs.concurrent_starts
    # Ours queues and says the place; the hub's own limit would refuse with 429.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.Spawner.env_keep = []
    c.Spawner.default_url = "/lab"
    # Whoever queues has not begun: the lab's own time counts from its turn.
    c.Spawner.start_timeout = labs.start_timeout_s + QUEUE_PATIENCE_S
    c.Spawner.http_timeout = labs.start_timeout_s
    c.LabSpawner.poll_interval = POLL_S
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", LAB_SCOPE]
    c.JupyterHub.default_url = _door(Store(database_url(settings)), campus_public_url(settings))


def _describe_labs(c: Any, settings: Settings) -> None:
    places = places_of(settings)
    c.LabSpawner.database_url = database_url(settings)
    c.LabSpawner.homes_dir = str(places.homes)
    c.LabSpawner.runtime_dir = str(runtime_dir(settings))
    c.LabSpawner.log_dir = str(places.logs / "labs")
    c.LabSpawner.lab_environment = str(places.environment("lab"))
    c.LabSpawner.course_environment = str(places.environment("course"))
    c.LabSpawner.lab_config_root = str(places.data / "lab-config")
    c.LabSpawner.site_language = settings.site.language
    c.LabSpawner.campus_api = campus_api_url(settings.network.campus_port)
    c.LabSpawner.first_uid = settings.labs.first_uid
    c.LabSpawner.uid_count = settings.labs.uid_count


def _describe_formgrader(c: Any, settings: Settings) -> None:
    c.GradingSpawner.socket = str(door_below(runtime_dir(settings)))
    c.GradingSpawner.default_url = "/formgrader"
    c.GradingSpawner.start_timeout = settings.labs.start_timeout_s
    c.GradingSpawner.poll_interval = POLL_S
    c.GradingSpawner.server_token_scopes = ["users:activity!user", "access:servers!server"]


def _door(store: Store, campus: str) -> Any:
    def door(handler: Any) -> str:
        """Send learners to their lab and everybody else to the campus."""
        user = handler.current_user
        if user is None:
            return ""
        with store.reading() as session:
            return first_page(seats(session, user.name), campus)

    return door


def first_page(held: list[Seat], campus: str) -> str:
    """Return the address of a person's first page; empty for the hub's own (the lab)."""
    return campus if any(seat.role in CAMPUS_DOORS for seat in held) else ""
