"""Choose what starts labs.

Law: as root the fork server, unless the operator names another spawner; never
one that gives a learner the hub's rights. Not root: one account for all.
"""

from importlib.metadata import entry_points
from typing import Any

from bioskills.base.problems import SetupError, nearest
from bioskills.base.settings import OWN_SPAWNERS, Settings
from bioskills.base.text import _
from bioskills.hub.cohort_limits import LAB_LIMITS
from bioskills.hub.fork_spawner import ForkSpawner
from bioskills.hub.spawner import ExecSpawner

GROUP = "jupyterhub.spawners"
UNSAFE = {"simple", "localprocess", "default"}
"""They start every lab with the hub's own rights, or need the hub to be root."""


def uses_fork_server(settings: Settings, *, alone: bool) -> bool:
    """Say whether labs are started by the fork server."""
    return settings.labs.spawner in OWN_SPAWNERS and not alone


def spawner_of(settings: Settings, *, alone: bool) -> Any:
    """Return the spawner class, or the name of an entry point of JupyterHub.

    Args:
        settings: With `labs.spawner`.
        alone: Whether everything runs as one account, because root did not start it.

    Raises:
        SetupError: There is no such spawner, or it is unsafe.
    """
    name = settings.labs.spawner
    if name in OWN_SPAWNERS:
        return ExecSpawner if alone else ForkSpawner
    known = {point.name for point in entry_points(group=GROUP)} - UNSAFE
    if name in known:
        return name
    near = nearest(name, {*known, *OWN_SPAWNERS})
    what = _("labs.spawner is {name}; there is no such spawner that may be used here.")
    hint = _("Did you mean {near}?").format(near=near) if near else ""
    step = _("Known: {names}. Install the other's package into the hub environment first.")
    known_names = ", ".join((*OWN_SPAWNERS, *sorted(known)))
    raise SetupError(
        " ".join(filter(None, (what.format(name=name), hint, step.format(names=known_names))))
    )


def lab_limits(settings: Settings) -> dict[str, int]:
    """Return what each learner may use, by the names that the fork server knows."""
    return {name: getattr(settings.labs, name) for name in LAB_LIMITS}
