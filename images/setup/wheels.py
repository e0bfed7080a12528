"""Build our wheels from the clone.

Law: the clone is only read. Sources are copied first, because build tools
leave folders behind whose stale modules would end up in the next wheel.
"""

import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from setup.marks import digest, files_of, read_mark, remove_folder, write_mark
from setup.programs import run
from setup.tools import NPM_CI, Tools, python_of
from setup.words import SetupError, _

PROJECT_FILES = ("pyproject.toml", "README.md", "LICENSE")
PANEL = Path("extensions") / "competence-lab"
FORK_SERVER = Path("extensions") / "fork_server"


def _setuptools(clone: Path) -> dict[str, Any]:
    project = tomllib.loads((clone / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] = project["tool"]["setuptools"]
    return table


def package_folders(clone: Path) -> list[Path]:
    """Return the folders that the distribution maps to packages."""
    return [clone / folder for folder in sorted(_setuptools(clone)["package-dir"].values())]


def _single_files(clone: Path) -> list[Path]:
    more = _setuptools(clone).get("data-files", {}).values()
    return [clone / name for name in (*PROJECT_FILES, *(name for names in more for name in names))]


def _is_content(name: str) -> bool:
    # A hyphen means content or another distribution: never part of the package.
    return "-" in name


def package_files(clone: Path) -> list[Path]:
    """Return every file that may become part of our wheel."""
    found = _single_files(clone)
    for folder in package_folders(clone):
        inside = [(path, path.relative_to(folder).parts[:-1]) for path in files_of(folder)]
        found += [path for path, parts in inside if not any(map(_is_content, parts))]
    return found


def package_digest(clone: Path) -> str:
    """Return the hash of everything our wheel is made from."""
    return _digest(package_files(clone), clone)


def panel_digest(clone: Path) -> str:
    """Return the hash of everything the Lab panel's wheel is made from."""
    return _digest(_panel_files(clone / PANEL), clone)


def fork_server_digest(clone: Path) -> str:
    """Return the hash of everything the fork server's wheel is made from."""
    return _digest(files_of(clone / FORK_SERVER), clone)


def _digest(files: list[Path], clone: Path) -> str:
    return digest(piece for path in files for piece in (str(path.relative_to(clone)), path))


def _panel_files(panel: Path) -> list[Path]:
    return [path for path in files_of(panel) if path.relative_to(panel).parts[0] != "tests"]


def _copy(files: list[Path], source: Path, target: Path) -> None:
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def build_package(clone: Path, wheels: Path, tools: Tools) -> Path:
    """Build `bioskills-hub`; keep the wheel until its sources change."""
    mark = {"sources": package_digest(clone)}
    return _build_plain(package_files(clone), clone, wheels / "package", mark, tools)


def build_fork_server(clone: Path, wheels: Path, tools: Tools) -> Path:
    """Build `bioskills-fork-server`; keep the wheel until its sources change."""
    mark, folder = {"sources": fork_server_digest(clone)}, clone / FORK_SERVER
    return _build_plain(files_of(folder), folder, wheels / "fork_server", mark, tools)


def _build_plain(
    files: list[Path], root: Path, target: Path, mark: dict[str, str], tools: Tools
) -> Path:
    if read_mark(target) != mark:
        remove_folder(target)
        _copy(files, root, target / "source")
        _build(target / "source", target, tools)
        shutil.rmtree(target / "source")
        write_mark(target, mark)
    return wheel_in(target)


def build_panel(clone: Path, wheels: Path, tools: Tools) -> Path:
    """Build the Lab panel; its downloaded Node packages stay for the next change."""
    mark = {"sources": panel_digest(clone)}
    target = wheels / "panel"
    if read_mark(target) != mark:
        _copy_panel(clone / PANEL, target)
        source, node = target / "source", str(tools.npm[0].parent)
        path = os.pathsep.join([node, str(tools.build / "bin"), os.environ.get("PATH", os.defpath)])
        _ensure_node_packages(source, tools, path)
        run([*tools.npm, "run", "build:prod"], cwd=source, extra={"PATH": path})
        _build(source, target, tools, path)
        write_mark(target, mark)
    return wheel_in(target)


def _copy_panel(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / ".complete").unlink(missing_ok=True)
    for old in target.glob("*.whl"):
        old.unlink()
    work = target / "source"
    for old in (path for path in work.glob("*") if path.name != "node_modules"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    _copy(_panel_files(source), source, work)


def _ensure_node_packages(source: Path, tools: Tools, path: str) -> None:
    mark = {"lock": digest([source / "package-lock.json"])}
    if read_mark(source / "node_modules") != mark:
        run([*tools.npm, *NPM_CI], cwd=source, extra={"PATH": path})
        write_mark(source / "node_modules", mark)


def _build(source: Path, target: Path, tools: Tools, path: str | None = None) -> None:
    options = ("--wheel", "--no-build-isolation", "--offline")
    extra = {"PATH": path} if path else {}
    run(
        [
            tools.uv,
            "build",
            *options,
            f"--python={python_of(tools.build)}",
            f"--out-dir={target}",
            source,
        ],
        cwd=target,
        extra=extra,
    )


def wheel_in(folder: Path) -> Path:
    """Return the one wheel of a folder.

    Raises:
        SetupError: There is none: the build ended without a result.
    """
    found = sorted(folder.glob("*.whl"))
    if not found:
        text = _(
            "The build left no wheel in {folder}. Remove the environments (make clean), then run it again."
        )
        raise SetupError(text.format(folder=folder))
    return found[-1]


BUILDERS: dict[str, Callable[[Path, Path, Tools], Path]] = {
    "fork_server": build_fork_server,
    "package": build_package,
    "panel": build_panel,
}

DIGESTS: dict[str, Callable[[Path], str]] = {
    "fork_server": fork_server_digest,
    "package": package_digest,
    "panel": panel_digest,
}
