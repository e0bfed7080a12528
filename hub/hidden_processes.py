"""Know whether this machine hides processes from those who do not own them.

Law: looked at before anything starts. The hub has no rights, so on such a machine
every running lab would look ended to it, and would be ended for good. A group may
be let through; `proc(5)`, mount options hidepid and gid.
"""

from collections.abc import Sequence
from pathlib import Path

from bioskills.base.text import _

MOUNTS = Path("/proc/self/mounts")
SHOWN = {"0", "off"}


def hidden_from(groups: Sequence[int], mounts: str) -> bool:
    """Say whether processes of others are hidden from members of these groups.

    Args:
        groups: Group ids.
        mounts: What /proc/self/mounts says; the last mount of /proc counts.
    """
    lines = [line.split(" ") for line in mounts.splitlines()]
    found = [fields[3] for fields in lines if fields[1:3] == ["/proc", "proc"]]
    options = dict(option.partition("=")[::2] for option in (found or [""])[-1].split(","))
    if options.get("hidepid", "0") in SHOWN:
        return False
    return options.get("gid", "0") not in {str(group) for group in groups}


def sentence_of(group: int) -> tuple[str, str]:
    """Return what is wrong and the next step, for people."""
    return (
        _("This machine hides processes (/proc is mounted with hidepid), so the hub sees no lab."),
        _("Let its group see them: mount -o remount,gid={group} /proc").format(group=group),
    )
