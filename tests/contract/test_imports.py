"""Imports point one way; the contracts stand in pyproject.toml."""

import subprocess
import sys

from clone import CLONE

LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


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
