"""Say what is missing where this installation is weaker than it should be.

Law: a fall-back is never silent. Each warning here is printed at start-up and
stands on every page of the hub and the campus until its cause is gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bioskills.base.places import places_of
from bioskills.base.runtime import one_account_for_all, runtime_dir
from bioskills.base.settings import OWN_PORTS, OWN_SPAWNERS, Settings
from bioskills.base.text import _
from bioskills.hub.origins import origin_warnings
from bioskills.hub.walls import missing_walls, read_about

UNPRIVILEGED_FROM = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def unprivileged_from() -> int:
    """Return the lowest port that a process without rights can take: ip_unprivileged_port_start."""
    return int(UNPRIVILEGED_FROM.read_text(encoding="ascii"))


def ports_learners_can_take(settings: Settings) -> list[str]:
    """Return the options of our internal ports that are not kept for privileged processes."""
    limit = unprivileged_from()
    return [name for name in OWN_PORTS if getattr(settings.network, name) >= limit]


def warnings_of(settings: Settings) -> list[str]:
    """Return every warning that holds now, as sentences."""
    found = []
    if one_account_for_all(places_of(settings).state):
        found.append(
            _(
                "Not started as root: all labs run as one account, so learners can read each "
                "other's files and the platform's data. For trying out on this machine only."
            )
        )
    elif ports := ports_learners_can_take(settings):
        found.append(
            _(
                "A learner's process could take the port of a service that restarts ({ports}). "
                "Set ports below {limit}, or leave them out."
            ).format(ports=", ".join(ports), limit=unprivileged_from())
        )
    found += missing_walls(read_about(runtime_dir(settings)))
    if settings.labs.spawner not in OWN_SPAWNERS:
        text = _("Labs are started by {name} (labs.spawner): walls and limits are its own.")
        found.append(text.format(name=settings.labs.spawner))
    found += origin_warnings(settings)
    return found


@dataclass(frozen=True)
class WarningsNow:
    """Every warning, as it holds when it is looked at.

    The fork server may start after the hub and the campus; what it finds on this machine counts.
    """

    settings: Settings

    def __iter__(self) -> Iterator[str]:
        return iter(warnings_of(self.settings))

    def __bool__(self) -> bool:
        return bool(warnings_of(self.settings))

    def __html__(self) -> str:
        return escape(" ".join(self))
