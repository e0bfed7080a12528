"""The panel *My training* in JupyterLab and its server part.

Law: a separate distribution. It imports no other package of BioSkills Hub and
knows the campus only by its HTTP interface; it runs with the rights of the
learner whose server this is, and with no others.
"""

from typing import Any

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Say where the built browser part lies."""
    return [{"src": "labextension", "dest": "@bioskills/lab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name the module that Jupyter Server loads."""
    return [{"module": "bioskills_lab"}]


def _load_jupyter_server_extension(server_app: Any) -> None:  # Jupyter Server's own type
    """Add the verbs below `<base_url>bioskills/`."""
    from bioskills_lab.handlers import add_verbs  # noqa: PLC0415  # only a server needs tornado

    add_verbs(server_app.web_app)
    server_app.log.info("Loaded the panel My training (bioskills_lab %s)", __version__)
