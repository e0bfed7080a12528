"""Become the hub, without what nobody needs.

Law: the same JupyterHub. `rfc3987_syntax` compiles 35 grammars at import (2 CPU
seconds, most of the hub's start) for a JSON-schema format that nothing here
uses; jsonschema does without it, so the hub is back sooner when it was killed.
"""

import gc
import sys

YOUNG = 10_000
"""Objects made before Python looks for cycles among them: one learner's start makes about 2,000."""


def main() -> None:
    """Block the costly import, then hand over to JupyterHub."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    from jupyterhub.app import main as start_hub  # noqa: PLC0415

    # What was imported lives as long as the hub: never again looked through (0.1 s, everybody waits).
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
    start_hub()


if __name__ == "__main__":
    main()
