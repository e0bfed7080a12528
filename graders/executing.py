"""Run a notebook's cells in a box: the one step of nbgrader's that is ours.

Law: nbgrader's own `Execute`, with another way to the kernel. What becomes of a
message is decided by nbclient, what becomes of a reply by nbgrader. A kernel that
ends takes nothing back: what ran before keeps its outputs, and no cell after it
may look as if it had passed.
"""

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nbclient.client import CellExecutionComplete, NotebookClient
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Instance

from bioskills.graders.after_death import mark_unrun, mark_unscorable
from bioskills.graders.apart import Apart, Isolation, NotIsolatedError, nobody
from bioskills.graders.box import BoxKernel, open_box
from bioskills.graders.box_line import Door
from bioskills.graders.box_talk import BoxEndedError
from bioskills.graders.intake import NOTEBOOK
from bioskills.graders.isolated import Step
from bioskills.graders.kernel_names import cold_kernel
from bioskills.graders.own_parent import own_door
from bioskills.graders.repair.timestamps import TIMESTAMP
from bioskills.graders.run_record import Record
from bioskills.graders.sandbox import Limits, SandboxError
from bioskills.graders.sealing import Seal
from bioskills.graders.trial_fence import course_environment
from bioskills.graders.waiting_cells import WAITS
from bioskills.graders.watching import Watch

_RunCell = Callable[[Any, int], None]
JOB_S = 3600
"""Processor seconds of one notebook in nbgrader's own commands."""


@dataclass(frozen=True)
class Setting:
    """What boxes of one grading have in common.

    Attributes:
        door: Makes boxes.
        course: The course environment.
        limits: What a box may use, by name.
        record: Is filled while cells run.
        seal: Keeps what may be shown, from before the first hidden test.
        notebooks: Names of the assignment's notebooks, where they are known.
        submitted: The notebooks as they were handed in: the folder's hold hidden tests.
        cold: Whether Python kernels start anew instead of by fork.
        deadline: When, by the monotonic clock, everything must have ended.
        tell: Called with the number of cells that ran, and of all.
        watch: Looks at the kernel around each graded cell.
        isolation: What isolated mode needs; None where tests and answers share a kernel.
    """

    door: Door
    course: Path
    limits: Mapping[str, int]
    record: Record
    seal: Seal | None = None
    notebooks: Collection[str] = ()
    submitted: Path | None = None
    cold: bool = False
    deadline: float = float("inf")
    tell: Callable[[int, int], None] = lambda _done, _of: None
    watch: Watch | None = None
    isolation: Isolation | None = None


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
        kernel = self._open(folder, self._cold())
        self.kc = _Client(kernel)
        try:
            setting.record.begun.append(name)
            nb.metadata["language_info"] = kernel.language_info
            setting.record.languages[name] = kernel.language
            with self._tests_apart(kernel, folder, name) as run:
                self._run_all(run)
            self.set_widgets_metadata()
            setting.record.no_score(name, mark_unscorable(nb.cells))
            if setting.seal is not None:
                setting.seal.ended(name, nb)
            self._account(kernel)
            setting.record.left_behind += kernel.files_into(folder, self._kept())
        finally:
            kernel.close()
        self.resources[WAITS] = setting.record.waiting_in(name)
        return nb, self.resources

    def _cold(self) -> str:
        wanted = self.nb.metadata.get("kernelspec", {})
        return cold_kernel(wanted, self.setting.course, cold=self.setting.cold)

    def _open(self, folder: Path, cold: str, *, clean: bool = False) -> BoxKernel:
        """Open a box; the clean one of isolated mode gets no notebook at all."""
        setting = self.setting
        if setting.isolation is not None and cold:
            raise NotIsolatedError
        submitted = None if clean else setting.submitted
        try:
            return open_box(
                setting.door, setting.course, setting.limits, folder, submitted=submitted, cold=cold
            )
        except SandboxError as error:
            setting.record.refused = str(error)
            raise

    def _kept(self) -> set[str]:
        """Return what nothing from a box takes: notebooks that went in, or that are graded, and the time."""
        submitted, names = self.setting.submitted, self.setting.notebooks
        went_in = submitted.rglob(f"*{NOTEBOOK}") if submitted else ()
        paths = {path.relative_to(submitted).as_posix() for path in went_in}
        return {TIMESTAMP, *(f"{name}{NOTEBOOK}" for name in names), *paths}

    def _account(self, kernel: BoxKernel) -> None:
        if self.setting.watch is not None:
            self.setting.watch.ended(kernel)
        self.setting.record.kernels_s += kernel.cpu_s

    @contextmanager
    def _tests_apart(self, kernel: BoxKernel, folder: Path, name: str) -> Iterator[_RunCell]:
        """Yield what runs one cell: in this kernel, or in isolated mode in the right one of two."""
        isolation = self.setting.isolation
        if isolation is None:
            yield partial(self._run_watched, kernel, name)
            return
        with isolation.files(folder) as files:
            clean = self._open(files, "", clean=True)
        try:
            steps = isolation.steps(name, self.nb.cells)
            yield partial(self._run_apart, Apart(kernel, clean, isolation), steps, name)
            self._account(clean)
        finally:
            clean.close()

    def _run_all(self, run: _RunCell) -> None:
        cells, name = self.nb.cells, self.setting.record.begun[-1]
        for index, cell in enumerate(cells):
            self.setting.tell(index, len(cells))
            try:
                run(cell, index)
            except BoxEndedError as ended:
                self.setting.record.ended[name] = ended.why
                self.setting.record.not_run(name, mark_unrun(cells, index))
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

    def _run_apart(
        self, apart: Apart, steps: Mapping[int, Step], name: str, cell: Any, index: int
    ) -> None:
        """Run a cell in the box of the answers, of the tests, or in both."""
        step = steps.get(index)
        if step is None or not self._runs(cell):
            return
        if step.place != "clean":
            self.kc = _Client(apart.answers)
            self._run(apart.answers, cell, index)
        if step.place != "learner":
            apart.borrow(step, self._time(cell))
        if step.place == "both":
            apart.tests.run(cell.source, self._time(cell), nobody)
        elif step.place == "clean":
            self.kc = _Client(apart.tests)
            self._test_apart(apart, f"{name}/{cell.metadata.nbgrader.grade_id}", cell, index)
        elif is_grade(cell) and not is_solution(cell):
            # A test whose text is not the author's proves nothing.
            self.setting.record.not_run(name, mark_unrun([cell], 0))

    def _test_apart(self, apart: Apart, graded: str, cell: Any, index: int) -> None:
        """Run a test in its own box; look at that of the answers before and after."""
        watch = self.setting.watch
        if watch is not None:
            watch.look(apart.answers, graded)
        self._run_watched(apart.tests, graded.partition("/")[0], cell, index)
        if watch is not None:
            watch.look(apart.answers, graded)
            watch.refused(graded, odd=apart.is_odd())
        said = apart.refusals()
        if said and any(output.output_type == "error" for output in cell.outputs):
            self.setting.record.said[graded] = " ".join(said)
            cell.outputs.append(new_output("stream", name="stdout", text="\n".join(said)))

    def _run(self, kernel: BoxKernel, cell: Any, index: int) -> dict[str, Any]:
        """Run one cell as nbclient's `async_execute_cell` does; return the content of its reply."""
        if not self._runs(cell):
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

    def _runs(self, cell: Any) -> bool:
        is_code = cell.cell_type == "code" and cell.source.strip()
        return bool(is_code and self.skip_cells_with_tag not in cell.metadata.get("tags", []))

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
