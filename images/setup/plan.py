"""Do what is missing, step by step, and tell how far it is.

Law: what is complete is not touched; one set-up at a time works on a folder;
the same command again continues where an interrupted one stopped.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from setup import wheels
from setup.environments import Recipe, is_complete, make, recipes
from setup.folders import ensure_folder, ensure_space
from setup.interpreters import Interpreter, bootstrap_python, choose_interpreter
from setup.marks import digest, read_mark, remove_folder, write_mark
from setup.programs import HELD, LOG, LOG_NAME
from setup.running import ensure_not_running
from setup.tools import Tools, make_environment, make_installer
from setup.words import SetupError, _, say

PATIENCE_S = 5.0
Step = tuple[str, Callable[[], None]]


@dataclass(frozen=True)
class Plan:
    """What is to be made of one clone.

    Attributes:
        clone: The folder of the source code.
        environments: The folder of all environments.
        python: What the environments stand on.
    """

    clone: Path
    environments: Path
    python: Interpreter

    @property
    def tools(self) -> Tools:
        """The set-up's own programs."""
        return Tools(
            uv=self.environments / "setup" / "bin" / "uv", build=self.environments / "build"
        )

    def tool_steps(self) -> list[Step]:
        """Return what is missing of the set-up's own programs."""
        images, steps = self.clone / "images", []
        setup_lock, build_lock = (
            images / "setup" / "requirements.lock",
            images / "wheels" / "requirements.lock",
        )
        if read_mark(self.environments / "setup") != {"lock": digest([setup_lock])}:
            steps.append((_("installer"), lambda: self._make_installer(setup_lock)))
        if read_mark(self.environments / "build") != {"lock": digest([build_lock])}:
            steps.append((_("build tools and Node"), lambda: self._make_build(build_lock)))
        return steps

    def environment_steps(self, todo: list[Recipe]) -> list[Step]:
        """Return the steps for these environments, our wheels first."""
        built: dict[str, Path] = {}
        titles = {
            "fork_server": _("fork server"),
            "package": _("our package"),
            "panel": _("JupyterLab panel"),
        }
        wanted = [name for name in titles if any(name in recipe.wheels for recipe in todo)]
        steps = [(titles[name], partial(self._build_wheel, name, built)) for name in wanted]
        return [*steps, *(self._environment_step(recipe, built) for recipe in todo)]

    def _build_wheel(self, name: str, built: dict[str, Path]) -> None:
        store = self.environments / "wheels"
        built[name] = wheels.BUILDERS[name](self.clone, store, self.tools)

    def _environment_step(self, recipe: Recipe, built: dict[str, Path]) -> Step:
        title = _("{name} environment: {count} packages").format(
            name=recipe.name, count=recipe.count
        )
        folder = self.environments / recipe.name
        return title, lambda: make(recipe, folder, self.python, self.tools, built)

    def _make_installer(self, lock: Path) -> None:
        folder = self.environments / "setup"
        remove_folder(folder)
        make_installer(folder, bootstrap_python(), lock)
        write_mark(folder, {"lock": digest([lock])})

    def _make_build(self, lock: Path) -> None:
        folder = self.environments / "build"
        remove_folder(folder)
        make_environment(self.tools.uv, folder, self.python.path, lock, owned=os.geteuid() == 0)
        write_mark(folder, {"lock": digest([lock])})


def set_up(clone: Path, environments: Path, *, dev: bool) -> None:
    """Make everything that is missing below the environments' folder.

    Raises:
        SetupError: With what happened and the next step.
    """
    started = time.monotonic()
    ensure_folder(clone, environments)
    plan = Plan(clone, environments, choose_interpreter())
    if not _missing(plan, dev=dev):
        say(
            _("Environments are complete: {path} ({s:.1f} s).").format(
                path=environments, s=time.monotonic() - started
            )
        )
        return
    with _alone(environments):
        LOG.path = environments / LOG_NAME
        todo = _missing(plan, dev=dev)
        ensure_not_running(environments)
        steps = plan.tool_steps() + plan.environment_steps(todo)
        if any(read_mark(environments / recipe.name) is None for recipe in todo):
            ensure_space(environments)
        say(
            _("Setting up {path} on Python {version}.").format(
                path=environments, version=plan.python.version
            )
        )
        _do(steps)
    say(_("Set-up done in {s:.0f} s.").format(s=time.monotonic() - started))


def set_up_tools(clone: Path, environments: Path) -> Tools:
    """Make only the set-up's own programs and return them."""
    ensure_folder(clone, environments)
    plan = Plan(clone, environments, choose_interpreter())
    with _alone(environments):
        LOG.path = environments / LOG_NAME
        _do(plan.tool_steps())
    return plan.tools


def _missing(plan: Plan, *, dev: bool) -> list[Recipe]:
    every = recipes(plan.clone, dev=dev)
    return [
        recipe
        for recipe in every
        if not is_complete(recipe, plan.environments / recipe.name, plan.python)
    ]


def _do(steps: list[Step]) -> None:
    for number, (title, act) in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {title} ...", end=" ")
        started = time.monotonic()
        try:
            act()
        except BaseException:
            say("")
            raise
        say(f"{time.monotonic() - started:.0f} s")


@contextmanager
def _alone(environments: Path) -> Iterator[None]:
    """Hold the folder for this set-up; programs it starts hold it too, until they end."""
    with (environments / ".lock").open("a+", encoding="utf-8") as file:
        _wait_for(file, environments)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        HELD[:] = [file.fileno()]
        try:
            yield
        finally:
            HELD.clear()


def _wait_for(file: IO[str], environments: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                file.seek(0)
                text = _(
                    "Another set-up (process {pid}) works on {path}. Wait until it ends, then run this again."
                )
                raise SetupError(text.format(pid=file.read() or "?", path=environments)) from None
            time.sleep(0.2)
        else:
            return
