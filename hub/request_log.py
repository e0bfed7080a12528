"""Log of the hub's requests what somebody would look for.

Law: a request that went well is no news: sign-ins, starts and stops of labs have
lines of their own. What was refused, failed or took long is logged. (A fifth of
the hub's time in a morning's rush was spent on lines about requests that went well.)
"""

from http import HTTPStatus
from typing import Any

from jupyterhub.log import log_request

LONG_S = 1.0


def log_what_matters(handler: Any) -> None:
    """Log a request as JupyterHub does, if it failed or was slow."""
    failed = handler.get_status() >= HTTPStatus.BAD_REQUEST
    if failed or handler.request.request_time() > LONG_S:
        log_request(handler)
