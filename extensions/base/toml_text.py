"""Write values as TOML.

Law: what is written here, `tomllib` reads back as it was; the standard library only reads.
"""

import json
from typing import Any


def as_toml(value: Any) -> str:
    """Return a string, number, boolean, list or table as TOML, on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {as_toml(part)}" for key, part in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    # JSON's strings, numbers and booleans are TOML's too.
    return json.dumps(value, ensure_ascii=False)
