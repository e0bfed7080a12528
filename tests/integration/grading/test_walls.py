"""What a submission's code can see and do: facts that the code itself collects."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration
Probe = Callable[..., dict[str, Any]]


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of this machine that answers, as campus and hub do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        accepted: list[object] = []
        thread = threading.Thread(target=lambda: accepted.append(_accept(server)))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        assert accepted == [None]


def _accept(server: socket.socket) -> object:
    try:
        return server.accept()
    except OSError:
        return None


READ = """
import os
from pathlib import Path
def tries(path):
    try:
        return "read " + str(len(Path(path).read_bytes() if not os.path.isdir(path) else os.listdir(path)))
    except Exception as error:
        return type(error).__name__
"""


def test_it_reads_nothing_of_the_platform(class_: Any, probe: Probe, tmp_path: Path) -> None:
    grader = class_.shop.root.parent.parent
    (grader / "campus_token").write_text("secret")
    class_.grade("p1", class_.released("p1"), "p-000999")
    others = class_.shop.root / "submitted" / "p-000999" / "p1"
    others.mkdir(parents=True, exist_ok=True)
    (others / "p1.ipynb").write_text("theirs")
    here = Path(__file__).resolve()
    paths = {
        "token": grader / "campus_token",
        "gradebook": class_.shop.root / "gradebook.db",
        "pristine": class_.shop.root / "pristine.db",
        "source": class_.shop.root / "source" / "p1" / "p1.ipynb",
        "other": others / "p1.ipynb",
        "state": grader,
        "code": here.parents[3] / "Makefile",
        "passwords": Path("/etc/shadow"),
        "home": Path("/root"),
        "temporary": tmp_path,
    }
    code = f"{READ}\nfor name, path in { ({k: str(v) for k, v in paths.items()})!r}.items(): facts[name] = tries(path)"

    assert probe(code) == dict.fromkeys(paths, "FileNotFoundError")


def test_it_finds_no_hidden_test_and_no_solution_in_any_file(probe: Probe) -> None:
    code = """
import os
TELLING = [("arrow_in_", "header"), ("HIDDEN ", "TESTS"), ("BEGIN ", "SOLUTION")]
facts["holds"] = []
for root, folders, files in os.walk("/box"):
    for name in files:
        text = open(os.path.join(root, name), "rb").read()
        if any((first + last).encode() in text for first, last in TELLING):
            facts["holds"].append(name)
facts["files"] = sorted(os.listdir("."))
facts["box"] = sorted(os.listdir("/box"))
"""
    facts = probe(code)

    assert facts["holds"] == []
    assert facts["files"] == ["data", "p1.ipynb", "timestamp.txt"]
    assert facts["box"] == ["home", "work"]


def test_it_reaches_no_port_and_no_name(probe: Probe, listening: int) -> None:
    code = f"""
import socket
def dials(*address):
    try:
        socket.create_connection(address, timeout=5)
        return "connected"
    except Exception as error:
        return type(error).__name__
facts["campus"] = dials("127.0.0.1", {listening})
facts["outside"] = dials("192.0.2.1", 80)
facts["name"] = dials("localhost.localdomain", 80)
facts["links"] = [name for _n, name in socket.if_nameindex()]
"""
    facts = probe(code)

    assert facts.pop("links") == ["lo"]
    assert facts == {"campus": "ConnectionRefusedError", "outside": "OSError", "name": "gaierror"}


def test_it_has_no_rights_and_sees_no_other_process(probe: Probe) -> None:
    code = """
