"""The warm parent of kernels: fork an IPython kernel for the learner who asks.

Law: runs as root with a course environment's modules imported, one thread, no
event loop, no ZeroMQ context; any learner who has a room may ask, and gets a
kernel as himself in his room, whatever he says. It holds no secret: command
line, environment and folder are read by the child. The connection stays open
for the kernel's life and tells its exit status; a kernel outlives it.

Usage: python -I -m bioskills.fork_server.kernels CONFIG.json
"""

import gc
import importlib
import os
import signal
import socket
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType

from bioskills.fork_server import cgroups, child, config, drop, linux, preload, rooms, warm, wire
from bioskills.fork_server.door import Caller, Door, Loop

QUOTA = 32
STARTS_A_SECOND = 2.0
"""Of one learner, after a burst of `QUOTA`: starting and ending kernels costs root's time."""
MOST_KERNELS = 64
"""Kernels of one learner; before that the limit of processes is reached."""

MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "ipykernel.comm",
    "IPython.core.completer",
    "IPython.core.magics",
    "IPython.extensions.storemagic",
    "jedi",
    "tornado.platform.asyncio",
    "zmq.asyncio",
)
NEVER = ("matplotlib_inline.backend_inline",)
"""Modules that ask at their import which kernel they are in."""

PLAIN = "--plain"


class Kernels:
    """Forks kernels and tells when they end."""

    def __init__(self, settings: config.Config, variables: Mapping[str, str]) -> None:
        self.config = settings
        self.variables = variables
        self.lines: dict[int, Caller] = {}
        path = settings.socket("kernels")
        door = Door(path, 0o666, settings.is_learner, QUOTA, self.handle, rate=STARTS_A_SECOND)
        self.loop = Loop(door, self.ended)

    def handle(self, caller: Caller, request: wire.Request) -> bool:
        """Act on one request of a learner; only his own uid counts."""
        failed = self._refusal(caller, request)
        if failed:
            caller.answer({"failed": failed})
            return False
        try:
            lab = os.pidfd_open(caller.pid)
        except OSError:
            return False
        pid = os.fork()
        if pid == 0:
            raise child.ForkedError(self._become(caller, lab))
        os.close(lab)
        self.lines[pid] = caller
        caller.answer({"pid": pid, "started": linux.start_time(pid)})
        return True

    def ended(self, pid: int, status: int) -> None:
        """Tell who waits for it that a kernel ended."""
        caller = self.lines.pop(pid, None)
        if caller is not None:
            caller.answer({"exit": status})
            self.loop.dismiss(caller)

    def _refusal(self, caller: Caller, request: wire.Request) -> str:
        if request.op != "start" or request.uid not in (None, caller.uid):
            return wire.BAD_REQUEST
        if not rooms.exists(self.config, caller.uid):
            return wire.NO_ROOM
        held = Counter(line.uid for line in self.lines.values())
        return wire.BUSY if held[caller.uid] >= MOST_KERNELS else ""

    def _become(self, caller: Caller, lab: int) -> Callable[[], object]:
        connection = caller.connection.dup()
        self.loop.close_in_child()
        # Who else is here is nobody's business; frozen objects are never collected.
        self.loop.waiting.clear()
        self.loop.kept.clear()
        self.lines.clear()
        return partial(_be_kernel, self.config, caller.uid, self.variables, lab, connection)


def _be_kernel(
    settings: config.Config,
    uid: int,
    variables: Mapping[str, str],
    lab: int,
    line: socket.socket,
) -> None:
    try:
        drop.enter_and_drop(settings, uid, None)
        payload = child.read_payload(line)
    except (OSError, wire.BadRequestError) as error:
        line.send(wire.line_of({"failed": _code_of(error)}))
        raise
    if not _is_ours(payload.args):
        line.send(wire.line_of({"failed": wire.NOT_ALLOWED}))
        return
    from bioskills.fork_server import kernel_child  # noqa: PLC0415 - imports Jupyter; long imported

    kernel_child.close_all_but({lab, line.fileno()})
    kernel_child.take_outputs(lab)
    child.take_on(payload, str(settings.home(uid)))
    line.sendall(wire.line_of({"ready": True}))
    line.close()
    kernel_child.run_kernel(payload.args, variables, lab)


