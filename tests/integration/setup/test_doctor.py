"""`bioskills doctor` as a person runs it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

CALL = "import sys; from bioskills.base.commands import main; sys.exit(main(sys.argv[1:]))"


def doctor(folder: Path, *, text: bool = False, **variables: str) -> tuple[int, Any]:
    environ = {**os.environ, "BIOSKILLS_PATHS_DATA_DIR": str(folder), **variables}
    arguments = ["doctor"] if text else ["doctor", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout if text else {c["name"]: c for c in json.loads(done.stdout)}


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    code, checks = doctor(tmp_path)

    assert code == 1
    assert {n for n, c in checks.items() if c["level"] == "fault"} >= {
        "environments",
        "kernel",
        "proxy",
    }
    assert all(check["next"] for check in checks.values() if check["level"] != "ok")


def test_a_taken_port_is_named_with_the_program_that_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _code, checks = doctor(tmp_path, BIOSKILLS_NETWORK_PORT=str(port))

    assert checks["ports"]["level"] == "fault"
    assert f"{port} (network.port): " in checks["ports"]["sentence"]
    assert "python" in checks["ports"]["sentence"]


def test_demo_sign_ins_off_loopback_are_a_fault(tmp_path: Path) -> None:
    printed = tmp_path / "state/hub/demo_sign_ins.json"
    printed.parent.mkdir(parents=True)
    printed.write_text("{}")
    _code, checks = doctor(tmp_path, BIOSKILLS_NETWORK_ADDRESS="0.0.0.0")

    assert checks["sign-in"]["level"] == "fault"


def test_wrong_settings_are_reported_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "bioskills.toml").write_text("[network]\nprot = 8000\n", encoding="utf-8")

    code, checks = doctor(tmp_path)

    assert code == 1
    assert "network.port" in checks["settings"]["sentence"]


def test_a_database_of_an_unknown_host_is_a_fault_and_shows_no_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:verysecret@127.0.0.1:1/none"

    _code, checks = doctor(tmp_path, BIOSKILLS_DATABASE_URL=url)

    assert checks["database"]["level"] == "fault"
    assert "verysecret" not in json.dumps(checks)


def test_the_text_ends_with_a_count(tmp_path: Path) -> None:
    _code, text = doctor(tmp_path, text=True)

    assert text.strip().splitlines()[-1].endswith("warning.") or "warnings." in text
