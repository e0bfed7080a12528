"""The proxies that are compared, each as it would run in the product.

Law: external to the hub and restarted at once when it dies, as under supervisord;
host routing on where there is any; its token in the environment or in a 0600 file, never in a command line.
"""

import json
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bioskills_ports import free_ports
from bioskills_product import ENVIRONMENTS

from bioskills.base.settings import Settings
from bioskills.hub.start_proxy import error_pages, proxy_command
from bioskills.hub.unavailable_page import write_pages

WATCHED = "bioskills.hub.watched_proxy.WatchedProxy"
KEYS = ("labs", "token", "port", "hub_port", "api_port", "host_routing")
STOCK = "jupyterhub.proxy.ConfigurableHTTPProxy"


@dataclass
class Site:
    """Addresses, secrets and labs of one run."""

    folder: Path
    labs: dict[str, int]
    host_routing: bool = True
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    port: int = 0
    hub_port: int = 0
    api_port: int = 0

    def __post_init__(self) -> None:
        self.port, self.hub_port, self.api_port = free_ports(3)

    def address(self, name: str) -> str:
        """Return where a learner's browser goes."""
        host = f"{name}.hub.localhost" if self.host_routing else "hub.localhost"
        return f"http://{host}:{self.port}/user/{name}/"


@dataclass(frozen=True)
class Candidate:
    """One proxy.

    Attributes:
        name: As in the table.
        proxy_class: What the hub is told.
        command: Makes the command line, and files that it needs.
        python: Whose JupyterHub runs.
        host_routing: Whether it can give every learner's server an origin of its own.
    """

    name: str
    proxy_class: str
    command: Callable[[Site], list[str]]
    python: str
    host_routing: bool = True


def npm(site: Site) -> list[str]:
    """Return the command line that the product ships, with its error page."""
    ports = {"port": site.port, "hub_port": site.hub_port, "proxy_api_port": site.api_port}
    paths = {"data_dir": str(site.folder), "environments_dir": str(ENVIRONMENTS)}
    ports["campus_port"] = free_ports(1)[0]
    settings = Settings.model_validate({"network": ports, "paths": paths})
    pages = error_pages(settings)
    pages.mkdir(parents=True, exist_ok=True)
    write_pages(settings, pages)
    return proxy_command(settings)


def python_port(others: Path, site: Site) -> list[str]:
    """Return the command line of the port to Python; 0.4.0 accepts --host-routing and ignores it."""
    return [
        str(others / "bin" / "configurable-http-proxy"),
        *("--ip", "127.0.0.1", "--port", str(site.port), "--log-level", "warning"),
        *("--api-ip", "127.0.0.1", "--api-port", str(site.api_port)),
        *("--default-target", f"http://127.0.0.1:{site.hub_port}"),
    ]


def traefik(others: Path, site: Site) -> list[str]:
    """Return Traefik's command line; its routes come from a file that the hub writes."""
    (site.folder / "rules.toml").touch(mode=0o600)
    static = site.folder / "traefik.toml"
    static.write_text(
        f'[entryPoints.http]\naddress = "127.0.0.1:{site.port}"\n'
        f'[entryPoints.auth_api]\naddress = "127.0.0.1:{site.api_port}"\n[api]\n'
        f'[providers]\nprovidersThrottleDuration = "100ms"\n'
        f'[providers.file]\nfilename = "{site.folder / "rules.toml"}"\nwatch = true\n'
    )
    return [str(others / "bin" / "traefik"), "--configfile", str(static)]


def candidates(python: str, others: Path | None) -> list[Candidate]:
    """Return what can be compared here."""
    found = [
        Candidate("npm", WATCHED, npm, python),
        Candidate("npm-unwatched", STOCK, npm, python),
    ]
    if others is not None:
        port = lambda site: python_port(others, site)  # noqa: E731
        routes = lambda site: traefik(others, site)  # noqa: E731
        file_class = "jupyterhub_traefik_proxy.fileprovider.TraefikFileProviderProxy"
        own = str(others / "bin" / "python")
        found += [
            Candidate("python", WATCHED, port, python, host_routing=False),
            Candidate("traefik", file_class, routes, own),
        ]
    return found


def pinned(command: list[str], cores: set[int]) -> list[str]:
    """Return a command line that keeps to these cores from its first instruction."""
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


class Kept:
    """A process that is started again as soon as it dies, as a supervisor does."""

    def __init__(self, command: list[str], site: Site, cores: set[int]) -> None:
        self.command, self.site, self.cores = command, site, cores
        self.ending = False
        self.process = self._start()
        threading.Thread(target=self._keep, daemon=True).start()

    def _start(self) -> "subprocess.Popen[bytes]":
        environ = {"CONFIGPROXY_AUTH_TOKEN": self.site.token, "PATH": os.environ["PATH"]}
        with (self.site.folder / "proxy.log").open("ab") as log:
            return subprocess.Popen(
                pinned(self.command, self.cores),
                env=environ,
                cwd=self.site.folder,
                stdout=log,
                stderr=log,
            )

    def _keep(self) -> None:
        while not self.ending:
            self.process.wait()
            if not self.ending:
                time.sleep(0.1)
                self.process = self._start()

    def end(self) -> None:
        """End it for good."""
        self.ending = True
        self.process.kill()
        self.process.wait()


def start_hub(candidate: Candidate, site: Site, cores: set[int]) -> "subprocess.Popen[bytes]":
    """Start the hub that holds the routes."""
    wish = {
        **{key: getattr(site, key) for key in KEYS},
        "proxy_class": candidate.proxy_class,
    }
    file = site.folder / "wish.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(wish))
    config = Path(__file__).parent / "hub_config.py"
    with (site.folder / "hub.log").open("wb") as log:
        return subprocess.Popen(
            pinned([candidate.python, "-m", "jupyterhub", "-f", str(config)], cores),
            cwd=site.folder,
            env={"PATH": os.environ["PATH"], "BENCH_WISH": str(file)},
            stdout=log,
            stderr=log,
        )
