"""What every way of starting a lab has in common.

Law: the uid and the roles come from our table; the environment of a lab holds
what is listed here, what JupyterHub adds for its single-user server, and
nothing else; a lab that cannot start says why in a sentence for its learner.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SpawnException
from traitlets import Instance, Integer, Unicode
from traitlets.config import LoggingConfigurable

from bioskills.base.problems import SetupError
from bioskills.base.store import Store
from bioskills.base.text import begin_reader, reader
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.hub.cohort_limits import Limits
from bioskills.hub.hub_words import language_at
from bioskills.hub.lab_config import lab_config_dir
from bioskills.hub.membership import seats_and_limits
from bioskills.hub.uids import ensure_uid, known_uid

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class LabError(SpawnException):  # type: ignore[misc]  # jupyterhub is untyped
    """A lab cannot start; shown to the learner as it is.

    Attributes:
        reason: One word for the hub's log and metrics.
    """

    def __init__(self, sentence: str, reason: str = "lab") -> None:
        super().__init__(sentence, reason=reason)

    @property
    def jupyterhub_message(self) -> str:
        """The sentence the hub's pending page shows."""
        return str(self.message)

    def __str__(self) -> str:
        return str(self.message)


class LabSpawner(LoggingConfigurable):  # type: ignore[misc]  # traitlets is untyped
    """Knows the person, the roles and the environment of a lab; put before a spawner class."""

    user: Any
    _roles: frozenset[str] = frozenset()
    _cohort_limits: Sequence[Limits] = ()

    database_url = Unicode(config=True, help="SQLAlchemy URL of our database; set by apply().")
    homes_dir = Unicode(config=True, help="Parent of the learners' homes.")
    runtime_dir = Unicode(config=True, help="Parent of short 0700 folders for kernel sockets.")
    log_dir = Unicode(config=True, help="Folder of the labs' logs, never inside a home.")
    lab_environment = Unicode(config=True, help="The lab environment.")
    course_environment = Unicode(
        config=True, help="The course environment: kernels come from here."
    )
    lab_config_root = Unicode(config=True, help="Parent of the Lab settings by role.")
    campus_api = Unicode(config=True, help="Loopback address of the campus with its prefix.")
    site_language = Unicode("en", config=True, help="Language of who chose none.")
    first_uid = Integer(70000, config=True, help="First uid to give.")
    uid_count = Integer(10000, config=True, help="How many uids there are to give.")
    store = Instance(Store, allow_none=True)

    def opened_store(self) -> Store:
        """Return our database, opened once."""
        store: Store | None = self.store
        if store is None:
            store = self.store = Store(self.database_url)
        return store

    def look_up(self) -> int | None:
        """Return the uid that the learner was given; keep roles, limits and language: one look at our tables."""
        with self.opened_store().reading() as session:
            held, self._cohort_limits = seats_and_limits(session, self.user.name)
            self._roles = frozenset(seat.role for seat in held)
            begin_reader(language_at(session, self.user.name, self._request(), self.site_language))
            return known_uid(session, self.user.name)

    def _request(self) -> Any:
        """Return the request of the browser that starts this lab; None for a program's."""
        return getattr(getattr(self, "handler", None), "request", None)

    def new_uid(self) -> int:
        """Return a uid for who has none yet.

        Raises:
            LabError: There is none to give.
        """
        store, name = self.opened_store(), self.user.name
        try:
            return ensure_uid(store, name, self.first_uid, count=self.uid_count)
        except (LookupError, SetupError) as error:
            raise LabError(str(error), reason="no_uid") from error

    def lab_environ(self, home: Path, runtime: Path) -> dict[str, str]:
        """Return what we add to the lab's environment."""
        course, lab = Path(self.course_environment), Path(self.lab_environment)
        look = lab_config_dir(Path(self.lab_config_root), self._roles, reader().language)
        return {
            "HOME": str(home),
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "BIOSKILLS_LANGUAGE": reader().language,
            "PATH": f"{course / 'bin'}:{lab / 'bin'}:{SYSTEM_PATH}",
            "PYTHONNOUSERSITE": "1",
            "JUPYTER_PATH": str(course / "share" / "jupyter"),
            "JUPYTER_CONFIG_PATH": str(look),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "BIOSKILLS_CAMPUS_API": self.campus_api,
            "BIOSKILLS_CAMPUS_URL": self.campus_api,
        }

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment; `start` adds what depends on the home."""
        return env


def campus_api_url(port: int) -> str:
    """Return the loopback address of the campus for labs and the grader."""
    return f"http://127.0.0.1:{port}{CAMPUS_PREFIX}"
