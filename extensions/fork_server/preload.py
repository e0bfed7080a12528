"""Say what a warm parent imports before it serves.

Law: a module is named, never pointed at; a name is imported from the parent's
own environment or not at all. What is learned comes from a probe that runs as
an unprivileged uid with an empty home and is believed only in the form of names.
A probe that fails costs speed, never a start.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bioskills.fork_server import killing
from bioskills.fork_server.config import Config
from bioskills.fork_server.ownership import digest

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
LONGEST_NAME, MOST_NAMES = 200, 5000
KINDS = {"lab": "lab", "course": "kernel"}
"""What the probe starts in an environment."""
ARGUMENTS = "arguments"
"""Key of `Config.preload`: the command line that labs are started with."""
PROBE = ("-I", "-m", "bioskills.fork_server.probe")
PROBE_S, END_S = 90.0, 5.0
TRY_AGAIN_S = 3600.0
"""How long a failed probe is remembered: a parent that ends must not wait for it each time."""
TIME_OUT, ENDED, NO_NAMES = "time_out", "ended", "no_names"


class BadNamesError(ValueError):
    """A list of modules breaks a rule; the text names the rule."""


@dataclass(frozen=True)
class Learned:
    """What a probe found.

    Attributes:
        names: Modules, sorted; empty where it failed.
        reason: Why it failed: *time_out*, *ended*, *no_names*; empty where it did not.
        said: The last line it wrote as an error.
        seconds: How long it took.
    """

    names: tuple[str, ...] = ()
    reason: str = ""
    said: str = ""
    seconds: float = 0.0


def is_name(value: object) -> bool:
    """Whether this is the full name of a module, and no path, option or expression."""
    return (
        isinstance(value, str) and len(value) <= LONGEST_NAME and NAME.fullmatch(value) is not None
    )


def read_names(text: str | bytes) -> tuple[str, ...]:
    """Return the module names of a JSON list, each once.

    Raises:
        BadNamesError: It is something else, or holds something else; then none is believed.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadNamesError("not JSON") from error
    if not isinstance(found, list) or len(found) > MOST_NAMES:
        raise BadNamesError(f"not a list of at most {MOST_NAMES}")
    if not all(map(is_name, found)):
        raise BadNamesError("not the name of a module")
    return tuple(dict.fromkeys(found))


def installed(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the top-level modules of every distribution of an environment, by its name."""
    site = [str(path) for path in root.glob("lib/python3.*/site-packages")]
    found = importlib.metadata.distributions(path=site)
    return {_normal(each.metadata["Name"]): _top_level(each) for each in found}


def course_preimports(
    manifest: Iterable[str], allowed: Iterable[str], present: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the modules that the courses require, the admin allows and the environment has.

    Args:
        manifest: Requirements of the courses, as their manifests state them.
        allowed: Modules the admin allows, in the order of import.
        present: What is installed, as `installed` returns it.
    """
    named = (REQUIREMENT.match(text) for text in manifest)
    required = {_normal(match[1]) for match in named if match}
    tops = {top for name in required for top in present.get(name, ())}
    return tuple(name for name in allowed if is_name(name) and name.partition(".")[0] in tops)


def learned(config: Config, kind: str, root: Path) -> tuple[str, ...]:
    """Return the modules that a parent should import: learned once for each state of an environment.

    Args:
        config: The installation; its `cache` keeps what was learned.
        kind: The environment: *lab* or *course*.
        root: Its folder.
    """
    try:
        return _learned(config, kind, root)
    except OSError as error:
        _tell(kind, Learned((), ENDED, str(error)))
        return ()


def _learned(config: Config, kind: str, root: Path) -> tuple[str, ...]:
    asked = {name: tuple(config.preload.get(name, ())) for name in (kind, ARGUMENTS)}
    cache = Path(config.cache, f"preload-{kind}.json") if config.cache else None
    mark = hashlib.sha256(repr((digest(root), sorted(asked.items()))).encode()).hexdigest()
    known = _remembered(cache, mark) if cache else None
    if known is not None:
        return known
    python, uid = root / "bin" / "python", config.probe_uid
    with _turn(config.run_dir):
        found = learn(python, KINDS[kind], uid, asked[kind], asked[ARGUMENTS])
    _tell(kind, found)
    if cache:
        _remember(cache, mark, found)
    return found.names


def learn(
    python: Path,
    kind: str,
    uid: int,
    names: Iterable[str] = (),
    arguments: Iterable[str] = (),
    *,
    within_s: float = PROBE_S,
) -> Learned:
    """Start one real *lab* or *kernel* as this uid, in an empty home, and see what it imports.

    Args:
        python: The environment's interpreter.
        kind: *lab* or *kernel*.
        uid: A uid for this alone: whatever is left of it is ended.
        names: Modules to import in a kernel's first cell.
        arguments: Command line of a lab.
        within_s: How long it may take.
    """
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="bsh-probe-"))
    try:
        os.chown(home, uid, uid)
        words = [str(python), *PROBE, kind, json.dumps([*names]), json.dumps([*arguments])]
        status, out, said = _run(words, home, uid, within_s)
    except OSError as error:
        status, out, said = error.errno or 1, b"", str(error)
    finally:
        if os.geteuid() == 0:
            killing.of_uid(uid, END_S)
        shutil.rmtree(home, ignore_errors=True)
    return _judge(status, out, said, time.monotonic() - began)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Let one probe run at a time: what is left of its uid is ended after each."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (folder / "probe.lock").open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(words: list[str], home: Path, uid: int, within_s: float) -> tuple[int | None, bytes, str]:
    """Return exit status (None: took too long), standard output and the last line of errors."""
    path = f"{Path(words[0]).parent}:/usr/bin:/bin"
    variables = {"HOME": str(home), "TMPDIR": str(home), "PATH": path, "LANG": "C.UTF-8"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words,
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            user=uid,
            group=uid,
            extra_groups=[],
            umask=0o077,
            start_new_session=True,
        )
        status: int | None = None
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(within_s)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        return status, _beginning(out.fileno()), _last_line(errors.fileno())


