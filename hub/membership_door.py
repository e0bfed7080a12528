"""Tell a running hub that membership changed.

Law: the caller says only that something changed; the hub itself reads the table
(`membership_sync.py`). So whoever may call can give nobody anything: the scope opens
this one door, and the campus holds no right over users.
"""

from enum import Enum

import httpx

MEMBERSHIP_SCOPE = "custom:bioskills:membership"
PATH = "/bioskills/membership"
"""Below the hub's own prefix."""
TIMEOUT_S = 120.0
"""Far above what 2,000 people take; the hub answers others meanwhile."""


class Told(Enum):
    """Whether a hub knows."""

    YES = "yes"
    AWAY = "away"
    REFUSED = "refused"


def tell(api: str, token: str) -> Told:
    """Have the hub derive users, groups and roles from the membership table now.

    Args:
        api: The hub's API on loopback.
        token: The token of the service `campus` or `provision`.
    """
    address = api.rstrip("/").removesuffix("/api") + PATH
    headers = {"Authorization": f"token {token}"}
    try:
        # The hub is on this machine; a proxy of the environment must not see the token.
        answer = httpx.post(address, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        answer.raise_for_status()
        known = answer.json().get("people")
    except httpx.TransportError:
        return Told.AWAY
    except (httpx.HTTPStatusError, ValueError, AttributeError):
        return Told.REFUSED
    return Told.YES if isinstance(known, int) else Told.REFUSED
