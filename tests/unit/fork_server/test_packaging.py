"""The set-up puts the fork server into every environment, and renews what changed alone."""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from setup import chores
from setup.environments import recipes
from setup.interpreters import Interpreter
from setup.tools import Tools

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Interpreter(Path("/usr/bin/python3"), "3.11.2")
NO_TOOLS = Tools(Path("uv"), Path("build"))
MADE = shutil.ignore_patterns("node_modules", "__pycache__", "*-*.egg-info", "labextension", "lib")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The sources that decide about environments."""
    for name in ("extensions", "hub", "graders", "images"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=MADE)
    shutil.copytree(ROOT / "courses", tmp_path / "courses", ignore=shutil.ignore_patterns("*-*"))
    (tmp_path / "tests").mkdir()
    for name in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "jupyterhub_config.py",
        "tests/requirements.lock",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def marks(clone: Path) -> dict[str, dict[str, str]]:
    return {recipe.name: recipe.mark(PYTHON) for recipe in recipes(clone, dev=True)}


def append(name: str) -> Callable[[Path], object]:
    def act(clone: Path) -> None:
        with (clone / name).open("a", encoding="utf-8") as file:
            file.write("\n# changed\n")

    return act


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a module of the fork server": (
        append("extensions/fork_server/__init__.py"),
        {"hub", "lab", "course"},
    ),
    "a new module of the fork server": (
        lambda clone: (clone / "extensions/fork_server/brand_new.py").write_text(""),
        {"hub", "lab", "course"},
    ),
    # An editable installation follows modules, not entry points.
    "the fork server's own project file": (
        append("extensions/fork_server/pyproject.toml"),
        {"hub", "lab", "course", "dev"},
    ),
    "a module of the hub": (append("hub/ports.py"), {"hub", "lab"}),
    "the panel": (append("extensions/competence-lab/bioskills_lab/__init__.py"), {"lab"}),
    "what Python leaves behind": (
        lambda clone: (clone / "extensions/fork_server/x.pyc").write_bytes(b"x"),
        set(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_the_environments_that_hold_it_are_renewed_by(change: str, clone: Path) -> None:
    act, expected = CHANGES[change]
    before = marks(clone)
    act(clone)
    after = marks(clone)

    assert {name for name in before if before[name]["ours"] != after[name]["ours"]} == expected
    # Packages stay: only our wheels are installed again.
    assert {name: mark["packages"] for name, mark in before.items()} == {
        name: mark["packages"] for name, mark in after.items()
    }


def test_the_fork_server_is_in_every_environment_and_the_rest_of_ours_is_in_no_course() -> None:
    wheels = {recipe.name: recipe.wheels for recipe in recipes(ROOT, dev=False)}

    assert wheels == {
        "hub": ("fork_server", "package"),
        "lab": ("fork_server", "package", "panel"),
        "course": ("fork_server",),
    }


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course environment after its last step, done twice as a renewal does."""
    recipe = next(recipe for recipe in recipes(ROOT, dev=False) if recipe.name == "course")
    for _time in range(2):
        recipe.finish(tmp_path / "course", NO_TOOLS)
    return tmp_path / "course"


def kernel(course: Path, folder: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((course / folder / "kernel.json").read_text())
    return found


COLD = "share/jupyter/kernels/python3"
FORKED = "share/bioskills/lab-kernels/jupyter/kernels/python3"


def test_labs_find_a_kernel_that_the_fork_server_starts(course: Path) -> None:
    metadata = kernel(course, FORKED)["metadata"]

    assert metadata == {
        "kernel_provisioner": {"provisioner_name": "bioskills-fork"},
        "debugger": True,
    }


def test_the_grader_finds_the_same_kernel_started_cold(course: Path) -> None:
    cold, forked = kernel(course, COLD), kernel(course, FORKED)

    assert cold["metadata"] == {"debugger": True}
    assert {**forked, "metadata": cold["metadata"]} == cold


def test_type_checkers_find_the_fork_server(clone: Path) -> None:
    chores.typing(clone, clone, argparse.Namespace())
    link = clone / ".typing" / "bioskills" / "fork_server"

    assert link.resolve() == (clone / "extensions" / "fork_server").resolve()
    assert not (clone / ".typing" / "bioskills" / "__init__.py").exists()
