"""Check the machine: interpreter, rights, disk, ports, names.

Law: what another user can do is tried as another user, never guessed.
"""

import os
import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bioskills.base.places import others_can_reach, places_of
from bioskills.base.problems import InputError, SetupError
from bioskills.base.text import _
from bioskills.hub.campus.wording import tenths
from bioskills.hub.claims_reading import issuer_of
from bioskills.hub.demo import is_demo
from bioskills.hub.doctor import Check, Examination, Patient, fault, ok, warning
from bioskills.hub.hidden_processes import MOUNTS, hidden_from, sentence_of
from bioskills.hub.oidc_incomplete import refuse_incomplete
from bioskills.hub.oidc_secret import read_client_secret
from bioskills.hub.origins import is_number
from bioskills.hub.ports import holder_of
from bioskills.hub.state import owners_of

OLDEST_PYTHON = (3, 11)
LEAST_FREE_GB = 1.0
FEW_FREE_GB = 5.0
GB = 1024**3


def check_python(_patient: Patient) -> Check:
    """Look at the version of the hub's interpreter."""
    found = platform.python_version()
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return ok("python", _("Python {version}.").format(version=found))
    text = _("Python {version} is older than 3.11.").format(version=found)
    return fault("python", text, _("Install Python 3.11 or newer, then run: make run"))


def check_rights(patient: Patient) -> Check:
    """Say what is lost where the hub does not run as root."""
    if os.geteuid() != 0:
        text = _("Not root: all labs run as your own user, so learners are not kept apart.")
        return warning(
            "rights", text, _("Fine to try things out alone; for learners run it as root.")
        )
    if shutil.which("setpriv") is None:
        text = _("The program setpriv is missing; services cannot start.")
        return fault("rights", text, _("Debian, Ubuntu: apt install util-linux"))
    owners = owners_of(patient.settings)
    if hidden_from(owners.groups(owners.hub), MOUNTS.read_text(encoding="utf-8")):
        return fault("rights", *sentence_of(owners.group))
    text = _(
        "Root: every learner and every service gets its own user id; the fork server alone keeps root."
    )
    return ok("rights", text)


def check_interpreter(patient: Patient) -> Check:
    """Try to run the labs' and kernels' Python as a learner's uid."""
    broken = [n for n in ("lab", "course") if not _runs_for_learners(patient, n)]
    if not broken:
        return ok("interpreter", _("Learners' processes can run the lab and course environments."))
    text = _("Learners' processes cannot run Python of: {names}.").format(names=", ".join(broken))
    return fault("interpreter", text, _("Run: make setup (it finds a Python that they can run)."))


def _runs_for_learners(patient: Patient, name: str) -> bool:
    python = patient.places.environment(name) / "bin" / "python"
    uid = patient.settings.labs.first_uid if os.geteuid() == 0 else None
    groups: list[int] | None = [] if uid else None
    try:
        done = subprocess.run(
            [python, "-I", "-c", "import ssl"],
            user=uid,
            group=uid,
            extra_groups=groups,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},  # a learner's uid may read the environment of its own
            capture_output=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def check_data_folder(patient: Patient) -> Check:
    """Look whether learners' processes can reach environments and homes."""
    closed = [
        p for p in (patient.places.environments, patient.places.homes) if not others_can_reach(p)
    ]
    if os.geteuid() != 0 or not closed:
        return ok("data-folder", _("Data folder: {path}.").format(path=patient.places.data))
    text = _("Other users may not enter {path}, so labs cannot start.").format(path=closed[0])
    step = _("Open the way (chmod o+x), or set paths.data_dir, then run: make run")
    return fault("data-folder", text, step)


def check_disk(patient: Patient) -> Check:
    """Look at the free space below the data folder."""
    there = next(p for p in (patient.places.data, *patient.places.data.parents) if p.exists())
    free = shutil.disk_usage(there).free / GB
    text = _("{free} GB free at {path}.").format(free=tenths(free), path=there)
    if free >= FEW_FREE_GB:
        return ok("disk", text)
    step = _("Free some space: hand-ins and labs stop when the disk is full.")
    return warning("disk", text, step) if free >= LEAST_FREE_GB else fault("disk", text, step)


def check_ports(patient: Patient) -> Check:
    """Look whether each port is free, or held by this installation."""
    net, taken = patient.settings.network, []
    for option in ("port", "hub_port", "proxy_api_port", "campus_port"):
        address = net.address if option == "port" else "127.0.0.1"
        holder = holder_of(address, getattr(net, option))
        if holder is not None and str(patient.places.environments) not in holder:
            taken.append(
                f"{getattr(net, option)} (network.{option}): {holder or _('unknown program')}"
            )
    if not taken:
        return ok("ports", _("All ports are free, or in use by this installation."))
    text = _("Taken by another program: {ports}.").format(ports="; ".join(taken))
    return fault("ports", text, _("End that program, or choose another port in bioskills.toml."))


def check_address(patient: Patient) -> Check:
    """Look whether the public host, and names below it, lead here."""
    host = urlsplit(patient.settings.public_url).hostname or ""
    if patient.settings.network.accept_single_origin or not host:
        text = _("All labs share one origin (network.accept_single_origin).")
        return warning("address", text, _("Set network.host to a name with wildcard DNS."))
    if is_number(host):
        text = _("network.host is {host}: a number has no names below it.").format(host=host)
        return fault("address", text, _("Set network.host to a name with wildcard DNS."))
    missing = [name for name in (host, f"user--doctor.{host}") if not _resolves(name)]
    if not missing:
        return ok("address", _("{host} and names below it resolve.").format(host=host))
    text = _("{names} does not resolve on this machine.").format(names=", ".join(missing))
    if host == "localhost" or host.endswith(".localhost"):
        step = _(
            "Chromium, Edge and Firefox know these names without it; for others add: 127.0.0.1 {host} to /etc/hosts"
        )
        return warning("address", text, step.format(host=host))
    return fault(
        "address", text, _("Add a DNS entry for {host} and one for *.{host}.").format(host=host)
    )


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM))
    except OSError:
        return False


def check_sign_in(patient: Patient) -> Check:
    """Refuse printed passwords on anything but loopback."""
    settings = patient.settings
    if settings.sign_in.method == "oidc":
        return _check_provider(patient)
    if not is_demo(places_of(settings)):
        return ok("sign-in", _("Sign-in method: {name}.").format(name=settings.sign_in.method))
    if settings.is_loopback:
        return ok(
            "sign-in",
            _("Demo sign-ins, on this machine alone ({address}).").format(
                address=settings.network.address
            ),
        )
    text = _("Demo sign-ins with printed passwords on {address}.").format(
        address=settings.network.address
    )
    return fault(
        "sign-in", text, _("Set network.address to 127.0.0.1, or begin again without --demo.")
    )


def _check_provider(patient: Patient) -> Check:
    rules = patient.settings.oidc
    try:
        refuse_incomplete(patient.settings)
        if os.geteuid() == 0 or os.access(rules.client_secret_file, os.R_OK):
            read_client_secret(Path(rules.client_secret_file))
    except (InputError, SetupError) as error:
        return fault("sign-in", str(error), _("See docs/how-to/sign-in-with-oidc.md."))
    text = _("People sign in at {issuer}; its secret lies in a file of its owner's alone.")
    return ok("sign-in", text.format(issuer=issuer_of(rules)))


ALL: tuple[Examination, ...] = (
    check_python,
    check_rights,
    check_interpreter,
    check_data_folder,
    check_disk,
    check_ports,
    check_address,
    check_sign_in,
)
