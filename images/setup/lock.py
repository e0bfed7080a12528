"""Write every lock again from what the parts ask for.

Law: one version of a package in all environments; a lock holds names,
versions and hashes, and nothing of the machine or the index it was made with.
"""

from pathlib import Path

from setup.programs import run
from setup.tools import Tools

ENVIRONMENTS = ("hub", "lab", "course", "wheels", "setup")
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--fork-strategy=fewest",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
)


def write_locks(clone: Path, tools: Tools, *, upgrade: bool) -> list[Path]:
    """Write all requirements locks and the proxy's npm lock; return the files.

    Args:
        clone: The folder of the source code.
        tools: The installer, and the build tools with Node.
        upgrade: Take the newest allowed versions instead of keeping the locked ones.
    """
    whole = clone / "tests" / "requirements.lock"
    more = ("--upgrade",) if upgrade else ()
    _compile(tools.uv, whole, more)
    parts = [clone / "images" / name / "requirements.lock" for name in ENVIRONMENTS]
    for part in parts:
        # The dev lock is the whole: every part takes its versions from there.
        _compile(tools.uv, part, (f"--constraint={whole}", *more))
    npm = clone / "images" / "hub" / "package-lock.json"
    options = ("--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved")
    run([*tools.npm, "install", *options], cwd=npm.parent)
    return [whole, *parts, npm]


def _compile(uv: Path, lock: Path, more: tuple[str, ...]) -> None:
    source = lock.with_suffix(".in")
    run(
        [uv, "pip", "compile", *OPTIONS, *more, source.name, f"--output-file={lock.name}"],
        cwd=lock.parent,
    )
