"""What contract tests know about the clone."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parents[2]
FORK_SERVER = CLONE / "extensions" / "fork_server"


def tracked_files() -> list[Path]:
    """Return every file that is, or at the next commit would be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=CLONE, capture_output=True, check=True, text=True).stdout
    paths = (CLONE / name for name in names.split("\0") if name)
    return sorted({path for path in paths if path.is_file()})


def project_table(distribution: Path = CLONE) -> dict[str, Any]:
    """Return a distribution's whole pyproject.toml."""
    return tomllib.loads((distribution / "pyproject.toml").read_text(encoding="utf-8"))


def setuptools_table(distribution: Path = CLONE) -> dict[str, Any]:
    """Return `[tool.setuptools]` of a distribution's pyproject.toml."""
    table: dict[str, Any] = project_table(distribution)["tool"]["setuptools"]
    return table


def package_folders(distribution: Path = CLONE) -> dict[str, Path]:
    """Return every package folder that a distribution's pyproject.toml maps, by import name."""
    mapped = setuptools_table(distribution)["package-dir"].items()
    return {name: distribution / folder for name, folder in mapped}


def modules() -> list[Path]:
    """Return every Python module of ours: the packages and the set-up, no content."""
    roots = [*package_folders().values(), FORK_SERVER, CLONE / "images"]
    found = [p for root in roots for p in root.rglob("*.py")]
    return sorted(
        p for p in found if not any(_is_foreign(part) for part in p.relative_to(CLONE).parts[:-1])
    )


def _is_foreign(folder: str) -> bool:
    return "-" in folder or folder in {"node_modules", "__pycache__"}


def name_of(path: Path) -> str:
    """Return a path as people write it: from the clone."""
    return str(path.relative_to(CLONE))
