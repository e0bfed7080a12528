"""Run installers and turn their failures into one sentence with the next step.

Law: an installer's own words go to the log, a person gets what happened and
what to do. A program that was started here never outlives the set-up.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.words import SetupError, _

LOG_NAME = "setup.log"
PR_SET_PDEATHSIG = 1
NO_NETWORK = re.compile(
    r"dns error|failed to lookup|name resolution|Network is unreachable|Connection refused|timed out|"
    r"error sending request|client error \(Connect\)|NewConnectionError|Failed to establish|"
    r"ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ENETUNREACH|ECONNRESET",
    re.IGNORECASE,
)
DISK_FULL = re.compile(
    r"No space left on device|ENOSPC|os error 28|Disk quota exceeded", re.IGNORECASE
)
WRONG_HASH = re.compile(r"hash mismatch|do not match the hashes|EINTEGRITY", re.IGNORECASE)

FAULT = re.compile(r"\berror(:| TS\d)", re.IGNORECASE)


class Log:
    """The words of every program that the set-up ran."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    def add(self, command: Sequence[str], output: str) -> None:
        """Append one program's output, for the set-up's owner alone."""
        if self.path:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(f"$ {' '.join(command)}\n{output}\n")


LOG = Log()
HELD: list[int] = []
"""Descriptors that every started program holds, too: the set-up's lock."""


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed.

    Args:
        command: The program and its arguments.
        cwd: The folder it works in.
        extra: Variables added to the environment.

    Raises:
        SetupError: It failed; the text says why in plain words.
    """
    words = [str(part) for part in command]
    environ = {**os.environ, **(extra or {})}
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
            pass_fds=HELD,
            preexec_fn=_end_with_parent,
        )
    except OSError as error:
        text = _(
            "Cannot start {program}: {why}. Remove the environments (make clean), then run the set-up again."
        )
        raise SetupError(text.format(program=words[0], why=error.strerror)) from error
    LOG.add(words, done.stdout)
    if done.returncode:
        raise SetupError(explain(words, done.stdout))
    return done.stdout


def explain(command: Sequence[str], output: str) -> str:
    """Return the sentence for a program that failed.

    Args:
        command: The program and its arguments.
        output: Everything it printed.
    """
    if DISK_FULL.search(output):
        return _("The disk is full. Free at least 3 GB, then run the same command again.")
    if NO_NETWORK.search(output):
        return _(
            "The package index cannot be reached. The first set-up needs the network: connect this machine "
            "(or set HTTPS_PROXY), then run the same command again; finished parts are kept."
        )
    if WRONG_HASH.search(output):
        return _(
            "A downloaded package is not the one in the lock: its hash differs. Nothing of it was installed. "
            "Run it again; if it stays so, the mirror or the network changes files."
        )
    last = _telling_line(output)
    text = _("{program} failed: {last} Read {log}, then run the same command again.")
    return text.format(
        program=_name(command),
        last=last if last.endswith(".") else f"{last}.",
        log=LOG.path or LOG_NAME,
    )


def _telling_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if FAULT.search(line)]
    return errors[0] if errors else (lines or [_("it printed nothing")])[-1]


def _name(command: Sequence[str]) -> str:
    words = [Path(command[0]).name, *command[1:3]]
    return " ".join(Path(word).name if "/" in word else word for word in words)
