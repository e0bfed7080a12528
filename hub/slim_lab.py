"""Start JupyterLab as a hub's single-user server, without what nobody needs.

Law: runs in the lab environment with `python -I`; imports nothing of ours.
`rfc3987_syntax` builds a grammar at import (1.9 CPU seconds, 43 % of a stock
start) for a JSON-schema format nothing here uses: jsonschema does without it.
"""

import sys


def main() -> None:
    """Block the costly import, then hand over to JupyterHub's entry point."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    from jupyterhub.singleuser import main as start_single_user  # noqa: PLC0415

    sys.exit(start_single_user())


if __name__ == "__main__":
    main()
