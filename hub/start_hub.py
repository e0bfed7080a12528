"""Become the hub, without what nobody needs.

Law: the same JupyterHub. `rfc3987_syntax` compiles 35 grammars at import (2 CPU
seconds, most of the hub's start) for a JSON-schema format that nothing here
uses; jsonschema does without it, so the hub is back sooner when it was killed.
"""

import sys


def main() -> None:
    """Block the costly import, then hand over to JupyterHub."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    from jupyterhub.app import main as start_hub  # noqa: PLC0415

    start_hub()


if __name__ == "__main__":
    main()
