"""Make the hub, lab, course and dev environments.

Law: owned by whoever sets up (root on a server), readable for all, writable by
nobody else; built in place, because virtual environments hold absolute paths;
complete only with its mark.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from setup import wheels
from setup.interpreters import Interpreter
from setup.marks import MARK, digest, read_mark, remove_folder, remove_mark, write_mark
from setup.programs import run
from setup.tools import NPM_CI, Tools, install_wheel, make_environment, npm_of, python_of
from setup.words import _, say

KERNEL = Path("share") / "jupyter" / "kernels" / "python3"
LAB_KERNEL = Path("share") / "bioskills" / "lab-kernels" / "jupyter" / "kernels" / "python3"
"""Found only by labs: their JUPYTER_PATH names `share/bioskills/lab-kernels/jupyter` first."""
PROVISIONED = {"kernel_provisioner": {"provisioner_name": "bioskills-fork"}}


@dataclass(frozen=True)
class Recipe:
    """How one environment is made.

    Attributes:
        name: Its folder's name.
        lock: The requirements lock.
        ours: Hash of our own sources in it; empty where there are none.
        more: Other files that decide about its contents.
        wheels: Names of our wheels in it: *fork_server*, *package*, *panel*.
        finish: What is done after the packages are there.
    """

    name: str
    lock: Path
    ours: str = ""
    more: tuple[Path, ...] = ()
    wheels: tuple[str, ...] = ()
    finish: Callable[[Path, Tools], None] = field(default=lambda _folder, _tools: None)

    def mark(self, python: Interpreter) -> dict[str, str]:
        """Return the mark of a complete environment of the present sources."""
        return {"packages": digest([str(python.path), self.lock, *self.more]), "ours": self.ours}

    @property
    def count(self) -> int:
        """How many packages the lock names."""
        return sum("==" in line for line in self.lock.read_text(encoding="utf-8").splitlines())


def recipes(clone: Path, *, dev: bool) -> list[Recipe]:
    """Return the recipes of all environments in the order of making."""
    images = clone / "images"
    hub_files = tuple(images / "hub" / name for name in ("package.json", "package-lock.json"))
    lab_wheels = ("fork_server", "package", "panel")
    found = [
        _ours(clone, "hub", lab_wheels[:2], hub_files, _add_proxy(hub_files)),
        _ours(clone, "lab", lab_wheels, (), _finish_lab),
        _ours(clone, "course", lab_wheels[:1], (), _write_kernelspecs),
    ]
    if dev:
        projects = [folder / "pyproject.toml" for folder in editable_folders(clone)]
        lock = clone / "tests" / "requirements.lock"
        found.append(Recipe("dev", lock, digest(projects), finish=_add_clone(clone)))
    return found


def _ours(
    clone: Path,
    name: str,
    wheel_names: tuple[str, ...],
    more: tuple[Path, ...],
    finish: Callable[[Path, Tools], None],
) -> Recipe:
    lock = clone / "images" / name / "requirements.lock"
    sources = "".join(wheels.DIGESTS[wheel](clone) for wheel in wheel_names)
    return Recipe(name, lock, sources, more, wheel_names, finish)


def editable_folders(clone: Path) -> tuple[Path, ...]:
    """Return the distributions that the dev environment uses from the clone itself."""
    return clone, clone / wheels.FORK_SERVER


def make(
    recipe: Recipe, folder: Path, python: Interpreter, tools: Tools, ours: dict[str, Path]
) -> None:
    """Make an environment, or only renew our wheels where nothing else changed.

    Args:
        recipe: What is in it.
        folder: Where it lies.
        python: What it stands on.
        tools: The set-up's programs.
        ours: Our wheels by name.
    """
    wanted, found = recipe.mark(python), read_mark(folder)
    if found is None or found.get("packages") != wanted["packages"]:
        if found is None and folder.exists():
            say(_("(half-made by an earlier set-up: made again)"), end=" ")
        remove_folder(folder)
        make_environment(tools.uv, folder, python.path, recipe.lock, owned=os.geteuid() == 0)
    remove_mark(folder)
    for name in recipe.wheels:
        install_wheel(tools.uv, folder, ours[name])
    recipe.finish(folder, tools)
    open_for_reading(folder)
    write_mark(folder, wanted)


def open_for_reading(folder: Path) -> None:
    """Let everybody read and nobody else write, whatever the umask and the cache said."""
    for at, folders, names in os.walk(folder):
        for name in (".", *folders, *names):
            path = os.path.join(at, name)  # noqa: PTH118 - 30 000 files: no objects
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                continue
            execute = 0o111 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0
            right = (stat.S_IMODE(mode) | 0o444 | execute) & ~0o022
            if right != stat.S_IMODE(mode):
                os.chmod(path, right)  # noqa: PTH101


def _add_proxy(files: tuple[Path, ...]) -> Callable[[Path, Tools], None]:
    def finish(folder: Path, _tools: Tools) -> None:
        proxy = folder / "proxy"
        mark = {"lock": digest(files)}
        if read_mark(proxy) == mark:
            return
        remove_folder(proxy)
        proxy.mkdir()
        for file in files:
            shutil.copy(file, proxy / file.name)
        npm = npm_of(folder)
        path = os.pathsep.join([str(npm[0].parent), os.environ.get("PATH", os.defpath)])
        run([*npm, *NPM_CI, "--omit=dev"], cwd=proxy, extra={"PATH": path})
        write_mark(proxy, mark)

    return finish


def _finish_lab(folder: Path, _tools: Tools) -> None:
    # Learners' code runs in the course environment; the lab's own kernel must not be offered.
    shutil.rmtree(folder / KERNEL, ignore_errors=True)


def _write_kernelspecs(folder: Path, _tools: Tools) -> None:
    """Write the course's kernel twice: started cold, as the grader needs it, and by the fork server."""
    spec: dict[str, object] = {
        "argv": [str(python_of(folder)), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (course)",
        "language": "python",
        "metadata": {"debugger": True},
    }
    forked = {**spec, "metadata": {**PROVISIONED, "debugger": True}}
    _write_kernelspec(folder / KERNEL, spec)
    shutil.copytree(folder / KERNEL, folder / LAB_KERNEL, dirs_exist_ok=True)
    _write_kernelspec(folder / LAB_KERNEL, forked)


def _write_kernelspec(target: Path, spec: Mapping[str, object]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # A new file, never the old one overwritten: it may be shared with the installer's cache.
    new = target / "kernel.json.new"
    new.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    new.replace(target / "kernel.json")


def _add_clone(clone: Path) -> Callable[[Path, Tools], None]:
    def finish(folder: Path, tools: Tools) -> None:
        options = ("--no-deps", "--no-build-isolation", "--offline")
        into = f"--python={python_of(folder)}"
        sources = [word for source in editable_folders(clone) for word in ("--editable", source)]
        run([tools.uv, "pip", "install", *options, into, *sources], cwd=clone)

    return finish


def is_complete(recipe: Recipe, folder: Path, python: Interpreter) -> bool:
    """Say whether an environment is there and of the present sources."""
    return (folder / MARK).is_file() and read_mark(folder) == recipe.mark(python)
