"""Tell anybody on this machine which walls stand and which do not.

Law: files that all may read and root alone writes; codes, worded by the hub.
"""

import json
from pathlib import Path

WARDEN = "about.json"
LABS = "labs-about.json"


def write(path: Path, found: dict[str, object]) -> None:
    """Put a file in place, whole."""
    staged = path.with_name(f".{path.name}.new")
    staged.write_text(json.dumps(found), encoding="utf-8")
    staged.chmod(0o644)
    staged.rename(path)


def how_labs_start(missing: list[str]) -> dict[str, object]:
    """Return what the hub must know: labs are forked, or why each is a new process."""
    return {"labs": "exec" if missing else "fork", "missing": missing}
