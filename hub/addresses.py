"""Say at which public address a part is reached.

Law: an address comes from the settings alone, never from a request's headers.
Host names of services are made by the hub's own function, so that the campus,
the hub and the proxy cannot disagree.
"""

from urllib.parse import urlsplit

from jupyterhub.utils import subdomain_hook_idna

from bioskills.base.settings import Settings
from bioskills.base.wire import CAMPUS_PREFIX

CAMPUS = "campus"
"""Name of the campus service at the hub."""


def hub_public_url(settings: Settings) -> str:
    """Return the hub's public address, with a slash at the end."""
    return f"{settings.public_url}/hub/"


def hub_api_url(settings: Settings) -> str:
    """Return the hub's API as services on this machine reach it, without a slash at the end."""
    return f"http://127.0.0.1:{settings.network.hub_port}/hub/api"


def service_host(settings: Settings, service: str) -> str:
    """Return scheme and host of a service, with the port where it is not the scheme's own.

    Args:
        settings: With ``accept_single_origin`` every service shares the hub's host.
        service: Name of the service at the hub.
    """
    if settings.network.accept_single_origin:
        return settings.public_url
    public = urlsplit(settings.public_url)
    name = subdomain_hook_idna(service, public.hostname or "", "service")
    port = f":{public.port}" if public.port else ""
    return f"{public.scheme}://{name}{port}"


def campus_public_url(settings: Settings) -> str:
    """Return the address of the campus pages, with a slash at the end."""
    return service_host(settings, CAMPUS) + CAMPUS_PREFIX


def campus_local_url(settings: Settings) -> str:
    """Return the campus as processes on this machine reach it, with a slash at the end."""
    return f"http://127.0.0.1:{settings.network.campus_port}{CAMPUS_PREFIX}"


def origin_of(url: str) -> str:
    """Return scheme and host of an address as a browser writes it in `Origin`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
