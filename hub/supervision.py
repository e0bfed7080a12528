"""Write the supervisor's configuration: which process runs as whom.

Law: every service is its own unprivileged uid with no way to gain rights, and
dies with its parent; secrets are read from files by the process that needs
them, so no command line or environment here holds one. supervisord (a kept
library) starts, restarts and stops them.
"""

import configparser
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bioskills.base.places import Places
from bioskills.hub.state import Owners

STOP_WAIT_S = 30

ENDS_ITS_OWN = {"hub", "fork"}
"""They stop what they started themselves, in order."""


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Attributes:
        name: As in the logs.
        uid: Whom it runs as; 0 keeps root.
        command: Absolute command line.
        settings: The settings file it reads, if it reads one.
        priority: Lower starts first and stops last.
        listens: Whether it may take a port below 1024, which no learner's process can.
    """

    name: str
    uid: int
    command: tuple[str, ...]
    settings: Path | None
    priority: int
    listens: bool = False


def programs(
    places: Places, owners: Owners, config: Path, settings: Mapping[str, Path]
) -> list[Program]:
    """Return every process of one machine; `settings` names the file each one reads."""
    hub, lab = (str(places.environment(name) / "bin" / "python") for name in ("hub", "lab"))
    isolated = (hub, "-I", "-m")
    return [
        Program(
            "proxy",
            owners.proxy,
            (*isolated, "bioskills.hub.start_proxy"),
            settings["proxy"],
            10,
            listens=True,
        ),
        Program(
            "campus",
            owners.campus,
            (*isolated, "bioskills.hub.campus"),
            settings["campus"],
            20,
            listens=True,
        ),
        Program(
            "hub",
            owners.hub,
            (*isolated, "bioskills.hub.start_hub", "-f", str(config)),
            settings["hub"],
            30,
            listens=True,
        ),
        Program(
            "grader", owners.grader, (lab, "-I", "-m", "bioskills.graders"), settings["grader"], 40
        ),
        Program(
            "culler",
            owners.culler,
            (*isolated, "bioskills.hub.start_culler"),
            settings["culler"],
            50,
        ),
    ]


def fork_program(places: Places, config: Path) -> Program:
    """Return the fork server, the only service that keeps root."""
    python = str(places.environment("hub") / "bin" / "python")
    command = (python, "-I", "-m", "bioskills.fork_server", str(config))
    return Program("fork", 0, command, None, 25)


def formgrader_program(places: Places, owners: Owners, settings: Path, socket: Path) -> Program:
    """Return the service that starts formgraders, with the rights of the grader."""
    python = str(places.environment("lab") / "bin" / "python")
    command = (python, "-I", "-m", "bioskills.graders.formgrader", str(socket), str(owners.hub))
    return Program("formgrader", owners.grader, command, settings, 45)


def walled(program: Program, groups: Iterable[int]) -> list[str]:
    """Return the command line behind setpriv: own uid, no new rights, ends with its parent."""
    walls = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() == 0 and program.uid != 0:
        uid = str(program.uid)
        further = ",".join(map(str, groups))
        walls += ["--reuid", uid, "--regid", uid, "--groups", further, "--no-new-privs"]
        rights = "-all,+net_bind_service" if program.listens else "-all"
        walls += [f"--{kind}={rights}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return [*walls, "--", *program.command]


def supervisor_config(places: Places, owners: Owners, every: list[Program], socket: Path) -> str:
    """Return the text of supervisord.conf."""
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": str(places.logs / "supervisor.log"),
        "pidfile": str(places.machine / "supervisor.pid"),
        "childlogdir": str(places.logs),
        "umask": "077",
    }
    config["unix_http_server"] = {"file": str(socket), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisorctl"] = {"serverurl": f"unix://{socket}"}
    for program in every:
        config[f"program:{program.name}"] = _section(places, program, owners)
    text = io.StringIO()
    config.write(text)
    return text.getvalue()


def _section(places: Places, program: Program, owners: Owners) -> dict[str, str]:
    command = walled(program, owners.groups(program.uid))
    variables = {"PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    if program.settings is not None:
        variables["BIOSKILLS_SETTINGS"] = _escaped(str(program.settings))
    return {
        "command": " ".join(_quoted(word) for word in command),
        "directory": "/",
        "priority": str(program.priority),
        "environment": ",".join(f'{name}="{value}"' for name, value in variables.items()),
        "startsecs": "2",
        "startretries": "5",
        "stopwaitsecs": str(STOP_WAIT_S),
        "stopasgroup": "false" if program.name in ENDS_ITS_OWN else "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(places.logs / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    return '"' + _escaped(word).replace('"', '\\"') + '"' if " " in word else _escaped(word)
