"""A kernel for /bin/sh: what runs notebooks of another language than Python in tests.

Law: one shell from the first cell to the last. What it says on standard error is
said there, a status other than 0 is an error, and a shell that ended ends the
kernel. Installed into a copy of the course environment (`bioskills_other_kernels`).

Usage: python -m bioskills_shell_kernel -f CONNECTION_FILE
"""

import os
import secrets
import select
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

CHUNK = 1 << 16
INTERRUPTED = 130
SHELL = ["/bin/sh", "-i", "+m"]
"""Interactive, because only such a shell goes on after Ctrl-C; without job control."""
QUIET = {"PS1": "", "PS2": "", "ENV": ""}
END = "printf '%s%s\\n' {mark} \"$?\"; printf %s {mark} >&2\n"
Say = Callable[[str, str], None]


class EndedError(Exception):
    """The shell has ended."""


class Shell:
    """One shell, which runs one text after the other."""

    def __init__(self) -> None:
        """Start it, and keep back what it says about having no terminal."""
        self._cell = Path(tempfile.mkdtemp()) / "cell"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            SHELL, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **QUIET}, bufsize=0
        )
        self.run("", lambda _name, _text: None)

    def run(self, code: str, say: Say) -> int:
        """Run a text, say what it prints, return its status.

        Raises:
            EndedError: The shell ended.
        """
        self._cell.write_text(code + "\n", encoding="utf-8")
        # `command`: a text that is no shell is an error of that text, not the shell's end.
        try:
            return self._listen(self._write(f"command . {self._cell}; "), say)
        except KeyboardInterrupt:
            # The shell was interrupted, too, and has forgotten what was to come.
            self._listen(self._write(""), say)
            return INTERRUPTED

    def _write(self, command: str) -> bytes:
        mark = f"end-{secrets.token_hex(8)}:"
        assert self._process.stdin is not None
        self._process.stdin.write((command + END.format(mark=mark)).encode())
        return mark.encode()

    def _listen(self, mark: bytes, say: Say) -> int:
        heard = {self._process.stdout: bytearray(), self._process.stderr: bytearray()}
        names = {self._process.stdout: "stdout", self._process.stderr: "stderr"}
        waiting, status = list(heard), b""
        while waiting:
            for file in select.select(waiting, [], [])[0]:
                chunk = os.read(file.fileno(), CHUNK)
                if not chunk:
                    raise EndedError
                heard[file] += chunk
                text, found, rest = heard[file].partition(mark)
                if not found:
                    text, rest = heard[file][: -len(mark)], heard[file][-len(mark) :]
                    heard[file] = rest
                elif file is self._process.stderr or rest.endswith(b"\n"):
                    waiting.remove(file)
                    status += rest
                else:
                    continue
                if text:
                    say(names[file], text.decode(errors="replace"))
        return int(status)


class ShellKernel(Kernel):  # type: ignore[misc]
    """The kernel."""

    implementation, implementation_version = "bioskills_shell_kernel", "1"
    language_info = {"name": "bash", "mimetype": "text/x-sh", "file_extension": ".sh"}  # noqa: RUF012 - as the class above has it
    banner = "A shell"
    shell: Shell | None = None

    def do_execute(self, code: str, silent: bool, *_more: Any, **_named: Any) -> dict[str, Any]:
        """Run one cell."""

        def say(name: str, text: str) -> None:
            if not silent:
                self.send_response(self.iopub_socket, "stream", {"name": name, "text": text})

        # Not before: until a cell runs the kernel ignores Ctrl-C, and so would its shell.
        self.shell = self.shell or Shell()
        try:
            status = self.shell.run(code, say)
        except (EndedError, BrokenPipeError):
            os._exit(1)
        return self._failed(status, silent) if status else {"status": "ok", **self._count()}

    def _failed(self, status: int, silent: bool) -> dict[str, Any]:
        text = f"the status is {status}"
        error = {"ename": "ExitStatus", "evalue": str(status), "traceback": [text]}
        if not silent:
            self.send_response(self.iopub_socket, "error", error)
        return {"status": "error", **error, **self._count()}

    def _count(self) -> dict[str, Any]:
        return {"execution_count": self.execution_count, "payload": [], "user_expressions": {}}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=ShellKernel)
