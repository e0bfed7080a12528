"""Read the operator's settings.

Law: one typed, frozen object per process, made once from `bioskills.toml` and
the environment. Nothing else in the product reads a setting, and nothing
changes one. Unknown keys are refused with the nearest known name.

Order, later wins: defaults, the file, `BIOSKILLS_<SECTION>_<KEY>` variables.
"""

import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator

from bioskills.base.problems import InputError, Problem
from bioskills.base.settings_oidc import Oidc
from bioskills.base.settings_papers import Papers
from bioskills.base.settings_section import Section
from bioskills.base.settings_sources import Gathered, gather
from bioskills.base.text import _

ROLES = ("learner", "instructor", "assessor", "certifier", "admin", "manager", "funder")
FILE_VARIABLE = "BIOSKILLS_SETTINGS"
DEFAULT_FILE = "bioskills.toml"
ENVIRONMENTS = ("hub", "lab", "course", "dev")
COMPLETE = ".complete"
"""The set-up writes this file into an environment that it finished."""


class Site(Section):
    """Who runs this."""

    title: str = Field("BioSkills Hub", description="Name shown on every page.")
    operator: str = Field("", description="Legal name of who runs this; shown at first sign-in.")
    help_contact: str = Field("", description="Where learners ask for help: a mail or web address.")
    time_zone: str = Field("Europe/Berlin", description="IANA zone for dates in files without one.")
    language: str = Field("en", description="Language of people who chose none (BCP 47).")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(_("Use an IANA name such as Europe/Berlin")) from error
        return value


OWN_PORTS = {"hub_port": (811, 8081), "proxy_api_port": (812, 8001), "campus_port": (813, 8010)}
"""Ports of our services by option: as root, and otherwise."""

UNSET = (None, 0, "0")


