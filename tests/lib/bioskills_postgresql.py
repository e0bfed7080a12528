"""A real PostgreSQL for tests: in a folder of its own, on a random loopback port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bioskills_ports import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
USER = "postgres"


@contextmanager
def running_postgresql() -> Iterator["Server"]:
    """Start a server; end it and remove it afterwards."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed; Debian: apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="bsh-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Server:
    """One PostgreSQL server with databases made on demand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.port = free_port()

    def start(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c fsync=off"
        options += f" -c unix_socket_directories={self.folder}"
        self._run("initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", f"--username={USER}")
        self._run("pg_ctl", "start", "--wait", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def new_database(self) -> str:
        """Return the URL of an empty database with an owner of its own, who is no superuser."""
        self.count += 1
        name = f"bioskills_{self.count}"
        for sql in (f"CREATE ROLE {name} LOGIN", f"CREATE DATABASE {name} OWNER {name}"):
            self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-qc", sql)
        return f"postgresql+psycopg://{name}@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *words: str) -> None:
        data = [] if program == "psql" else ["-D", str(self.folder / "data")]
        drop = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        command = [*drop, str(BINARIES[0].parent / program), *data, *words]
        # A server inherits its starter's pipes: its words go to a file instead.
        with (self.folder / "commands.log").open("a+") as log:
            done = subprocess.run(command, cwd="/", stdout=log, stderr=log, check=False)
            if done.returncode:
                log.seek(0)
                pytest.fail(f"{program}: {log.read()[-2000:]}")
