"""A real hub whose labs are ports of the backends; the proxy class is what is compared."""

import json
import os
from pathlib import Path

from jupyterhub.spawner import Spawner

wish = json.loads(Path(os.environ["BENCH_WISH"]).read_text())
c = get_config()  # noqa: F821 - JupyterHub puts it there


class Backend(Spawner):
    """A lab that is there already."""

    async def start(self):
        return "127.0.0.1", wish["labs"][self.user.name]

    async def poll(self):
        return None

    async def stop(self, now=False):
        """Leave it to the bench."""


c.JupyterHub.bind_url = f"http://127.0.0.1:{wish['port']}/"
if wish["host_routing"]:
    c.JupyterHub.subdomain_host = f"http://hub.localhost:{wish['port']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{wish['hub_port']}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = "cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = Backend
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.cleanup_servers = False
c.JupyterHub.log_level = "WARN"
c.JupyterHub.api_page_max_limit = 999
c.JupyterHub.services = [{"name": "bench", "api_token": wish["token"]}]
scopes = ["admin:users", "admin:servers", "proxy"]
c.JupyterHub.load_roles = [{"name": "bench", "services": ["bench"], "scopes": scopes}]
c.JupyterHub.proxy_class = wish["proxy_class"]
c.Proxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{wish['api_port']}"
c.ConfigurableHTTPProxy.auth_token = wish["token"]
c.TraefikProxy.traefik_api_url = f"http://127.0.0.1:{wish['api_port']}"
c.TraefikProxy.traefik_api_username = "bench"
c.TraefikProxy.traefik_api_password = wish["token"]
c.TraefikFileProviderProxy.dynamic_config_file = "rules.toml"
