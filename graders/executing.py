"""Run a notebook's cells in a box: the one step of nbgrader's that is ours.

Law: nbgrader's own `Execute`, with another way to the kernel. What becomes of a
message is decided by nbclient, what becomes of a reply by nbgrader. A kernel that
ends takes nothing back: what ran before keeps its outputs, and no cell after it
may look as if it had passed.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient.client import CellExecutionComplete, NotebookClient
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Instance

from bioskills.graders.after_death import mark_unrun, mark_unscorable
from bioskills.graders.box import BoxEndedError, BoxKernel, open_box
from bioskills.graders.box_line import Door
from bioskills.graders.own_parent import own_door
from bioskills.graders.sandbox import Limits, SandboxError
from bioskills.graders.sealing import Seal
from bioskills.graders.trial_fence import course_environment
from bioskills.graders.watching import Watch

JOB_S = 3600
"""Processor seconds of one notebook in nbgrader's own commands."""


class NoKernelError(Exception):
    """The course environment has no kernel of this name, and it is not Python."""


@dataclass
class Record:
    """What happened while an assignment's notebooks ran.

    Attributes:
        ended: Why a kernel ended early, by notebook: *died*, *flood*, *late*, *spent*.
        unrun: Tests that were not run, by grade_id.
        unscorable: Tests whose value is no score, by grade_id.
        begun: Notebooks whose cells began to run.
        cells_s: Processor seconds of the cells, by the kernels' own word.
        kernels_s: Of the kernels in all: with what watches them.
        refused: Why no box could be made; empty where one was.
        left_behind: Entries of the working folder that are no regular files.
    """

    ended: dict[str, str] = field(default_factory=dict)
    unrun: list[str] = field(default_factory=list)
    unscorable: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    cells_s: float = 0.0
    kernels_s: float = 0.0
    refused: str = ""
    left_behind: int = 0


@dataclass(frozen=True)
class Setting:
    """What boxes of one grading have in common.

    Attributes:
        door: Makes boxes.
        course: The course environment.
        limits: What a box may use, by name.
        record: Is filled while cells run.
        seal: Keeps what may be shown, from before the first hidden test.
        submitted: The notebooks as they were handed in: the folder's hold hidden tests.
        cold: Whether Python kernels start anew instead of by fork.
        deadline: When, by the monotonic clock, everything must have ended.
        tell: Called with the number of cells that ran, and of all.
        watch: Looks at the kernel around each graded cell.
    """

    door: Door
    course: Path
    limits: Mapping[str, int]
    record: Record
    seal: Seal | None = None
    submitted: Path | None = None
    cold: bool = False
    deadline: float = float("inf")
    tell: Callable[[int, int], None] = lambda _done, _of: None
    watch: Watch | None = None


