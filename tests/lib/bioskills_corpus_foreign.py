"""Courses that were not written here, taken from the packages that carry them.

Nothing of them is stored in this repository. nbgrader's own are in its wheel;
another author's is in the source archive of `nbgrader-feedback`, which pip
brings, by its hash, where there is a registry.
"""

import shutil
import subprocess
import tarfile
from pathlib import Path

from bioskills_corpus import Corpus
from bioskills_product import ENVIRONMENTS

ARCHIVE = "nbgrader-feedback==0.1.0"
ARCHIVE_SHA256 = "f886a4a209f490da89d46a7ea64dba9a99b4d3a494ced415f14d254c2c9cf01c"
TESTS = {
    # source notebook: hand-ins
    "submitted-unchanged": (
        "submitted-unchanged",
        "submitted-changed",
        "submitted-cheat-attempt",
        "submitted-cheat-attempt-alternative",
        "submitted-grade-cell-changed",
        "submitted-locked-cell-changed",
    ),
    "test-hidden-tests": ("test-hidden-tests",),
    "test-v1": ("test-v1", "test-v2"),
    "test-v2": ("test-v2", "test-v0"),
    "test": ("test", "test-with-output"),
    "side-effects": ("side-effects",),
    "validating-environment-variable": ("validating-environment-variable",),
    "open_relative_file": ("open_relative_file",),
    "autotest-simple": ("autotest-simple-changed", "autotest-simple-unchanged"),
    "autotest-multi": ("autotest-multi-changed", "autotest-multi-unchanged"),
    "autotest-hashed": ("autotest-hashed-changed", "autotest-hashed-unchanged"),
    "autotest-hidden": (
        "autotest-hidden-changed-right",
        "autotest-hidden-changed-wrong",
        "autotest-hidden-unchanged",
    ),
}
"""nbgrader's own test files: which is handed in for which."""


def package() -> Path:
    """Return the folder of the lab's nbgrader."""
    return next((ENVIRONMENTS / "lab").glob("lib/python3*/site-packages/nbgrader"))


def _make_guide(root: Path) -> None:
    guide = package() / "docs" / "source" / "user_guide"
    shutil.copytree(guide / "source" / "ps1", root / "source" / "ps1")
    shutil.copy(guide / "source" / "header.ipynb", root / "source")


def _hand_in_guide(root: Path) -> None:
    shutil.copytree(package() / "docs" / "source" / "user_guide" / "submitted", root / "submitted")


def _make_autotests(root: Path) -> None:
    guide = package() / "docs" / "source" / "user_guide"
    shutil.copytree(guide / "source" / "ps1_autotest", root / "source" / "ps1")
    shutil.copy(guide / "autotests.yml", root)


def _hand_in_release(root: Path) -> None:
    """Hand in what was released, and once the author's own answers to it."""
    for assignment in (root / "release").iterdir():
        shutil.copytree(assignment, root / "submitted" / "untouched" / assignment.name)
        shutil.copytree(
            root / "source" / assignment.name, root / "submitted/author" / assignment.name
        )


def _make_tests(root: Path) -> None:
    files = package() / "tests" / "apps" / "files"
    for name in TESTS:
        folder = root / "source" / name
        folder.mkdir(parents=True)
        shutil.copy(files / f"{name}.ipynb", folder / "p1.ipynb")
        shutil.copy(files / "data.txt", folder)
    shutil.copy(files / "autotests.yml", root)


def _hand_in_tests(root: Path) -> None:
    files = package() / "tests" / "apps" / "files"
    for assignment, given in TESTS.items():
        for name in given:
            folder = root / "submitted" / name / assignment
            folder.mkdir(parents=True)
            shutil.copy(files / f"{name}.ipynb", folder / "p1.ipynb")


GUIDE = Corpus("guide", ("ps1",), _make_guide, _hand_in_guide)
AUTOTESTS = Corpus("autotests", ("ps1",), _make_autotests, _hand_in_release)
NBGRADER_TESTS = Corpus("tests", tuple(TESTS), _make_tests, _hand_in_tests, updated=True)


def feedback_course(folder: Path) -> Corpus | None:
    """Return the course in the archive of `nbgrader-feedback`; None where pip cannot bring it."""
    wish = folder / "wish.txt"
    wish.write_text(f"{ARCHIVE} --hash=sha256:{ARCHIVE_SHA256}\n")
    words = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    pip = [str(ENVIRONMENTS / "setup" / "bin" / "python"), "-m", "pip"]
    command = [*pip, *words, "--dest", str(folder), "-r", str(wish)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None
    (archive,) = folder.glob("*.tar.gz")
    example = folder / "example"
    _unpack(archive, "/tests/fixtures/example/", example)

    def make(root: Path) -> None:
        for name in ("source", "nbgrader_config.py"):
            target = root / name
            copy = shutil.copytree if (example / name).is_dir() else shutil.copy
            copy(example / name, target)

    def hand_in(root: Path) -> None:
        shutil.copytree(example / "submitted", root / "submitted")

    return Corpus("feedback", ("example_task",), make, hand_in)


def _unpack(archive: Path, inside: str, target: Path) -> None:
    """Write the regular files below a folder of an archive."""
    with tarfile.open(archive) as packed:
        for entry in packed.getmembers():
            _before, found, name = entry.name.partition(inside)
            file = packed.extractfile(entry) if found and entry.isreg() else None
            if file is not None and ".." not in name:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(file.read())
