"""Say which walls stand between learners on this machine, and why not more.

Law: what the fork server found out is read here and worded, nothing is tried
again; a fall-back is never silent. Codes come from the fork server's
`about.json`, which everybody may read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioskills.base.text import _

ABOUT, LABS_ABOUT = "about.json", "labs-about.json"


def read_about(run_dir: Path) -> dict[str, Any]:
    """Return what the running fork server says of itself; empty where none runs."""
    found: dict[str, Any] = {}
    for name in (ABOUT, LABS_ABOUT):
        try:
            found |= json.loads((run_dir / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return found


def must_exec(about: Mapping[str, Any]) -> bool:
    """Say whether this Jupyter cannot be forked, so that labs are new interpreters."""
    return about.get("labs") == "exec"


def missing_walls(about: Mapping[str, Any]) -> list[str]:
    """Return what is weaker than it should be, as sentences; nothing where none runs."""
    if not about:
        return []
    found = [_network(about), _namespaces(about), _limits(about), _calls(about), _forks(about)]
    return [sentence for sentence in found if sentence]


def _network(about: Mapping[str, Any]) -> str:
    if about.get("network") == "closed":
        return ""
    if about.get("why_network") == "settings":
        return _(
            "Learners share the machine's network (labs.network, labs.spawner): their programs can reach each other's and the internet."
        )
    return _(
        "This machine refuses networks of their own (network namespaces), so learners share the machine's: their programs can reach each other's and the internet."
    )


def _namespaces(about: Mapping[str, Any]) -> str:
    lost = {
        "mnt": _("the folder of temporary files and the list of processes"),
        "ipc": _("shared memory"),
    }
    missing = [text for kind, text in lost.items() if kind not in about.get("namespaces", lost)]
    if not missing:
        return ""
    text = _(
        "This machine refuses walls around each learner (namespaces), so learners share {what}."
    )
    return text.format(what=", ".join(missing))


def _limits(about: Mapping[str, Any]) -> str:
    why = about.get("why_limits", "")
    if about.get("limits") == "rlimits":
        text = _(
            "This machine offers no control groups ({why}), so memory and processes are limited for each process, not for each learner."
        )
        return text.format(why=_why(why))
    if why:
        text = _("Some limits are kept for each process, not for each learner ({why}).")
        return text.format(why=_why(why))
    return ""


def _why(code: str) -> str:
    name, _space, rest = code.partition(" ")
    known = {
        "not_root": _("not started by root"),
        "not_mounted": _("they are not mounted"),
        "not_writable": _("they cannot be written"),
        "no_controllers": _("missing: {rest}").format(rest=rest),
    }
    return known.get(name, code or _("no reason given"))


def _calls(about: Mapping[str, Any]) -> str:
    if about.get("calls") != "open":
        return ""
    return _(
        "This machine does not filter what programs ask of its kernel (seccomp), so learners' programs can make sockets that no closed network holds."
    )


def _forks(about: Mapping[str, Any]) -> str:
    if not must_exec(about):
        return ""
    text = _(
        "This version of Jupyter Server cannot be forked (missing: {names}), so each lab is a new interpreter in the machine's network: slower, and with less of a wall."
    )
    return text.format(names=", ".join(about.get("missing", ())) or "?")


def walls_that_stand(about: Mapping[str, Any]) -> str:
    """Return network, limits and disk in one sentence."""
    networks = {"closed": _("closed"), "shared": _("shared")}
    limits = {
        "cgroup2": _("control groups v2"),
        "cgroup1": _("control groups v1"),
        "rlimits": _("limits per process"),
    }
    disks = {
        "quota": _("disk quota"),
        "watcher": _("a watcher of home sizes"),
    }
    text = _("Learners' network: {network}; limits by {limits} and {disk}.")
    return text.format(
        network=networks.get(str(about.get("network")), "?"),
        limits=limits.get(str(about.get("limits")), "?"),
        disk=disks.get(str(about.get("disk")), "?"),
    )
