"""Tell the processes of a side apart and weigh them.

Law: whoever lives before the first learner arrives is the platform, with a
role; whoever comes later is a learner's. PSS splits shared pages among those
who share them, so the parents are weighed once, apart.
"""

from contextlib import suppress
from dataclasses import dataclass

from cpu import PROC, Account, own_s, reaped_s

ROLES = (
    ("bioskills.fork_server", "fork_server"),
    ("configurable-http-proxy", "proxy"),
    ("traefik", "proxy"),
    ("jupyterhub", "hub"),
)
KIB = 1024


@dataclass(frozen=True)
class Use:
    """CPU seconds at one moment: all of a side, and its platform by role."""

    total: float
    roles: dict[str, float]

    def since(self, earlier: "Use") -> "Use":
        """Return what was used since then."""
        return Use(
            self.total - earlier.total,
            {role: spent - earlier.roles.get(role, 0) for role, spent in self.roles.items()},
        )

    @property
    def learners(self) -> float:
        """What is not the platform's."""
        return self.total - sum(self.roles.values())


class Census:
    """The platform as it was before the first learner."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.platform = {pid: role_of(pid) for pid in account.pids()}

    def use(self) -> Use:
        """Return the CPU seconds used so far."""
        roles: dict[str, float] = {}
        for pid, role in self.platform.items():
            # The fork server waits for its own helpers; the hub's children are learners'.
            helpers = reaped_s(pid) if role == "fork_server" else 0
            roles[role] = roles.get(role, 0) + own_s(pid) + helpers
        return Use(self.account.total_s(), roles)

    def learners(self) -> set[int]:
        """Return the processes that came after the platform."""
        return self.account.pids() - self.platform.keys()

    def of_role(self, role: str) -> set[int]:
        """Return the platform's processes of one role."""
        return {pid for pid, found in self.platform.items() if found == role}

    def gone(self) -> list[str]:
        """Return the roles of platform processes that have ended since: figures would be wrong."""
        return sorted(self.platform[pid] for pid in self.platform.keys() - self.account.pids())


def role_of(pid: int) -> str:
    """Return what a platform process does, by its command line."""
    with suppress(OSError):
        command = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return next((role for part, role in ROLES if part in command), "services")
    return "services"


@dataclass
class Weight:
    """Memory of some processes, MiB."""

    pss: float = 0
    uss: float = 0
    count: int = 0

    def per(self, number: int) -> dict[str, float]:
        """Return it for one of so many learners."""
        each = max(number, 1)
        return {
            "pss_mb": round(self.pss / each, 1),
            "uss_mb": round(self.uss / each, 1),
            "processes": round(self.count / each, 2),
        }


def weigh(pids: set[int]) -> Weight:
    """Add up the memory of processes; one that has just ended weighs nothing."""
    weight = Weight()
    for pid in pids:
        with suppress(OSError, KeyError):
            found = _rollup(pid)
            weight.pss += found["Pss"] / KIB
            weight.uss += (found["Private_Clean"] + found["Private_Dirty"]) / KIB
            weight.count += 1
    return weight


def _rollup(pid: int) -> dict[str, int]:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}
