"""What the warden and its warm parents know of one installation.

Law: comes from one file of root's; nothing in it comes from a learner, and
every path that root touches is made from it and from a numeric uid.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Config:
    """One installation.

    Attributes:
        mark: Short name of the installation, for cgroups.
        run_dir: Folder of sockets and rooms; short, because a socket's path holds 107 bytes.
        homes: Parent of the homes `<uid>`.
        log_dir: Folder of the labs' logs.
        first_uid: Lowest uid of a learner.
        last_uid: Highest uid of a learner.
        hub_uid: Who may start labs.
        relay_uid: Whom the relay runs as.
        probe_uid: Whom the probe of modules runs as.
        environments: Folders of the environments *lab* and *course*.
        keep: Paths that stay visible in a room also where they lie below /tmp or /dev/shm.
        ports: The host's loopback ports that a room reaches, by name.
        network: *closed* or *shared*.
        limits: What a room may use by default, by name.
        preload: Modules to import before serving, by environment.
        grader_uid: Who may start programs in grading slots; 0 for nobody.
        first_slot_uid: Lowest uid of a slot.
        slots: How many there are.
        cache: Folder of root's for what is learned; empty for none.
        slot_locks: Folder of root's where slots are held, for installations that share the uids;
            empty for our own alone.
        ends_with_input: Whether everything ends when standard input does: when whoever
            started it for himself alone has ended, however that was.
        serves: What the warden starts and keeps: *labs*, *kernels*, *boxes*, *relay*.
    """

    mark: str
    run_dir: Path
    homes: Path
    log_dir: Path
    first_uid: int
    last_uid: int
    hub_uid: int
    relay_uid: int
    probe_uid: int
    environments: Mapping[str, Path]
    keep: tuple[Path, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    network: str = "closed"
    limits: Mapping[str, int] = field(default_factory=dict)
    preload: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grader_uid: int = 0
    first_slot_uid: int = 0
    slots: int = 0
    cache: str = ""
    slot_locks: str = ""
    ends_with_input: bool = False
    serves: tuple[str, ...] = ("labs", "kernels", "boxes", "relay")

    def is_learner(self, uid: int) -> bool:
        """Whether this uid is from the learners' range."""
        return self.first_uid <= uid <= self.last_uid

    def home(self, uid: int) -> Path:
        """Return the home of a learner."""
        return self.homes / str(uid)

    def runtime(self, uid: int) -> Path:
        """Return the folder of a learner's kernel sockets."""
        return self.run_dir / str(uid)

    def room(self, uid: int) -> Path:
        """Return the folder that holds a room's namespaces."""
        return self.run_dir / "rooms" / str(uid)

    def socket(self, name: str) -> Path:
        """Return the path of a socket: *warden*, *labs*, *kernels*, *boxes*."""
        return self.run_dir / f"{name}.sock"


_PATHS = ("run_dir", "homes", "log_dir")


def load(path: Path) -> Config:
    """Read a configuration file as `as_json` writes it."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in _PATHS:
        found[name] = Path(found[name])
    found["environments"] = {name: Path(p) for name, p in found["environments"].items()}
    found["keep"] = tuple(Path(p) for p in found.get("keep", ()))
    found["preload"] = {name: tuple(names) for name, names in found.get("preload", {}).items()}
    found["serves"] = tuple(found.get("serves", Config.serves))
    return Config(**found)


def as_json(config: Config) -> str:
    """Return a configuration as text for `load`."""
    return json.dumps(vars(config), default=_plain, indent=1)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else str(value)
