"""Become the culler, which stops labs that nobody uses.

Law: people are never culled (that would be an erasure by accident); the token
is read from a file after the switch of uid.
"""

import os
import runpy
import sys
import time

import httpx

from bioskills.base.places import places_of
from bioskills.base.settings import load_settings
from bioskills.hub.secrets_store import read_secret
from bioskills.hub.state import secret_files

PAUSE_S = 2.0


def wait_for(url: str) -> None:
    """Return when the hub answers; the culler itself would log a traceback."""
    while True:
        try:
            if httpx.get(url, timeout=PAUSE_S, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(PAUSE_S)


def main() -> None:
    """Run jupyterhub-idle-culler with our settings."""
    settings = load_settings()
    wait_for(f"http://127.0.0.1:{settings.network.hub_port}/hub/health")
    os.environ["JUPYTERHUB_API_TOKEN"] = read_secret(secret_files(places_of(settings)).culler)
    os.environ["JUPYTERHUB_API_URL"] = f"http://127.0.0.1:{settings.network.hub_port}/hub/api"
    sys.argv = ["jupyterhub-idle-culler", f"--timeout={settings.labs.idle_timeout_s}"]
    runpy.run_module("jupyterhub_idle_culler", run_name="__main__")


if __name__ == "__main__":
    main()
