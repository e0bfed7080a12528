"""Give up root before touching what belongs to a service.

Law: a command started by root reads what only root may read, then becomes the
service that owns the data; nothing is written as root into a service's folder.
"""

import os
from collections.abc import Callable

from bioskills.base.problems import SetupError

CUT_CHARS = 4000


def become(uid: int, group: int) -> None:
    """Drop to this uid for good; does nothing where the caller is not root.

    Args:
        uid: The service's uid, also its own group.
        group: The one further group, which may enter the state folder.
    """
    if os.geteuid() != 0 or uid == 0:
        return
    os.setgroups([group])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.umask(0o077)


def run_as(uid: int, group: int, act: Callable[[], object]) -> None:
    """Do something as a service, in a process of its own; root keeps nothing of it.

    So no path that a service can write is ever opened with more rights than the service's
    own (charter, law 10): a link it left there leads no further than it could go itself.

    Args:
        uid: The service's uid, also its own group.
        group: The one further group, which may enter the state folder.
        act: What to do; its result is dropped.

    Raises:
        SetupError: It failed; the text is the error's own.
    """
    if os.geteuid() != 0 or uid == 0:
        act()
        return
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os._exit(_act_and_tell(uid, group, act, write_end))
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        told = pipe.read().decode("utf-8", "replace")
    _pid, status = os.waitpid(child, 0)
    if status:
        raise SetupError(told or f"uid {uid} ended with status {status}")


def _act_and_tell(uid: int, group: int, act: Callable[[], object], write_end: int) -> int:
    try:
        become(uid, group)
        act()
    except BaseException as error:  # noqa: BLE001 - nothing may return into the caller's code
        text = str(error) or type(error).__name__
        os.write(write_end, text.encode()[:CUT_CHARS])
        return 1
    return 0