class BoxExecute(Execute):  # type: ignore[misc]
    """nbgrader's Execute in a box.

    `setting` is set on a subclass (`execute_in`). Where it is not, as in nbgrader's own
    commands, boxes come from a warm parent of this process.
    """

    setting: Any = Instance(object, allow_none=True)

    def preprocess(self, nb: Any, resources: Any, km: object = None) -> tuple[Any, Any]:
        """Run all cells in order, in a new box with the folder's files."""
        del km
        NotebookClient.__init__(self, nb, None)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        folder = Path(resources["metadata"]["path"])
        name = str(resources["nbgrader"]["notebook"])
        if self.setting is None:
            self.setting = setting_of_a_command(self.config, resources["nbgrader"])
        setting = self.setting
        try:
            cold = cold_kernel(nb.metadata.get("kernelspec", {}), setting)
            kernel = open_box(
                setting.door,
                setting.course,
                setting.limits,
                folder,
                submitted=setting.submitted,
                cold=cold,
            )
        except SandboxError as error:
            setting.record.refused = str(error)
            raise
        self.kc = _Client(kernel)
        try:
            setting.record.begun.append(name)
            nb.metadata["language_info"] = kernel.language_info
            self._run_all(kernel, name)
            self.set_widgets_metadata()
            setting.record.unscorable += mark_unscorable(nb.cells)
            if setting.seal is not None:
                setting.seal.ended(name, nb)
            if setting.watch is not None:
                setting.watch.ended(kernel)
            setting.record.kernels_s += kernel.cpu_s
            setting.record.left_behind += kernel.files_into(folder)
        finally:
            kernel.close()
        return nb, self.resources

    def _run_all(self, kernel: BoxKernel, name: str) -> None:
        cells = self.nb.cells
        for index, cell in enumerate(cells):
            self.setting.tell(index, len(cells))
            try:
                self._run_watched(kernel, name, cell, index)
            except BoxEndedError as ended:
                self.setting.record.ended[name] = ended.why
                self.setting.record.unrun += mark_unrun(cells, index)
                return
        self.setting.tell(len(cells), len(cells))

    def _run_watched(self, kernel: BoxKernel, name: str, cell: Any, index: int) -> None:
        watch = self.setting.watch
        if watch is None or cell.cell_type != "code" or not is_grade(cell) or is_solution(cell):
            self._run(kernel, cell, index)
            return
        graded = f"{name}/{cell.metadata.nbgrader.grade_id}"
        answers = "\n".join(c.source for c in self.nb.cells[:index] if c.cell_type == "code")
        watch.before(kernel, graded, cell.source, answers)
        reply = self._run(kernel, cell, index)
        watch.after(kernel, graded, reply, cell.outputs)

    def _run(self, kernel: BoxKernel, cell: Any, index: int) -> dict[str, Any]:
        """Run one cell as nbclient's `async_execute_cell` does; return the content of its reply."""
        if cell.cell_type != "code" or not cell.source.strip():
            return {}
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return {}
        if self.setting.seal is not None:
            self.setting.seal.before(self.setting.record.begun[-1], self.nb, cell)
        self.code_cells_executed += 1
        if self.record_timing:
            cell["metadata"]["execution"] = {}
        cell.outputs = []
        self.clear_before_next_output = False

        def take(message: dict[str, Any]) -> None:
            try:
                self.process_message(message, cell, index)
            except CellExecutionComplete:
                return

        before = kernel.cpu_s
        ran = kernel.run(cell.source, self._time(cell), take)
        self.setting.record.cells_s += kernel.cpu_s - before
        reply = ran.reply or {**self.error_on_timeout, "status": "error"}
        self.on_cell_executed(cell=cell, cell_index=index, execute_reply={"content": reply})
        return reply

    def _time(self, cell: Any) -> float:
        """Return the seconds that a cell may take: its own limit or what is left for all.

        Raises:
            BoxEndedError: Nothing is left.
        """
        left = self.setting.deadline - time.monotonic()
        if left <= 0:
            raise BoxEndedError("spent")
        return float(min(self._get_timeout(cell) or left, left))


class _Client:
    """As much of a kernel's client as nbclient's own widgets use."""

    def __init__(self, kernel: BoxKernel) -> None:
        self.session = self.shell_channel = self
        self.send = kernel.comm

    def msg(self, msg_type: str, content: object, **_more: object) -> dict[str, Any]:
        """Return a message for a widget in the kernel."""
        return {"msg_type": msg_type, "content": content}


def cold_kernel(wanted: Mapping[str, Any], setting: Setting) -> str:
    """Return the kernel to start anew for a notebook; empty for a Python one, which is forked.

    Python notebooks name their kernel after their author's machine: any such name is Python.
    """
    name, there = str(wanted.get("name", "")), languages(setting.course)
    language = there.get(name, str(wanted.get("language", "python"))).lower()
    if language == "python" or name.startswith("python"):
        return next((n for n, kind in there.items() if kind == "python"), "") * setting.cold
    if name not in there:
        raise NoKernelError(name)
    return name


def languages(course: Path) -> dict[str, str]:
    """Return the kernels of an environment and their languages."""
    found = {}
    for path in sorted((course / "share" / "jupyter" / "kernels").glob("*/kernel.json")):
        found[path.parent.name] = str(json.loads(path.read_text("utf-8"))["language"]).lower()
    return found


def setting_of_a_command(config: Any, about: Mapping[str, str]) -> Setting:
    """Return the setting for `nbgrader autograde` in a folder that names this step.

    Args:
        config: nbgrader's configuration.
        about: Its words about the notebook: student, assignment.
    """
    folder = CourseDirectory(config=config)
    course, lab = course_environment() or Path(sys.prefix), Path(sys.prefix)
    words = folder.submitted_directory, about["student"], about["assignment"]
    return Setting(
        door=own_door(course, lab),
        course=course,
        limits=Limits().of_a_box(JOB_S),
        record=Record(),
        submitted=Path(folder.format_path(*words)),
    )


def execute_in(setting: Setting) -> type[BoxExecute]:
    """Return the step for nbgrader's list, bound to where its boxes come from."""
    return type("Execute", (BoxExecute,), {"setting": setting})
