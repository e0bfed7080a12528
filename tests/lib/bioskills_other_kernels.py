"""A copy of the course environment with a kernel of another language, as an admin adds one."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioskills_product import ENVIRONMENTS

SHELL = {"name": "shell", "display_name": "Shell", "language": "bash"}
MODULE = "bioskills_shell_kernel"
"""What the file of the kernel is called; its module is run by name."""


@contextmanager
def environments_with_shell() -> Iterator[Path]:
    """Yield a folder of environments whose course environment has the shell's kernel, too.

    Everybody may go through it: a box's slot is somebody else.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for path in ENVIRONMENTS.iterdir():
            if path.is_dir() and path.name != "course":
                (root / path.name).symlink_to(path)
        course = root / "course"
        shutil.copytree(ENVIRONMENTS / "course", course, symlinks=True, copy_function=_linked)
        _add_shell(course)
        yield root


def _linked(source: str, target: str) -> None:
    """Give a file a second name; copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _add_shell(course: Path) -> None:
    (packages,) = course.glob("lib/python3.*/site-packages")
    shutil.copyfile(Path(__file__).with_name(f"{MODULE}.py"), packages / f"{MODULE}.py")
    argv = [str(course / "bin" / "python"), "-m", MODULE, "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": SHELL["display_name"], "language": SHELL["language"]}
    folder = course / "share" / "jupyter" / "kernels" / SHELL["name"]
    folder.mkdir()
    (folder / "kernel.json").write_text(json.dumps(spec))
