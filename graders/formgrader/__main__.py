"""Start formgraders when the hub asks: `python -m bioskills.graders.formgrader SOCKET UID`.

Law: the hub's uid alone may ask, known by SO_PEERCRED, and it names a run, nothing else:
no command, no path. Each run has at most one server. The servers end with this service.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioskills.base.places import Places, places_of
from bioskills.base.run_tokens import run_token
from bioskills.base.settings import Settings, load_settings
from bioskills.base.wire import CAMPUS_PREFIX
from bioskills.graders.formgrader.box import COURSE_ROOT, HOME, box

log = logging.getLogger("bioskills.formgrader")
SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
VARIABLE = re.compile(r"JUPYTERHUB_[A-Z_]+", re.ASCII)
LINE_BYTES = 64 * 1024
PATIENCE_S = 5.0
BUSY_S = 30
"""Seconds to wait for the grader, which writes the same gradebook for moments."""
REFUSED, NOTHING_RELEASED, FAILED = "not_allowed", "nothing_released", "failed"


class RefusedError(Exception):
    """It is not done; the text is the code that the hub words."""


@dataclass
class Service:
    """The running servers by run.

    Attributes:
        settings: Of this installation.
        places: Where its runs lie.
        hub_uid: Who may ask.
        servers: One process for each run.
    """

    settings: Settings
    places: Places
    hub_uid: int
    servers: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of one line."""
        try:
            self._check(writer.get_extra_info("socket"))
            told = await self._do(json.loads(await reader.readline()))
        except RefusedError as refused:
            told = {"failed": str(refused)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("A request failed: %s", error)  # noqa: TRY400 - a sentence is enough
            told = {"failed": FAILED}
        with contextlib.suppress(OSError):
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
        writer.close()

    def _check(self, connection: socket.socket) -> None:
        if peer_uid(connection) != self.hub_uid:
            raise RefusedError(REFUSED)

    async def _do(self, request: Mapping[str, Any]) -> dict[str, Any]:
        run = str(request["run"])
        if not SLUG.fullmatch(run):
            raise RefusedError(REFUSED)
        await self._end(run)
        if request["op"] == "stop":
            return {"ended": True}
        return await self._start(run, dict(request["env"]))

    async def _start(self, run: str, asked: Mapping[str, str]) -> dict[str, Any]:
        folder = self.places.grader / "runs" / run
        if not (folder / "pristine.db").is_file():
            raise RefusedError(NOTHING_RELEASED)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
            process = await self._process(folder, self._variables(run, asked, port), listener)
        self.servers[run] = process
        log.info("Started formgrader of %s", run)
        return {"pid": process.pid, "port": port}

    async def _process(
        self, folder: Path, variables: Mapping[str, str], listener: socket.socket
    ) -> asyncio.subprocess.Process:
        lab = self.places.environment("lab")
        program = (str(lab / "bin" / "python"), "-I", "-m", "bioskills.graders.formgrader.server")
        return await asyncio.create_subprocess_exec(
            *box(folder, lab),
            *program,
            str(listener.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            env=dict(variables),
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )

    def _variables(self, run: str, asked: Mapping[str, str], port: int) -> dict[str, str]:
        """Return the server's whole environment: what the hub said of itself, and ours."""
        given = {name: text for name, text in asked.items() if VARIABLE.fullmatch(name)}
        url = given.get("JUPYTERHUB_SERVICE_URL", "")
        secret = (self.places.grader / "campus_token").read_text(encoding="ascii").strip()
        token = run_token(hashlib.sha256(secret.encode()).hexdigest(), run, datetime.now(UTC))
        campus = f"http://127.0.0.1:{self.settings.network.campus_port}{CAMPUS_PREFIX}"
        return {
            **given,
            "JUPYTERHUB_SERVICE_URL": re.sub(r":\d+/", f":{port}/", url, count=1),
            "BIOSKILLS_RUN": run,
            "BIOSKILLS_RUN_TOKEN": token,
            "BIOSKILLS_CAMPUS_URL": campus,
            "BIOSKILLS_GRADEBOOK_URL": self._gradebook(run),
            "BIOSKILLS_LANGUAGE": self.settings.site.language,
            "BIOSKILLS_PERMISSIONS_AGE_S": str(self.settings.sign_in.permissions_age_s),
            **FIXED,
        }

    def _gradebook(self, run: str) -> str:
        """Return the gradebook's address as the box sees it."""
        template = self.settings.grading.gradebook_url
        own = f"sqlite:///{COURSE_ROOT}/gradebook.db?timeout={BUSY_S}"
        return template.format(run=run) if template else own

    async def _end(self, run: str) -> None:
        process = self.servers.pop(run, None)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        log.info("Ended formgrader of %s", run)

    async def end_all(self) -> None:
        """End every server."""
        await asyncio.gather(*(self._end(run) for run in list(self.servers)))


FIXED = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": HOME,
    "USER": "formgrader",
    "LOGNAME": "formgrader",
    "JUPYTER_RUNTIME_DIR": f"{HOME}/runtime",
    "JUPYTER_DATA_DIR": f"{HOME}/data",
    "JUPYTER_CONFIG_DIR": f"{HOME}/config",
    "JUPYTER_NO_CONFIG": "1",
    "IPYTHONDIR": f"{HOME}/ipython",
    "JUPYTERHUB_SINGLEUSER_LOAD_OTHER_EXTENSIONS": "0",
}


def peer_uid(connection: socket.socket) -> int:
    """Return the uid at the other end of a unix socket."""
    size = struct.calcsize("3i")
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _pid, uid, _gid = struct.unpack("3i", found)
    return int(uid)


def listener(path: Path) -> socket.socket:
    """Return a socket that the hub can reach: the folder lets it in, and nobody else."""
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.bind(str(path))
    path.chmod(0o666)
    return found


async def serve(service: Service, door: socket.socket) -> None:
    """Listen until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with await asyncio.start_unix_server(service.answer, sock=door, limit=LINE_BYTES):
        log.info("Waiting for the hub")
        await ended.wait()
    await service.end_all()


def main() -> int:
    """Serve the hub whose uid the command line names."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load_settings()
    service = Service(settings, places_of(settings), int(sys.argv[2]))
    asyncio.run(serve(service, listener(Path(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