def _code_of(error: Exception) -> str:
    if isinstance(error, wire.BadRequestError):
        return wire.BAD_REQUEST
    full = isinstance(error, cgroups.TooManyProcessesError)
    return wire.TOO_MANY_PROCESSES if full else wire.FAILED


def _is_ours(args: tuple[str, ...]) -> bool:
    """Whether this command line is the one that this interpreter replaces."""
    return args[:3] == (sys.executable, "-m", "ipykernel_launcher")


def import_all(names: Iterable[str]) -> dict[str, str]:
    """Import what kernels need; return what the kernel's own modules put into the environment."""
    before = dict(os.environ)
    warm.import_names([*MODULES, "bioskills.fork_server.kernel_child"])
    added = {key: text for key, text in os.environ.items() if before.get(key) != text}
    # Before the rest: what it leaves free in memory is filled by what comes after.
    if failed := rehearse():
        say(f"the rehearsal of kernels failed: {failed}")
    path = list(sys.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm.import_names([name for name in names if name not in NEVER])
    sys.path[:] = path
    forget_warnings()
    return added


def forget_warnings() -> None:
    """Forget which warnings were given: each learner gets his own, once per place."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            vars(module).pop("__warningregistry__", None)
    getattr(warnings, "onceregistry", {}).clear()


def rehearse() -> str:
    """Do once what each learner's first Tab and first error would do anew; return what failed.

    Saves 0.3 CPU seconds and 13 MB at `frame.<Tab>`: descriptions of Python's own modules.
    """
    try:
        sys.modules["jedi"].Interpreter("import os\nos.pa", [{}]).complete()
        ultratb = importlib.import_module("IPython.core.ultratb")
        ultratb.AutoFormattedTB().text(KeyError, KeyError("a"), None)
    except Exception as error:  # noqa: BLE001 - costs speed, never a start
        return f"{type(error).__name__}: {error}"
    return ""


def end_pools() -> None:
    """Let number libraries end the threads they started at import; they start again where used.

    OpenBLAS ends its threads before a fork. Limiting them by the environment
    instead would give other kernels than cold ones.
    """
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def refuse_contexts() -> None:
    """Refuse to serve where a ZeroMQ context was made: its threads are not in a child.

    Raises:
        NotForkableError: There is one.
    """
    context = sys.modules["zmq"].Context
    if getattr(context, "_instance", None) is not None:
        raise warm.NotForkableError("a ZeroMQ context was made")


def _ready(settings: config.Config, names: Iterable[str]) -> Kernels:
    # Below a folder of root's: matplotlib keeps its list of fonts there, jedi what it parsed.
    kept = Path(settings.cache or settings.run_dir)
    os.environ["MPLCONFIGDIR"] = str(kept / "matplotlib")
    os.environ["XDG_CACHE_HOME"] = str(kept)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    variables = import_all(names)
    end_pools()
    warm.refuse_threads()
    refuse_contexts()
    kernels = Kernels(settings, variables)
    sys.modules["bioskills.fork_server.kernel_child"].list_modules()
    gc.collect()
    gc.freeze()
    return kernels


def _serve(path: str, *, plain: bool) -> Callable[[], object] | None:
    """Serve until the end; in a forked child return what it is there for."""
    settings = config.load(Path(path))
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)
    learned = () if plain else preload.learned(settings, "course", Path(sys.prefix))
    names = () if plain else (*settings.preload.get("course", ()), *learned)
    try:
        _ready(settings, names).loop.serve()
    except child.ForkedError as forked:
        return forked.act
    return None


def say(line: str) -> None:
    """Write one line to the log."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the supervisor keeps it


def main(path: str, *, plain: bool = False) -> None:
    """Import, check, and serve; without any course's modules where these cannot be forked."""
    try:
        act = _serve(path, plain=plain)
    except warm.NotForkableError as error:
        if plain:
            raise
        say(f"kernels start without preloaded modules: {error}")
        os.execv(sys.executable, [*sys.orig_argv, PLAIN])  # noqa: S606 - no shell is wanted
    # Here no frame of the loop is left below what runs now.
    if act is not None:
        child.run(act)


if __name__ == "__main__":
    main(sys.argv[1], plain=PLAIN in sys.argv[2:])
