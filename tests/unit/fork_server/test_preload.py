"""What a warm parent imports: named by nobody but the admin, and by what a real lab imports."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioskills.fork_server import preload, probe_lab
from bioskills.fork_server.config import Config
from bioskills.fork_server.preload import BadNamesError, course_preimports, installed, learn

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="runs the probe as another uid")

PROBE_UID = 61_790
SITE = "lib/python3.11/site-packages"
SLIM = (
    "--KernelManager.transport=ipc",
    "--LabApp.extension_manager=readonly",
    "--ServerApp.jpserver_extensions={'jupyter_lsp': False, 'notebook': False, 'notebook_shim': False}",
)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that another uid can enter; pytest's own is closed to it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bioskills-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def processes_of(uid: int) -> list[str]:
    done = subprocess.run(["ps", "-o", "pid=,stat=,args=", "-u", str(uid)], capture_output=True)
    lines = done.stdout.decode().splitlines()
    return [line for line in lines if not line.split()[1].startswith("Z")]


# Names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["os", "Bio.SeqIO", "_ssl", "a.b_c.D1"])
def test_the_full_name_of_a_module_is_one(name: str) -> None:
    assert preload.is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        ".relative",
        "trailing.",
        "two..dots",
        "/etc/passwd",
        "../up",
        "a/b",
        "a.py\n",
        "os\0",
        "1st",
        "-I",
        "os;import x",
        "a b",
        "Ünicode",
        "a" * 201,
        None,
        7,
        ["os"],
    ],
)
def test_what_could_be_a_path_or_an_expression_is_no_name(name: object) -> None:
    assert not preload.is_name(name)


def test_names_are_read_once_each_in_their_order() -> None:
    assert preload.read_names('["b", "a", "b"]') == ("b", "a")


@pytest.mark.parametrize(
    "text",
    ["", "{}", '"os"', "[1]", '["os", "../up"]', "[" * 100_000, b"\xff", json.dumps(["a"] * 5001)],
    ids=["nothing", "object", "text", "number", "path", "deep", "bytes", "many"],
)
def test_one_bad_name_makes_the_whole_list_worthless(text: str | bytes) -> None:
    with pytest.raises(BadNamesError):
        preload.read_names(text)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_whatever_is_read_is_a_list_of_names_or_refused(text: str | bytes) -> None:
    try:
        found = preload.read_names(text)
    except BadNamesError:
        return

    assert all(map(preload.is_name, found))


# What a course may have preloaded --------------------------------------------------------------

PRESENT = {"biopython": ("Bio", "BioSQL"), "pandas": ("pandas",), "scikit-learn": ("sklearn",)}
ALLOWED = ("pandas", "Bio", "Bio.SeqIO", "sklearn", "secrets")


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ((), ()),
        (("biopython==1.88",), ("Bio", "Bio.SeqIO")),
        # The admin's order, whatever the manifest's is.
        (("biopython", "Pandas>=3"), ("pandas", "Bio", "Bio.SeqIO")),
        (("scikit_learn[extra] ; python_version > '3'",), ("sklearn",)),
        # Required and allowed, and not there: nothing to import.
        (("matplotlib",), ()),
        # A module's name is no distribution's, a path is neither.
        (("secrets", "Bio", "/tmp/evil", "../evil", ""), ()),
    ],
    ids=["nothing", "one", "order", "spelling", "not installed", "not a package"],
)
def test_a_course_gets_what_it_requires_the_admin_allows_and_the_environment_has(
    manifest: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert course_preimports(manifest, ALLOWED, PRESENT) == expected


def test_an_allowed_path_is_never_imported() -> None:
    assert course_preimports(("pandas",), ("pandas/../x", "pandas;x", "pandas"), PRESENT) == (
        "pandas",
    )


@pytest.mark.parametrize(
    ("name", "module"),
    [("biopython", "Bio"), ("pandas", "pandas"), ("pyzmq", "zmq"), ("python-dateutil", "dateutil")],
)
def test_the_modules_of_an_installed_package_are_known(name: str, module: str) -> None:
    assert module in installed(Path(sys.prefix))[name]


# The real probe --------------------------------------------------------------------------------


@as_root
def test_a_real_lab_is_started_and_says_what_it_imported() -> None:
    found = learn(Path(sys.executable), "lab", PROBE_UID, (), SLIM)

    assert (found.reason, found.said) == ("", "")
    assert {"jupyterlab.labapp", "jupyterhub.singleuser.extension"} <= set(found.names)
    # Only a lab that has opened a notebook and a kernel has these.
    assert {"nbformat.v4", "jupyter_client.ioloop"} <= set(found.names)
    assert not any(name.startswith("bioskills.fork_server.probe") for name in found.names)
    assert list(found.names) == sorted(found.names)
    assert processes_of(PROBE_UID) == []


@pytest.mark.parametrize(
    ("token", "status"), [(None, 403), ("token guessed", 403), (f"token {probe_lab.TOKEN}", 200)]
)
def test_the_probe_s_hub_knows_nobody_but_the_probe(token: str | None, status: int) -> None:
    # Otherwise a learner could run code in the probe, and choose what root imports.
    with probe_lab._hub() as hub:
        connection = HTTPConnection(hub.removeprefix("http://"))
        connection.request("GET", "/hub/api/user", headers={"Authorization": token or ""})

        assert connection.getresponse().status == status
        connection.close()


def test_the_probe_s_token_is_another_one_each_time() -> None:
    ask = "from bioskills.fork_server.probe_lab import TOKEN; print(TOKEN)"
    done = subprocess.run([sys.executable, "-I", "-c", ask], capture_output=True, text=True)

    assert len(done.stdout.strip()) >= 32
    assert done.stdout.strip() != probe_lab.TOKEN


@pytest.fixture
def environment(ground: Path) -> Path:
    """An environment on top of this one, with modules that a parent must not import."""
    root = ground / "environment"
    venv.create(root, symlinks=True)
    site = root / SITE
    here = f"{sys.prefix}/{SITE}"
    (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    modules = {
        "good_one": "",
        "talks": "print('[\"os\"]')",
        "fails": "raise RuntimeError('never')",
        "ends": "raise SystemExit(0)",
        "threads": "import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()",
        "loops": "import asyncio as a; a.set_event_loop(a.new_event_loop())",
        "sleeps": "import time; time.sleep(1000)",
    }
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)
    return root


@as_root
def test_a_real_kernel_says_what_it_imported_but_nothing_that_forbids_a_fork(
    environment: Path,
) -> None:
    wanted = ("good_one", "talks", "fails", "ends", "threads", "loops", "Bio.SeqIO")

    found = learn(environment / "bin" / "python", "kernel", PROBE_UID, wanted)

    assert (found.reason, found.said) == ("", "")
    assert {"good_one", "talks", "Bio.SeqIO", "ipykernel.kernelapp"} <= set(found.names)
    assert {"fails", "ends", "threads", "loops"} & set(found.names) == set()
    assert processes_of(PROBE_UID) == []


@as_root
def test_a_probe_that_takes_too_long_is_ended_with_all_it_started(
    environment: Path, ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(ground))

    found = learn(environment / "bin" / "python", "kernel", PROBE_UID, ("sleeps",), within_s=4.0)

    assert (found.names, found.reason) == ((), "time_out")
    assert processes_of(PROBE_UID) == []
    assert list(ground.glob("bsh-probe-*")) == []


# Probes that are none --------------------------------------------------------------------------


def program(ground: Path, text: str) -> Path:
    """An environment whose interpreter is this shell script; returns the interpreter."""
    python = ground / "false" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{text}\n")
    python.chmod(0o755)
    return python


@as_root
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exit 3", "ended"),
        ("kill -9 $$", "ended"),
        ("echo '[\"os\"'", "no_names"),
        ('echo \'["os", "../evil"]\'', "no_names"),
        ("head -c 3000000 /dev/zero", "no_names"),
    ],
    ids=["ends", "dies", "half a list", "a path", "noise"],
)
def test_a_probe_that_fails_gives_no_names_and_a_reason(
    ground: Path, text: str, reason: str
) -> None:
    found = learn(program(ground, text), "lab", PROBE_UID)

    assert (found.names, found.reason) == ((), reason)


def test_an_interpreter_that_is_not_there_is_a_reason_not_an_error(ground: Path) -> None:
    assert learn(ground / "none" / "python", "lab", PROBE_UID).reason == "ended"


ASKED: dict[str, tuple[str, str]] = {
    "the uid": ("id -u", str(PROBE_UID)),
    "the groups": ("id -G", str(PROBE_UID)),
    "an empty home": ("ls -A $HOME | wc -l", "0"),
    "a closed home": ("stat -c %a $HOME", "700"),
    "no variable of ours": (
        "env | cut -d= -f1 | sort | tr '\\n' ' '",
        "HOME LANG PATH PWD TMPDIR ",
    ),
}


@as_root
@pytest.mark.parametrize("what", ASKED)
def test_a_probe_has(what: str, ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSKILLS_SECRET", "of root's")
    question, answer = ASKED[what]

    found = learn(program(ground, f"{question} >&2; exit 1"), "lab", PROBE_UID)

    assert found.said == answer


# What was learned is kept ----------------------------------------------------------------------


def config(ground: Path, **more: tuple[str, ...]) -> Config:
    folder = ground / "run"
    return Config(
        mark="t",
        run_dir=folder,
        homes=folder,
        log_dir=folder,
        first_uid=70_000,
        last_uid=70_001,
        hub_uid=61_004,
        relay_uid=61_005,
        probe_uid=PROBE_UID,
        environments={},
        preload=more,
        cache=str(ground / "cache"),
    )


@pytest.fixture
def counted(ground: Path) -> tuple[Path, Callable[[], int]]:
    """An environment whose probe counts how often it was asked."""
    log = ground / "asked"
    log.touch()
    log.chmod(0o666)
    python = program(ground, f"echo x >> {log}; echo '[\"zlib\"]'")
    return python.parents[1], lambda: len(log.read_text().split())


@as_root
def test_an_environment_is_probed_once(
    ground: Path, counted: tuple[Path, Callable[[], int]]
) -> None:
    root, asked = counted
    found = [preload.learned(config(ground), "lab", root) for _time in range(3)]

    assert found == [("zlib",)] * 3
    assert asked() == 1


@as_root
def test_a_changed_environment_is_probed_again(
    ground: Path, counted: tuple[Path, Callable[[], int]]
) -> None:
    root, asked = counted
    preload.learned(config(ground), "lab", root)
    (root / ".complete").write_text("{}")
    preload.learned(config(ground), "lab", root)

    assert asked() == 2


@as_root
def test_other_wishes_are_probed_again(
    ground: Path, counted: tuple[Path, Callable[[], int]]
) -> None:
    root, asked = counted
    preload.learned(config(ground), "course", root)
    preload.learned(config(ground, course=("Bio",)), "course", root)

    assert asked() == 2


@as_root
def test_a_failed_probe_is_not_repeated_at_once(ground: Path) -> None:
    log = ground / "asked"
    log.touch()
    log.chmod(0o666)
    root = program(ground, f"echo x >> {log}; exit 1").parents[1]
    found = [preload.learned(config(ground), "lab", root) for _time in range(2)]

    assert found == [(), ()]
    assert log.read_text() == "x\n"


@as_root
def test_the_probes_of_two_parents_take_turns(ground: Path) -> None:
    # They have one uid, and after each everything of that uid is ended.
    root = program(ground, "sleep 0.5; echo '[\"zlib\"]'").parents[1]
    with ThreadPoolExecutor() as both:
        found = both.map(lambda kind: preload.learned(config(ground), kind, root), preload.KINDS)

    assert list(found) == [("zlib",)] * 2


@as_root
def test_a_folder_that_cannot_be_used_costs_the_names_alone(ground: Path) -> None:
    (ground / "run").write_text("not a folder")

    assert preload.learned(config(ground), "lab", ground) == ()


@as_root
def test_what_is_kept_is_root_s_alone(
    ground: Path, counted: tuple[Path, Callable[[], int]]
) -> None:
    preload.learned(config(ground), "lab", counted[0])
    kept = ground / "cache" / "preload-lab.json"

    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


SPOILT: dict[str, Callable[[Path], object]] = {
    "of another owner": lambda kept: os.chown(kept, PROBE_UID, 0),
    "that others may write": lambda kept: kept.chmod(0o666),
    "that is half written": lambda kept: kept.write_text(kept.read_text()[:20]),
    "that holds a path": lambda kept: kept.write_text(kept.read_text().replace("zlib", "a/b")),
}


@as_root
@pytest.mark.parametrize("what", SPOILT)
def test_nothing_is_believed(
    what: str, ground: Path, counted: tuple[Path, Callable[[], int]]
) -> None:
    root, asked = counted
    preload.learned(config(ground), "lab", root)
    SPOILT[what](ground / "cache" / "preload-lab.json")

    assert preload.learned(config(ground), "lab", root) == ("zlib",)
    assert asked() == 2
