"""JupyterHub as its documentation starts it: simple spawner, dummy sign-in, npm proxy.

Nothing is tuned but the time-outs: with the defaults 30 labs on two cores are given
up before they are ready. The folders come from the environment.
"""

import json
import os

wish = json.loads(os.environ["BENCH_STOCK"])
c = get_config()  # noqa: F821 - JupyterHub gives it
c.JupyterHub.bind_url = wish["url"]
c.JupyterHub.hub_bind_url = wish["hub_url"]
c.ConfigurableHTTPProxy.api_url = wish["proxy_api_url"]
c.ConfigurableHTTPProxy.command = wish["proxy_command"]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = wish["homes"] + "/{username}"
c.JupyterHub.concurrent_spawn_limit = 0
c.Spawner.cmd = wish["command"]
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
c.Spawner.default_url = "/lab"
c.Spawner.environment = {"JUPYTER_PATH": wish["kernels"]}
c.Spawner.start_timeout = c.Spawner.http_timeout = 600
