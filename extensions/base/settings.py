"""Read the operator's settings.

Law: one typed, frozen object per process, made once from `bioskills.toml` and
the environment. Nothing else in the product reads a setting, and nothing
changes one. Unknown keys are refused with the nearest known name.

Order, later wins: defaults, the file, `BIOSKILLS_<SECTION>_<KEY>` variables.
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bioskills.base.problems import InputError, Problem, nearest
from bioskills.base.text import _

FILE_VARIABLE = "BIOSKILLS_SETTINGS"
DEFAULT_FILE = "bioskills.toml"
ENVIRONMENT_PREFIX = "BIOSKILLS_"


class Section(BaseModel):
    """A frozen table of options."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Site(Section):
    """Who runs this."""

    title: str = Field("BioSkills Hub", description="Name shown on every page.")
    operator: str = Field("", description="Legal name of who runs this; shown at first sign-in.")
    help_contact: str = Field("", description="Where learners ask for help: a mail or web address.")
    time_zone: str = Field("Europe/Berlin", description="IANA zone for dates in files without one.")
    language: str = Field("en", description="Language of people who chose none (BCP 47).")


class Network(Section):
    """Addresses and ports. All services listen on loopback only; the proxy alone may be public."""

    address: str = Field("127.0.0.1", description="Address the proxy listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the proxy listens on.")
    hub_port: int = Field(8081, ge=1, le=65535, description="Loopback port of the hub's API.")
    proxy_api_port: int = Field(
        8001, ge=1, le=65535, description="Loopback port of the proxy's API."
    )
    campus_port: int = Field(
        8010, ge=1, le=65535, description="Loopback port of the campus service."
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


class Labs(Section):
    """Learners' servers."""

    first_uid: int = Field(70000, ge=1000, description="First numeric uid given to learners.")
    service_uid: int = Field(
        61000, ge=100, description="First of the uids of proxy, campus and grader."
    )
    start_timeout_s: int = Field(
        120, ge=5, description="Give up starting a lab after this many seconds."
    )
    idle_timeout_s: int = Field(3600, ge=60, description="Stop a lab after this many idle seconds.")
    memory_mb: int = Field(
        2048, ge=0, description="Address-space limit of a lab's kernels in MB; 0: none."
    )


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

    poll_s: float = Field(1.0, gt=0, description="Seconds between two looks for new work.")
    cell_timeout_s: int = Field(30, ge=1, description="Wall seconds one cell may run.")
    job_timeout_s: int = Field(
        300, ge=10, description="Wall seconds one submission may take in all."
    )
    max_attempts: int = Field(3, ge=1, description="Times a job is tried before a person is asked.")


class SignIn(Section):
    """How people prove who they are."""

    method: Literal["demo", "oidc"] = Field(
        "demo",
        description="`demo`: printed passwords, loopback only. `oidc`: configured in "
        "`jupyterhub_config.d` through oauthenticator; membership still decides who may enter.",
    )
    permissions_age_s: int = Field(
        10, ge=1, le=10, description="Oldest permission an unsafe request may rest on, in seconds."
    )
    membership_age_s: int = Field(
        15, ge=1, le=30, description="Seconds until a change of membership reaches the hub."
    )


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

    Raises:
        InputError: BIOSKILLS_SETTINGS names a file that is not there.
    """
    named = environ.get(FILE_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            what = _("there is no such settings file.")
            raise InputError(
                [
                    Problem(
                        str(path),
                        what,
                        next=_("Unset {name} or correct it.").format(name=FILE_VARIABLE),
                    )
                ]
            )
        return path
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read settings from a file and the environment.

    Args:
        path: The file; None looks at BIOSKILLS_SETTINGS, then ./bioskills.toml.
        environ: Variables that override the file.

    Raises:
        InputError: With every fault of the file and the environment at once.
    """
    source = path or settings_file(environ)
    tables = _read_toml(source) if source else {}
    problems = _unknown(tables, str(source or DEFAULT_FILE))
    merged = _merge(tables, _from_environment(environ, problems))
    if not problems:
        try:
            return Settings.model_validate(merged)
        except ValidationError as error:
            problems = [_as_problem(fault, str(source or DEFAULT_FILE)) for fault in error.errors()]
    raise InputError(problems)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            [Problem(str(path), _("is not TOML: {error}.").format(error=error))]
        ) from error


def _unknown(tables: Mapping[str, Any], source: str) -> list[Problem]:
    problems = []
    for section, body in tables.items():
        if section not in SECTIONS or not isinstance(body, dict):
            problems.append(_unknown_name(source, section, SECTIONS))
            continue
        known = section_fields(section)
        problems += [
            _unknown_name(source, f"{section}.{key}", [f"{section}.{k}" for k in known])
            for key in body
            if key not in known
        ]
    return problems


def _unknown_name(source: str, name: str, known: tuple[str, ...] | list[str]) -> Problem:
    near = nearest(name, known)
    hint = (
        _("Did you mean {near}?").format(near=near) if near else _("See: bioskills settings list")
    )
    return Problem(source, _("there is no option {name}.").format(name=name), next=hint)


def _from_environment(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    known = {
        f"{ENVIRONMENT_PREFIX}{s}_{k}".upper(): (s, k) for s in SECTIONS for k in section_fields(s)
    }
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if name in known:
            section, key = known[name]
            found.setdefault(section, {})[key] = value
        elif any(name.startswith(f"{ENVIRONMENT_PREFIX}{s.upper()}_") for s in SECTIONS):
            problems.append(_unknown_name(_("environment"), name, list(known)))
    return found


def _merge(tables: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {s: {**tables.get(s, {}), **overrides.get(s, {})} for s in {*tables, *overrides}}


def _as_problem(fault: Any, source: str) -> Problem:
    name = ".".join(str(part) for part in fault["loc"])
    what = _("{name} is {value!r}.").format(name=name, value=fault["input"])
    return Problem(
        source, what, rule=f"{fault['msg']}.", next=_("Correct it, then run: bioskills doctor")
    )


def sign_in_methods() -> tuple[str, ...]:
    """Return the sign-in methods that settings may name."""
    return get_args(SignIn.model_fields["method"].annotation)