def _beginning(file: int) -> bytes:
    return os.pread(file, MOST_NAMES * LONGEST_NAME, 0)


def _last_line(file: int) -> str:
    size = os.fstat(file).st_size
    lines = os.pread(file, 4096, max(0, size - 4096)).decode("utf-8", "replace").splitlines()
    words = "".join(c if c.isprintable() else "?" for c in (lines or [""])[-1])
    return words[:300]


def _judge(status: int | None, out: bytes, said: str, seconds: float) -> Learned:
    if status is None:
        return Learned((), TIME_OUT, said, seconds)
    if status != 0:
        return Learned((), ENDED, said or f"status {status}", seconds)
    try:
        return Learned(tuple(sorted(read_names(out))), "", "", seconds)
    except BadNamesError as error:
        return Learned((), NO_NAMES, str(error), seconds)


def _tell(kind: str, found: Learned) -> None:
    outcome = f"failed ({found.reason}: {found.said})" if found.reason else ""
    line = f"{kind}: {outcome or f'{len(found.names)} modules learned'} in {found.seconds:.1f} s"
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the supervisor keeps it


def _remembered(cache: Path, mark: str) -> tuple[str, ...] | None:
    """Return what root wrote for this state, None where there is nothing to go by."""
    try:
        state = cache.lstat()
        if state.st_uid not in {0, os.geteuid()} or state.st_mode & 0o022:
            return None
        found = json.loads(cache.read_text(encoding="utf-8"))
        old = time.time() - state.st_mtime > TRY_AGAIN_S
        if found["mark"] != mark or (found["reason"] and old):
            return None
        return read_names(json.dumps(found["names"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(cache: Path, mark: str, found: Learned) -> None:
    text = json.dumps({"mark": mark, "reason": found.reason, "names": found.names}, indent=1)
    staged = cache.with_name(f".{cache.name}.new")
    with suppress(OSError):
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged.unlink(missing_ok=True)
        staged.touch(mode=0o600)
        staged.write_text(text, encoding="utf-8")
        staged.rename(cache)


def _normal(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _top_level(found: importlib.metadata.Distribution) -> tuple[str, ...]:
    listed = (found.read_text("top_level.txt") or "").split()
    if not listed:
        parts = (file.parts for file in found.files or ())
        firsts = {part[0] if len(part) > 1 else part[0].partition(".")[0] for part in parts if part}
        listed = sorted(firsts)
    return tuple(name for name in listed if is_name(name))
