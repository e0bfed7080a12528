"""The nbgrader exchange over HTTP: stock nbgrader commands, nothing but a token.

Law: importing this package imports no nbgrader; the classes are named by text and
loaded by nbgrader itself. In `nbgrader_config.py`:

    from bioskills.graders.exchange import configure
    configure(get_config())

The address is read from `BIOSKILLS_CAMPUS_URL`; the token from `BIOSKILLS_TOKEN`
(made on the campus page *Tokens*) or, in a lab, from `JUPYTERHUB_API_TOKEN`.
"""

import os
from typing import Any

from bioskills.base.text import speak_as_terminal

_HERE = "bioskills.graders.exchange"

PLUGINS = {
    "exchange": f"{_HERE}.campus_exchange.CampusExchange",
    "list": f"{_HERE}.listing.CampusList",
    "fetch_assignment": f"{_HERE}.fetching.CampusFetchAssignment",
    "fetch_feedback": f"{_HERE}.feedback.CampusFetchFeedback",
    "submit": f"{_HERE}.submitting.CampusSubmit",
    "release_assignment": f"{_HERE}.releasing.CampusReleaseAssignment",
    "release_feedback": f"{_HERE}.feedback.CampusReleaseFeedback",
    "collect": f"{_HERE}.collecting.CampusCollect",
}
"""Option of nbgrader's `ExchangeFactory` and the class that serves it."""


def configure(c: Any) -> None:
    """Make nbgrader use the campus as its exchange.

    Args:
        c: nbgrader's configuration object.
    """
    speak_as_terminal(os.environ)
    for option, name in PLUGINS.items():
        setattr(c.ExchangeFactory, option, name)
