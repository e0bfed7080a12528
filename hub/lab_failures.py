"""Word why a lab did not start, for its learner.

Law: what happened, what is not lost, what to do. The fork server gives codes
and numbers; every sentence is made here. A code that nobody foresaw is shown as
it is, so that an admin can look for it.
"""

from collections.abc import Mapping
from typing import Any

from bioskills.base.text import _
from bioskills.fork_server import wire
from bioskills.fork_server.client import UNREACHABLE, RefusedError
from bioskills.hub.lab_spawner import LabError

OUT_OF_MEMORY, OUT_OF_PROCESSES, HOME_FULL = "out_of_memory", "too_many_processes", "home_full"


def sentence_of(code: str, numbers: Mapping[str, Any], uid: int) -> str:
    """Return the sentence for a code.

    Args:
        code: One of `wire`, *unreachable*, or one of this module.
        numbers: What the server told with it, and the learner's limits by name.
        uid: The learner's.
    """
    match code:
        case wire.HOME_FOREIGN:
            text = _(
                "Your home folder belongs to another account (uid {found}, expected {uid}); nothing was changed. Tell your admin."
            )
            return text.format(found=numbers.get("uid", "?"), uid=uid)
        case _ if code in (UNREACHABLE, wire.NO_ROOM):
            return _(
                "The service that starts labs does not answer. It is being started again; your files are safe. Try again in a minute. If that does not help, tell your admin."
            )
        case wire.BUSY:
            return _(
                "What you had running is still being ended; your files are safe. Try again in a minute."
            )
    return _of_limits(code, numbers)


def _of_limits(code: str, numbers: Mapping[str, Any]) -> str:
    texts = {
        OUT_OF_MEMORY: _(
            "Your lab needed more than the {memory_mb} MB of memory that you may use, so it was ended. Saved files are safe. Start it again; then close notebooks that you do not need, and load less data at one time."
        ),
        OUT_OF_PROCESSES: _(
            "Your programs had more than the {processes} processes and threads that you may use, so your lab could not go on. Saved files are safe. Start it again; if a program of yours starts many others, end it first."
        ),
        HOME_FULL: _(
            "Your home folder is full ({home_mb} MB), so your lab could not start. Nothing is lost. Tell your instructor or admin: they can make room."
        ),
        wire.ENDED_BEFORE_READY: _(
            "Your lab ended while it was starting. Your files are safe. Start it again. If it ends again, tell your admin the time: the reason is in the log of your lab."
        ),
    }
    other = _(
        "Your lab could not start ({code}). Your files are safe. Start it again. If that does not help, tell your admin this word."
    )
    return texts.get(code, other).format(
        code=code,
        memory_mb=numbers.get("memory_mb", "?"),
        processes=numbers.get("processes", "?"),
        home_mb=numbers.get("home_mb", "?"),
    )


def lab_error(refused: RefusedError, limits: Mapping[str, int], uid: int) -> LabError:
    """Return what the learner is told of a refusal."""
    return LabError(
        sentence_of(refused.code, {**limits, **refused.details}, uid), reason=refused.code
    )
