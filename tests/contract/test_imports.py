"""Imports point one way; the contracts stand in pyproject.toml."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clone import CLONE, FORK_SERVER

LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)

SERVES_JUPYTER = {
    "box_bridge.py",
    "box_kernel.py",
    "box_streams.py",
    "kernel_child.py",
    "kernels.py",
    "lab_child.py",
    "probe.py",
    "provisioner.py",
}
"""The modules that import the Jupyter they serve; what they fork runs in it."""
JUPYTER = {
    "IPython",
    "comm",
    "ipykernel",
    "jupyter_client",
    "jupyter_core",
    "jupyter_server",
    "jupyterhub",
    "jupyterlab",
    "tornado",
    "traitlets",
    "zmq",
}
MODULES = sorted(FORK_SERVER.glob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_import_contracts_are_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=CLONE, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hub_process_loads_neither_nbgrader_nor_pandas() -> None:
    ask = "import sys, bioskills.hub.apply, bioskills.hub.campus.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=CLONE, capture_output=True, text=True, check=True
    )

    assert {"nbgrader", "pandas", "nbconvert"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_fork_server_imports_the_standard_library_alone(path: Path) -> None:
    foreign = {
        name
        for name in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not f"{name}.".startswith("bioskills.fork_server.")
    }
    served = {name for name in foreign if name.partition(".")[0] in JUPYTER}

    assert foreign - (served if path.name in SERVES_JUPYTER else set()) == set()


def test_neither_the_privileged_process_nor_its_client_loads_any_jupyter() -> None:
    names = ("__main__", "client", "config", "preload", "relay", "wire")
    modules = ", ".join(f"bioskills.fork_server.{name}" for name in names)
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys, {modules}; print(*sys.modules)"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=True,
    )

    assert JUPYTER & set(done.stdout.split()) == set()
