"""Show other words in `ps` than those a process was started with.

Law: a forked child carries its parent's command line; it writes its own over
it, in the memory where the kernel reads it. Where that is not possible the old
words stay: nothing depends on them.
"""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

# proc(5), counted from the field after the name: arg_start, arg_end, env_start, env_end.
_ARGUMENTS_FIRST, _ARGUMENTS_LAST, _VARIABLES_LAST = 45, 46, 48
_LEAST_BYTES = 2


def set_words(words: Sequence[str]) -> None:
    """Show these words as the command line of this process, shortened where there is no room."""
    first, last, end = _area()
    if not 0 < first < last <= end or last - first < _LEAST_BYTES:
        return
    # Its variables lie behind, until they are set again.
    variables = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    text = "\0".join(words).encode("utf-8", "replace")
    if len(text) < last - first:
        text = text.ljust(last - first, b"\0")
    else:
        # Over the end of the area the kernel reads one string only, as setproctitle(3) has it.
        text = text.replace(b"\0", b" ")[: end - first - 1] + b"\0"
    ctypes.memmove(first, text, len(text))


def _area() -> tuple[int, int, int]:
    stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()
    numbers = [int(fields[n]) for n in (_ARGUMENTS_FIRST, _ARGUMENTS_LAST, _VARIABLES_LAST)]
    return numbers[0], numbers[1], numbers[2]
