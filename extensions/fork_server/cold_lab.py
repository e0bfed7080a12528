"""Start a lab in a new interpreter: the *slim exec* way.

Law: the same server as a forked one, without what nobody needs. Without root, where
there is no fork server, every lab starts like this.
"""

import importlib
import sys

from bioskills.fork_server.lab_child import HEAVY, send_at_once


def main() -> None:
    """Block the costly import, then hand over to JupyterHub's entry point."""
    sys.modules[HEAVY] = None  # type: ignore[assignment]  # the documented way to make an import fail
    sys.argv[0] = "jupyterhub-singleuser"
    send_at_once()
    importlib.import_module("jupyterhub.singleuser.extension").main()


if __name__ == "__main__":
    main()
