"""Give up root before touching what belongs to a service.

Law: a command started by root reads what only root may read, then becomes the
service that owns the data; nothing is written as root into a service's folder.
"""

import json
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from bioskills.base.problems import SetupError

CUT_CHARS = 4000


def become(uid: int, groups: Sequence[int]) -> None:
    """Drop to this uid for good; does nothing where the caller is not root.

    Args:
        uid: The service's uid, also its own group.
        groups: The service's further groups (`Owners.groups`).
    """
    if os.geteuid() != 0 or uid == 0:
        return
    os.setgroups(groups)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.umask(0o077)


def run_as(uid: int, groups: Sequence[int], act: Callable[[], Any]) -> Any:
    """Do something as a service, in a process of its own; return what it gave.

    So no path that a service can write is ever opened with more rights than the service's
    own (charter, law 10): a link it left there leads no further than it could go itself.

    Args:
        uid: The service's uid, also its own group.
        groups: The service's further groups (`Owners.groups`).
        act: What to do; its result comes back as JSON, so it is plain data.

    Raises:
        SetupError: It failed; the text is the error's own.
    """
    if os.geteuid() != 0 or uid == 0:
        return act()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os._exit(_act_and_tell(uid, groups, act, write_end))
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        told = pipe.read().decode("utf-8", "replace")
    _pid, status = os.waitpid(child, 0)
    if status:
        raise SetupError(told or f"uid {uid} ended with status {status}")
    return json.loads(told)


def _act_and_tell(uid: int, groups: Sequence[int], act: Callable[[], Any], write_end: int) -> int:
    # The caller may only note them; this process ends with its machine, and not half-way by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        become(uid, groups)
        told = json.dumps(act()).encode()
    except BaseException as error:  # noqa: BLE001 - nothing may return into the caller's code
        text = str(error) or type(error).__name__
        os.write(write_end, text.encode()[:CUT_CHARS])
        return 1
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(told)
    return 0