import os, subprocess
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
facts["capabilities"] = {status[key].strip() for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")}
facts["capabilities"] = sorted(facts["capabilities"])
facts["no_new_privileges"] = status["NoNewPrivs"].strip()
facts["uid"] = os.getuid()
facts["processes"] = [p for p in os.listdir("/proc") if p.isdigit()]
facts["unshare"] = subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0
facts["variables"] = sorted(name for name in os.environ if "TOKEN" in name or "BIOSKILLS" in name)
"""
    facts = probe(code)

    assert facts["capabilities"] == ["0000000000000000"]
    assert (facts["no_new_privileges"], facts["unshare"]) == ("1", True)
    assert facts["uid"] not in {0, os.getuid()} or os.getuid() != 0
    assert len(facts["processes"]) < 8
    assert facts["variables"] == []


def test_it_writes_nowhere_but_on_its_small_disk(probe: Probe) -> None:
    code = """
import os
def writes(path):
    try:
        open(path + "/x", "w").close()
        return "written"
    except OSError as error:
        return type(error).__name__
for place in ("/", "/usr", "/dev", "/proc", "/box", "/etc", "/run", "/sys", os.path.dirname(os.path.dirname(os.sys.executable))):
    facts[place[:8]] = writes(place)
allowed = [writes(place) for place in ("/tmp", ".", "/dev/shm", os.environ["HOME"])]
assert allowed == ["written"] * 4, allowed
try:
    with open("/tmp/big", "wb") as file:
        for _ in range(64):
            file.write(b"x" * 1_000_000)
    facts["big"] = "written"
except OSError as error:
    facts["big"] = os.strerror(error.errno)
os.unlink("/tmp/big")
"""
    from bioskills.graders.sandbox import Limits  # noqa: PLC0415

    facts = probe(code, limits=Limits(disk_mb=32))
    assert facts.pop("big") == "No space left on device"
    assert set(facts.values()) <= {"OSError", "PermissionError", "FileNotFoundError"}


def test_memory_and_processes_have_an_end(probe: Probe) -> None:
    code = """
import os, resource, subprocess, sys
try:
    bytearray(6_000_000_000)
    facts["memory"] = "got"
except MemoryError:
    facts["memory"] = "MemoryError"
bomb = "import os, time\\nn = 0\\ntry:\\n    while n < 2000:\\n        if os.fork() == 0:\\n            os.closerange(0, 3); time.sleep(20); os._exit(0)\\n        n += 1\\nexcept OSError: pass\\nprint(n)"
facts["forks"] = int(subprocess.run([sys.executable, "-S", "-c", bomb], capture_output=True, text=True).stdout) < 300
facts["core"] = resource.getrlimit(resource.RLIMIT_CORE)
"""
    facts = probe(code)

    assert facts == {"memory": "MemoryError", "forks": True, "core": [0, 0]}


def test_it_cannot_look_into_its_keeper_end_it_or_speak_for_it(probe: Probe) -> None:
    code = """
import os, signal
def tries(act):
    try:
        act()
        return "done"
    except OSError as error:
        return type(error).__name__
facts["memory"] = tries(lambda: open("/proc/1/mem", "rb").read(1))
facts["files"] = tries(lambda: os.listdir("/proc/1/fd"))
facts["kill"] = tries(lambda: os.kill(1, signal.SIGKILL))
facts["there"] = os.path.exists("/proc/1/stat")
facts["sockets"] = len([n for n in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{n}") and os.readlink(f"/proc/self/fd/{n}").startswith("socket")])
facts["input"] = os.readlink("/proc/self/fd/0")
"""
    facts = probe(code)

    # Signals from inside do not reach the first process of a namespace.
    assert facts.pop("kill") in {"done", "PermissionError"}
    assert facts.pop("sockets") <= 3, "its own line, and the two of its loop"
    assert facts == {
        "memory": "PermissionError",
        "files": "PermissionError",
        "there": True,
        "input": "/dev/null",
    }


def test_a_forged_result_in_the_slot_changes_nothing(class_: Any) -> None:
    forged = json.dumps({"error": "", "begun": True, "cells": [], "notebooks": {}})
    code = f"open('/box/home/result.json', 'w').write({forged!r})\nopen('gradebook.db', 'w').write('x')"
    result = class_.grade("p1", class_.work("p1", {"count_records_answer": code}))

    assert (result.verdict, [cell.auto_points for cell in result.cells]) == ("graded", ["0"] * 3)
    assert not (class_.kept / "result.json").exists()
    assert sorted(os.listdir(class_.kept)) == [
        "autograded",
        "gradebook.db",
        "released",
        "source",
        "submitted",
    ]
