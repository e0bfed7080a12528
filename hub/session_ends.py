"""End what a person's old password has opened at the hub.

Law: after a link was used nothing that was open before stays so: sign-ins of browsers,
tokens, and labs, because whoever sat in a lab holds its token. Work lies in files and stays.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import new_token

from bioskills.base.wire import LAB_SCOPE

LOOK_S = 0.1
Stop = Callable[[], Awaitable[object]]
_under_way: set[asyncio.Task[None]] = set()
"""The event loop itself holds tasks by weak references alone."""

OF_THE_HUB, LAB_NOTE = "jupyterhub", "Server at "
"""Client and note of the token that the hub makes for a lab; a person can write both."""
LAB_SCOPES = {"users:activity", "access:servers", LAB_SCOPE}


def is_of_a_lab(token: Any) -> bool:
    """Say whether a token is a lab's own, or can do nothing that such a one cannot."""
    noted = token.client_id == OF_THE_HUB and (token.note or "").startswith(LAB_NOTE)
    return noted and {scope.partition("!")[0] for scope in token.scopes} <= LAB_SCOPES


async def end_everywhere(handler: Any, name: str) -> None:
    """End every sign-in, token and lab of a person."""
    user = handler.find_user(name)
    if user is None:
        return
    # Before the labs, which take seconds to stop: nothing that is open may be used meanwhile.
    end_sessions(handler.db, user.orm_user, labs=True)
    for server, spawner in list(user.spawners.items()):
        stop = partial(handler.stop_single_user, user, server)
        if spawner.pending:
            end_when_settled(spawner, stop)
        elif spawner.active:
            await stop()


def end_when_settled(spawner: Any, stop: Stop) -> None:
    """End a lab as soon as a start or a stop that is under way is over; returns at once.

    JupyterHub refuses to stop what still starts, and that can wait in the queue for long.
    """
    task = asyncio.get_running_loop().create_task(_end_when_settled(spawner, stop))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _end_when_settled(spawner: Any, stop: Stop) -> None:
    while spawner.pending:  # noqa: ASYNC110 - the hub has no event for it
        await asyncio.sleep(LOOK_S)
    if spawner.active:
        await stop()


def end_sessions(db: Any, user: Any, *, labs: bool = False) -> None:
    """End sign-ins and tokens of a person in the hub's database.

    Args:
        db: The hub's own session.
        user: The hub's row of the person.
        labs: Whether the tokens of running labs end, too.
    """
    user.cookie_id = new_token()
    for token in list(user.api_tokens):
        if labs or not is_of_a_lab(token):
            db.delete(token)
    for code in db.query(orm.OAuthCode).filter_by(user_id=user.id):
        db.delete(code)
    db.commit()
