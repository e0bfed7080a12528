"""Give up root before touching what belongs to a service.

Law: a command started by root reads what only root may read, then becomes the
service that owns the data; nothing is written as root into a service's folder.
"""

import os


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
