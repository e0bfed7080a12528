"""Which kernel a notebook gets: forked from the warm parent, or started anew by its name.

Law: a notebook's words about its kernel are a learner's; they choose among what is there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class NoKernelError(Exception):
    """The course environment has no kernel of this name, and it is not Python."""


def cold_kernel(wanted: Mapping[str, Any], course: Path, *, cold: bool) -> str:
    """Return the kernel to start anew for a notebook; empty for a Python one, which is forked.

    Python notebooks name their kernel after their author's machine: any such name is Python.

    Args:
        wanted: The notebook's `kernelspec`.
        course: The course environment.
        cold: Whether Python kernels start anew, too.

    Raises:
        NoKernelError: There is no such kernel.
    """
    name, there = str(wanted.get("name", "")), languages(course)
    language = there.get(name, str(wanted.get("language", "python"))).lower()
    if language == "python" or name.startswith("python"):
        return next((n for n, kind in there.items() if kind == "python"), "") * cold
    if name not in there:
        raise NoKernelError(name)
    return name


def languages(course: Path) -> dict[str, str]:
    """Return the kernels of an environment and their languages."""
    found = {}
    for path in sorted((course / "share" / "jupyter" / "kernels").glob("*/kernel.json")):
        found[path.parent.name] = str(json.loads(path.read_text("utf-8"))["language"]).lower()
    return found
