"""Give a proxy its routes back as soon as it answers again.

Law: the proxy remembers nothing and others restart it, so the hub holds one open
connection to its API: when that ends, a new proxy is waited for and told every
route. The proxy itself holds no right at the hub. Without this, a hub that did not
start its proxy looks at the routes every 300 s only (`last_activity_interval`).
"""

import asyncio
from typing import Any
from urllib.parse import urlparse

from jupyterhub.proxy import ConfigurableHTTPProxy

RETRY_S = 0.2
"""Pause between two tries to reach a proxy that is away."""

LOOK_S = 45
"""Longest trust in one connection: Node ends one that says nothing after 60 s."""


class WatchedProxy(ConfigurableHTTPProxy):  # type: ignore[misc]  # jupyterhub is untyped
    """configurable-http-proxy, run by a supervisor and watched by the hub."""

    _watch: "asyncio.Task[None] | None" = None

    async def check_routes(self, user_dict: Any, service_dict: Any, routes: Any = None) -> None:
        """Check all routes; the hub's first call, when it starts, also begins the watch."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep(user_dict, service_dict))
        await super().check_routes(user_dict, service_dict, routes)

    async def _keep(self, users: Any, services: Any) -> None:
        while True:
            try:
                await self._look(users, services)
            except OSError:
                await asyncio.sleep(RETRY_S)
            except Exception:
                # Without this task routes would stay lost: whatever it was, look again.
                self.log.exception("The routes could not be checked; trying again")
                await asyncio.sleep(RETRY_S)

    async def _look(self, users: Any, services: Any) -> None:
        """Check the routes of the proxy that is there now, and wait until it goes."""
        api = urlparse(self.api_url)
        reader, writer = await asyncio.open_connection(api.hostname, api.port)
        try:
            # Connected first: a proxy that dies from here on ends this connection.
            await self.check_routes(users, services)
            await asyncio.wait_for(reader.read(1), LOOK_S)
        except TimeoutError:
            pass
        finally:
            writer.close()