class Network(Section):
    """Addresses and ports. All services listen on loopback only; the proxy alone may be public."""

    address: str = Field("127.0.0.1", description="Address the proxy listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the proxy listens on.")
    hub_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Loopback port of the hub's API. 0: 811 when started by root (no learner's "
        "process can take a port below 1024 while a service restarts), else 8081.",
    )
    proxy_api_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Loopback port of the proxy's API. 0: 812 when started by root, else 8001.",
    )
    campus_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Loopback port of the campus service. 0: 813 when started by root, else 8010.",
    )
    host: str = Field(
        "hub.localhost",
        description="Public host name. Every learner's server gets a name below it (law: own origin).",
    )
    public_url: str = Field(
        "",
        description="Public address with scheme when a TLS front stands before the proxy; "
        "empty means http, the host and the port above.",
    )
    accept_single_origin: bool = Field(
        False,
        description="Set only where wildcard DNS is impossible: all servers share one origin, "
        "so a learner's page can act as whoever opens it. Start-up repeats this warning.",
    )

    @model_validator(mode="before")
    @classmethod
    def _choose_ports(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        chosen = {name: pair[os.geteuid() != 0] for name, pair in OWN_PORTS.items()}
        return {**given, **{n: port for n, port in chosen.items() if given.get(n) in UNSET}}

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = (self.port, self.hub_port, self.proxy_api_port, self.campus_port)
        if len(set(ports)) < len(ports):
            rule = _("port, hub_port, proxy_api_port and campus_port must differ; they are {ports}")
            raise ValueError(rule.format(ports=", ".join(map(str, ports))))
        return self


class Paths(Section):
    """Where things lie. Empty means below the data folder."""

    data_dir: str = Field(
        "",
        description="Folder for environments, homes and state; empty: `.bioskills` beside the "
        "code, or `/var/lib/bioskills` where learners could not reach that.",
    )
    homes_dir: str = Field("", description="Parent of the learners' homes; empty: `homes`.")
    environments_dir: str = Field(
        "", description="Parent of hub, lab and course environments; empty: `env`."
    )


class Database(Section):
    """Our own database: people, exchange, evidence, jobs."""

    url: str = Field(
        "",
        description="SQLAlchemy URL, such as `postgresql+psycopg://user@host/name`; "
        "empty: SQLite below the state folder, with full durability.",
    )
    hub_url: str = Field(
        "", description="The hub's own database; empty: SQLite, WAL, synchronous=NORMAL."
    )


OWN_SPAWNERS = ("fork", "slim_exec")
"""Values of `labs.spawner` that are ways of our own fork server."""

SERVICE_UIDS = 8
"""How many ids the services take: proxy, campus, grader, culler, hub, relay, probe, and the
group of our database."""


class Labs(Section):
    """Learners' servers and what each learner may use. Limits hold for all of one learner's processes together: JupyterLab, kernels and what they start."""

    spawner: str = Field(
        "fork",
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$",
        description="How labs start. `fork`: from a warm parent, as one uid per learner, behind "
        "walls. `slim_exec`: the same walls with the host's network and a new interpreter each "
        "(slower; for a Jupyter that cannot be forked). Any other name: that spawner of "
        "JupyterHub (entry point `jupyterhub.spawners`, such as `docker` or `systemd`), installed "
        "and configured by you; the options below up to `home_mb` are then not ours to keep. "
        "Not root: always one account for all, on this machine only.",
    )
    network: Literal["closed", "shared"] = Field(
        "closed",
        description="`closed`: a lab reaches the hub and the campus, nothing else, no internet. "
        "`shared`: the host's network, so learners can speak to each other's programs and to the "
        "internet. Start-up says when it is shared.",
    )
    memory_mb: int = Field(
        2048, ge=256, description="Memory of one learner in MB, `/tmp` and `/dev/shm` included."
    )
    processes: int = Field(256, ge=32, description="Processes and threads of one learner.")
    cpu_share: int = Field(
        100,
        ge=1,
        le=10000,
        description="Weight of a learner against the others while the processor is short; "
        "100 is normal. No ceiling: an idle machine can be used whole.",
    )
    tmp_mb: int = Field(256, ge=16, description="Size of a learner's own `/tmp` in MB.")
    shm_mb: int = Field(64, ge=16, description="Size of a learner's own `/dev/shm` in MB.")
    home_mb: int = Field(
        2048, ge=0, description="Size of a learner's home in MB; 0: as large as the disk."
    )
    concurrent_starts: int = Field(
        0, ge=0, description="Labs that start at one time; others queue. 0: four per core."
    )
    preimports: tuple[str, ...] = Field(
        (
            "numpy",
            "pandas",
            "Bio",
            "Bio.Seq",
            "Bio.SeqIO",
            "ipywidgets",
            "matplotlib",
            "matplotlib.pyplot",
        ),
        description="Modules that kernels may have loaded before they start, where an installed "
        "course requires their package. In a variable: separated by commas.",
    )
    cold_courses: tuple[str, ...] = Field(
        (),
        description="Courses (ids) whose kernels start as new interpreters, with nothing loaded "
        "before. In a variable: separated by commas.",
    )
    first_uid: int = Field(70000, ge=1000, description="First numeric uid given to learners.")
    uid_count: int = Field(
        10000, ge=1, description="How many uids are kept for learners; none is ever given twice."
    )
    service_uid: int = Field(
        61000,
        ge=100,
        description="First of the eight ids of the services: proxy, campus, grader, culler, hub, "
        "relay, probe, and the group of our database.",
    )
    start_timeout_s: int = Field(
        120, ge=5, description="Give up starting a lab so many seconds after its turn has come."
    )
    idle_timeout_s: int = Field(3600, ge=60, description="Stop a lab after this many idle seconds.")

    @field_validator("preimports", "cold_courses", mode="before")
    @classmethod
    def _as_names(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("preimports")
    @classmethod
    def _are_modules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in value if not all(p.isidentifier() for p in name.split("."))]
        if wrong:
            raise ValueError(_("{names}: no names of modules").format(names=", ".join(wrong)))
        return value

    @model_validator(mode="after")
    def _uids_differ(self) -> Self:
        learners = range(self.first_uid, self.first_uid + self.uid_count)
        services = range(self.service_uid, self.service_uid + SERVICE_UIDS)
        if learners.start < services.stop and services.start < learners.stop:
            rule = _("learners' uids {a}-{b} and the services' {c}-{d} must not overlap")
            ends = (learners.start, learners.stop - 1, services.start, services.stop - 1)
            raise ValueError(rule.format(**dict(zip("abcd", ends, strict=True))))
        return self


class Exchange(Section):
    """Limits of what is handed in or released."""

    max_tree_mb: int = Field(50, ge=1, description="Largest hand-in or release in MB.")
    max_files: int = Field(500, ge=1, description="Most files of one hand-in or release.")
    max_path_chars: int = Field(
        200, ge=16, description="Longest path inside a hand-in in characters."
    )
    token_days: int = Field(
        30, ge=1, le=365, description="Longest life of an instructor's token in days."
    )


class Grading(Section):
    """The grader service."""

    wait_s: float = Field(
        20.0,
        gt=0,
        le=25,
        description="Seconds that one question for work waits at the campus; a hand-in ends the wait.",
    )
    cell_timeout_s: int = Field(
        30,
        ge=1,
        description="Seconds one cell may run. What it waits for a busy processor is not counted.",
    )
    job_timeout_s: int = Field(
        300, ge=10, description="Wall seconds one submission may take in all."
    )
    max_attempts: int = Field(3, ge=1, description="Times a job is tried before a person is asked.")
    memory_mb: int = Field(
        4096,
        ge=1024,
        description="Memory of all processes of a submission together in MB, and address space of each.",
    )
    processes: int = Field(
        256, ge=32, description="Processes and threads of one submission at one time."
    )
    disk_mb: int = Field(
        256, ge=16, description="What one submission may write in MB; it lies in memory."
    )
    at_once: int = Field(
        0,
        ge=0,
        le=64,
        description="Submissions that are graded at one time on this machine. 0: two more than it "
        "has cores, so that a cell that never ends holds up nobody while its time runs out.",
    )
    executor: Literal["pool", "dask"] = Field(
        "pool",
        description="Where submissions are graded. `pool`: on this machine. `dask`: on the workers "
        "of a Dask cluster, each with an installation of its own.",
    )
    dask_scheduler: str = Field(
        "",
        pattern=r"^$|^tls://[^/\s]+:\d+$|^tcp://127\.0\.0\.1:\d+$",
        description="Address of the Dask scheduler, such as `tls://10.0.0.5:8786`. Without TLS "
        "only on this machine itself (`tcp://127.0.0.1:8786`).",
    )
    dask_ca: str = Field("", description="PEM file with the authority of the cluster's TLS keys.")
    dask_certificate: str = Field("", description="PEM file with the grader's own certificate.")
    dask_key: str = Field("", description="PEM file with the key of that certificate.")
    gradebook_url: str = Field(
        "",
        pattern=r"^$|\{run\}",
        description="SQLAlchemy URL of nbgrader's gradebooks, with `{run}` where the run's name "
        "belongs, such as `postgresql+psycopg://grader@host/gradebook-{run}`; empty: a SQLite "
        "file in each run's folder.",
    )

    @model_validator(mode="after")
    def _dask_is_complete(self) -> Self:
        if self.executor == "dask" and not self.dask_scheduler:
            raise ValueError(_("executor is dask, so dask_scheduler must be set"))
        tls = (self.dask_ca, self.dask_certificate, self.dask_key)
        if self.executor == "dask" and self.dask_scheduler.startswith("tls:") and not all(tls):
            raise ValueError(
                _("dask_ca, dask_certificate and dask_key must be set for a tls:// scheduler")
            )
        return self


class SignIn(Section):
    """How people prove who they are."""

    method: Literal["accounts", "oidc"] = Field(
        "accounts",
        description="`accounts`: passwords that people set by their own link. `oidc`: at an "
        "identity provider, as section `oidc` says. Membership decides who may enter, either way.",
    )
    link_days: int = Field(
        14, ge=1, le=90, description="Days until a join link or reset link ends, if nobody says."
    )
    second_factor_roles: tuple[str, ...] = Field(
        (),
        description="Roles that must have a second factor, such as `admin, certifier`; everybody "
        "else may switch it on. In a variable: separated by commas.",
    )
    permissions_age_s: int = Field(
        10, ge=1, le=10, description="Oldest permission an unsafe request may rest on, in seconds."
    )
    membership_age_s: int = Field(
        15, ge=1, le=30, description="Seconds until a change of membership reaches the hub."
    )

    @field_validator("second_factor_roles", mode="before")
    @classmethod
    def _as_roles(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("second_factor_roles")
    @classmethod
    def _are_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [role for role in value if role not in ROLES]
        if unknown:
            rule = _("{names}: no roles. Known are {roles}")
            raise ValueError(rule.format(names=", ".join(unknown), roles=", ".join(ROLES)))
        return value


class Mail(Section):
    """The mail server that invitations may be sent through. Without a host none is sent."""

    host: str = Field("", description="Name of the SMTP server; empty: no mail is sent.")
    port: int = Field(587, ge=1, le=65535, description="Its port: mostly 587, or 465 with `tls`.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`starttls`: begins in clear and must then be encrypted. `tls`: encrypted from "
        "the first byte. `none`: for a server on this machine alone.",
    )
    user: str = Field("", description="Name to sign in with; empty: without.")
    password_file: str = Field(
        "",
        description="File with the password, 0600 and owned by the campus's uid (`labs.service_uid` + 1).",
    )
    sender: str = Field(
        "", description="Address that mails come from, such as `training@example.org`."
    )
    ca_file: str = Field(
        "",
        description="PEM file with the authority of the server's certificate; empty: the system's.",
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.host and "@" not in self.sender:
            raise ValueError(_("host is set, so sender must be a mail address"))
        if self.host and self.security == "none" and self.host not in {"127.0.0.1", "localhost"}:
            raise ValueError(_("security is none, which is for 127.0.0.1 and localhost only"))
        return self


class Settings(Section):
    """All options of one installation."""

    site: Site = Site()
    network: Network = Network()
    paths: Paths = Paths()
    database: Database = Database()
    labs: Labs = Labs()
    exchange: Exchange = Exchange()
    grading: Grading = Grading()
    sign_in: SignIn = SignIn()
    mail: Mail = Mail()
    oidc: Oidc = Oidc()
    papers: Papers = Papers()

    @property
    def is_loopback(self) -> bool:
        """Whether the proxy can be reached from this machine alone."""
        try:
            return ipaddress.ip_address(self.network.address).is_loopback
        except ValueError:
            return self.network.address == "localhost"

    @property
    def public_url(self) -> str:
        """The address people type, without a slash at the end."""
        if self.network.public_url:
            return self.network.public_url.rstrip("/")
        return f"http://{self.network.host}:{self.network.port}"


SECTIONS: tuple[str, ...] = tuple(Settings.model_fields)


def section_fields(section: str) -> dict[str, Any]:
    """Return the fields of a section by name, as pydantic describes them."""
    kind = Settings.model_fields[section].annotation
    return dict(kind.model_fields) if isinstance(kind, type) and issubclass(kind, Section) else {}


def settings_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that would be read, or None where only defaults apply.

    That is what BIOSKILLS_SETTINGS names; else `bioskills.toml` in the working
    folder; else the one of the installation that this program belongs to.

    Raises:
        InputError: BIOSKILLS_SETTINGS names a file that is not there.
    """
    named = environ.get(FILE_VARIABLE)
    if named:
        if not Path(named).is_file():
            what = _("there is no such settings file.")
            step = _("Unset {name} or correct it.").format(name=FILE_VARIABLE)
            raise InputError([Problem(named, what, next=step)])
        return Path(named)
    data = installed_data_dir()
    beside = [data / DEFAULT_FILE, data.parent / DEFAULT_FILE] if data else []
    return next((file for file in (Path(DEFAULT_FILE), *beside) if file.is_file()), None)


def installed_data_dir(prefix: Path | None = None) -> Path | None:
    """Return the data folder whose environment runs this program, if it is one.

    Args:
        prefix: The environment; this program's own by default.
    """
    environment = prefix or Path(sys.prefix)
    data = environment.parent.parent
    inside = environment.name in ENVIRONMENTS and environment.parent.name == "env"
    return data if inside and (environment / COMPLETE).is_file() else None


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read settings from a file and the environment.

    Args:
        path: The file; None looks where `settings_file` does.
        environ: Variables that override the file.

    Raises:
        InputError: With every fault of the file and the environment at once.
    """
    source = path or settings_file(environ)
    known = {section: section_fields(section) for section in SECTIONS}
    found = gather(source, str(source or DEFAULT_FILE), environ, known)
    problems = found.problems
    try:
        settings = Settings.model_validate(found.values)
    except ValidationError as error:
        problems += [_as_problem(fault, found) for fault in error.errors()]
    if problems:
        raise InputError(problems)
    return settings


def _as_problem(fault: Any, found: Gathered) -> Problem:
    name = tuple(str(part) for part in fault["loc"])
    # The fault of a whole section names its options in the sentence itself.
    value = _(" is {value!r}").format(value=fault["input"]) if len(name) > 1 else ""
    what = ".".join(name) + value + "."
    rule = fault["msg"].removeprefix("Value error, ").rstrip(".") + "."
    return Problem(found.where(name), what, rule, _("Correct it, then run: bioskills doctor"))


def sign_in_methods() -> tuple[str, ...]:
    """Return the sign-in methods that settings may name."""
    return get_args(SignIn.model_fields["method"].annotation)
