"""Become an IPython kernel in a forked child, as a new interpreter would be one.

Law: runs after every right was given up. What a cold kernel reads from its
environment at its start is read again, and what it makes at random is made
anew; a learner finds nothing of another one. What a fork cannot give back is
said: hash seed, address layout, `sys.flags` and what was imported.
"""

import atexit
import importlib
import itertools
import locale
import logging
import os
import runpy
import select
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ipykernel import ipkernel, kernelapp

from bioskills.fork_server import linux, title

LAUNCHER = "ipykernel_launcher"
_OWN = "bioskills"
_ours: list[str] = []
_C_LOCALE = "C.UTF-8"
_AUTHKEY_BYTES = 32
INLINE = "module://matplotlib_inline.backend_inline"
"""What ipykernel asks of matplotlib; validated once, in the warm parent."""


class LabWatch(threading.Thread):
    """Ends the kernel when its lab is gone; sleeps until then.

    A cold kernel looks once a second whether its parent changed. Here the
    parent is the warm one, which may end without harm.
    """

    def __init__(self, lab: int) -> None:
        super().__init__(daemon=True)
        self._lab = lab

    def run(self) -> None:
        """Wait for the end of the lab."""
        waiting = select.poll()
        waiting.register(self._lab, select.POLLIN)
        if all(event & select.POLLNVAL for _fd, event in waiting.poll()):
            return  # somebody closed every descriptor; the room's end remains
        logging.getLogger("traitlets").warning("Parent appears to have exited, shutting down.")
        os._exit(1)


class IPKernelApp(kernelapp.IPKernelApp):  # type: ignore[misc]  # the same name: it is a section of configuration files
    """The kernel's application, which watches its lab instead of its parent."""

    lab = -1

    def init_poller(self) -> None:
        """Watch the lab, where a cold kernel would watch its parent."""
        if self.parent_handle:
            self.poller = LabWatch(self.lab)

    def init_kernel(self) -> None:
        """Make the kernel; it lists all modules' files, which would copy every module's memory."""
        ipkernel.sys = _Files(_listed)
        try:
            super().init_kernel()
        finally:
            ipkernel.sys = sys

    def init_path(self) -> None:
        """Let the learner import from his folder, which `python -I` of the parent forbids."""
        super().init_path()
        if not ("" in sys.path or self.ignore_cwd or os.environ.get("PYTHONSAFEPATH")):
            sites = [path.endswith(("site-packages", "dist-packages")) for path in sys.path]
            sys.path.insert(sites.index(True) if True in sites else 0, "")

    def init_extensions(self) -> None:
        """Let imported modules meet the shell that was not there at their import."""
        super().init_extensions()
        _each(_WITH_SHELL)


class _Listed:
    """A module as far as the kernel's list needs it."""

    __slots__ = ("__file__",)

    def __init__(self, file: str) -> None:
        self.__file__ = _copy(file)


class _Files:
    """The module `sys` with a short way to the files of all modules."""

    def __init__(self, modules: dict[str, _Listed]) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


_listed: dict[str, _Listed] = {}


def _copy(text: str) -> str:
    """Return an equal text; those made one after the other lie together, in a few pages."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def list_modules() -> None:
    """Gather names and files of everything imported; called in the warm parent, when all is."""
    # Who goes through all names in a child, as IPython does, copies the pages they lie in (2 MB).
    for name in list(sys.modules):
        sys.modules[_copy(name)] = sys.modules.pop(name)
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    _listed.update({name: _Listed(file) for name, file in files.items() if file})
    _ours[:] = [name for name in sys.modules if name == _OWN or name.startswith(f"{_OWN}.")]


def run_kernel(args: Sequence[str], variables: Mapping[str, str], lab: int) -> None:
    """Be the kernel until it ends.

    Args:
        args: The whole command line of a cold kernel.
        variables: What imports of the kernel's own modules put into the environment.
        lab: Descriptor (pidfd) of the process that asked for it.
    """
    os.environ.update(variables)
    title.set_words(args)
    _like_new(args)
    renew()
    IPKernelApp.lab = lab
    IPKernelApp.instance(parent_handle=_parent_handle())
    try:
        runpy.run_module(LAUNCHER, run_name="__main__", alter_sys=True)
    finally:
        # What the end of an interpreter does; objects are not taken apart one by one.
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        atexit._run_exitfuncs()  # noqa: SLF001 - the same


def close_all_but(kept: set[int]) -> None:
    """Close every descriptor but the standard ones and these."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        if int(name) not in kept | {0, 1, 2}:
            with suppress(OSError):
                os.close(int(name))


def take_outputs(lab: int) -> None:
    """Print where the lab prints, as its cold kernels do; nowhere if the system forbids it."""
    for number in (1, 2):
        with suppress(OSError):
            found = linux.pidfd_getfd(lab, number)
            os.dup2(found, number)
            os.close(found)


def renew() -> None:
    """Make anew what must differ between forks: chance and keys."""
    _each(_RENEWED)


def _like_new(args: Sequence[str]) -> None:
    for name in _ours:
        sys.modules.pop(name, None)
    sys.argv[:] = [LAUNCHER, *args[3:]]
    sys.orig_argv[:] = args
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    # The parent's threads, which ended, do not count.
    threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]  # noqa: SLF001
    # `python -m` puts the folder first; the launcher itself takes it away again.
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a string is what belongs there
    _set_locale()


def _set_locale() -> None:
    """Follow LANG and LC_*, with the coercion of PEP 538."""
    with suppress(locale.Error):
        if locale.setlocale(locale.LC_CTYPE, "") != "C" or os.environ.get("LC_ALL"):
            return
        if os.environ.get("PYTHONCOERCECLOCALE") != "0":
            os.environ["LC_CTYPE"] = _C_LOCALE
            locale.setlocale(locale.LC_CTYPE, _C_LOCALE)


def _parent_handle() -> int:
    text = os.environ.get("JPY_PARENT_PID", "")
    return int(text) if text.isdecimal() else 0


def _each(steps: Mapping[str, Callable[[Any], object]]) -> None:
    """Do what belongs to each module that is imported; one that fails is only not adapted."""
    for name, step in steps.items():
        module = sys.modules.get(name)
        if module is not None:
            try:
                step(module)
            except Exception:
                logging.getLogger(__name__).warning("%s was not adapted", name, exc_info=True)


def _new_authkey(module: Any) -> None:
    # Made at import, so shared by all forks: it would open one learner's managers to another.
    module.current_process().authkey = os.urandom(_AUTHKEY_BYTES)


def _matplotlib(module: Any) -> None:
    """Read again what matplotlib reads at its import; the kernel has set the backend by now."""
    for name in ("get_configdir", "get_cachedir"):
        setattr(module, name, module._logged_cached("%s", getattr(module, name).__wrapped__))  # noqa: SLF001
    own = module.matplotlib_fname()
    if not own.startswith(module.get_data_path()):
        module.rc_file(own)
        module.rcParamsOrig = module.rcParams.copy()
    wanted = os.environ.get("MPLBACKEND") or INLINE
    if module.get_backend(auto_select=False) != wanted:
        module.rcParams["backend"] = wanted


_RENEWED: Mapping[str, Callable[[Any], object]] = {
    "numpy.random": lambda module: module.seed(),
    "multiprocessing.process": _new_authkey,
    # Where it keeps its cache: below the home.
    "jedi.settings": importlib.reload,
}
_WITH_SHELL: Mapping[str, Callable[[Any], object]] = {
    "ipywidgets": lambda module: module.register_comm_target(),
    "matplotlib": _matplotlib,
}
